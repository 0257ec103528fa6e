//! Activates calls for a sender, and deactivates them.
//!
//! Each step may be repeated: a run that was killed is continued by the next one, and a second run changes nothing.
//! An application is found by its name and URLs before one is created. One that another program uses is replaced only
//! if that is asked for, and is never changed or deleted.

use jiff::{SignedDuration, Timestamp};

use super::voice::{CALL_TRIES, Match, NAME, REPORT_TRIES, compare, is_complete, is_right};
use crate::clock::{Clock, later};
use crate::domain::Phone;
use crate::hook_urls::SenderUrls;
use crate::twilio::{Application, Client, Created, Error, NewApplication, Sender, chain};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    pub number: Phone,
    pub urls: &'a SenderUrls,
    /// Whether the application and the webhook of another program may be replaced.
    pub may_replace: bool,
    /// How long to wait until the sender is online.
    pub patience: SignedDuration,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activated {
    pub application: String,
    /// Whether the application is new.
    pub is_created: bool,
    /// The application that the sender had before.
    pub replaced: Option<String>,
    /// Whether the sender had this application before.
    pub was_active: bool,
    /// Whether the webhook for messages was set.
    pub is_webhook_set: bool,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deactivated {
    WasOff,
    /// The application that is not used by this sender any more. It is not deleted: other senders may use it.
    Cleared(String),
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("the account has no WhatsApp sender with this number")]
    NoSender,
    #[error("the sender is {status} and not online{}", listed(.reasons))]
    Offline { status: String, reasons: Vec<String> },
    #[error("the sender has the voice application {sid} ({name}), which is not ours")]
    Foreign { sid: String, name: String },
    #[error("the webhook for messages of the sender is not ours")]
    ForeignWebhook,
    #[error("Twilio refused to activate calls: {0}")]
    Rejected(String),
    #[error("whether the application was created is unknown: {0}")]
    Unknown(String),
    #[error("the sender is not online after {} s: it is {status}", waited.as_secs())]
    TooSlow { status: String, waited: SignedDuration },
    #[error("Twilio could not be asked")]
    Failed(#[from] Error),
}

fn listed(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) }
}

/// The interval between two looks at the sender.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(2);

/// Activates calls: finds or creates our application, sets it, sets the webhook for messages if none is set, and waits
/// until the sender is online.
///
/// # Errors
/// [`Refused`]. What was done before stays, and the next run continues.
pub async fn activate(client: &Client, order: Order<'_>, clock: &dyn Clock) -> Result<Activated, Refused> {
    let sender = find(client, order.number).await?;
    let sid = sender.sid.clone().ok_or(Refused::NoSender)?;
    if !sender.is_online() {
        return Err(offline(&sender));
    }
    let webhook = webhook(&sender, order)?;
    let current = match sender.voice_application_sid() {
        Some(current) => bound(client, current, order).await?,
        None => Current::None,
    };
    let (application, is_created, replaced) = match current {
        Current::Right(sid) => (sid, false, None),
        Current::None => ours(client, order.urls).await.map(|(sid, new)| (sid, new, None))?,
        Current::Other(other) => ours(client, order.urls).await.map(|(sid, new)| (sid, new, Some(other)))?,
    };
    let was_active = sender.voice_application_sid() == Some(application.as_str());
    if !was_active {
        client.set_voice_application(&sid, Some(&application)).await.map_err(rejected)?;
    }
    if webhook == Webhook::Set {
        let url = format!("{}{REPORT_TRIES}", order.urls.messages);
        client.set_message_webhook(&sid, &url).await.map_err(rejected)?;
    }
    wait_until_online(client, &sid, Some(&application), order.patience, clock).await?;
    let is_webhook_set = webhook == Webhook::Set;
    Ok(Activated { application, is_created, replaced, was_active, is_webhook_set })
}

/// Deactivates calls, and waits until the sender is online again.
///
/// # Errors
/// [`Refused`].
pub async fn deactivate(
    client: &Client,
    order: Order<'_>,
    clock: &dyn Clock,
) -> Result<Deactivated, Refused> {
    let sender = find(client, order.number).await?;
    let sid = sender.sid.clone().ok_or(Refused::NoSender)?;
    let Some(current) = sender.voice_application_sid().map(ToOwned::to_owned) else {
        return Ok(Deactivated::WasOff);
    };
    bound(client, &current, order).await?;
    client.set_voice_application(&sid, None).await.map_err(rejected)?;
    wait_until_online(client, &sid, None, order.patience, clock).await?;
    Ok(Deactivated::Cleared(current))
}

async fn find(client: &Client, number: Phone) -> Result<Sender, Refused> {
    let listed = client.list_senders().await?;
    listed.into_iter().find(|sender| sender.phone() == Some(number)).ok_or(Refused::NoSender)
}

/// The application that a sender has.
enum Current {
    None,
    /// It does all that we need.
    Right(String),
    /// It may be replaced.
    Other(String),
}

