//! Twilio's codes for any request: account, credentials, rates, and Twilio's internal errors.

use super::Reaction::{Never, PauseAccount, PausePair, RepeatOnce, TryAgain};
use super::table::{
    DAY, DICTIONARY, Fault, HOUR, MINUTE, PAGE, REPORT, Row, SECOND, SUPPORT, Span, Tell, WAITS, rows,
};

pub(super) const ROWS: &[Row] = rows! {
    10001 => Account, Operator, PauseAccount(HOUR), "the account is disabled, for lack of funds or by policy",
        "Check the account's balance, then ask Twilio's support.", DICTIONARY;
    10002, 575001 => Account, Operator, PauseAccount(HOUR), "a trial account does not have this feature",
        "Upgrade the account.", PAGE;
    10003 => Account, Operator, PauseAccount(HOUR), "the account is not active and takes no calls",
        "Check the account's balance.", DICTIONARY;
    10004 => Account, Nobody, PauseAccount(MINUTE), "the account's concurrent calls are used up",
        "If this lasts, complete the account's business profile or ask for more concurrent calls.", PAGE;
    10005, 32005 => Account, Operator, PauseAccount(HOUR), "voice is switched off for the account",
        SUPPORT, DICTIONARY;
    20001 => Us, Operator, TryAgain, "Twilio ignored parameters that it does not know", REPORT, DICTIONARY;
    20003 => Account, Operator, PauseAccount(MINUTE), "the account's credentials were refused",
        "Check the key, its region, and whether the account is open.", DICTIONARY;
    20004 => Us, Operator, Never, "Twilio does not allow this method there", REPORT, DICTIONARY;
    20005, 21472, 90010 => Account, Operator, PauseAccount(HOUR), "the account is not active",
        "Check the state of the account in Twilio's console.", DICTIONARY;
    20006 => Account, Operator, PauseAccount(HOUR), "the key has no right to do this",
        "Use a key that may create calls and messages.", DICTIONARY;
    20008 => Account, Operator, PauseAccount(HOUR), "test credentials cannot do this",
        "Use the account's live credentials.", DICTIONARY;
    20009 => Platform, Nobody, TryAgain, "the resource cannot be deleted yet", WAITS, DICTIONARY;
    20010 => Account, Operator, PauseAccount(HOUR), "this action is disabled for the account", SUPPORT,
        DICTIONARY;
    20011, 20012 => Us, Operator, PauseAccount(HOUR), "Twilio refused the encryption of the connection",
        "Let this machine use TLS 1.2 or newer.", DICTIONARY;
    20020 => Us, Nobody, TryAgain, "the update changed nothing", WAITS, DICTIONARY;
    20101..=20107, 20151..=20160 => Account, Operator, PauseAccount(HOUR),
        "the account's access token was refused", "Check the account's key and its secret.", DICTIONARY;
    20162, 20409 => Platform, Nobody, TryAgain, "the resource is being changed by another request", WAITS,
        DICTIONARY;
    20403 => Account, Operator, PauseAccount(DAY), "the account is suspended or closed", SUPPORT, DICTIONARY;
    20404 => Account, Operator, Never, "Twilio does not know the account or what the request names",
        "Check the account SID and the addresses of Twilio in the configuration.", DICTIONARY;
    20410 => Us, Operator, PauseAccount(HOUR), "Twilio has withdrawn this address",
        "Update ringmaster.", DICTIONARY;
    20413, 20422, 20423, 20426 => Us, Operator, Never, "Twilio does not understand the request", REPORT,
        DICTIONARY;
    20429 => Account, Nobody, PauseAccount(SECOND), "too many requests at once",
        "If this is frequent, lower the account's calls per second.", DICTIONARY;
    20500, 20503 => Platform, Nobody, TryAgain, "Twilio had an internal error", WAITS, DICTIONARY;
    20504, 30500 => Platform, Operator, RepeatOnce(HOUR), "Twilio failed while it handled the message",
        "If it repeats, write to Twilio's support with the SIDs.", DICTIONARY;
    572_002, 573_002 => Account, Operator, Never, "a trial account has to use the number assigned to it",
        "Upgrade the account.", PAGE;
    572_005, 573_005 => Account, Operator, Never, "a trial account reaches verified numbers only",
        "Verify the number or upgrade the account.", PAGE;
    572_006 => Account, Operator, PauseAccount(HOUR), "a trial account sends preset texts only",
        "Upgrade the account.", PAGE;
    30002 => Account, Operator, PauseAccount(DAY), "the account was suspended while the message was queued",
        SUPPORT, DICTIONARY;
    30037 => Account, Operator, PauseAccount(HOUR), "messages are switched off for the account", SUPPORT,
        DICTIONARY;
    63017 => Account, Nobody, PauseAccount(MINUTE), "the account's messages per second are used up", WAITS,
        PAGE;
    63038, 30454 => Account, Operator, PauseAccount(HOUR), "the account's messages of the day are used up",
        "Read the mail from Twilio and ask for a higher limit.", PAGE;
    30450, 30453, 30485 => Platform, Operator, PausePair(HOUR), "the number is blocked for a while because of suspected fraud",
        "Nothing has to be done unless many numbers are blocked.", DICTIONARY;
};
