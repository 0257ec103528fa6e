//! Everything that an examination can find, as data: a stable code, its severity, and the sentences.

use crate::domain::{AccountAlias, Phone};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Works, or cannot be read over an API.
    Hint,
    /// Something is lost or will fail.
    Warning,
    /// Calls or messages do not work.
    Fault,
}

impl Severity {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

/// One line of the table of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Stable: programs compare it.
    pub code: &'static str,
    pub severity: Severity,
    pub what: &'static str,
    pub why: &'static str,
    /// The command or the click. `{sender}` and `{account}` stand for the names of the finding's.
    pub mend: &'static str,
}

macro_rules! findings {
    ($($name:ident $code:literal $severity:ident $what:literal $why:literal $mend:literal)*) => {
        /// What was found.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $($name),* }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            #[must_use]
            pub const fn kind(self) -> Kind {
                match self {
                    $(Self::$name => Kind {
                        code: $code, severity: Severity::$severity, what: $what, why: $why, mend: $mend,
                    },)*
                }
            }
        }
    };
}

findings! {
    Credentials "account.credentials" Fault
        "Twilio refuses the credentials of the account."
        "Nothing can be sent, and nothing more can be examined."
        "Create an API key in the Twilio console (Account, API keys), and set api_key_sid and the secret of accounts.{account}."
    Unreachable "account.unreachable" Fault
        "Twilio could not be asked."
        "The daemon dials nothing while Twilio cannot be reached; the rest was not examined."
        "Check the network and accounts.{account}.api_url, and run ringmaster doctor again."
    Inactive "account.inactive" Fault
        "The Twilio account is not active."
        "A suspended or closed account sends nothing."
        "Open the billing page of the Twilio console, or ask Twilio's support."
    Trial "account.trial" Warning
        "The Twilio account is a trial."
        "A trial account reaches only numbers that were verified in the console."
        "Upgrade the account on the billing page of the Twilio console."
    Unread "account.unread" Warning
        "A part of the account could not be read."
        "What is not read is not examined."
        "Give the API key or the token the right to read it (a standard key has it; a token of Meta's needs whatsapp_business_management), and run ringmaster doctor again."
    Clock "clock.off" Fault
        "The clock of this machine differs from the platform's by five minutes or more."
        "Limits, calling hours and permissions are counted by the clock. The daemon stops dialling at a jump of this size."
        "Synchronize the clock (for example with timedatectl set-ntp true)."
    ClockSlow "clock.drifts" Warning
        "The clock of this machine differs from the platform's by 30 s or more."
        "Lost calls are matched by their time, to within 30 s."
        "Synchronize the clock (for example with timedatectl set-ntp true)."
    PublicUrl "url.not_public" Warning
        "http.public_url is not a public https address."
        "Twilio sends its webhooks there, and reaches neither this machine's own addresses nor, safely, plain http."
        "Set http.public_url to the https address of the proxy in front of the hooks."
    SenderMissing "sender.missing" Fault
        "The account has no WhatsApp sender with this number."
        "Twilio refuses calls from a number that is not a sender (37008)."
        "Register the number in the Twilio console (Messaging, Senders, WhatsApp senders), or correct accounts.{account}.senders."
    SenderOffline "sender.offline" Fault
        "The sender is not online."
        "Only a sender that is ONLINE calls and sends."
        "Open the sender in the Twilio console (Messaging, Senders, WhatsApp senders) and follow its offline reason."
    SenderUpdating "sender.updating" Hint
        "Twilio is still applying a change to the sender."
        "Calls work meanwhile; the change may not be in force yet."
        "Run ringmaster doctor again in a minute."
    SenderCountry "sender.country" Fault
        "Numbers of the sender's country may not call consumers."
        "Twilio refuses these calls (37007)."
        "Use a sender of another country. Consumers can still call this one."
    SenderLimit "sender.limit" Fault
        "The messaging limit of the sender is below 2,000 conversations in 24 h."
        "Calls can be activated from that limit on (Twilio, WhatsApp Business Calling, 2026; Meta's code 138015)."
        "Verify the business in Meta's Business Manager (Security Center), and send more messages of good quality."
    SenderLimitUnknown "sender.limit_unknown" Hint
        "The messaging limit of the sender is not shown, or is a word that is not known."
        "Below 2,000 conversations in 24 h calls cannot be activated."
        "Look it up in WhatsApp Manager (Overview, Limits)."
    SenderQuality "sender.quality" Warning
        "WhatsApp rates the quality of the sender as low."
        "A low rating ends in a lower messaging limit, or in calls being disabled for a time (Meta's code 138014)."
        "Read the feedback in WhatsApp Manager (Insights), and ask fewer consumers who did not ask for a call."
    VoiceOff "voice.off" Fault
        "Calls are not activated for the sender: it has no voice application."
        "Consumers cannot call it (37009), and Twilio refuses its calls (37008)."
        "ringmaster sender activate {sender}"
    VoiceGone "voice.gone" Fault
        "The voice application of the sender is not in the account any more."
        "A consumer's call finds no document."
        "ringmaster sender activate {sender} --replace"
    VoiceUrl "voice.url" Fault
        "The voice application of the sender requests another URL than ours."
        "A consumer's call gets no document of this daemon, and is never seen."
        "ringmaster sender activate {sender} --replace"
    VoiceMethod "voice.method" Fault
        "The voice application requests our URL with another method than POST."
        "The hooks take POST only."
        "ringmaster sender activate {sender}"
    VoiceStatus "voice.status" Fault
        "The voice application of the sender has no status callback, or another one than ours."
        "A consumer's call never ends for us: it keeps the pair and a slot of the sender."
        "ringmaster sender activate {sender}"
    VoiceStudio "voice.studio" Warning
        "Consumers' calls to the sender go to a Studio flow."
        "We do not see these calls: they close no callback, count as no missed call, grant us no permission, and may run beside a call of ours to the same consumer (37003). Our own calls work."
        "Leave it, or ringmaster sender activate {sender} --replace: consumers' calls then get the inbound document of the sender, which may hand over to the flow by <Redirect> (docs/TWIML.md)."
    VoiceFlex "voice.flex" Warning
        "Consumers' calls to the sender go to Flex."
        "We do not see these calls: they close no callback, count as no missed call, grant us no permission, and may run beside a call of ours to the same consumer (37003). Our own calls work."
        "Leave it, or ringmaster sender activate {sender} --replace, with an inbound document that puts calls into the queue or workflow of Flex (<Enqueue>)."
    MessagesUnset "messages.unset" Fault
        "The sender has no webhook for messages of consumers."
        "No permission reply arrives, so no call is ever placed."
        "ringmaster sender activate {sender}"
    MessagesUrl "messages.url" Fault
        "The webhook for messages of consumers is another URL than ours."
        "No permission reply arrives, so no call is ever placed."
        "ringmaster sender activate {sender} --replace"
    MessagesMethod "messages.method" Fault
        "The webhook for messages uses another method than POST."
        "The hooks take POST only."
        "ringmaster sender activate {sender} --replace"
    Fragment "url.retries" Hint
        "A URL of ours has no connection overrides, or others than recommended."
        "Twilio repeats a report only if they say so; a reply that is lost during a restart cannot be looked up."
        "Append the fragment from docs/HOOKS.md to the URL in the Twilio console."
    ContentNone "content.none" Warning
        "The sender has no content for permission requests."
        "It cannot ask, and calls only consumers whose permission was recorded in another way."
        "Declare content and name it in permission_request_content or permission_request_template (docs/CONTENT.md)."
    ContentMissing "content.missing" Fault
        "Content that the sender uses is not in the account."
        "The messages are refused (Twilio's 21655, Meta's 132001)."
        "ringmaster content apply --account {account}"
    ContentRejected "content.rejected" Fault
        "WhatsApp rejected content that the sender uses."
        "The daemon does not start with content that it names; content by its SID is refused outside the service window (Twilio's 63016)."
        "Change the text of the declaration, then ringmaster content apply --account {account}"
    ContentDisabled "content.disabled" Fault
        "WhatsApp disabled content that the sender uses."
        "It cannot be sent any more."
        "Change the text of the declaration, then ringmaster content apply --account {account}"
    ContentUnsubmitted "content.unsubmitted" Fault
        "Content that has to be approved was not submitted."
        "The daemon does not start with content that it names; content by its SID is refused outside the service window (Twilio's 63016)."
        "ringmaster content apply --account {account}, or submit it in the Twilio console (Content Template Builder)."
    ContentInReview "content.in_review" Fault
        "Content that has to be approved is still in review."
        "The daemon does not start with content that it names, unless an older version can be sent; content by its SID is refused outside the service window (Twilio's 63016)."
        "ringmaster content status --account {account} --wait"
    ContentAltered "content.altered" Fault
        "Content of the declared version shows something else than the declaration."
        "Somebody else changed it, so it is not used, and the daemon does not start."
        "Raise revision in the declaration, then ringmaster content apply --account {account}"
    ContentBroken "content.broken" Fault
        "Content that is named is declared in a file with a fault."
        "The daemon does not start."
        "ringmaster content check"
    ContentUndeclared "content.undeclared" Fault
        "Content that is named is not declared."
        "The daemon does not start."
        "Declare it in the directory of declarations (docs/CONTENT.md), or correct its name."
    ContentPaused "content.paused" Warning
        "WhatsApp has paused content that the sender uses."
        "Messages with it fail for some hours."
        "Wait, and read the feedback in WhatsApp Manager (Message templates)."
    ContentOlder "content.older" Hint
        "The declared version of content cannot be sent yet, so the version before is used."
        "Consumers see the old text."
        "ringmaster content status --account {account} --wait, then restart the daemon"
    Alert37000 "alert.37000" Warning
        "Calls failed because the consumer had not granted the permission (37000)."
        "The permission was changed in WhatsApp, or a call was placed by another program."
        "ringmaster permission show shows what is recorded; the ledger learns it from the failed call."
    Alert37001 "alert.37001" Fault
        "Calls failed because the Twilio region has no WhatsApp calls (37001)."
        "WhatsApp calls work in US1."
        "Set accounts.{account}.api_url to https://api.twilio.com, with an API key of US1."
    Alert37003 "alert.37003" Warning
        "Calls failed because another call to the same consumer was in progress (37003)."
        "Another program calls with the same sender, or consumers call through Studio or Flex, which we do not see."
        "Give each program a sender of its own, and check voice.studio and voice.flex."
    Alert37004 "alert.37004" Warning
        "Calls failed because the sender's rate of calls was used up (37004)."
        "Calls are placed faster than Meta allows for this number."
        "Lower accounts.{account}.calls_per_second, or spread the callbacks over more senders."
    Alert37006 "alert.37006" Warning
        "Calls failed because of the limit of connected calls in 24 h (37006)."
        "Twilio's limit is lower than the one that is configured."
        "Compare ringmaster limits with docs/OPERATING.md, and lower limits.connected_calls_max."
    Alert37007 "alert.37007" Fault
        "Calls failed because the sender's country may not call (37007)."
        "The sender's number is of a country whose businesses may not call."
        "Use a sender of another country."
    Alert37008 "alert.37008" Fault
        "Calls failed because the caller is not a sender with calls activated (37008)."
        "The number is not registered, or calls are not activated for it."
        "ringmaster sender list shows the senders; ringmaster sender activate NUMBER activates one."
    Alert37009 "alert.37009" Fault
        "Consumers' calls failed because the sender has no voice application (37009)."
        "Calls are not activated for it."
        "ringmaster sender list shows the senders; ringmaster sender activate NUMBER activates one."
    Alert370 "alert.37xxx" Warning
        "Calls failed with a code for WhatsApp calls that is not documented."
        "Its meaning is not known."
        "Open the code in the Twilio console (Monitor, Errors), and tell us what it says."
    Alert11200 "alert.11200" Fault
        "Twilio could not fetch a document or deliver a webhook (11200)."
        "Calls were cut off, or reports were lost."
        "Check that http.public_url is reachable from the internet and its proxy answers; ringmaster_hooks_refused_total tells why requests were refused."
    Manager "manager.settings" Hint
        "The call icon, the business hours of calls and the callback permission are shown in WhatsApp Manager only."
        "No API of Twilio's reads them. A hidden icon keeps consumers from calling; outside business hours WhatsApp offers no call; the callback permission must equal callback_permission of the sender."
        "Open WhatsApp Manager (Phone numbers, the number, Call settings) and compare."
    MetaToken "meta.token" Fault
        "Meta refuses the token of the number."
        "Nothing can be sent by it, and nothing more can be examined."
        "Create a system user's token in Meta's Business settings (System users), with the rights whatsapp_business_messaging and whatsapp_business_management, and set the secret of meta.{account}.token."
    MetaUnreachable "meta.unreachable" Fault
        "Meta could not be asked."
        "No invite leaves by the number while Meta cannot be reached; the rest was not examined."
        "Check the network and meta.{account}.graph_url, and run ringmaster doctor again."
    MetaNumber "meta.number" Fault
        "The token sees no phone number with the configured id."
        "Messages by this id are refused (Meta's 100)."
        "Compare meta.{account}.phone_number_id with the app's dashboard (WhatsApp, API setup), and assign the account to the system user of the token."
    MetaOther "meta.number_differs" Fault
        "The id belongs to another number than the configured one."
        "Consumers are invited by one number and called from another, and calling links lead to the wrong one."
        "Correct meta.{account}.number or meta.{account}.phone_number_id."
    MetaOffline "meta.offline" Fault
        "The number is not connected."
        "Only a number that is CONNECTED sends and is called."
        "Open WhatsApp Manager (Phone numbers), and register or restore the number."
    MetaAccount "meta.account" Fault
        "The number is not in the configured WhatsApp Business Account."
        "Webhooks name the account, so all of them are ignored; templates are looked for in the wrong place."
        "Compare meta.{account}.business_account_id with the app's dashboard (WhatsApp, API setup)."
    MetaUnsubscribed "meta.unsubscribed" Fault
        "No app is subscribed to the WhatsApp Business Account."
        "No webhook arrives: no reply, no status and no call of a consumer is seen."
        "Subscribe the app: POST /(business_account_id)/subscribed_apps with the token (Meta, Manage webhooks)."
    MetaWebhook "meta.webhook" Fault
        "The webhooks of the number go to another URL than ours."
        "No reply, no status and no call of a consumer is seen."
        "Set the callback URL in the app's dashboard (WhatsApp, Configuration), or remove the override of the account or the number; docs/HOOKS.md has the URL."
    MetaWebhookUnknown "meta.webhook_unknown" Hint
        "Meta does not show where the webhooks of the number go."
        "If they go nowhere, no reply and no call of a consumer is seen."
        "Compare the callback URL in the app's dashboard (WhatsApp, Configuration) with docs/HOOKS.md."
    MetaFields "meta.fields" Hint
        "The webhook fields of the app are shown in its dashboard only."
        "Without messages no reply arrives, without calls no call of a consumer, without account_update and account_settings_update no restriction."
        "Open the app's dashboard (WhatsApp, Configuration, Webhook fields), and subscribe to messages, calls, account_update, account_settings_update and user_preferences."
    MetaCallsOff "meta.calls_off" Fault
        "Calls are not switched on for the number."
        "Consumers cannot call it: call buttons are refused (Meta's 138000), and calling links lead nowhere."
        "Switch calls on in WhatsApp Manager (Phone numbers, the number, Call settings)."
    MetaIcon "meta.icon" Warning
        "The call icon of the number is hidden."
        "Consumers may find no way to call beside our buttons and links."
        "Switch it on in WhatsApp Manager (Phone numbers, the number, Call settings), or leave it."
    MetaHours "meta.hours" Hint
        "Business hours of calls are set for the number."
        "Outside of them WhatsApp offers no call, whatever the hours of an order are."
        "Compare them with calling.hours, in WhatsApp Manager (Phone numbers, the number, Call settings)."
    MetaSip "meta.sip" Warning
        "Calls to the number go to a SIP server."
        "Meta then sends no webhooks of calls: a consumer's call closes no callback."
        "Let the number's calls go without SIP, or close callbacks by another road."
    MetaRestricted "meta.restricted" Warning
        "Meta restricts the calls of the number."
        "Invites to call may be refused, or lead to no call."
        "Open WhatsApp Manager (Account quality), and wait for the end of the restriction."
    MetaNoContent "meta.no_content" Warning
        "The number names no content that invites."
        "Nothing is ever sent by it."
        "Declare content, and name it in meta.{account}.invite_call_button, invite_template, invite_url_button or invite_deep_link (docs/CONTENT.md)."
    PageToken "page.token" Fault
        "Meta refuses the token of the page."
        "Nothing can be sent by it, and nothing more can be examined."
        "Create a page's token with the right pages_messaging, and set the secret of messenger.{account}.token."
    PageUnreachable "page.unreachable" Fault
        "Meta could not be asked."
        "No invite leaves by the page while Meta cannot be reached; the rest was not examined."
        "Check the network and messenger.{account}.graph_url, and run ringmaster doctor again."
    PageMissing "page.missing" Fault
        "The token sees no page with the configured id."
        "Messages of the page are refused."
        "Compare messenger.{account}.page_id with the page's About section, and create the token for this page."
    PageCallsOff "page.calls_off" Fault
        "Calls are not available to the page."
        "Call buttons are refused."
        "Switch calls on in the settings of the page (Messenger, Calling), if its country allows it."
    PageCallsUnknown "page.calls_unknown" Hint
        "Meta does not tell whether calls are available to the page."
        "If they are not, call buttons are refused."
        "Look it up in the settings of the page (Messenger, Calling)."
    PageUnsubscribed "page.unsubscribed" Fault
        "No app is subscribed to the page."
        "No webhook arrives: no message and no call of a person is seen, so the page's window never opens."
        "Subscribe the page in the app's dashboard (Messenger, settings)."
    PageFields "page.fields" Warning
        "The app does not take all webhook fields of the page that are needed."
        "What they would tell is not seen."
        "Subscribe the page to them in the app's dashboard (Messenger, settings); docs/HOOKS.md has the list."
    PageNoContent "page.no_content" Warning
        "The page names no content that invites."
        "Nothing is ever sent by it."
        "Declare content of the type messenger/button or messenger/generic, and name it in messenger.{account}.invite (docs/CONTENT.md)."
    StoreUnreachable "store.unreachable" Fault
        "The database could not be asked."
        "Nothing is accepted and nothing is dialled while the database cannot be reached; the rest of it was not examined."
        "Correct store.url, the password or the server, as the message says (docs/POSTGRESQL.md), and run ringmaster doctor again."
    StoreFsync "store.fsync" Warning
        "The server of the database does not bring commits safely to its disk: fsync or full_page_writes is off."
        "A loss of power can lose commits or damage the database, and calls that were placed are forgotten."
        "Set fsync and full_page_writes to on in postgresql.conf."
    StoreCommit "store.commit" Warning
        "Commits are answered before they are on the disk: synchronous_commit is off for our user."
        "A crash of the server loses the last commits, and calls that were placed are forgotten."
        "ALTER ROLE ringmaster SET synchronous_commit = on, with the name of our user."
    StoreStandby "store.standby" Warning
        "A standby of the database may lack the last commits."
        "If it is promoted, orders, stops and calls may be missing. Nothing is dialled then until an operator releases the store."
        "Set synchronous_standby_names so that every commit waits for every standby (docs/POSTGRESQL.md), or leave it and expect that."
    StoreStandbyHidden "store.standby_unread" Hint
        "A standby is connected, and our user may not read whether commits wait for it."
        "If it is promoted, nothing proves that it has every commit. Nothing is dialled then until an operator releases the store."
        "GRANT pg_monitor TO ringmaster, with the name of our user."
    StoreOrigin "store.timeline_unread" Warning
        "Our user may not read the system identifier and the timeline of the server."
        "A promoted standby that lacks orders or stops is noticed only if batches of the leader are missing too."
        "GRANT EXECUTE ON FUNCTION pg_control_system(), pg_walfile_name(pg_lsn) TO ringmaster, with the name of our user."
    StoreWitness "store.witness" Warning
        "Nothing outside of the database remembers how far it was written: store.state_dir is not set."
        "A database that was put back on its own timeline is not noticed, and each promotion of a standby holds the store."
        "Set store.state_dir to a directory of this machine that only the daemon writes."
    RecordingNotice "recordings.notice" Warning
        "A document records calls, and the configuration does not say how people learn of it."
        "In many countries a call may be recorded only if everybody in it knows; each recording is kept with the notice \"unstated\"."
        "Set notice in [recordings] or in [recordings.documents.NAME] to \"spoken\", \"agent\" or \"none\"."
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    pub account: AccountAlias,
    pub sender: Option<Phone>,
    /// What was seen; may be empty.
    pub detail: String,
}

impl Finding {
    /// The command or the click that mends it, with the names filled in.
    #[must_use]
    pub fn mend(&self) -> String {
        let sender = self.sender.map_or_else(|| "NUMBER".to_owned(), |sender| sender.e164());
        self.code.kind().mend.replace("{account}", &self.account).replace("{sender}", &sender)
    }
}

/// The worst of all findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Good,
    Warnings,
    Faults,
}

impl Verdict {
    /// Hints do not count.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let worst = findings.iter().map(|finding| finding.code.kind().severity).max();
        match worst {
            None | Some(Severity::Hint) => Self::Good,
            Some(Severity::Warning) => Self::Warnings,
            Some(Severity::Fault) => Self::Faults,
        }
    }

    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Warnings => 1,
            Self::Faults => 2,
        }
    }
}
