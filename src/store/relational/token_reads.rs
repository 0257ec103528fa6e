//! Looks tokens up, which every API request does. Requests that come while a look-up of their token waits share it.
//!
//! A look-up begins after the last request that shares it, so that a token that another process has revoked is
//! refused at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::fault::{Shared, gone};
use super::reader::{Readers, in_snapshot};
use super::sql::Connection;
use super::{contained, tokens};
use crate::store::{Result, Token};

type Hash = [u8; 32];
type Answer = Result<Option<Token>>;

/// The requests whose look-up has not begun.
#[derive(Default)]
pub struct TokenReads(Arc<Waiting>);

#[derive(Default)]
struct Waiting(Mutex<HashMap<Hash, Vec<oneshot::Sender<Answer>>>>);

impl TokenReads {
    /// The token with this hash, as it is stored after this call.
    ///
    /// # Errors
    /// As any read of the store.
    pub async fn by_hash(&self, readers: &Readers, hash: Hash) -> Answer {
        let (told, answer) = oneshot::channel();
        if self.0.join(hash, told) {
            let waiting = Arc::clone(&self.0);
            let begun = readers.run_for_several(Box::new(move |db| waiting.look_up(hash, db)));
            if let Err(error) = begun {
                self.0.look_up(hash, Err(error));
            }
        }
        answer.await.map_err(|_| gone())?
    }
}

impl Waiting {
    /// Whether nobody has begun a look-up that this request could share.
    fn join(&self, hash: Hash, told: oneshot::Sender<Answer>) -> bool {
        let mut waiting = self.lock();
        let sharing = waiting.entry(hash).or_default();
        sharing.push(told);
        sharing.len() == 1
    }

    fn look_up(&self, hash: Hash, db: Result<&Connection>) {
        // Requests from here on need a look-up that begins later.
        let Some(mut sharing) = self.lock().remove(&hash) else { return };
        let read = db.and_then(|db| in_snapshot(db, |db| contained(|| tokens::by_hash(db, hash))));
        let last = sharing.pop();
        match read {
            Ok(token) => {
                for told in sharing {
                    let _ = told.send(Ok(token.clone()));
                }
                if let Some(told) = last {
                    let _ = told.send(Ok(token));
                }
            }
            Err(error) => {
                let shared = Shared::new(error);
                for told in sharing.into_iter().chain(last) {
                    let _ = told.send(Err(shared.error()));
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Vec<oneshot::Sender<Answer>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use jiff::Timestamp;

    use super::super::file;
    use super::super::reader::Bounds;
    use super::*;
    use crate::store::Error;

    const HASH: Hash = [7; 32];

    fn stored() -> (Connection, Token) {
        let db = file::open_memory().unwrap();
        // It opens with a transaction, and each look-up begins its own.
        db.execute_batch("COMMIT").unwrap();
        let token = Token::new("crm", HASH, Timestamp::UNIX_EPOCH);
        tokens::create(&db, &token).unwrap();
        (db, token)
    }

    /// Polls once, so that the requests have asked.
    macro_rules! begin {
        ($($request:ident),+) => {
            tokio::select! {
                biased;
                $(_ = &mut $request => panic!("its look-up waits"),)+
                () = std::future::ready(()) => {}
            }
        };
    }

    #[tokio::test]
    async fn requests_share_a_look_up_that_has_not_begun_and_one_that_goes_does_not_end_it() {
        let (db, token) = stored();
        let readers = Readers::start(vec![db], Bounds { queue_max: Some(2), timeout: None }).unwrap();
        let (go_on, goes_on) = channel::<()>();
        let (begins, began) = oneshot::channel();
        let mut before = Box::pin(readers.run(move |_| {
            let _ = begins.send(());
            let _ = goes_on.recv();
            Ok(())
        }));
        tokio::select! {
            biased;
            _ = &mut before => panic!("it waits to be let go"),
            began = began => began.unwrap(),
        }
        let reads = TokenReads::default();
        let mut first = Box::pin(reads.by_hash(&readers, HASH));
        let mut second = Box::pin(reads.by_hash(&readers, HASH));
        let mut third = Box::pin(reads.by_hash(&readers, HASH));
        let mut other = Box::pin(reads.by_hash(&readers, [8; 32]));
        begin!(first, second, third, other);
        drop(first);
        // Two reads wait, which is the maximum, so a third one would have been refused.
        let refused = reads.by_hash(&readers, [9; 32]).await;
        assert!(matches!(refused, Err(Error::Busy)), "{refused:?}");
        go_on.send(()).unwrap();
        assert_eq!(second.await.unwrap(), Some(token.clone()));
        assert_eq!(third.await.unwrap(), Some(token));
        assert_eq!(other.await.unwrap(), None);
        before.await.unwrap();
        assert!(reads.0.lock().is_empty(), "nobody waits");
    }

    #[tokio::test]
    async fn a_request_after_the_look_up_began_does_not_share_it() {
        let (db, token) = stored();
        let waiting = Waiting::default();
        let (told, answer) = oneshot::channel();
        assert!(waiting.join(HASH, told));
        waiting.look_up(HASH, Ok(&db));
        tokens::revoke(&db, HASH).unwrap();
        let (later, later_answer) = oneshot::channel();
        assert!(waiting.join(HASH, later), "it needs its own look-up");
        waiting.look_up(HASH, Ok(&db));
        assert_eq!(answer.await.unwrap().unwrap(), Some(token));
        assert_eq!(later_answer.await.unwrap().unwrap(), None);
    }
}
