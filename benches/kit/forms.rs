//! Status callbacks as Twilio sends them for a WhatsApp call, with 25 parameters.

use jiff::Timestamp;

use super::rows::{consumer, sender};

/// The statuses of an answered call, in order.
pub const STATUSES: [&str; 4] = ["initiated", "ringing", "in-progress", "completed"];

/// The parameters of the status callback number `sequence` of call number `n`.
pub fn status(n: usize, sequence: usize, at: Timestamp) -> Vec<(String, String)> {
    let (from, to) = (sender().e164(), consumer(n).e164());
    let pairs = [
        ("AccountSid", "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a".to_owned()),
        ("ApiVersion", "2010-04-01".to_owned()),
        ("CallSid", call_sid(n)),
        ("CallStatus", STATUSES[sequence].to_owned()),
        ("CallbackSource", "call-progress-events".to_owned()),
        ("Called", format!("whatsapp:{to}")),
        ("CalledCity", String::new()),
        ("CalledCountry", "BR".to_owned()),
        ("CalledState", String::new()),
        ("CalledZip", String::new()),
        ("Caller", format!("whatsapp:{from}")),
        ("CallerCity", String::new()),
        ("CallerCountry", "BR".to_owned()),
        ("CallerState", String::new()),
        ("CallerZip", String::new()),
        ("Direction", "outbound-api".to_owned()),
        ("From", format!("whatsapp:{from}")),
        ("FromCity", String::new()),
        ("FromCountry", "BR".to_owned()),
        ("FromState", String::new()),
        ("SequenceNumber", sequence.to_string()),
        ("Timestamp", at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()),
        ("To", format!("whatsapp:{to}")),
        ("ToCity", String::new()),
        ("ToCountry", "BR".to_owned()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

pub fn encode(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub fn call_sid(n: usize) -> String {
    format!("CA{n:032x}")
}
