//! The rules of declarations as dated data: what each says, its figure, the date of its source, and the source.
//!
//! Published pages differ and change, so no check has a figure of its own. Where two pages of Twilio contradict each
//! other, the stricter one is taken and the other is named in the source.

/// One rule with its source.
#[derive(Debug, Clone, Copy)]
pub struct Published {
    pub rule: Rule,
    /// What the rule says. `{}` stands for the figure.
    pub says: &'static str,
    /// The figure, where the rule has one.
    pub figure: Option<u32>,
    /// The date of the source, or of our decision.
    pub since: &'static str,
    pub source: &'static str,
}

macro_rules! rules {
    ($($rule:ident $code:literal, $says:literal, $figure:expr, $since:literal, $source:expr;)+) => {
        /// The rule that a declaration breaks. Codes are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($rule,)+
        }

        impl Rule {
            pub const ALL: &[Self] = &[$(Self::$rule,)+];

            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$rule => $code,)+
                }
            }
        }

        /// Every rule, in the order of [`Rule::ALL`].
        pub const PUBLISHED: &[Published] = &[$(Published {
            rule: Rule::$rule, says: $says, figure: $figure, since: $since, source: $source,
        },)+];
    };
}

const OURS: &str = "Ringmaster's own rule";
const CALL_TO_ACTION: &str = "Twilio, twilio/call-to-action";
const CALLING: &str = "Twilio, WhatsApp Business Calling";
const CARD: &str = "Twilio, twilio/card";
const WHATSAPP_CARD: &str = "Twilio, whatsapp/card";
const TEXT: &str = "Twilio, twilio/text";
const VARIABLES: &str = "Twilio, Using Variables with Content Templates";
const APPROVALS: &str = "Twilio, Message template approvals and statuses";
const SPECIFICATION: &str = "Twilio, OpenAPI of the Content API";
const COMPONENTS: &str = "Meta, Template components";
const META_URL: &str = "Meta, Interactive Call-to-Action URL Button Messages";
const META_CALL: &str = "Meta, Call button messages and deep links";
const AUDIO: &str = "Meta, Call Audio CTA";
const MESSENGER: &str = "Meta, Messenger, Button and Generic template";
const COMMON: &str = "Twilio, Content types overview, Common components";

