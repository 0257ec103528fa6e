//! Meta's codes: Graph and Cloud API, calling, and Messenger. Twilio's answers may have the first two kinds.

use super::Reaction::{
    AlreadyPermanent, ConnectedUsedUp, Inconclusive, Never, NoPermission, OptedOut, PauseAccount,
    PauseContent, PausePair, PauseSender, RepeatOnce, RequestsUsedUp, TryAgain, Uncallable, WindowClosed,
};
use super::table::{
    DATA, DAY, Fault, HOUR, MESSENGER, META_CALLS, META_CODES, MINUTE, QUARTER, REPLACE, REPLACE_OR_WAIT,
    REPORT, Row, SIX_HOURS, Span, Tell, WAITS, rows,
};

/// The rate of the whole app comes back after minutes (Meta, *WhatsApp error codes*, 18 Jun 2026).
const FIVE_MINUTES: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

const CONTENT: &str = "The content has to be corrected or replaced.";
const APPEAL: &str = "Appeal in Meta's business manager.";
const TOKEN: &str = "Check the app's token and its permissions at Meta.";
const BILLING: &str = "Set up a payment method at Meta.";
const STOPPED: &str = "Nothing may be done: the consumer has to start again.";
const SENDER: &str = "Check the sender's settings in Meta's WhatsApp manager.";
const BLOCKED: &str = "Nothing has to be done unless many people are affected.";

