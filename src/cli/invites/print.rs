//! Prints invites. Times are in the consumer's time and in UTC, or in UTC alone if the order has no hours.

use std::io::Write;

use super::printed::{at, further, hours, messages, sentence, why};
use super::views::{Callback, Page};
use crate::cli::table::{Rows, in_zone, name, plain, standing};

pub(super) fn page(page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
    if page.callbacks.is_empty() {
        writeln!(out, "no invites{}", if page.incomplete { " so far" } else { "" })?;
        return further(page, out);
    }
    let mut rows = Rows::new(&[
        "invite",
        "reference",
        "status",
        "consumer",
        "sender",
        "campaign",
        "invited",
        "deadline",
        "why",
    ]);
    for invite in &page.callbacks {
        let zone = invite.time_zone();
        rows.push([
            name(&invite.id),
            plain(invite.reference.as_deref().unwrap_or_default()),
            standing(invite.standing()),
            plain(&invite.consumer),
            plain(invite.senders.join(" ")),
            plain(invite.campaign.as_deref().unwrap_or_default()),
            plain(at(invite.invited_at, zone.as_ref())),
            plain(at(invite.latest, zone.as_ref())),
            plain(sentence(&invite.reason, zone.as_ref())),
        ]);
    }
    rows.write(out)?;
    further(page, out)
}

pub(super) fn record(invite: &Callback, out: &mut dyn Write) -> anyhow::Result<()> {
    let zone = invite.time_zone();
    let second = |moment| in_zone(moment, zone.as_ref());
    let mut rows = Rows::new(&[]);
    rows.push([name("invite"), plain(&invite.id)]);
    rows.push([name("status"), standing(invite.standing())]);
    let mut say = |what: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            rows.push([name(what), plain(value)]);
        }
    };
    say("why", Some(why(sentence(&invite.reason, zone.as_ref()), &invite.reason, zone.as_ref())));
    say("next look", invite.next_look_at.map(second));
    say("consumer", Some(invite.consumer.clone()));
    say("senders", Some(invite.senders.join(", ")));
    say("earliest", invite.earliest.map(second));
    say("latest", invite.latest.map(second));
    say("hours", invite.hours.as_ref().map(hours));
    say("priority", Some(invite.priority.to_string()));
    say("invited", invite.invited_at.map(second));
    say("campaign", invite.campaign.clone());
    say("purpose", Some(invite.purpose.clone()).filter(|purpose| purpose != "service"));
    say("reference", invite.reference.clone());
    say("created", invite.created_at.map(second));
    say("closed", invite.closed_at.map(second));
    rows.write(out)?;
    messages(invite, out)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cli::callbacks::views::read;

    fn printed<T: serde::de::DeserializeOwned>(
        print: impl Fn(&T, &mut dyn Write) -> anyhow::Result<()>,
        answer: Value,
    ) -> String {
        let mut out = Vec::new();
        print(&read(answer).unwrap(), &mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    fn invite() -> Value {
        json!({
            "id": "inv_1", "status": "waiting", "consumer": "+447700900105", "senders": ["+442079460000"],
            "priority": 5, "purpose": "service", "reference": "ticket-17",
            "created_at": "2026-11-21T10:00:00Z", "latest": "2026-11-21T12:00:00Z",
            "invited_at": "2026-11-21T11:00:00Z",
            "reason": {"code": "x", "sentence": "The consumer was invited."},
            "messages": [{"purpose": "invite", "road": "call_button", "sender": "+442079460000",
                "stage": "accepted", "state": "delivered", "created_at": "2026-11-21T11:00:00Z", "sid": "MM1"}],
        })
    }

    #[test]
    fn an_invite_is_shown_with_its_messages_and_without_attempts() {
        insta::assert_snapshot!(printed(record, invite()), @r"
        invite     inv_1
        status     waiting
        why        The consumer was invited.
        consumer   +447700900105
        senders    +442079460000
        latest     2026-11-21T12:00:00Z
        priority   5
        invited    2026-11-21T11:00:00Z
        reference  ticket-17
        created    2026-11-21T10:00:00Z

        messages
        for                   at                    sender         came to    error  message
        invite (call button)  2026-11-21T11:00:00Z  +442079460000  delivered  -      MM1
        ");
    }

    #[test]
    fn a_page_says_how_to_go_on() {
        let text = printed(page, json!({"invites": [invite()], "next_cursor": "inv_1"}));
        assert!(
            text.starts_with("invite  reference  status") && text.contains("inv_1   ticket-17"),
            "{text}"
        );
        assert!(text.ends_with("more: --cursor inv_1\n"), "{text}");
        assert_eq!(printed(page, json!({"invites": []})), "no invites\n");
    }
}
