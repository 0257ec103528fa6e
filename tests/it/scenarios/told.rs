//! What a webhook of Meta's tells, as lines of a transcript.

use serde_json::Value;

/// One line for each thing in the body that needs one. `name` finds whom an id stands for.
pub(super) fn by_meta(body: &str, name: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let body: Value = serde_json::from_str(body).expect("a webhook of the world is JSON");
    let name = |id: &Value| id.as_str().and_then(&name);
    let mut lines = Vec::new();
    for entry in list(&body["entry"]) {
        for change in list(&entry["changes"]) {
            lines.extend(change_told(change, &name));
        }
        lines.extend(list(&entry["messaging"]).iter().filter_map(|item| at_page(item, &name)));
    }
    lines
}

type Name<'n> = dyn Fn(&Value) -> Option<String> + 'n;

fn change_told(change: &Value, name: &Name<'_>) -> Vec<String> {
    let value = &change["value"];
    let account =
        match (value["event"].as_str(), value["phone_number_settings"]["calling"]["status"].as_str()) {
            (Some("ACCOUNT_RESTRICTION"), _) => Some("Meta restricts the account"),
            (Some("ACCOUNT_REINSTATED"), _) => Some("Meta ends the restriction of the account"),
            (_, Some("DISABLED")) => Some("the calls of the number are switched off"),
            (_, Some("ENABLED")) => Some("the calls of the number are switched on"),
            _ => None,
        };
    let number = name(&value["metadata"]["display_phone_number"]).unwrap_or_default();
    let mut lines = Vec::from_iter(account.map(ToOwned::to_owned));
    lines.extend(list(&value["statuses"]).iter().filter_map(|status| {
        let to = who(name(&status["recipient_id"]));
        match status["status"].as_str()? {
            "delivered" => Some(format!("the message to {to} is delivered")),
            "failed" => Some(format!("the message to {to} failed, code {}", status["errors"][0]["code"])),
            _ => None,
        }
    }));
    lines.extend(list(&value["messages"]).iter().map(|message| {
        let from = who(name(&message["from"]));
        match message["interactive"]["call_permission_reply"]["response"].as_str() {
            Some("accept") => format!("{from} allows calls from {number}"),
            Some(_) => format!("{from} does not allow calls from {number}"),
            None => format!("{from} writes to {number}"),
        }
    }));
    lines.extend(list(&value["calls"]).iter().map(|call| {
        let from = who(name(&call["from"]));
        let token = match (call["cta_payload"].is_string(), call["deeplink_payload"].is_string()) {
            (true, _) => " with the token of a button",
            (_, true) => " with the token of a link",
            _ => "",
        };
        match (call["event"].as_str(), call["duration"].is_null()) {
            (Some("terminate"), true) => format!("the call of {from} to {number} was not taken"),
            (Some("terminate"), false) => format!("the call of {from} to {number} was taken and is over"),
            _ => format!("{from} calls {number}{token}"),
        }
    }));
    lines
}

fn at_page(item: &Value, name: &Name<'_>) -> Option<String> {
    let person = who(name(&item["sender"]["id"]));
    if item["message"]["is_echo"] == true || item["read"].is_object() {
        None
    } else if item["message"].is_object() {
        Some(format!("{person} writes to the page"))
    } else if item["delivery"].is_object() {
        Some(format!("the message of the page to {person} is delivered"))
    } else {
        item["call"].is_object().then(|| format!("{person} calls the page"))
    }
}

/// A consumer with a user name has no number in webhooks.
fn who(name: Option<String>) -> String {
    name.unwrap_or_else(|| "somebody without a number".to_owned())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