pub(super) const ROWS: &[Row] = rows! {
    0, 190 => Account, Operator, PauseAccount(HOUR), "the account's token was refused", TOKEN, META_CODES;
    1, 2, 131_000, 131_016 => Platform, Nobody, TryAgain, "WhatsApp had an internal error", WAITS, META_CODES;
    3, 10, 131_005, 200..=299 => Account, Operator, PauseSender(HOUR), "the app has no right to do this", TOKEN,
        META_CODES;
    4, 17, 32, 80007 => Account, Nobody, PauseAccount(FIVE_MINUTES), "the app's request rate is used up", WAITS,
        META_CODES;
    33 => Sender, Operator, PauseSender(HOUR), "the token sees no such number",
        "Check the id of the number, and that the token is of its account.", META_CODES;
    100 => Us, Operator, Never, "WhatsApp does not accept a parameter", REPORT, META_CODES;
    368, 131_031 => Account, Operator, PauseSender(DAY), "WhatsApp locked the sender's account", APPEAL, META_CODES;
    613 => Us, Nobody, PausePair(MINUTE), "the permission was read too often", WAITS, META_CALLS;
    130_429 => Sender, Nobody, PauseSender(MINUTE), "the sender's message rate is used up", WAITS, META_CODES;
    130_472 => Platform, Nobody, PausePair(DAY), "WhatsApp does not deliver this message to this consumer now",
        WAITS, META_CODES;
    130_497 => Account, Both, Never, "the account may not send messages to this country", SENDER, META_CODES;
    131_008 => Us, Operator, Never, "a parameter of the message is missing", REPORT, META_CODES;
    131_009 => Us, Operator, Never, "the sender's country does not have this kind of message, or a parameter is wrong",
        SENDER, META_CALLS;
    131_021 => Order, Both, Never, "the consumer's number is the sender's", DATA, META_CODES;
    131_026 => Consumer, Customer, Uncallable,
        "the consumer is not on WhatsApp, has not accepted its terms, or has an old client", DATA, META_CALLS;
    131_030 => Account, Operator, Never, "a test number may not reach this consumer",
        "Add the consumer to the test number's list, or use a real number.", META_CALLS;
    131_037 => Sender, Operator, PauseSender(HOUR), "the sender's display name is not approved", SENDER, META_CODES;
    131_042, 131_044 => Account, Operator, PauseSender(HOUR), "no valid payment method is set up at WhatsApp", BILLING,
        META_CALLS;
    131_043 => Consumer, Nobody, RepeatOnce(DAY), "the message expired before it was delivered", WAITS, META_CODES;
    131_045 => Sender, Operator, PauseSender(HOUR), "the sender's number is not registered", SENDER, META_CODES;
    131_047 => Content, Customer, WindowClosed, "the service window is closed and the content is not approved",
        "Configure an approved template for the sender.", META_CODES;
    131_048 => Sender, Operator, PauseSender(HOUR), "WhatsApp limits the sender for spam",
        "Check the sender's quality in Meta's WhatsApp manager.", META_CODES;
    131_049 => Platform, Both, PausePair(DAY), "WhatsApp chose not to deliver the message",
        "Use a template of the category utility if the message is not marketing.", META_CODES;
    131_050 => Consumer, Customer, OptedOut, "the consumer stopped such messages", STOPPED, META_CODES;
    131_051 => Us, Operator, Never, "WhatsApp does not have this type of message", REPORT, META_CODES;
    131_052, 131_053 => Content, Both, Never, "the media of the message could not be loaded", CONTENT, META_CODES;
    131_055 => Sender, Operator, Never, "the sender takes calls by SIP only", SENDER, META_CALLS;
    131_056 => Us, Nobody, PausePair(QUARTER), "too many messages to this consumer", WAITS, META_CODES;
    131_057, 2_494_100 => Platform, Nobody, PauseSender(MINUTE), "the sender is being upgraded", WAITS, META_CODES;
    131_062 => Order, Operator, Never, "the consumer's WhatsApp id cannot be used for this message", DATA, META_CODES;
    131_063 => Account, Operator, Never, "marketing templates are switched off for the sender", SENDER, META_CODES;
    131_064 => Content, Both, PauseSender(DAY), "WhatsApp limits the account for templates of a wrong category",
        CONTENT, META_CODES;
    132_000, 132_005, 132_008, 132_012, 132_018 => Content, Both, Never, "the template's variables are wrong",
        CONTENT, META_CODES;
    132_001, 132_007, 132_016, 134_102 => Content, Both, PauseContent(DAY),
        "the template is missing, not approved, or disabled", REPLACE, META_CODES;
    132_015 => Content, Both, PauseContent(SIX_HOURS), "WhatsApp paused the template for low quality",
        REPLACE_OR_WAIT, META_CODES;
    132_068 => Content, Both, Never, "the flow is blocked", CONTENT, META_CODES;
    132_069 => Content, Both, PausePair(HOUR), "the flow is used too often", WAITS, META_CODES;
    133_000, 133_005, 133_006, 133_008..=133_010, 133_016 => Sender, Operator, PauseSender(HOUR),
        "the sender's number is not registered", SENDER, META_CODES;
    133_004, 133_015 => Platform, Nobody, PauseSender(MINUTE), "the sender's registration is not ready", WAITS,
        META_CODES;
    134_011, 134_100 => Account, Operator, Never, "the account may not send this template", SENDER, META_CODES;
    134_101 => Content, Nobody, PausePair(QUARTER), "the template is not ready yet", WAITS, META_CODES;
    135_000 => Us, Operator, Never, "WhatsApp does not accept the message's parameters", REPORT, META_CODES;
    137_000 => Consumer, Customer, Never, "the consumer has a new phone", "Ask for the consent again.", META_CODES;
    2_388_019, 2_388_040, 2_388_047, 2_388_072, 2_388_073, 2_388_293, 2_388_299 => Content, Both, Never,
        "the template cannot be created as it is", CONTENT, META_CODES;
    138_000 => Sender, Operator, PauseSender(HOUR), "calling is not enabled for the sender",
        "Switch calling on for the sender.", META_CALLS;
    138_001 => Consumer, Customer, Uncallable, "the consumer cannot be called", DATA, META_CALLS;
    138_002 => Sender, Nobody, PauseSender(MINUTE), "the sender's concurrent calls are used up", WAITS, META_CALLS;
    138_003 => Us, Nobody, PausePair(MINUTE), "a call to this consumer is in progress", WAITS, META_CALLS;
    138_004 => Platform, Nobody, TryAgain, "the connection failed", WAITS, META_CALLS;
    138_005 => Sender, Nobody, PauseSender(MINUTE), "the sender's call rate is used up", WAITS, META_CALLS;
    138_006 => Consumer, Nobody, NoPermission, "the consumer has not granted the call permission", WAITS,
        META_CALLS;
    138_007 => Platform, Nobody, TryAgain, "the connection took too long", WAITS, META_CALLS;
    138_009 => Consumer, Nobody, RequestsUsedUp, "the permission requests to this consumer are used up", WAITS,
        META_CALLS;
    138_012 => Consumer, Nobody, ConnectedUsedUp, "the connected calls to this consumer are used up", WAITS,
        META_CALLS;
    138_013 => Sender, Operator, Never, "the sender cannot place calls",
        "Use a sender of another country, or invite consumers to call.", META_CALLS;
    138_014 => Sender, Operator, PauseSender(DAY), "WhatsApp disabled the sender's calls for low quality",
        "Check the sender's quality in Meta's WhatsApp manager.", META_CALLS;
    138_015 => Sender, Operator, PauseSender(HOUR), "the sender's messaging limit is too low for calls",
        "Raise the sender's messaging limit to 2,000.", META_CALLS;
    138_017 => Consumer, Nobody, AlreadyPermanent, "the consumer has granted a permanent permission", WAITS,
        META_CALLS;
    138_018 => Sender, Operator, PauseSender(HOUR), "the sender is not set up for calls", SENDER, META_CALLS;
    138_019 => Platform, Nobody, TryAgain, "the consumer's client could not set the call up", WAITS, META_CALLS;
    138_020 => Platform, Nobody, TryAgain, "the call could not be relayed", WAITS, META_CALLS;
    138_021 => Platform, Nobody, TryAgain, "the consumer's client got no sound", WAITS, META_CALLS;
    138_022 => Platform, Nobody, TryAgain, "the consumer's client sent no sound", WAITS, META_CALLS;
    138_023 => Platform, Nobody, Inconclusive,
        "accepted without sound: WhatsApp cannot tell whether it was connected", WAITS, META_CALLS;
};

