//! `export`: what is stored of one person, for a request of access.

use std::io::Write;

use clap::Args;
use serde_json::Value;

use super::remote::{Ask, Body, Target};
use super::suppression::Who;

/// How many orders the daemon is asked for at once.
const PAGE: usize = 500;

#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    daemon: Target,
}

impl Export {
    /// Asks for page after page, and prints all of them as one object.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut whole = self.page(None)?;
        while let Some(cursor) = whole.get("next_cursor").and_then(Value::as_str).map(str::to_owned) {
            let mut page = self.page(Some(&cursor))?;
            let (orders, contacts) = (page["orders"].take(), page["messenger_contacts"].take());
            whole["orders"].as_array_mut().into_iter().for_each(|all| all.extend(items(&orders)));
            if let Some(all) = whole["messenger_contacts"].as_array_mut() {
                let new: Vec<Value> = items(&contacts).filter(|contact| !all.contains(contact)).collect();
                all.extend(new);
            }
            whole["next_cursor"] = page["next_cursor"].take();
        }
        if let Some(object) = whole.as_object_mut() {
            object.remove("next_cursor");
        }
        Ok(writeln!(out, "{whole:#}")?)
    }

    fn page(&self, cursor: Option<&str>) -> anyhow::Result<Value> {
        let mut body = self.who.body();
        body["limit"] = PAGE.into();
        if let Some(cursor) = cursor {
            body["cursor"] = cursor.into();
        }
        self.daemon.ask_json(&Ask::post("v1/consumers/export", Body::Json(body)))
    }
}

fn items(list: &Value) -> impl Iterator<Item = Value> {
    list.as_array().into_iter().flatten().cloned()
}
