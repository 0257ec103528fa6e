//! Twilio's codes about messages: refused when created, and not delivered by WhatsApp.

use super::Reaction::{
    Never, OptedOut, PauseContent, PausePair, PauseSender, RepeatOnce, TryAgain, Uncallable, WindowClosed,
};
use super::table::{
    DATA, DAY, DICTIONARY, Fault, HOUR, MAPPED, MINUTE, PAGE, QUARTER, REPLACE, REPLACE_OR_WAIT, REPORT, Row,
    SIX_HOURS, Source, Span, Tell, WAITS, rows, source,
};

const CONTENT_PAGE: Source = source("Twilio, page of the code", 2026, 4, 17);
const SERVICE_PAGE: Source = source("Twilio, page of the code", 2026, 6, 8);

const CONTENT: &str = "The content has to be corrected or replaced.";
const STOPPED: &str = "Nothing may be done: the consumer has to start again.";
const REGISTER: &str = "Check the sender in Twilio's console.";

pub(super) const ROWS: &[Row] = rows! {
    // Refused when created.
    21265, 21266, 63031 => Order, Both, Never, "the consumer's number cannot get messages from the sender", DATA,
        DICTIONARY;
    21268, 21614, 21635 => Order, Both, Never, "the consumer's number is not a mobile number", DATA, DICTIONARY;
    21408 => Account, Operator, Never, "the account may not send messages to this region",
        "Enable the region in the account's messaging geographic permissions.", DICTIONARY;
    21602, 21619 => Us, Operator, Never, "the message has no content", REPORT, DICTIONARY;
    21603, 21604 => Us, Operator, Never, "the message has no sender or no recipient", REPORT, DICTIONARY;
    21606, 21612, 21659..=21661 => Sender, Operator, Never, "the sender cannot send to this consumer",
        "Check that the number is a WhatsApp sender of this account.", DICTIONARY;
    21607, 21608 => Account, Operator, Never, "a trial account may not send to this number",
        "Verify the number or upgrade the account.", DICTIONARY;
    21610 => Consumer, Customer, OptedOut, "the consumer opted out of messages from this sender", STOPPED,
        DICTIONARY;
    30630 => Consumer, Customer, OptedOut, "the consumer opted out of messages from this sender", STOPPED,
        DICTIONARY;
    21611, 30001 => Us, Operator, PauseSender(QUARTER), "the sender's queue of messages is full",
        "Lower the number of orders per hour for this sender.", DICTIONARY;
    21616, 21657, 21658, 21653 => Us, Operator, Never, "Twilio does not accept a parameter of the message",
        REPORT, DICTIONARY;
    21605, 21617 => Content, Both, Never, "the message is too long", CONTENT, DICTIONARY;
    21618 => Content, Both, Never, "all carriers filter the message", CONTENT, DICTIONARY;
    21620..=21623 => Content, Both, Never, "the media of the message cannot be used", CONTENT, DICTIONARY;
    21624 => Us, Operator, Never, "the validity period of the message is not valid", REPORT, DICTIONARY;
    21654, 92005 => Us, Operator, Never, "the message has no content", REPORT, DICTIONARY;
    21655, 92006 => Content, Both, Never, "the content belongs to another account",
        "Configure the SID of content that belongs to this account.", CONTENT_PAGE;
    21656, 92007 => Content, Both, Never, "the content's variables are wrong", CONTENT, DICTIONARY;
    21671 => Account, Operator, Never, "content templates cannot be sent in this region",
        "Use Twilio's region US1.", PAGE;
    216_602 => Content, Both, Never, "this type of content cannot be used on WhatsApp", CONTENT, PAGE;
    21701..=21705, 21711 => Account, Operator, Never, "the messaging service cannot be used",
        "Check the messaging service in Twilio's console.", DICTIONARY;
    30012..=30016 => Us, Operator, Never, "Twilio does not accept the recipient or the lifetime of the message",
        REPORT, DICTIONARY;
    30028..=30031 => Us, Operator, Never, "Twilio does not accept a parameter of the message", REPORT,
        DICTIONARY;
    30400, 30404, 30409 => Us, Operator, Never, "Twilio does not accept the change of the message", REPORT,
        DICTIONARY;
    60727 => Account, Operator, Never, "the messaging service has no WhatsApp sender",
        "Add a WhatsApp sender to the messaging service.", SERVICE_PAGE;
    63007 => Sender, Operator, Never, "the sender belongs to no WhatsApp channel of the account", REGISTER,
        DICTIONARY;
    63008 => Sender, Operator, Never, "the sender's channel is not completely set up", REGISTER, PAGE;
    90001, 90006..=90009, 90011..=90014 => Us, Operator, Never, "Twilio does not accept a parameter", REPORT,
        DICTIONARY;

    // Not delivered.
    63001 => Sender, Operator, Never, "WhatsApp refused the sender's credentials",
        "Connect the sender again in Twilio's console.", MAPPED;
    63002 => Sender, Operator, Never, "WhatsApp does not know the sender", REGISTER, DICTIONARY;
    63003 => Consumer, Customer, Uncallable, "the consumer is not on WhatsApp", DATA, MAPPED;
    63005 => Content, Both, RepeatOnce(HOUR), "WhatsApp did not take the content, or the consumer is not on WhatsApp",
        "If many consumers are affected, check the content.", PAGE;
    63006 => Content, Both, Never, "the content cannot be shown on WhatsApp", CONTENT, DICTIONARY;
    63009, 63010, 63012 => Platform, Nobody, TryAgain, "WhatsApp or Twilio had an internal error", WAITS, MAPPED;
    63011 => Platform, Nobody, RepeatOnce(HOUR), "the message could not be processed", WAITS, PAGE;
    63013 => Content, Both, Never, "the content breaks a rule of WhatsApp, or a parameter is missing", CONTENT,
        MAPPED;
    63014 => Consumer, Customer, OptedOut, "the consumer blocked the sender or withdrew the consent", STOPPED,
        PAGE;
    63015 => Account, Operator, Never, "the consumer has not joined Twilio's sandbox",
        "Use your own WhatsApp sender.", DICTIONARY;
    63016 => Content, Customer, WindowClosed, "the service window is closed and the content is not approved",
        "Configure an approved template for the sender.", MAPPED;
    63018 => Sender, Nobody, PauseSender(MINUTE), "the sender's message rate is used up",
        "If this lasts, check the sender's quality and its messaging limit.", MAPPED;
    63019 => Content, Both, Never, "the media of the message could not be loaded", CONTENT, MAPPED;
    63020 => Account, Operator, Never,
        "the sender's invitation at WhatsApp is not accepted, or its billing is not in order",
        "Accept the invitation in Meta's business manager and check the payment method.", MAPPED;
    63021 => Content, Both, Never, "the content is not valid", CONTENT, MAPPED;
    63022 => Sender, Operator, Never, "the certificate of the sender's name is not valid", REGISTER, MAPPED;
    63023 => Platform, Operator, RepeatOnce(HOUR), "WhatsApp failed and gave no reason",
        "Read ChannelStatusMessage in Twilio's log of the message.", PAGE;
    63024 => Consumer, Customer, Uncallable, "the consumer is not on WhatsApp", DATA, MAPPED;
    63025 => Platform, Nobody, RepeatOnce(QUARTER), "the media exists already", WAITS, MAPPED;
    63026 => Content, Both, PauseSender(DAY), "WhatsApp takes the sender's content for spam", CONTENT, DICTIONARY;
    63027 => Content, Both, Never, "the template does not exist in this language, or its parameters are wrong",
        CONTENT, MAPPED;
    63028 => Content, Both, Never, "the number of the template's variables is wrong", CONTENT, MAPPED;
    63029 => Consumer, Nobody, RepeatOnce(HOUR), "the consumer's phone could not load the template", WAITS, MAPPED;
    63030 => Content, Both, Never, "a parameter is not allowed in this message", CONTENT, MAPPED;
    63032 => Platform, Nobody, PausePair(DAY), "WhatsApp does not deliver this message to this consumer now",
        WAITS, MAPPED;
    63033 => Consumer, Customer, OptedOut, "the consumer opted out of such messages", STOPPED, MAPPED;
    63034, 11751 => Content, Both, Never, "the media of the message is too large", CONTENT, DICTIONARY;
    63035, 63036, 63106..=63108 => Order, Both, Never, "the consumer cannot get messages of this kind", DATA,
        DICTIONARY;
    63037 => Platform, Nobody, TryAgain, "the media could not be uploaded", WAITS, DICTIONARY;
    63039 => Sender, Both, PausePair(DAY), "the consumer gets too many messages", WAITS, DICTIONARY;
    63040 => Content, Both, PauseContent(DAY), "the template was rejected, or never submitted", REPLACE, DICTIONARY;
    63041 => Content, Both, PauseContent(SIX_HOURS), "WhatsApp paused the template after bad feedback",
        REPLACE_OR_WAIT, DICTIONARY;
    63042 => Content, Both, PauseContent(DAY), "WhatsApp disabled the template", REPLACE, DICTIONARY;
    63043..=63045, 63047 => Content, Both, Never, "the sample media of the template cannot be used", CONTENT,
        DICTIONARY;
    63046 => Platform, Nobody, TryAgain, "the template was approved", WAITS, DICTIONARY;
    63049 => Platform, Both, PausePair(DAY), "WhatsApp chose not to deliver the message",
        "Use a template of the category utility if the message is not marketing.", DICTIONARY;
    63051 => Account, Operator, PauseSender(DAY), "WhatsApp locked the sender's account",
        "Appeal through Twilio's support.", DICTIONARY;
    63052 => Us, Operator, TryAgain, "the message used Twilio's old templates", REPORT, DICTIONARY;
    63059, 63109 => Account, Operator, Never, "the sender's number moved to another account", REGISTER, PAGE;
    63060, 63124 => Sender, Operator, Never, "WhatsApp rejected the sender's display name",
        "Submit another display name.", PAGE;
    63062 => Account, Operator, Never, "the terms for marketing messages are not accepted",
        "Accept Meta's terms for marketing messages.", PAGE;

    // The services for senders and content.
    63100, 63105 => Us, Operator, Never, "Twilio does not accept the change of the sender", REPORT, PAGE;
    63101..=63103 => Account, Operator, Never, "the WhatsApp account cannot be used with this Twilio account",
        "Check the WhatsApp account that the sender belongs to, and its payment method.", PAGE;
    63111 => Account, Operator, Never, "WhatsApp does not find the sender's number or account",
        "Register the sender again.", DICTIONARY;
    63112 => Account, Operator, PauseSender(DAY), "Meta disabled the business or has not verified it",
        "Appeal in Meta's business manager.", DICTIONARY;
    63119 => Account, Nobody, PauseSender(MINUTE), "the WhatsApp account's rate is used up", WAITS, PAGE;
    63128 => Platform, Nobody, TryAgain, "the sender's display name is under review", WAITS, PAGE;
    92001..=92004, 92008 => Content, Both, Never, "the content cannot be created as it is", CONTENT, DICTIONARY;
    92009 => Platform, Nobody, TryAgain, "the content was submitted already", WAITS, DICTIONARY;

    // SMS.
    30003 => Consumer, Nobody, TryAgain, "the consumer's phone is off or out of reach", WAITS, DICTIONARY;
    30004 => Consumer, Customer, OptedOut, "the consumer or the carrier blocks the sender", STOPPED, DICTIONARY;
    30005, 30006 => Consumer, Both, Never, "the number is unknown, or not a mobile number", DATA, DICTIONARY;
    30007, 30019, 30038, 30039 => Content, Both, Never, "the message was filtered", CONTENT, DICTIONARY;
    30008 => Platform, Nobody, RepeatOnce(HOUR), "the carrier gave no reason", WAITS, DICTIONARY;
    30009, 30010, 30011 => Platform, Both, Never, "the carrier does not accept this message", CONTENT, DICTIONARY;
    30017, 30020, 30021 => Platform, Nobody, TryAgain, "the carrier or Twilio was too busy", WAITS, DICTIONARY;
    30410 => Platform, Nobody, Never, "the carrier did not answer in time; it is unknown whether the message arrived",
        WAITS, DICTIONARY;
    30018, 30024, 30032..=30035, 30040..=30043, 30620 => Sender, Operator, Never,
        "the sender is not registered for this country or use", REGISTER, DICTIONARY;
    30022 => Sender, Operator, PauseSender(MINUTE), "the sender's rate is used up", WAITS, DICTIONARY;
    30023, 30025..=30027 => Sender, Operator, PauseSender(HOUR), "the sender's messages of the day are used up",
        WAITS, DICTIONARY;
    30036 => Us, Operator, RepeatOnce(HOUR), "the message waited too long in the queue", WAITS, PAGE;
    30610, 30615 => Order, Operator, PausePair(HOUR), "it is too late or too early at the consumer's location",
        "Check the time zone of the order.", DICTIONARY;
};
