//! What only one dialling group may use.

use super::*;
use crate::domain::{Assigned, Directory, GroupName, Noun, NounKind, Part, Proof, Terms};

const SENDER: &str = "+551151991234";

fn phone(text: &str) -> Phone {
    Phone::parse(text).unwrap()
}

fn order() -> Order {
    let (from, until) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    Order::new(phone("+5511987654321"), vec![phone(SENDER)], "message", from, until)
}

fn directory(group: &str) -> Directory {
    let sender = Sender { pool: Some("front".parse().unwrap()), ..Sender::new(phone(SENDER), "main") };
    Directory::new([sender]).with_groups([("main".into(), group.parse::<GroupName>().unwrap())])
}

fn alone(name: &str) -> Resource {
    Resource::Agents(Agents::new(Agent::client(name)).unwrap())
}

fn script() -> Script {
    let noun = |part| Noun { kind: NounKind::Client, parts: vec![part] };
    let dial = vec![noun(Part::Agent), noun(Part::Text("second".into()))];
    let (order, proof) = (LegOrder::ConsumerFirst, Proof::Bridge);
    Script { order, proof, dials: Arc::new([dial]), has_bot: true }
}

/// What the order uses, as it is stored.
fn used(order: Order, group: &str, ceilings: &[Resource]) -> Vec<String> {
    let state = State::Waiting(Waiting::set_aside());
    let id = CallbackId::new(Uuid::from_u128(1));
    let callback = Callback::new(id, Timestamp::UNIX_EPOCH, order, state);
    let mut rules = rules();
    rules.ceilings = ceilings.iter().map(|resource| (resource.clone(), 1)).collect();
    let used = of_one_group(&callback, &directory(group), &rules, Some(&script()));
    used.iter().map(ToString::to_string).collect()
}

#[test]
fn with_one_group_nothing_is_looked_at() {
    assert_eq!(used(order(), "main", &[alone("second")]), [""; 0]);
}

#[test]
fn the_pool_of_the_order_or_else_of_the_sender_is_of_one_group() {
    assert_eq!(used(order(), "south", &[]), ["pool:default/front"]);
    let own = Order { pool: Some("back".parse().unwrap()), ..order() };
    assert_eq!(used(own, "south", &[]), ["pool:default/back"]);
}

#[test]
fn a_campaign_is_of_one_group_and_a_label_if_it_has_a_ceiling() {
    let id = CampaignId::new(Uuid::from_u128(3)).to_string();
    let named = |campaign: &str| Order { campaign: Some(campaign.to_owned()), ..order() };
    assert_eq!(used(named(&id), "south", &[])[0], format!("campaign:{id}"));
    assert_eq!(used(named("spring"), "south", &[]), ["pool:default/front"]);
    let capped = used(named("spring"), "south", &[Resource::campaign("spring"), Resource::Bot]);
    assert_eq!(capped, ["campaign:spring", "pool:default/front"]);
}

#[test]
fn agents_with_a_ceiling_are_of_one_group_the_assigned_one_too() {
    let until = Timestamp::UNIX_EPOCH;
    let assigned = Assigned { agent: AgentTarget::Client("first".into()), until };
    let order = Order {
        agent: Some(AgentTarget::Client("usual".into())),
        terms: Terms { assigned: Some(assigned), ..Terms::default() }.kept(),
        ..order()
    };
    let ceilings = ["first", "usual", "second"].map(alone);
    let found = used(order.clone(), "south", &ceilings);
    for name in ["agents:client:first", "agents:client:second", "agents:client:usual"] {
        assert!(found.iter().any(|used| used == name), "{name}: {found:?}");
    }
    let found = used(order, "south", &ceilings[2..]);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn an_invite_takes_no_seat() {
    let invite = Order { kind: OrderKind::Invite, campaign: Some("spring".to_owned()), ..order() };
    assert_eq!(used(invite, "south", &[Resource::campaign("spring")]), ["campaign:spring"]);
}
