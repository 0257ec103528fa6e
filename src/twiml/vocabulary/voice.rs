//! Verbs for output and input: speech, media, keys, recordings, payments.

use super::{Body, Entry, MAX, METHOD, RECORDING_EVENTS, TRIM, may, must};
use crate::twiml::kind::Kind::{Document, Flag, Free, Http, ManyOf, Name, Number, NumberOr, OneOf};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "Say",
        parents: VOICED,
        body: Body::Speech,
        attributes: &[may("voice", Name), may("language", Name), may("loop", Number(0, 1000))],
    },
    Entry {
        name: "Play",
        parents: VOICED,
        body: Body::Maybe(Http),
        attributes: &[may("loop", Number(0, 1000)), may("digits", Name)],
    },
    Entry { name: "Pause", parents: VOICED, body: Body::None, attributes: &[may("length", Number(1, MAX))] },
    Entry {
        name: "break",
        parents: SPOKEN,
        body: Body::None,
        attributes: &[
            may("strength", OneOf(&["none", "x-weak", "weak", "medium", "strong", "x-strong"])),
            may("time", Name),
        ],
    },
    Entry {
        name: "emphasis",
        parents: SPOKEN,
        body: Body::Speech,
        attributes: &[may("level", OneOf(&["strong", "moderate", "reduced"]))],
    },
    Entry {
        name: "lang",
        parents: SPOKEN,
        body: Body::Speech,
        attributes: &[must("xml:lang", Name, "it says which language follows")],
    },
    Entry { name: "p", parents: SPOKEN, body: Body::Speech, attributes: &[] },
    Entry {
        name: "phoneme",
        parents: SPOKEN,
        body: Body::Speech,
        attributes: &[
            may(
                "alphabet",
                OneOf(&[
                    "ipa",
                    "x-sampa",
                    "x-amazon-jyutping",
                    "x-amazon-pinyin",
                    "x-amazon-pron-kana",
                    "x-amazon-yomigana",
                ]),
            ),
            must("ph", Name, "it is the pronunciation"),
        ],
    },
    Entry {
        name: "prosody",
        parents: SPOKEN,
        body: Body::Speech,
        attributes: &[may("volume", Name), may("rate", Name), may("pitch", Name)],
    },
    Entry { name: "s", parents: SPOKEN, body: Body::Speech, attributes: &[] },
    Entry {
        name: "say-as",
        parents: SPOKEN,
        body: Body::Speech,
        attributes: &[
            must(
                "interpret-as",
                OneOf(&[
                    "characters",
                    "spell-out",
                    "cardinal",
                    "number",
                    "ordinal",
                    "digits",
                    "fraction",
                    "unit",
                    "date",
                    "time",
                    "address",
                    "expletive",
                    "telephone",
                ]),
                "it says what the text is",
            ),
            may("format", OneOf(&["mdy", "dmy", "ymd", "md", "dm", "ym", "my", "d", "m", "y", "yyyymmdd"])),
        ],
    },
    Entry {
        name: "sub",
        parents: SPOKEN,
        body: Body::Speech,
        attributes: &[must("alias", Name, "it is what is said instead")],
    },
    Entry { name: "w", parents: SPOKEN, body: Body::Speech, attributes: &[may("role", Name)] },
    // Input verbs.
    Entry {
        name: "Gather",
        parents: &["Response"],
        body: Body::None,
        attributes: &[
            must("action", Document, LOOPS),
            may("method", METHOD),
            may("input", ManyOf(&["dtmf", "speech"])),
            may("timeout", NumberOr(1, MAX, "auto")),
            may("speechTimeout", NumberOr(1, MAX, "auto")),
            may("maxSpeechTime", Number(1, MAX)),
            may("profanityFilter", Flag),
            may("finishOnKey", Free),
            may("numDigits", Number(1, MAX)),
            may("partialResultCallback", Http),
            may("partialResultCallbackMethod", METHOD),
            may("language", Name),
            may("hints", Free),
            may("bargeIn", Flag),
            may("debug", Flag),
            may("actionOnEmptyResult", Flag),
            may("speechModel", Name),
            may("enhanced", Flag),
        ],
    },
    Entry {
        name: "Record",
        parents: &["Response"],
        body: Body::None,
        attributes: &[
            must("action", Document, LOOPS),
            may("method", METHOD),
            may("timeout", Number(0, MAX)),
            may("finishOnKey", Free),
            may("maxLength", Number(1, 14_400)),
            may("playBeep", Flag),
            may("trim", TRIM),
            may("recordingConfigurationId", Name),
            may("recordingStatusCallback", Http),
            may("recordingStatusCallbackMethod", METHOD),
            may("recordingStatusCallbackEvent", RECORDING_EVENTS),
            may("transcribe", Flag),
            may("transcribeCallback", Http),
        ],
    },
    Entry {
        name: "Pay",
        parents: &["Response"],
        body: Body::None,
        attributes: &[
            may("input", OneOf(&["dtmf"])),
            may("action", Document),
            may(
                "bankAccountType",
                OneOf(&[
                    "consumer-checking",
                    "consumer-savings",
                    "commercial-checking",
                    "commercial-savings",
                ]),
            ),
            may("statusCallback", Http),
            may("statusCallbackMethod", METHOD),
            may("timeout", Number(1, MAX)),
            may("maxAttempts", Number(1, 3)),
            may("securityCode", Flag),
            may("postalCode", Free),
            may("minPostalCodeLength", Number(0, MAX)),
            may("paymentConnector", Name),
            may("paymentMethod", OneOf(&["ach-debit", "credit-card"])),
            may("tokenType", OneOf(&["one-time", "reusable", "payment-method"])),
            may("chargeAmount", Free),
            may("currency", Name),
            may("description", Free),
            may("validCardTypes", ManyOf(CARDS)),
            may("language", Name),
        ],
    },
    Entry {
        name: "Prompt",
        parents: &["Pay"],
        body: Body::None,
        attributes: &[
            may(
                "for",
                OneOf(&[
                    "payment-card-number",
                    "expiration-date",
                    "security-code",
                    "postal-code",
                    "payment-processing",
                    "bank-account-number",
                    "bank-routing-number",
                ]),
            ),
            may(
                "errorType",
                ManyOf(&[
                    "timeout",
                    "invalid-card-number",
                    "invalid-card-type",
                    "invalid-date",
                    "invalid-security-code",
                    "internal-error",
                    "input-matching-failed",
                ]),
            ),
            may("cardType", ManyOf(CARDS)),
            may("attempt", ManyOf(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"])),
            may("requireMatchingInputs", Flag),
        ],
    },
];

const SPOKEN: &[&str] = &["Say", "emphasis", "lang", "p", "prosody", "s", "w"];
const VOICED: &[&str] = &["Response", "Gather", "Prompt"];
const LOOPS: &str = "without it Twilio requests this document again, and the call loops";

const CARDS: &[&str] =
    &["visa", "mastercard", "amex", "maestro", "discover", "optima", "jcb", "diners-club", "enroute"];
