//! The verbs and nouns that a document may use: where each may stand, its attributes and its content.
//!
//! Names and sets are those of Twilio's voice TwiML as its helper library 6.2.0 for Node.js types them
//! (autumn 2026); ranges are those of the TwiML pages. Verbs that lead to the public telephone network are
//! missing on purpose: `REFUSED` says why.

use super::kind::Kind::{
    self, Client, Consumer, Document, Flag, Free, Http, HttpOrSilence, LegStatus, ManyOf, Name, Number,
    NumberOr, OneOf, Sid, Sip, Socket,
};

/// One element of TwiML.
#[derive(Debug)]
pub(super) struct Entry {
    pub name: &'static str,
    pub parents: &'static [&'static str],
    pub body: Body,
    pub attributes: &'static [Attribute],
}

/// The text that an element takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Only elements, or nothing.
    None,
    /// Spoken text, with speech markup in it.
    Speech,
    /// A JSON object.
    Json,
    /// One value, which may be missing.
    Maybe(Kind),
    /// One value.
    One(Kind),
}

#[derive(Debug)]
pub(super) struct Attribute {
    pub name: &'static str,
    pub kind: Kind,
    /// Why the element is refused without the attribute.
    pub required: Option<&'static str>,
}

pub(super) fn entry(name: &str) -> Option<&'static Entry> {
    VOCABULARY.iter().find(|entry| entry.name == name)
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    VOCABULARY.iter().map(|entry| entry.name)
}

/// Why a known element or attribute is refused wherever it stands.
pub(super) fn refused(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == name).map(|&(_, reason)| reason)
}

