//! Strangers of the kill loop: they write under a WhatsApp user id that no number is known of, and some of them write
//! again later, with their number.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use ringmaster::twilio::signature::{Key, Payload, SIGNATURE_HEADER};
use secrecy::SecretString;

use crate::customers::pass;
use crate::loopback;
use crate::setting::{SENDERS, Setting};

/// User ids of strangers.
#[derive(Default)]
pub struct Ids {
    /// Those whose only message the daemon has acknowledged.
    pub unnamed: BTreeSet<String>,
    /// Those whose second message, with their number, the daemon has acknowledged.
    pub named: BTreeSet<String>,
}

pub struct Strangers {
    thread: JoinHandle<()>,
    are_leaving: Arc<AtomicBool>,
    ids: Arc<Mutex<Ids>>,
}

impl Strangers {
    pub fn begin(setting: &Arc<Setting>) -> Self {
        let (are_leaving, ids) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Ids>>::default());
        let (setting, leaving, known) = (setting.clone(), are_leaving.clone(), ids.clone());
        let thread = std::thread::spawn(move || {
            let mut messages = 0_u32;
            for number in 0_u32.. {
                if leaving.load(Ordering::Relaxed) {
                    return;
                }
                let id = format!("GB.{:010}", 7_000_000_000_u64 + u64::from(number));
                let mut write = |from: &str| {
                    messages += 1;
                    write(&setting, &format!("SM{:032x}", 0xdead_0000_u32 + messages), from, &id);
                };
                write(&id);
                known.lock().unwrap().unnamed.insert(id.clone());
                if number % 2 == 0 {
                    write(&format!("+44790{number:07}"));
                    let mut ids = known.lock().unwrap();
                    ids.unnamed.remove(&id);
                    ids.named.insert(id);
                }
                pass(Duration::from_millis(20));
            }
        });
        Self { thread, are_leaving, ids }
    }

    /// Lets them write their last message, and returns who they were.
    pub fn end(self) -> Ids {
        self.are_leaving.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        std::mem::take(&mut *self.ids.lock().unwrap())
    }
}

/// Sends one message until the daemon acknowledges it, as Twilio does.
fn write(setting: &Setting, sid: &str, from: &str, id: &str) {
    let (from, to) = (format!("whatsapp:{from}"), format!("whatsapp:{}", SENDERS[0]));
    let pairs = [
        ("AccountSid", setting.account.as_str()),
        ("Body", "Hello"),
        ("ExternalUserId", id),
        ("From", &from),
        ("MessageSid", sid),
        ("NumMedia", "0"),
        ("To", &to),
    ];
    let body = pairs.map(|(name, value)| format!("{name}={}", value.replace('+', "%2B"))).join("&");
    let key = Key::auth_token(&SecretString::from(setting.auth_token.as_str()));
    let signed = pairs.map(|(name, value)| (Cow::from(name), Cow::from(value)));
    let signature = key.sign(&setting.public("/hooks/messages"), Payload::Form(&signed));
    let headers = [(SIGNATURE_HEADER, signature.as_str()), ("content-type", loopback::FORM)];
    loop {
        match setting.hook("/hooks/messages", &headers, &body) {
            Some(200) => return,
            None | Some(503 | 504) => pass(Duration::from_millis(20)),
            Some(status) => panic!("a message was answered with {status}"),
        }
    }
}
