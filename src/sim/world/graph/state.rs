//! What is at Meta.

use std::collections::{HashMap, HashSet, VecDeque};

use jiff::Timestamp;
use serde_json::Value;

use super::callers::Tap;
use super::clients::Client;
use super::hooks::Piece;
use super::restrictions::Restriction;
use super::said::Said;
use crate::domain::Phone;
use crate::sim::world::state::{PairId, SenderId, Verdict};

pub(in crate::sim::world) type AppId = usize;
pub(in crate::sim::world) type WabaId = usize;
pub(in crate::sim::world) type NumberId = usize;
pub(in crate::sim::world) type TemplateId = usize;
pub(in crate::sim::world) type PostId = usize;
pub(in crate::sim::world) type GraphCallId = usize;

/// Everything of it.
#[derive(Debug, Default)]
pub(in crate::sim::world) struct Graph {
    pub(super) apps: Vec<App>,
    pub(super) wabas: Vec<Waba>,
    pub(super) numbers: Vec<Number>,
    pub(super) templates: Vec<Template>,
    pub(super) posts: Vec<Post>,
    pub(super) calls: Vec<GraphCall>,
    /// What an id in a path stands for.
    pub(super) nodes: HashMap<String, Node>,
    /// The app of each token.
    pub(super) tokens: HashMap<String, AppId>,
    pub(super) number_of_sender: HashMap<SenderId, NumberId>,
    /// The ids of messages in both directions, for receipts.
    pub(super) message_ids: HashSet<String>,
    /// The people behind the user ids that were shown.
    pub(super) people: HashMap<String, Phone>,
    pub(super) clients: HashMap<Phone, Client>,
    /// Whose number and user id the daemon was told together, by a webhook that it acknowledged.
    pub(super) named: HashSet<Phone>,
    /// Who said no with the user id alone, while the daemon could not know whose it is.
    pub(super) unnamed_noes: HashSet<Phone>,
    /// People who stopped marketing messages, with the number that they stopped.
    pub(super) unmarketed: HashSet<(SenderId, Phone)>,
    /// What the next webhooks tell.
    pub(super) pending: Vec<Piece>,
}

/// What an id in a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim::world) enum Node {
    App(AppId),
    Waba(WabaId),
    Number(NumberId),
    Template(TemplateId),
}

#[derive(Debug)]
pub(in crate::sim::world) struct App {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) verify_token: String,
    pub(super) url: Option<String>,
    pub(super) is_checked: bool,
}

/// A WhatsApp Business Account.
#[derive(Debug)]
pub(in crate::sim::world) struct Waba {
    pub(super) id: String,
    pub(super) app: AppId,
    pub(super) numbers: Vec<NumberId>,
    pub(super) templates: Vec<TemplateId>,
    pub(super) restrictions: Vec<Restriction>,
}

#[derive(Debug)]
pub(in crate::sim::world) struct Number {
    pub(super) id: String,
    pub(super) waba: WabaId,
    pub(super) sender: SenderId,
    pub(super) url: Option<String>,
    pub(super) is_calling_on: bool,
    pub(super) has_call_buttons: bool,
    /// When its latest messages were sent, for the limit per second.
    pub(super) sent: VecDeque<Timestamp>,
}

#[derive(Debug)]
pub(in crate::sim::world) struct Template {
    pub(super) id: String,
    pub(super) waba: WabaId,
    pub(super) name: String,
    pub(super) language: String,
    /// What was asked for, and what the review gives.
    pub(super) category: String,
    pub(super) given_category: String,
    pub(super) is_named: bool,
    pub(super) components: Value,
    pub(super) decided_at: Timestamp,
    pub(super) verdict: Verdict,
    pub(super) deleted: bool,
}

/// A message that a number sent.
#[derive(Debug)]
pub(in crate::sim::world) struct Post {
    pub(super) id: String,
    pub(super) number: NumberId,
    pub(super) pair: PairId,
    pub(super) said: Said,
    /// Returned in its status webhooks.
    pub(super) opaque: Option<String>,
    pub(super) error: Option<(u32, &'static str)>,
    pub(super) created: Timestamp,
    /// Whether the consumer has it.
    pub(super) has_arrived: bool,
}

/// A consumer's call, as the Cloud API tells of it.
#[derive(Debug)]
pub(in crate::sim::world) struct GraphCall {
    pub(super) id: String,
    pub(super) number: NumberId,
    pub(super) pair: PairId,
    pub(super) tap: Option<Tap>,
    pub(super) answered: Option<Timestamp>,
    pub(super) ended: Option<Timestamp>,
    /// When the daemon acknowledged the webhook of its end.
    pub(super) told_at: Option<Timestamp>,
    /// Whether its end was told with the user id alone.
    pub(super) is_nameless: bool,
}

/// What happens later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sim::world) enum GraphAction {
    Post(PostId, crate::sim::world::Step),
    /// The consumer follows the invite.
    Tap(PostId),
    PickUp(GraphCallId),
    HangUp(GraphCallId),
    /// The review of the template has a result.
    Decide(TemplateId),
    /// What was collected is told.
    Tell,
}

impl Graph {
    pub(in crate::sim::world) fn app_id(&self, app: AppId) -> &str {
        &self.apps[app].id
    }

    /// Where the webhooks of an app go, if that URL was checked.
    pub(in crate::sim::world) fn checked_url(&self, app: AppId) -> Option<String> {
        let app = &self.apps[app];
        app.url.clone().filter(|_| app.is_checked)
    }

    /// The secret that signs the webhooks of an app.
    pub(in crate::sim::world) fn secret(&self, app: &str) -> Option<&str> {
        match self.nodes.get(app)? {
            Node::App(app) => Some(&self.apps[*app].secret),
            _ => None,
        }
    }
}
