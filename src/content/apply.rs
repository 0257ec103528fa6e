//! Carries a plan out: lists before it creates, so that a run that was killed is continued and not repeated.

use std::time::Duration;

use jiff::SignedDuration;

use super::canonical::version;
use super::catalogue::{Catalogue, Failure};
use super::declaration::Declaration;
use super::held::{Held, Review, Status};
use super::plan::{Item, Plan, Step, Why, versions};
use crate::clock::{Clock, later};

/// How often a request is repeated that Twilio throttled. It was never processed then.
const TRIES: u32 = 6;
/// The wait before a repetition if Twilio names none, and the longest one.
const WAIT: Duration = Duration::from_secs(5);
const WAIT_MAX: Duration = Duration::from_secs(120);

/// What became of one declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It was as declared.
    Unchanged {
        sid: String,
        status: Status,
    },
    Created {
        sid: String,
    },
    /// It was submitted, after it was created in this run or before.
    Submitted {
        sid: String,
        is_new: bool,
        status: Status,
    },
    Blocked {
        sid: String,
        why: Why,
    },
    /// It is not done. It may be tried again.
    Failed {
        sid: Option<String>,
        why: Failure,
    },
}

impl Done {
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Unchanged { .. } | Self::Created { .. } | Self::Submitted { .. })
    }
}

/// Brings an account to those declarations that it takes, and reports each one. A second run does nothing.
///
/// # Errors
/// [`Failure`] if the content cannot be listed, or the credentials are refused. What was reported before is done.
pub async fn apply(
    catalogue: &dyn Catalogue,
    declarations: &[Declaration],
    clock: &dyn Clock,
    mut report: impl FnMut(&Item, &Done),
) -> Result<(), Failure> {
    let held = list(catalogue, clock).await?;
    let plan = Plan::new(declarations, &held).only(|index| catalogue.takes(declarations[index].kind));
    for item in plan.items {
        let declaration = &declarations[item.index];
        let done = match &item.step {
            Step::Keep { sid, status, .. } => Done::Unchanged { sid: sid.clone(), status: status.clone() },
            Step::Blocked { sid, why } => Done::Blocked { sid: sid.clone(), why: why.clone() },
            Step::Submit { sid } => submit(catalogue, clock, sid, false, declaration).await,
            Step::Create => create(catalogue, clock, declaration).await,
        };
        report(&item, &done);
        if let Done::Failed { why: why @ Failure::Credentials(_), .. } = done {
            return Err(why);
        }
    }
    Ok(())
}

/// All content of an account, with patience.
///
/// # Errors
/// [`Failure`].
pub async fn list(catalogue: &dyn Catalogue, clock: &dyn Clock) -> Result<Vec<Held>, Failure> {
    let mut tries: u32 = 0;
    loop {
        match catalogue.list().await {
            Err(Failure::Throttled { retry_after }) if tries < TRIES => wait(clock, retry_after).await,
            listed => return listed,
        }
        tries = tries.saturating_add(1);
    }
}

/// Deletes content, with patience.
///
/// # Errors
/// [`Failure`].
pub async fn delete(catalogue: &dyn Catalogue, clock: &dyn Clock, sid: &str) -> Result<(), Failure> {
    let mut tries: u32 = 0;
    loop {
        match catalogue.delete(sid).await {
            Err(Failure::Throttled { retry_after }) if tries < TRIES => wait(clock, retry_after).await,
            deleted => return deleted,
        }
        tries = tries.saturating_add(1);
    }
}

async fn create(catalogue: &dyn Catalogue, clock: &dyn Clock, declaration: &Declaration) -> Done {
    let mut tries: u32 = 0;
    let created = loop {
        match catalogue.create(declaration).await {
            Err(Failure::Throttled { retry_after }) if tries < TRIES => wait(clock, retry_after).await,
            created => break created,
        }
        tries = tries.saturating_add(1);
    };
    let sid = match created {
        Ok(sid) => first_of_twins(catalogue, clock, declaration, sid).await,
        // It may be there, and a second create would make a twin.
        Err(Failure::Unknown(why)) => match found_again(catalogue, clock, declaration).await {
            Some(held) => held.sid,
            None => return Done::Failed { sid: None, why: Failure::Unknown(why) },
        },
        Err(why) => return Done::Failed { sid: None, why },
    };
    if declaration.seeks_approval() {
        submit(catalogue, clock, &sid, true, declaration).await
    } else {
        Done::Created { sid }
    }
}

/// The content to go on with after a create. If another run created the same version meanwhile, all runs keep the one
/// that counts ([`versions`]), and ours is deleted: nothing uses it yet.
async fn first_of_twins(
    catalogue: &dyn Catalogue,
    clock: &dyn Clock,
    declaration: &Declaration,
    ours: String,
) -> String {
    let Some(first) = found_again(catalogue, clock, declaration).await else { return ours };
    if first.sid == ours {
        return ours;
    }
    if let Err(why) = delete(catalogue, clock, &ours).await {
        // The plan tells twins, and prune deletes them.
        tracing::warn!("{ours} was created twice and could not be deleted: {why}");
    }
    first.sid
}

async fn submit(
    catalogue: &dyn Catalogue,
    clock: &dyn Clock,
    sid: &str,
    is_new: bool,
    declaration: &Declaration,
) -> Done {
    let mut tries: u32 = 0;
    let submitted = loop {
        match catalogue.submit(sid, declaration).await {
            Err(Failure::Throttled { retry_after }) if tries < TRIES => wait(clock, retry_after).await,
            submitted => break submitted,
        }
        tries = tries.saturating_add(1);
    };
    let done = |review: Review| match review.status {
        Status::Rejected => {
            let reason = review.reason.unwrap_or_else(|| "no reason given".to_owned());
            Done::Blocked { sid: sid.to_owned(), why: Why::Rejected(reason) }
        }
        status => Done::Submitted { sid: sid.to_owned(), is_new, status },
    };
    match submitted {
        Ok(review) => done(review),
        // Refused since it was submitted before (92009), or unknown: what the list shows counts.
        Err(why @ (Failure::Unknown(_) | Failure::Refused { code: Some(92_009), .. })) => {
            match found_again(catalogue, clock, declaration).await {
                Some(held) if held.review.status != Status::Unsubmitted => done(held.review),
                _ => Done::Failed { sid: Some(sid.to_owned()), why },
            }
        }
        Err(why) => Done::Failed { sid: Some(sid.to_owned()), why },
    }
}

async fn found_again(
    catalogue: &dyn Catalogue,
    clock: &dyn Clock,
    declaration: &Declaration,
) -> Option<Held> {
    let held = list(catalogue, clock).await.ok()?;
    versions(&held, &version(declaration)).first().map(|&held| held.clone())
}

async fn wait(clock: &dyn Clock, retry_after: Option<Duration>) {
    let wait = retry_after.unwrap_or(WAIT).min(WAIT_MAX);
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(5));
    clock.sleep_until(later(clock.now(), wait)).await;
}