rules! {
    FileSize "file.size", "a file has at most {} bytes", Some(65_536), "2026-11-28", OURS;
    FileNumber "file.number", "a folder has at most {} declarations", Some(500), "2026-11-28", OURS;
    FileType "file.type", "a declaration is a regular file", None, "2026-11-28", OURS;
    FileSyntax "file.syntax", "a declaration is TOML in UTF-8", None, "2026-11-28", OURS;
    KeyUnknown "key.unknown", "a declaration has the documented keys only", None, "2026-11-28", OURS;
    KeyType "key.type", "a key has the documented type", None, "2026-11-28", OURS;
    KeyRequired "key.required", "name, language, type and approval are required", None, "2026-11-28", OURS;
    KeyValue "key.value", "a key has one of its documented values", None, "2026-11-28", OURS;
    Name "name.form", "a name has 1 to {} small letters, digits and \"_\", the first a letter", Some(64),
        "2026-07-31", "Twilio, Content API resources, name of an approval request; the length is our own";
    NameRepeated "name.repeated", "two declarations cannot have the same name", None, "2026-11-28", OURS;
    Revision "revision.range", "a revision is 1 to {}", Some(999), "2026-11-28", OURS;
    Language "language.code", "a language is a code such as en or pt_BR", None, "2025-11-21",
        "Twilio errors 92003 and 92004";
    Category "category.required", "content for approval has a category, UTILITY or MARKETING", None, "2026-11-21",
        SPECIFICATION;
    FieldOther "field.other", "a type has its documented fields only", None, "2026-11-21", SPECIFICATION;
    BodyRequired "body.required", "this type needs a body", None, "2026-11-21", SPECIFICATION;
    TitleRequired "title.required", "on WhatsApp a twilio/card needs a title", None, "2026-07-31", CARD;
    CardMore "card.more", "a card has at least one field beside its text", None, "2026-11-21", SPECIFICATION;
    BodyText "body.text_length", "the body of a twilio/text has at most {} characters", Some(1_600), "2026-07-31",
        TEXT;
    BodyCallToAction "body.call_to_action_length", "the body of a twilio/call-to-action has at most {} characters",
        Some(640), "2026-07-31", CALL_TO_ACTION;
    BodyCard "body.card_length", "the body of a whatsapp/card has at most {} characters", Some(1_024), "2026-07-31",
        WHATSAPP_CARD;
    BodyOfCard "body.of_card", "the body of a twilio/card is for RCS; on WhatsApp all text is in the title", None,
        "2026-07-31", CARD;
    TitleOfCard "title.length", "the title of a twilio/card has at most {} characters on WhatsApp", Some(1_024),
        "2026-07-31", CARD;
    Subtitle "subtitle.length", "a subtitle has at most {} characters", Some(60), "2026-07-31", CARD;
    Footer "footer.length", "a footer has at most {} characters", Some(60), "2026-07-31", WHATSAPP_CARD;
    HeaderText "header_text.length", "a text header has at most {} characters", Some(60), "2026-07-31",
        WHATSAPP_CARD;
    HeaderOrMedia "header.one", "a card has a text header or media, never both", None, "2026-07-31", WHATSAPP_CARD;
    HeaderVariables "header_text.variables", "a text header for approval has at most {} variable", Some(1),
        "2026-06-26", COMPONENTS;
    MediaMax "media.count", "on WhatsApp a card has at most {} medium", Some(1), "2026-06-26",
        "Meta, Template components: one header for each template";
    MediaUrl "media.url", "a medium is an http or https URL whose path names the file type; a variable stands after \
        the host", None, "2026-07-31", WHATSAPP_CARD;
    MediaSample "media.sample", "a variable in the URL of a medium needs a sample path", None, "2026-07-31",
        WHATSAPP_CARD;
    ApprovedText "text.approved_length", "with its samples the text for approval has at most {} characters",
        Some(1_024), "2025-11-21", "Twilio error 63021; Meta, Template components";
    White "text.blank_ends", "a text neither begins nor ends with white space, and is not empty", None,
        "2026-11-28", OURS;
    BodyEdge "text.variable_at_end", "a text for approval that begins or ends with a variable needs a sample for it; \
        newer pages say that it is refused even then", None, "2026-05-04",
        "Twilio, twilio/call-to-action; Twilio, Message template approvals and statuses";
    BodyAdjacent "text.variables_adjacent", "a text for approval with two variables next to each other needs samples \
        for them; newer pages say that it is refused even then", None, "2026-07-31",
        "Twilio, twilio/call-to-action; Twilio, Using Variables with Content Templates";
    SampleRequired "variable.sample", "a variable of content for approval needs a sample", None, "2026-06-26",
        COMPONENTS;
    SampleBlanks "variable.sample_blanks", "a sample for approval has no line end, no tab and at most {} blanks in a \
        row", Some(4), "2026-05-04", APPROVALS;
    VariableName "variable.name", "the name of a variable has 1 to {} letters and digits", Some(16), "2026-07-31",
        VARIABLES;
    VariableValue "variable.value", "a sample has 1 to {} characters", Some(1_600), "2026-07-31",
        "Twilio, Using Variables with Content Templates; Twilio error 21656";
    VariablesMax "variable.count", "content has at most {} variables", Some(100), "2025-11-21",
        "Twilio error 92002";
    VariableSequence "variable.sequence", "the variables of content for approval are numbered from 1 without a gap",
        None, "2026-07-31", VARIABLES;
    VariableUnused "variable.unused", "a declared variable is used somewhere", None, "2026-11-28", OURS;
    VariableUnsupported "variable.unsupported", "this field takes no variables", None, "2026-07-31",
        "Twilio, twilio/card; Twilio, whatsapp/card; Twilio, twilio/call-to-action";
    ActionsRequired "actions.required", "a twilio/call-to-action has at least one action", None, "2026-11-21",
        SPECIFICATION;
    ActionType "action.type", "this type has no such action", None, "2026-11-21", SPECIFICATION;
    ActionKeyUnknown "action.key", "an action has the documented keys only", None, "2026-11-21", SPECIFICATION;
    ActionAlone "action.alone", "VOICE_CALL_REQUEST is the only action of its content", None, "2025-11-21", CALLING;
    ActionsMax "actions.call_to_action_count", "a twilio/call-to-action has at most {} actions", Some(2),
        "2025-11-21", CALL_TO_ACTION;
    ActionUrlOnce "actions.one_url", "a twilio/call-to-action has at most one URL", None, "2025-11-21",
        "Twilio, twilio/call-to-action (a copy of 2026 allows two)";
    ActionPhoneOnce "actions.one_phone_number", "content has at most one PHONE_NUMBER", None, "2025-11-21",
        CALL_TO_ACTION;
    ActionCallOnce "actions.one_call", "content has either one PHONE_NUMBER or one VOICE_CALL", None, "2026-07-31",
        "Twilio, twilio/card; Twilio, twilio/call-to-action";
    ActionUrls "actions.urls", "a card has at most {} URLs", Some(2), "2026-07-31", CARD;
    ActionsQuickReplies "actions.quick_replies", "a card has at most {} quick replies", Some(10), "2026-07-31", CARD;
    ActionsCard "actions.card_count", "a card has at most {} actions", Some(10), "2026-07-31", CARD;
    ActionTitleRequired "action.title_required", "an action has a title", None, "2026-11-21", SPECIFICATION;
    ActionTitle "action.title_length", "on WhatsApp the title of an action has at most {} characters", Some(20),
        "2026-07-31", "Twilio, twilio/card, WhatsApp (other places of the page say 25)";
    QuickReplyTitle "action.quick_reply_length", "the title of a quick reply of a whatsapp/card has at most {} \
        characters", Some(25), "2026-07-31", WHATSAPP_CARD;
    ActionTitleVariable "action.title_variable", "the title of a quick reply takes variables in the service window \
        only", None, "2026-07-31", WHATSAPP_CARD;
    ActionUrl "action.url", "a URL action has an http or https URL of a public site", None, "2025-11-21",
        CALL_TO_ACTION;
    ActionUrlVariable "action.url_variable", "a URL takes one variable, at its end, behind a \"/\" of its path", None,
        "2026-07-31", "Twilio, twilio/call-to-action; Twilio, Using Variables with Content Templates";
    ActionUrlSample "action.url_sample", "a variable in a URL needs a sample path with which the URL is valid", None,
        "2025-11-21", CALL_TO_ACTION;
    ActionPhone "action.phone", "a PHONE_NUMBER action has a number as +14155552671 (E.164), without variables", None,
        "2026-07-31", CALL_TO_ACTION;
    ActionCodeRequired "action.code", "a COPY_CODE action has a code", None, "2026-07-31", CALL_TO_ACTION;
    ActionId "action.id_length", "the id of a quick reply has at most {} characters", Some(128), "2026-07-31",
        COMMON;
    TtlMinutes "action.ttl", "the button of a VOICE_CALL works for 1 to {} minutes", Some(43_200), "2026-07-31",
        WHATSAPP_CARD;
    TtlApproved "action.ttl_approved", "the button of an approved VOICE_CALL works for at least {} minutes",
        Some(1_440), "2026-06-26", "Meta, Call button messages and deep links";
    RequestText "request.text_not_shown", "without approval a VOICE_CALL_REQUEST shows WhatsApp's own text", None,
        "2025-11-21", CALLING;
    SessionAction "session.action", "without approval content has no PHONE_NUMBER and no COPY_CODE", None,
        "2026-07-31", "Twilio, twilio/card; Twilio, twilio/call-to-action";
    SessionMixed "session.mixed", "without approval all actions are of one kind", None, "2026-07-31",
        "Twilio, twilio/card; Twilio, twilio/call-to-action";
    SessionUrl "session.one_url", "without approval content has at most one URL", None, "2026-07-31",
        "Twilio, twilio/card; Twilio, twilio/call-to-action";
    SessionButtons "session.buttons", "without approval content has at most {} actions", Some(3), "2026-07-31",
        "Twilio, twilio/card; Twilio, whatsapp/card";
    Road "type.road", "twilio/* and whatsapp/* is sent by [accounts], meta/* by [meta], messenger/* by [messenger], \
        each for what its type can do", None, "2026-11-28", OURS;
    ApprovalOf "approval.of_type", "a meta/template has approval = \"whatsapp\", every other meta/* and messenger/* \
        \"none\"", None, "2026-11-28", OURS;
    VariableUnknown "variable.unknown", "a variable of meta/* and messenger/* is {{link}}, {{payload}}, or has a sample \
        in [variables]", None, "2026-11-28", OURS;
    MetaRequired "meta.body_required", "a meta/* needs a body, but for meta/call_permission_request", None,
        "2026-06-28", META_URL;
    MetaBody "meta.body_length", "the body of an interactive message has at most {} characters", Some(1_024),
        "2026-06-28", "Meta, Interactive Call-to-Action URL Button Messages (the pages of the other interactive \
        messages name no length)";
    MetaText "meta.text_length", "a text message has at most {} characters", Some(4_096), "2025-11-03",
        "Meta, Text messages";
    MetaTextLink "meta.text_link", "a meta/text has {{link}}, since it is sent to be called", None, "2026-11-28", OURS;
    MetaHeader "meta.header_length", "a text header has at most {} characters", Some(60), "2026-06-28", META_URL;
    MetaFooter "meta.footer_length", "a footer has at most {} characters", Some(60), "2026-06-28", META_URL;
    MetaHeaderOne "meta.header_one", "a header is one text, image, video or document", None, "2026-06-28", META_URL;
    MetaMedia "meta.header_url", "the medium of a header is an http or https URL on a public server", None,
        "2026-06-28", META_URL;
    MetaActions "meta.actions", "a meta/voice_call has one VOICE_CALL, a meta/cta_url one URL, a meta/template a \
        VOICE_CALL, a URL, or one of each", None, "2026-06-28",
        "Meta, Call button messages and deep links; Meta, Interactive Call-to-Action URL Button Messages";
    MetaButton "meta.button_length", "the text of a button has at most {} characters", Some(20), "2026-06-28",
        "Meta, Interactive Call-to-Action URL Button Messages; Meta, Call button messages and deep links";
    MetaButtonRequired "meta.button_required", "a URL button has a text; a call button without one shows \"Call Now\"",
        None, "2026-06-28", META_URL;
    MetaUrl "meta.url", "a URL button has an http or https URL of a public site; a variable stands behind the \"/\" \
        after its host, or {{link}} is the whole URL", None, "2026-06-28", META_URL;
    MetaUrlVariable "meta.url_variable", "the URL of a meta/template has at most {} variable, at its end", Some(1),
        "2026-06-26", COMPONENTS;
    MetaTtl "meta.ttl", "the button of a VOICE_CALL works for 1 to {} minutes", Some(43_200), "2026-06-26", META_CALL;
    MetaPayload "meta.payload_length", "a payload has at most {} characters", Some(512), "2026-06-26", META_CALL;
    MetaPayloadOurs "meta.payload", "the payload is Ringmaster's token, by which a call closes its callback", None,
        "2026-11-28", OURS;
    MetaNames "meta.variable_names", "the variables of a meta/template are all numbers, or all names of small letters \
        and digits", None, "2026-06-26", COMPONENTS;
    MessengerText "messenger.text_length", "the text of a messenger/button has 1 to {} characters", Some(640),
        "2026-04-22", MESSENGER;
    MessengerButtons "messenger.buttons", "a messenger/button and each element of a messenger/generic has at most {} \
        buttons", Some(3), "2026-04-22", MESSENGER;
    MessengerElements "messenger.elements", "a messenger/generic has 1 to {} elements", Some(10), "2026-04-22",
        MESSENGER;
    MessengerTitle "messenger.title_length", "the title of an element has 1 to {} characters", Some(80), "2026-04-22",
        MESSENGER;
    MessengerSubtitle "messenger.subtitle_length", "the subtitle of an element has at most {} characters", Some(80),
        "2026-04-22", MESSENGER;
    MessengerMore "messenger.element_more", "an element has at least one field beside its title", None, "2026-04-22",
        MESSENGER;
    MessengerImage "messenger.image_url", "the image of an element is an http or https URL of a public site", None,
        "2026-04-22", MESSENGER;
    MessengerButton "messenger.button_length", "the title of a button has 1 to {} characters", Some(20), "2026-04-22",
        "Meta, Messenger, Button template (Call Audio CTA requires a title and names no length)";
    MessengerUrl "messenger.url", "a WEB_URL has an http or https URL of a public site; a variable stands behind the \
        \"/\" after its host, or {{link}} is the whole URL", None, "2026-04-22", MESSENGER;
    MessengerCall "messenger.call", "a messenger/* has an AUDIO_CALL, since it is sent to be called", None,
        "2026-11-28", OURS;
    OnlineNumber "url.online_number", "with --online at most {} URLs are asked", Some(200), "2026-11-28", OURS;
    OnlineHttps "url.online_https", "with --online only https URLs are asked", None, "2026-11-28", OURS;
    OnlineAddress "url.online_address", "a URL leads to public addresses", None, "2026-11-28", OURS;
    OnlineAnswer "url.online_answer", "a URL answers within {} s with a status from 200 to 399", Some(10),
        "2026-11-28", OURS;
    ExpiresInDays "messenger.expires_in_days", "an AUDIO_CALL works for 1 to {} days", Some(7), "2026-03-16", AUDIO;
}

impl Rule {
    /// The rule with its source.
    #[must_use]
    pub fn published(self) -> &'static Published {
        // `ALL` and `PUBLISHED` are made from one list.
        &PUBLISHED[self as usize]
    }

    /// The figure of the rule; 0 for a rule without one.
    #[must_use]
    pub fn figure(self) -> usize {
        self.published().figure.unwrap_or_default() as usize
    }

    /// What the rule says, with its figure.
    #[must_use]
    pub fn sentence(self) -> String {
        let Published { says, figure, .. } = self.published();
        figure.map_or_else(|| (*says).to_owned(), |figure| says.replace("{}", &figure.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_has_its_own_code_a_date_and_a_source() {
        let codes: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.code()).collect();
        assert_eq!(codes.len(), Rule::ALL.len());
        for &rule in Rule::ALL {
            let Published { says, figure, since, source, .. } = rule.published();
            assert_eq!(rule.published().rule, rule);
            assert_eq!(says.contains("{}"), figure.is_some(), "{}", rule.code());
            assert!(since.parse::<jiff::civil::Date>().is_ok(), "{}", rule.code());
            assert!(!source.is_empty() && !says.is_empty(), "{}", rule.code());
        }
    }
}