async fn bound(client: &Client, sid: &str, order: Order<'_>) -> Result<Current, Refused> {
    let other = || Current::Other(sid.to_owned());
    let application = match client.fetch_application(sid).await {
        Ok(application) => application,
        // It was deleted, so nobody uses it. Twilio shows its SID all the same.
        Err(Error::NotFound) => return Ok(other()),
        Err(error) => return Err(error.into()),
    };
    if is_right(&application, order.urls) {
        return Ok(Current::Right(sid.to_owned()));
    }
    let is_our_document = compare(&application.voice_url, &order.urls.calls, "") != Match::Different;
    // One with no URL at all serves nobody.
    if is_our_document
        || application.voice_url.is_empty() && application.friendly_name == NAME
        || order.may_replace
    {
        return Ok(other());
    }
    Err(Refused::Foreign { sid: sid.to_owned(), name: application.friendly_name.chars().take(64).collect() })
}

/// Our application for these URLs: the oldest that is there, or a new one. After a create the list is read again and the
/// oldest one is taken, so that two runs at the same time agree.
async fn ours(client: &Client, urls: &SenderUrls) -> Result<(String, bool), Refused> {
    if let Some(found) = oldest(client, urls).await? {
        return Ok((found.sid, false));
    }
    let new = NewApplication {
        friendly_name: NAME.to_owned(),
        voice_url: format!("{}{CALL_TRIES}", urls.calls),
        status_callback: format!("{}{REPORT_TRIES}", urls.call_status),
    };
    let created = match client.create_application(&new).await {
        Created::Accepted(created) => Some(created.sid),
        Created::Refused(refusal) => return Err(Refused::Rejected(refusal.to_string())),
        Created::Throttled { retry_after, .. } => return Err(Error::RateLimited { retry_after }.into()),
        Created::NotSent(cause) => return Err(Error::Unreachable(cause.into()).into()),
        Created::TooLate => return Err(Error::Unreachable("no connection in time".into()).into()),
        Created::Unknown(cause) => {
            let Some(found) = oldest(client, urls).await? else {
                return Err(Refused::Unknown(chain(&cause)));
            };
            return Ok((found.sid, true));
        }
    };
    let first = oldest(client, urls).await?.map(|found| found.sid);
    let is_created = first.is_none() || first == created;
    first.or(created).map(|sid| (sid, is_created)).ok_or(Refused::NoSender)
}

async fn oldest(client: &Client, urls: &SenderUrls) -> Result<Option<Application>, Refused> {
    let named = client.applications_named(NAME).await?;
    let complete = named.into_iter().filter(|application| is_complete(application, urls));
    Ok(complete.min_by_key(|application| (application.date_created, application.sid.clone())))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Webhook {
    Keep,
    Set,
}

fn webhook(sender: &Sender, order: Order<'_>) -> Result<Webhook, Refused> {
    match sender.callback_url() {
        None => Ok(Webhook::Set),
        Some(set) if compare(set, &order.urls.messages, "") != Match::Different => {
            let is_post = sender.callback_method().eq_ignore_ascii_case("POST");
            Ok(if is_post { Webhook::Keep } else { Webhook::Set })
        }
        Some(_) if order.may_replace => Ok(Webhook::Set),
        Some(_) => Err(Refused::ForeignWebhook),
    }
}

async fn wait_until_online(
    client: &Client,
    sid: &str,
    application: Option<&str>,
    patience: SignedDuration,
    clock: &dyn Clock,
) -> Result<(), Refused> {
    let from = clock.now();
    let until = later(from, patience);
    loop {
        let sender = match client.fetch_sender(sid).await {
            Ok(sender) => sender,
            Err(Error::RateLimited { .. } | Error::Unreachable(_)) if clock.now() < until => {
                clock.sleep_until(next_look(clock.now(), until)).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if sender.status == "ONLINE" && sender.voice_application_sid() == application {
            return Ok(());
        }
        let is_hopeless = !sender.is_online() && sender.offline_reasons().next().is_some();
        if is_hopeless {
            return Err(offline(&sender));
        }
        if clock.now() >= until {
            return Err(Refused::TooSlow { status: sender.status, waited: patience });
        }
        clock.sleep_until(next_look(clock.now(), until)).await;
    }
}

fn next_look(now: Timestamp, until: Timestamp) -> Timestamp {
    later(now, LOOK_EVERY).min(until)
}

fn offline(sender: &Sender) -> Refused {
    let told = sender.offline_reasons().filter_map(|reason| reason.message.clone());
    Refused::Offline {
        status: sender.status.chars().take(40).collect(),
        reasons: told
            .take(5)
            .map(|text| crate::transport::mask::mask_numbers(&text).chars().take(200).collect())
            .collect(),
    }
}

fn rejected(error: Error) -> Refused {
    match error {
        Error::Rejected(refusal) => Refused::Rejected(refusal.to_string()),
        error => Refused::Failed(error),
    }
}