/// Invites by Messenger. A row has the subcode where an error has one that is known, else the code.
pub(super) const MESSENGER_ROWS: &[Row] = rows! {
    99, 190, 230, 2_018_028, 10, 200 => Account, Operator, PauseSender(HOUR), "the page's token or rights do not suffice",
        TOKEN, MESSENGER;
    1_357_046 => Platform, Nobody, Inconclusive, "Messenger failed after the message may have left", WAITS, MESSENGER;
    2, 1200 => Platform, Nobody, RepeatOnce(QUARTER), "Messenger had trouble, or the person blocked the page", WAITS,
        MESSENGER;
    2_018_344 => Account, Operator, PauseSender(HOUR), "the page has not accepted terms of Messenger",
        "Let the page's administrator accept the terms.", MESSENGER;
    4, 613 => Account, Nobody, PauseAccount(MINUTE), "the page's request rate is used up", WAITS, MESSENGER;
    2_018_352, 2_018_354 => Us, Nobody, PausePair(DAY), "the person got enough messages of this kind", WAITS,
        MESSENGER;
    2_018_278, 2_018_065, 2_534_022 => Content, Customer, WindowClosed,
        "the person has not written to the page within 24 h", "Nothing: the person has to write to the page first.",
        MESSENGER;
    2_018_108, 551, 1_545_041 => Consumer, Both, Never, "the person does not accept messages from the page", BLOCKED,
        MESSENGER;
    2_018_001, 33 => Order, Both, Never, "the page does not know the person, or the page's id is wrong",
        "Check the page's id, and that the person's id is of this page.", MESSENGER;
    100, 2_018_015, 2_018_040, 2_018_041, 2_018_053 => Us, Operator, Never,
        "Messenger does not accept a parameter, such as expires_in_days above 7",
        "Let expires_in_days of the content be 1 to 7; if it is, report it with the code and the id of the message.",
        MESSENGER;
    368 => Account, Operator, PauseSender(DAY), "the page is restricted", APPEAL, MESSENGER;
    2_018_389..=2_018_396 => Account, Operator, PauseSender(HOUR), "audio calling is not enabled for the page",
        "Switch calling on for the page, and check that Messenger has it in the page's country.", MESSENGER;
};