/// The name that was probably meant.
pub(super) fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    known
        .map(|known| (strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase()), known))
        .filter(|&(likeness, _)| likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

const REFUSED: &[(&str, &str)] = &[
    ("Number", "it dials the public telephone network, and Twilio rejects a WhatsApp leg bridged to it"),
    ("Sim", "it dials a mobile over the telephone network, and Twilio rejects a WhatsApp leg bridged to it"),
    ("Refer", "it hands the call to an address outside Twilio that may break out to the telephone network"),
    (
        "Application",
        "it runs a TwiML document that cannot be checked here and may dial the telephone network",
    ),
    ("Sms", "it sends a text message over the telephone network, from a sender that is not one of ours"),
    ("referUrl", "a REFER would run a TwiML document that cannot be checked here"),
    ("referMethod", "a REFER would run a TwiML document that cannot be checked here"),
];

const fn may(name: &'static str, kind: Kind) -> Attribute {
    Attribute { name, kind, required: None }
}

const fn must(name: &'static str, kind: Kind, why: &'static str) -> Attribute {
    Attribute { name, kind, required: Some(why) }
}

const MAX: u32 = u32::MAX;
const METHOD: Kind = OneOf(&["GET", "POST"]);
const LEG_EVENTS: Kind = ManyOf(&["initiated", "ringing", "answered", "completed"]);
const RECORDING_EVENTS: Kind = ManyOf(&["in-progress", "completed", "absent"]);
const TRIM: Kind = OneOf(&["trim-silence", "do-not-trim"]);
const TRACK: Kind = OneOf(&["inbound", "outbound", "both"]);
const MEDIA_TRACK: Kind = OneOf(&["inbound_track", "outbound_track", "both_tracks"]);
const INTERRUPTIBLE: Kind = OneOf(&["none", "dtmf", "speech", "any", "true", "false"]);
const SPOKEN: &[&str] = &["Say", "emphasis", "lang", "p", "prosody", "s", "w"];
const VOICED: &[&str] = &["Response", "Gather", "Prompt"];
const STREAMED: &[&str] = &["Start", "Stop"];
const LOOPS: &str = "without it Twilio asks for this very document again, and the call goes round in circles";
const PAIR: &str = "a parameter is a name and a value";

const VOCABULARY: &[Entry] = &[
    Entry { name: "Response", parents: &[], body: Body::None, attributes: &[] },
    // What the caller hears.
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
    // What the caller answers.
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
    // Where the call goes.
    Entry {
        name: "Redirect",
        parents: &["Response"],
        body: Body::One(Document),
        attributes: &[may("method", METHOD)],
    },
    Entry { name: "Hangup", parents: &["Response"], body: Body::None, attributes: &[] },
    Entry { name: "Leave", parents: &["Response"], body: Body::None, attributes: &[] },
    Entry {
        name: "Reject",
        parents: &["Response"],
        body: Body::None,
        attributes: &[may("reason", OneOf(&["rejected", "busy"]))],
    },
    Entry {
        name: "Enqueue",
        parents: &["Response"],
        body: Body::Maybe(Name),
        attributes: &[
            may("action", Document),
            may("method", METHOD),
            may("maxQueueSize", Number(1, 5000)),
            // A queue's waiting document cannot dial, so it is no road to the telephone network.
            may("waitUrl", Http),
            may("waitUrlMethod", METHOD),
            may("workflowSid", Sid("WW")),
        ],
    },
    Entry {
        name: "Task",
        parents: &["Enqueue"],
        body: Body::Json,
        attributes: &[may("priority", Number(0, MAX)), may("timeout", Number(1, MAX))],
    },
    // Whom the call is connected with.
    Entry {
        name: "Dial",
        parents: &["Response"],
        body: Body::None,
        attributes: &[
            may("action", Document),
            may("method", METHOD),
            may("timeout", Number(1, 600)),
            may("hangupOnStar", Flag),
            may("timeLimit", Number(1, 86_400)),
            may("callerId", Name),
            may(
                "record",
                OneOf(&[
                    "do-not-record",
                    "record-from-answer",
                    "record-from-ringing",
                    "record-from-answer-dual",
                    "record-from-ringing-dual",
                    "true",
                    "false",
                ]),
            ),
            may("trim", TRIM),
            may("recordingConfigurationId", Name),
            may("recordingStatusCallback", Http),
            may("recordingStatusCallbackMethod", METHOD),
            may("recordingStatusCallbackEvent", RECORDING_EVENTS),
            may("recordingTrack", TRACK),
            may("answerOnBridge", Flag),
            may("ringTone", OneOf(RING_TONES)),
            may("sequential", Flag),
            may("events", OneOf(&["call-progress-event"])),
            may("passports", Name),
        ],
    },
    Entry {
        name: "WhatsApp",
        parents: &["Dial"],
        body: Body::One(Consumer),
        attributes: &[
            may("url", Document),
            may("method", METHOD),
            may("statusCallbackEvent", LEG_EVENTS),
            must(
                "statusCallback",
                LegStatus,
                "write {{leg_status_url}}: without its reports nobody learns how the consumer's leg ended",
            ),
            may("statusCallbackMethod", METHOD),
        ],
    },
    Entry {
        name: "Client",
        parents: &["Dial"],
        body: Body::Maybe(Client),
        attributes: &[
            may("url", Document),
            may("method", METHOD),
            may("statusCallbackEvent", LEG_EVENTS),
            may("statusCallback", Http),
            may("statusCallbackMethod", METHOD),
        ],
    },
    Entry { name: "Identity", parents: &["Client"], body: Body::One(Client), attributes: &[] },
    Entry {
        name: "Sip",
        parents: &["Dial"],
        body: Body::One(Sip),
        attributes: &[
            may("username", Name),
            may("password", Name),
            may("url", Document),
            may("method", METHOD),
            may("statusCallbackEvent", LEG_EVENTS),
            may("statusCallback", Http),
            may("statusCallbackMethod", METHOD),
            may("machineDetection", OneOf(&["Enable", "DetectMessageEnd"])),
            may("amdStatusCallback", Http),
            may("amdStatusCallbackMethod", METHOD),
            may("machineDetectionTimeout", Number(3, 59)),
            may("machineDetectionSpeechThreshold", Number(1000, 6000)),
            may("machineDetectionSpeechEndThreshold", Number(500, 5000)),
            may("machineDetectionSilenceTimeout", Number(2000, 10_000)),
        ],
    },
    Entry {
        name: "Conference",
        parents: &["Dial"],
        body: Body::One(Name),
        attributes: &[
            may("muted", Flag),
            may("beep", OneOf(&["true", "false", "onEnter", "onExit"])),
            may("startConferenceOnEnter", Flag),
            may("endConferenceOnExit", Flag),
            // A conference's waiting document cannot dial, so it is no road to the telephone network.
            may("waitUrl", HttpOrSilence),
            may("waitMethod", METHOD),
            may("maxParticipants", Number(2, 250)),
            may("record", OneOf(&["do-not-record", "record-from-start", "true", "false"])),
            may("region", OneOf(&["us1", "us2", "ie1", "sg1", "br1", "au1", "jp1", "de1"])),
            may("coach", Name),
            may("trim", TRIM),
            may(
                "statusCallbackEvent",
                ManyOf(&[
                    "start",
                    "end",
                    "join",
                    "leave",
                    "mute",
                    "hold",
                    "modify",
                    "speaker",
                    "announcement",
                ]),
            ),
            may("statusCallback", Http),
            may("statusCallbackMethod", METHOD),
            may("recordingConfigurationId", Name),
            may("recordingStatusCallback", Http),
            may("recordingStatusCallbackMethod", METHOD),
            may("recordingStatusCallbackEvent", RECORDING_EVENTS),
            may("eventCallbackUrl", Http),
            may("jitterBufferSize", OneOf(&["large", "medium", "small", "off"])),
            may("participantLabel", Name),
        ],
    },
    Entry {
        name: "Queue",
        parents: &["Dial"],
        body: Body::Maybe(Name),
        attributes: &[
            may("url", Document),
            may("method", METHOD),
            may("reservationSid", Sid("WR")),
            may("postWorkActivitySid", Sid("WA")),
        ],
    },
    // Media and machines.
    Entry {
        name: "Start",
        parents: &["Response"],
        body: Body::None,
        attributes: &[may("action", Document), may("method", METHOD)],
    },
    Entry { name: "Stop", parents: &["Response"], body: Body::None, attributes: &[] },
    Entry {
        name: "Connect",
        parents: &["Response"],
        body: Body::None,
        attributes: &[may("action", Document), may("method", METHOD)],
    },
    Entry {
        name: "Stream",
        parents: &["Start", "Stop", "Connect"],
        body: Body::None,
        attributes: &[
            may("name", Name),
            may("connectorName", Name),
            may("url", Socket),
            may("track", MEDIA_TRACK),
            may("statusCallback", Http),
            may("statusCallbackMethod", METHOD),
            may("audioFormat", Name),
            may("sampleRate", Name),
        ],
    },
    Entry {
        name: "Siprec",
        parents: STREAMED,
        body: Body::None,
        attributes: &[
            may("name", Name),
            may("connectorName", Name),
            may("track", MEDIA_TRACK),
            may("statusCallback", Http),
            may("statusCallbackMethod", METHOD),
        ],
    },
    Entry {
        name: "Transcription",
        parents: STREAMED,
        body: Body::None,
        attributes: &[
            may("name", Name),
            may("track", MEDIA_TRACK),
            may("statusCallbackUrl", Http),
            may("statusCallbackMethod", METHOD),
            may("inboundTrackLabel", Name),
            may("outboundTrackLabel", Name),
            may("partialResults", Flag),
            may("languageCode", Name),
            may("transcriptionEngine", Name),
            may("profanityFilter", Flag),
            may("speechModel", Name),
            may("hints", Free),
            may("enableAutomaticPunctuation", Flag),
            may("intelligenceService", Name),
        ],
    },
    Entry {
        name: "Recording",
        parents: STREAMED,
        body: Body::None,
        attributes: &[
            may("recordingStatusCallback", Http),
            may("recordingStatusCallbackMethod", METHOD),
            may("recordingStatusCallbackEvent", RECORDING_EVENTS),
            may("recordingConfigurationId", Name),
            may("trim", TRIM),
            may("track", TRACK),
            may("channels", OneOf(&["mono", "dual"])),
        ],
    },
    Entry {
        name: "ConversationRelay",
        parents: &["Connect"],
        body: Body::None,
        attributes: &[
            must("url", Socket, "it is the bot that the call is connected with"),
            may("language", Name),
            may("ttsLanguage", Name),
            may("transcriptionLanguage", Name),
            may("ttsProvider", Name),
            may("voice", Name),
            may("transcriptionProvider", Name),
            may("speechModel", Name),
            may("profanityFilter", Flag),
            may("dtmfDetection", Flag),
            may("welcomeGreeting", Free),
            may("welcomeGreetingInterruptible", INTERRUPTIBLE),
            may("interruptible", INTERRUPTIBLE),
            may("interruptSensitivity", OneOf(&["low", "medium", "high"])),
            may("preemptible", Flag),
            may("reportInputDuringAgentSpeech", OneOf(&["none", "dtmf", "speech", "any", "true", "false"])),
            may("partialPrompts", Flag),
            may("hints", Free),
            may("intelligenceService", Name),
            may("elevenlabsTextNormalization", OneOf(&["on", "auto", "off"])),
            may("deepgramSmartFormat", Name),
            may("deepgramsmartformat", Name),
            may("backgroundNoiseReduction", Name),
            may("backgroundnoisereduction", Name),
            may("ignoreBackchannel", Name),
            may("ignorebackchannel", Name),
            may("speechTimeout", Name),
            may("speechtimeout", Name),
            may("events", Name),
            may("debug", Name),
        ],
    },
    Entry {
        name: "Language",
        parents: &["ConversationRelay", "ConversationRelaySession"],
        body: Body::None,
        attributes: &[
            must("code", Name, "it says which language is meant"),
            may("ttsProvider", Name),
            may("voice", Name),
            may("transcriptionProvider", Name),
            may("speechModel", Name),
        ],
    },
    Entry {
        name: "ConversationRelaySession",
        parents: &["Connect"],
        body: Body::None,
        attributes: &[may("connector", Name), may("sessionConfiguration", Name)],
    },
    Entry {
        name: "AiSession",
        parents: &["Connect"],
        body: Body::None,
        attributes: &[may("aiConnector", Name), may("aiSessionConfiguration", Name)],
    },
    Entry {
        name: "VirtualAgent",
        parents: &["Connect"],
        body: Body::None,
        attributes: &[
            may("connectorName", Name),
            may("language", Name),
            may("sentimentAnalysis", Flag),
            may("statusCallback", Http),
            may("statusCallbackMethod", METHOD),
        ],
    },
    Entry {
        name: "Conversation",
        parents: &["Connect"],
        body: Body::None,
        attributes: &[
            may("serviceInstanceSid", Sid("IS")),
            may("inboundAutocreation", Flag),
            may("routingAssignmentTimeout", Number(0, MAX)),
            may("inboundTimeout", Number(0, MAX)),
            may("url", Document),
            may("method", METHOD),
            may(
                "record",
                OneOf(&[
                    "do-not-record",
                    "record-from-answer",
                    "record-from-ringing",
                    "record-from-answer-dual",
                    "record-from-ringing-dual",
                    "true",
                    "false",
                ]),
            ),
            may("trim", TRIM),
            may("recordingStatusCallback", Http),
            may("recordingStatusCallbackMethod", METHOD),
            may("recordingStatusCallbackEvent", RECORDING_EVENTS),
            may("statusCallback", Http),
            may("statusCallbackMethod", METHOD),
            may(
                "statusCallbackEvent",
                ManyOf(&["call-initiated", "call-ringing", "call-answered", "call-completed"]),
            ),
        ],
    },
    Entry {
        name: "Room",
        parents: &["Connect"],
        body: Body::One(Name),
        attributes: &[may("participantIdentity", Name)],
    },
    Entry {
        name: "Config",
        parents: &["VirtualAgent", "Transcription"],
        body: Body::None,
        attributes: &[must("name", Name, PAIR), must("value", Free, PAIR)],
    },
    Entry {
        name: "Parameter",
        parents: &[
            "Client",
            "Stream",
            "Siprec",
            "Transcription",
            "Pay",
            "ConversationRelay",
            "ConversationRelaySession",
            "VirtualAgent",
        ],
        body: Body::None,
        attributes: &[must("name", Name, PAIR), must("value", Free, PAIR)],
    },
];

const CARDS: &[&str] =
    &["visa", "mastercard", "amex", "maestro", "discover", "optima", "jcb", "diners-club", "enroute"];

const RING_TONES: &[&str] = &[
    "at", "au", "bg", "br", "be", "ch", "cl", "cn", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hu",
    "il", "in", "it", "lt", "jp", "mx", "my", "nl", "no", "nz", "ph", "pl", "pt", "ru", "se", "sg", "th",
    "uk", "us", "us-old", "tw", "ve", "za",
];
