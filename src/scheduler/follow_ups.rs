//! Makes the callbacks of a campaign that follows another one: those that were not reached, a batch in each turn.
//!
//! A batch has the new callbacks and how far it came, so a callback is made once, whatever is killed in between.

use std::sync::Arc;

use super::campaigns;
use super::following::Following;
use super::turn::Turn;
use crate::domain::callback::Waiting;
use crate::domain::suppression::{Errand, Outgoing};
use crate::domain::{
    Callback, CallbackId, Campaign, FollowUp, Name, Order, Person, PersonId, Phone, Reason, State,
    is_pseudonym, spelling,
};
use crate::policy::PersonView;
use crate::store::{self, CampaignRows, Store};

/// Reads the next callbacks of the campaign that one follows. Reads nothing if none is unfinished.
pub(super) async fn read(turn: &mut Turn<'_>, store: &dyn Store, max: usize) -> store::Result<()> {
    let unfinished = turn.loads.campaigns.iter().find_map(|campaign| {
        let follow_up = campaign.follow_up.as_ref().filter(|it| !it.is_whole)?;
        (!campaign.state.is_over()).then(|| (campaign.id, FollowUp::clone(follow_up)))
    });
    let Some((campaign, follow_up)) = unfinished else { return Ok(()) };
    let CampaignRows { closed, last, .. } = store.campaign_rows(follow_up.of, follow_up.after, max).await?;
    let wanted = closed.into_iter().filter(|(_, outcome)| follow_up.outcomes.contains(outcome));
    let ids: Vec<CallbackId> = wanted.map(|(id, _)| id).collect();
    let callbacks = store.callbacks(&ids).await?;
    let numbers: Vec<Phone> = callbacks.iter().map(|callback| callback.order.consumer).collect();
    let names: Vec<Name> = numbers.iter().copied().map(Name::Number).collect();
    let known: Vec<(Person, _)> = store.people(&names).await?;
    let view = |number: Phone| {
        let (person, pairs) = known.iter().find(|(person, _)| is_of(person, number))?;
        Some((number, PersonView::of(person, pairs.iter(), std::iter::empty())))
    };
    let people = numbers.into_iter().filter_map(view).collect();
    let wrong_numbers = store.wrong_numbers(&callbacks).await?.into_iter().collect();
    turn.following = Some(Following { campaign, callbacks, people, wrong_numbers, last });
    Ok(())
}

fn is_of(person: &Person, number: Phone) -> bool {
    person.id == PersonId::of(number) || person.names.contains(&Name::Number(number))
}

/// Makes the callbacks that were read for it.
pub(super) fn make(turn: &mut Turn<'_>) {
    let Some(following) = turn.following.take() else { return };
    let Following { campaign, callbacks, people, wrong_numbers, last } = following;
    // A command of this turn may have changed it.
    let Some(campaign) = turn.loads.campaigns.get(campaign).cloned() else { return };
    let Some(mut follow_up) = campaign.follow_up.as_deref().cloned() else { return };
    if campaign.state.is_over() {
        return;
    }
    for first in callbacks {
        let order = follow_up.order(&first.order, campaign.id, turn.now);
        let is_wrong_number = wrong_numbers.contains(&first.id) || is_marked_now(turn, &first);
        if is_wrong_number || is_left_out(turn, &order, &first, people.get(&order.consumer)) {
            follow_up.left_out = follow_up.left_out.saturating_add(1);
        } else {
            follow_up.made = follow_up.made.saturating_add(1);
            let new = callback(turn, &campaign, order);
            turn.work.made.push(new);
        }
    }
    follow_up.is_whole = last.is_none();
    follow_up.after = last.unwrap_or(follow_up.after);
    if follow_up.is_whole {
        tracing::info!(
            campaign = %campaign.id, made = follow_up.made, left_out = follow_up.left_out, "a follow-up is whole"
        );
    }
    let version = campaign.version.saturating_add(1);
    let follow_up = Some(follow_up.into());
    campaigns::put(turn, Campaign { version, follow_up, ..Campaign::clone(&campaign) }, None);
}

/// The new callback. It waits for the launch.
fn callback(turn: &Turn<'_>, campaign: &Campaign, order: Order) -> Callback {
    let now = turn.now;
    let id = CallbackId::new(turn.scheduler.deps.ids.uuid(now));
    let waits = State::Waiting(Waiting { wake_at: now, place: None, note: Reason::Ready.note() });
    let group = turn.scheduler.deps.directory.group_of_senders(&order.senders);
    let mut callback = Callback {
        tenant: campaign.tenant.clone(),
        group,
        ordered_by: Some(Arc::clone(&campaign.created_by)),
        ..Callback::new(id, now, order, waits)
    };
    campaign.hold(&mut callback);
    callback
}

/// Whether a word of this turn marks the number as wrong for the reference.
fn is_marked_now(turn: &Turn<'_>, first: &Callback) -> bool {
    let mut words = turn.work.agents.wrong_numbers.iter().rev();
    let last = words.find(|word| {
        first.order.reference.as_ref() == Some(&word.reference)
            && first.tenant == word.tenant
            && spelling::spellings(first.order.consumer).contains(&word.consumer)
    });
    last.is_some_and(|word| word.is_wrong)
}

/// Whether nothing may leave for the consumer, as far as that is known now. The ground check looks again.
fn is_left_out(turn: &Turn<'_>, order: &Order, first: &Callback, person: Option<&PersonView>) -> bool {
    let deps = &turn.scheduler.deps;
    let refuses = |person: &PersonView| {
        let mut senders = order.senders.iter();
        senders.all(|&sender| person.refuses(sender, Some(order.purpose), &deps.rules.people).is_some())
    };
    let is_suppressed = |person: &PersonView| {
        let mut senders = order.senders.iter().filter_map(|&number| deps.directory.sender(number)).peekable();
        let forbids = |account| {
            let errand = Errand::of(order, account);
            person.suppressed(turn.now, Outgoing::Call, &errand).is_some()
        };
        // As a new order is: refused if none of its senders may carry it out.
        senders.peek().is_some() && senders.all(|sender| forbids(&sender.account))
    };
    is_pseudonym(first.order.consumer)
        || FollowUp::is_settled(first)
        || order.lacks_consent(turn.now)
        || person.is_some_and(|person| refuses(person) || is_suppressed(person))
}
