//! The adapter of the port to an account's content.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::client::{Client, chain};
use super::content::{Approval, Content, NewContent};
use super::outcome::{Created, Error, Refusal};
use crate::content::canonical::{template_name, types, version};
use crate::content::{Catalogue, Category, Declaration, Failure, Held, Review, Status};

#[async_trait]
impl Catalogue for Client {
    async fn list(&self) -> Result<Vec<Held>, Failure> {
        let listed = self.list_content_and_approvals().await.map_err(failure)?;
        Ok(listed.into_iter().map(held).collect())
    }

    async fn create(&self, declaration: &Declaration) -> Result<String, Failure> {
        let content = NewContent {
            friendly_name: version(declaration),
            language: declaration.language.clone(),
            variables: declaration.variables.clone(),
            types: types(declaration),
        };
        done(self.create_content(&content).await.map(|content| content.sid))
    }

    async fn submit(&self, sid: &str, declaration: &Declaration) -> Result<Review, Failure> {
        let category = declaration.category.map(Category::as_str).unwrap_or_default();
        let submitted = self.submit_content(sid, &template_name(declaration), category).await;
        let mut review = done(submitted.map(review))?;
        // An answer that shows the state before the submission.
        if review.status == Status::Unsubmitted {
            review.status = Status::Received;
        }
        Ok(review)
    }

    async fn delete(&self, sid: &str) -> Result<(), Failure> {
        match self.delete_content(sid).await {
            Err(Error::NotFound) => Ok(()),
            deleted => deleted.map_err(failure),
        }
    }
}

fn held(content: Content) -> Held {
    Held {
        sid: content.sid,
        friendly_name: content.friendly_name.unwrap_or_default(),
        language: content.language.unwrap_or_default(),
        types: content.types,
        variables: content.variables,
        fills: BTreeSet::new(),
        created_at: content.date_created,
        review: content.approval_requests.map(review).unwrap_or_default(),
    }
}

fn review(approval: Approval) -> Review {
    let some = |text: String| (!text.trim().is_empty()).then_some(text);
    Review {
        status: Status::read(&approval.status),
        name: approval.name,
        category: some(approval.category),
        reason: some(approval.rejection_reason),
    }
}

fn done<T>(created: Created<T>) -> Result<T, Failure> {
    match created {
        Created::Accepted(created) => Ok(created),
        Created::Refused(refusal) => Err(refused(&refusal)),
        Created::Throttled { retry_after, .. } => Err(Failure::Throttled { retry_after }),
        Created::NotSent(why) => Err(Failure::Unreachable(why)),
        Created::TooLate => Err(Failure::Unreachable("there was no connection in time".to_owned())),
        Created::Unknown(cause) => Err(Failure::Unknown(chain(&cause))),
    }
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Rejected(refusal) => refused(&refusal),
        Error::RateLimited { retry_after } => Failure::Throttled { retry_after },
        Error::NotFound => Failure::Refused { code: None, message: "knows no such resource".to_owned() },
        Error::Unreachable(cause) | Error::Unexpected(cause) => Failure::Unreachable(chain(&*cause)),
    }
}

fn refused(refusal: &Refusal) -> Failure {
    if refusal.is_credentials() {
        Failure::Credentials(refusal.to_string())
    } else {
        Failure::Refused { code: refusal.code, message: refusal.to_string() }
    }
}
