//! Compares a store with its witness: whether it may be used, or has to be held.

use crate::domain::{LineageCause, Moved, StoreSelf, Witnessed, moved};

/// What follows from a store and its witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineageVerdict {
    /// It is at its witness, or ahead of it: the witness is written at most once a second.
    Known,
    /// It has no history, and nor has the witness.
    New,
    /// It has a history and is not known here, and it is taken: it comes from a version without witnesses, or the
    /// operator says that it is meant.
    Adopted,
    /// Nothing leaves.
    Held(LineageCause),
}

/// `adopts` is the operator's word that a store without a matching witness is meant. It does not help a store that has
/// gone back: calls of it are missing.
#[must_use]
pub fn compare(stored: &StoreSelf, witness: Option<&Witnessed>, adopts: bool) -> LineageVerdict {
    let has_history = stored.position.batch > 0;
    let unless_adopted = |cause| match adopts {
        true => LineageVerdict::Adopted,
        false => LineageVerdict::Held(cause),
    };
    match (stored.identity, witness) {
        (None, None) if has_history => LineageVerdict::Adopted,
        (_, None) if !has_history && stored.copied_at.is_none() => LineageVerdict::New,
        // Nothing was ever dialled from the one that the witness knows.
        (None, Some(witness)) if !has_history && witness.position.batch == 0 => LineageVerdict::New,
        (_, None) if stored.copied_at.is_some() => unless_adopted(LineageCause::Copied),
        (_, None) => unless_adopted(LineageCause::NoWitness),
        (Some(mine), Some(witness)) if mine == witness.identity => {
            if stored.position.is_behind(witness.position) {
                return LineageVerdict::Held(LineageCause::GoneBack);
            }
            match moved(stored, Some(witness)) {
                Moved::Held(cause) => unless_adopted(cause),
                Moved::No | Moved::Whole => LineageVerdict::Known,
            }
        }
        (_, Some(_)) => unless_adopted(LineageCause::AnotherStore),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{Position, Server, ServerOrigin, StoreIdentity};

    const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

    fn stored(identity: Option<u8>, batch: u64) -> StoreSelf {
        let identity = identity.map(|byte| StoreIdentity::new([byte; 16]));
        let position = Position { leader: 3, batch };
        let (copied_at, last_at, origin, beaten_at) = (None, None, None, None);
        let server = Server::default();
        StoreSelf { identity, position, copied_at, last_at, is_held: false, origin, server, beaten_at }
    }

    fn elsewhere(batch: u64) -> StoreSelf {
        let on = |timeline| Some(ServerOrigin { system: 7, timeline });
        let server = Server { origin: on(2), is_synchronous: false };
        StoreSelf { origin: on(1), server, ..stored(Some(1), batch) }
    }

    fn copy(identity: Option<u8>, batch: u64) -> StoreSelf {
        StoreSelf { copied_at: Some(NOW), ..stored(identity, batch) }
    }

    fn witness(byte: u8, batch: u64) -> Witnessed {
        let position = Position { leader: 3, batch };
        Witnessed { identity: StoreIdentity::new([byte; 16]), position, at: NOW, server: Server::default() }
    }

    #[test]
    fn a_store_is_held_unless_it_is_at_its_witness_or_ahead() {
        use LineageCause::{AnotherStore, AnotherTimeline, Copied, GoneBack, NoWitness};
        use LineageVerdict::{Adopted, Held, Known, New};
        let cases = [
            ("at its witness", stored(Some(1), 10), Some(witness(1, 10)), Known, Known),
            ("ahead by one", stored(Some(1), 11), Some(witness(1, 10)), Known, Known),
            ("behind by one", stored(Some(1), 9), Some(witness(1, 10)), Held(GoneBack), Held(GoneBack)),
            ("another one", stored(Some(2), 90), Some(witness(1, 10)), Held(AnotherStore), Adopted),
            ("no witness", stored(Some(1), 1), None, Held(NoWitness), Adopted),
            ("no witness, no history", stored(Some(1), 0), None, New, New),
            ("new", stored(None, 0), None, New, New),
            ("of a version without witnesses", stored(None, 1), None, Adopted, Adopted),
            ("the file was removed", stored(None, 0), Some(witness(1, 1)), Held(AnotherStore), Adopted),
            ("nothing was lost with it", stored(None, 0), Some(witness(1, 0)), New, New),
            ("older than witnesses", stored(None, 5), Some(witness(1, 10)), Held(AnotherStore), Adopted),
            ("a copy elsewhere", copy(Some(1), 10), None, Held(Copied), Adopted),
            ("a copy without a history", copy(Some(1), 0), None, Held(Copied), Adopted),
            ("a copy put back in time", copy(Some(1), 10), Some(witness(1, 10)), Known, Known),
            ("a copy put back late", copy(Some(1), 9), Some(witness(1, 10)), Held(GoneBack), Held(GoneBack)),
            ("on another timeline", elsewhere(10), Some(witness(1, 10)), Held(AnotherTimeline), Adopted),
            (
                "on another timeline, behind",
                elsewhere(9),
                Some(witness(1, 10)),
                Held(GoneBack),
                Held(GoneBack),
            ),
            ("a copy of another one", copy(Some(2), 9), Some(witness(1, 10)), Held(AnotherStore), Adopted),
        ];
        for (what, stored, witness, found, adopted) in cases {
            assert_eq!(compare(&stored, witness.as_ref(), false), found, "{what}");
            assert_eq!(compare(&stored, witness.as_ref(), true), adopted, "{what}, with --adopt");
        }
    }
}
