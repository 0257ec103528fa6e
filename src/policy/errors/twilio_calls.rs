//! Twilio's codes about calls: refused when created, failed later, and faults of the document that was played.

use super::Reaction::{
    ConnectedUsedUp, Inconclusive, Never, NoPermission, PauseAccount, PausePair, PauseSender, RepeatOnce,
    TryAgain, Uncallable,
};
use super::table::{
    DATA, DAY, DICTIONARY, Fault, MINUTE, PAGE, QUARTER, REPORT, Row, Source, Span, Tell, WAITS, rows, source,
};

const PAGE_MARCH: Source = source("Twilio, page of the code", 2026, 3, 11);
const PAGE_APRIL: Source = source("Twilio, page of the code", 2026, 4, 10);

const DOCUMENT: &str = "Check the TwiML document that the call was given.";
const FETCHED: &str = "Check that Twilio reaches public_url and that the answer is a TwiML document.";

pub(super) const ROWS: &[Row] = rows! {
    21200 => Us, Operator, Never, "Twilio does not accept the call", REPORT, DICTIONARY;
    21201 => Us, Operator, Never, "the call has no destination", REPORT, DICTIONARY;
    21213 => Us, Operator, Never, "the call has no sender", REPORT, DICTIONARY;
    21202 => Order, Both, Never, "the number is a premium number", DATA, DICTIONARY;
    21203 => Account, Operator, Never, "the account may not call abroad",
        "Enable international calls for the account.", DICTIONARY;
    21204 => Us, Operator, Inconclusive, "the call was already placed", REPORT, DICTIONARY;
    21205 => Us, Operator, Never, "Twilio does not accept the URL of the document",
        "Check public_url in the configuration.", DICTIONARY;
    21208 => Us, Operator, Never, "Twilio does not accept the ring timeout",
        "Check ring_timeout in the configuration.", DICTIONARY;
    21206, 21207, 21209, 21234, 21262, 21263 => Us, Operator, Never,
        "Twilio does not accept a parameter of the call", REPORT, DICTIONARY;
    21210, 21264 => Sender, Operator, Never, "the sender is not verified",
        "Verify the sender's number in Twilio's console.", DICTIONARY;
    21211, 21217 => Order, Customer, Uncallable, "Twilio does not accept the consumer's number", DATA, DICTIONARY;
    21212 => Sender, Operator, Never, "Twilio does not accept the sender's number",
        "Check that the number is an approved WhatsApp sender of the account.", DICTIONARY;
    21214 => Consumer, Customer, RepeatOnce(DAY), "the consumer's number cannot be reached", DATA, DICTIONARY;
    21215 => Account, Operator, Never, "the account may not call this country",
        "Enable the country in the account's voice geographic permissions.", DICTIONARY;
    21216 => Account, Operator, Never, "Twilio blocks calls to this number, because of suspected fraud or by law",
        "Complete the account's customer profile, or ask Twilio's support to unblock the number.", DICTIONARY;
    21218, 21420 => Account, Operator, Never, "Twilio does not know the application of the call",
        "Check the sender's voice application in Twilio's console.", DICTIONARY;
    21219 => Account, Operator, Never, "a trial account may not call this number", "Upgrade the account.",
        DICTIONARY;
    21220 => Platform, Nobody, TryAgain, "the call is over already", WAITS, DICTIONARY;
    21221..=21229 => Us, Operator, Never, "Twilio does not accept the SIP address of the call",
        "Check the SIP address of the agent.", DICTIONARY;
    21401..=21403 => Account, Operator, Never, "Twilio does not accept a setting of the call",
        "Check public_url and the sender's settings.", DICTIONARY;
    21481 => Us, Nobody, TryAgain, "Twilio lost its place in a list", WAITS, DICTIONARY;
    21609, 21626 => Us, Operator, Never, "Twilio does not accept the URL of the status callback",
        "Check public_url: a public host name without an underscore.", DICTIONARY;
    22001 => Account, Operator, PauseAccount(QUARTER), "the call waited too long in Twilio's queue",
        "Lower the account's calls per second, or buy more of them.", DICTIONARY;
    22005 => Account, Operator, PauseAccount(QUARTER), "Twilio's queue of calls is full",
        "Lower the account's calls per second, or buy more of them.", DICTIONARY;
    32018 => Us, Operator, Never, "the TwiML document is too long", REPORT, DICTIONARY;
    32019 => Us, Operator, TryAgain, "a document and an address of one were given; the address was used",
        REPORT, DICTIONARY;
    37000 => Consumer, Nobody, NoPermission, "the consumer has not granted the call permission", WAITS,
        PAGE_MARCH;
    37001 => Account, Operator, Never, "the account's region cannot place WhatsApp calls",
        "Use Twilio's region US1.", PAGE;
    37003 => Us, Nobody, PausePair(MINUTE), "a call to this consumer is in progress", WAITS, PAGE;
    37004 => Sender, Nobody, PauseSender(MINUTE), "the sender's call rate is used up",
        "If this is frequent, lower the sender's calls in progress.", PAGE;
    37006 => Consumer, Nobody, ConnectedUsedUp, "the connected calls to this consumer are used up", WAITS,
        PAGE_APRIL;
    37007 => Sender, Operator, Never, "senders of this country cannot place calls",
        "Use a sender of another country, or invite consumers to call.", PAGE;
    37008 => Sender, Operator, Never, "the sender is not a WhatsApp sender of the account",
        "Register the number as a WhatsApp sender of this account.", PAGE;
    37009 => Sender, Operator, Never, "the sender has no voice application",
        "Set the sender's voice application; calls of consumers fail until then.", PAGE_MARCH;

    // Faults of a document, which Twilio reports after the call was answered.
    13214, 13247, 13248 => Content, Operator, Never, "the document's caller ID is not valid",
        "The caller ID of a WhatsApp leg is \"whatsapp:\" and the sender's number.", DICTIONARY;
    13201, 13215, 13245, 13210..=13213, 13216..=13222, 13230..=13244, 13246, 13249..=13258 =>
        Content, Operator, Never, "the document's <Dial> is not valid", DOCUMENT, DICTIONARY;
    13223, 13224, 13226 => Order, Customer, Never, "the document dials a number that is not valid", DATA,
        DICTIONARY;
    13225 => Account, Operator, Never, "Twilio blocks the number that the document dials",
        "Complete the account's customer profile, or ask Twilio's support to unblock the number.", DICTIONARY;
    13227 => Account, Operator, Never, "the account may not call the country that the document dials",
        "Enable the country in the account's voice geographic permissions.", DICTIONARY;
    13310..=13342, 13410..=13430, 13510..=13521, 13610..=13622, 13710, 13910 => Content, Both, Never,
        "a verb of the document is not valid", DOCUMENT, DICTIONARY;
    13750, 13803, 13804 => Us, Operator, Never, "Twilio does not know a verb of the document here", DOCUMENT,
        DICTIONARY;
    13805 => Account, Operator, Never, "a trial account's call ends after ten minutes", "Upgrade the account.",
        DICTIONARY;
    16020, 16021 => Account, Operator, PauseAccount(MINUTE), "the conference is full", WAITS, DICTIONARY;
    32014, 32015 => Order, Operator, Inconclusive, "the call was ended for silence or for its length",
        "If this is frequent, check the agent's or the bot's sound.", DICTIONARY;
    32016, 32017 => Platform, Operator, TryAgain, "the telephone network did not accept the call", WAITS,
        DICTIONARY;
    31901..=31953, 64101..=64110 => Us, Operator, Inconclusive, "the connection to the bot broke",
        "Check the bot's address and its capacity.", DICTIONARY;

    // Twilio could not read our answers.
    11100, 11321, 11322, 11240..=11243, 11300..=11320 => Us, Operator, Never,
        "an address that Twilio was given is not valid", "Check public_url in the configuration.", DICTIONARY;
    11200..=11206, 11215..=11217, 11251 => Us, Operator, Inconclusive, "Twilio could not fetch the document",
        FETCHED, DICTIONARY;
    11210 => Us, Operator, Inconclusive, "Twilio does not find the host of public_url",
        "Check the name of public_url in the public DNS.", DICTIONARY;
    11220, 11235..=11237 => Us, Operator, Inconclusive, "Twilio does not trust the certificate of public_url",
        "Renew the certificate, with its whole chain.", DICTIONARY;
    11750, 11770 => Us, Operator, Never, "the document was empty or longer than 64 kB", DOCUMENT, DICTIONARY;
    12100..=12102, 12200, 12300, 12301 => Content, Operator, Never, "what Twilio fetched is not a TwiML document",
        FETCHED, DICTIONARY;
    12400, 15000, 15009 => Platform, Operator, TryAgain, "Twilio failed while it handled the call", WAITS,
        DICTIONARY;
    15002..=15004 => Us, Operator, Inconclusive, "Twilio could not report on the call",
        "Check that Twilio reaches public_url in time.", DICTIONARY;
};
