//! Follow-ups of campaigns as JSON: in the column of a campaign, and in the command that makes one.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::rows::{corrupt, micros, moment};
use crate::domain::{FollowUp, Outcome};
use crate::store::{Error, Result};

/// Moments are microseconds. Renaming a field here would make stored campaigns unreadable.
#[derive(Serialize, Deserialize)]
struct Kept {
    of: String,
    outcomes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earliest: Option<i64>,
    latest: i64,
    #[serde(default)]
    after: i64,
    #[serde(default)]
    made: u64,
    #[serde(default)]
    left_out: u64,
    #[serde(default)]
    whole: bool,
}

impl Kept {
    fn of(follow_up: &FollowUp) -> Self {
        Self {
            of: follow_up.of.to_string(),
            outcomes: follow_up.outcomes.iter().map(|outcome| outcome.as_str().to_owned()).collect(),
            earliest: follow_up.earliest.map(micros),
            latest: micros(follow_up.latest),
            after: follow_up.after,
            made: follow_up.made,
            left_out: follow_up.left_out,
            whole: follow_up.is_whole,
        }
    }

    fn follow_up(self) -> Result<FollowUp> {
        let outcome = |word: &String| word.parse::<Outcome>().map_err(|_| corrupt("an outcome", word));
        Ok(FollowUp {
            of: self.of.parse().map_err(|_| corrupt("a campaign", &self.of))?,
            outcomes: self.outcomes.iter().map(outcome).collect::<Result<_>>()?,
            earliest: self.earliest.map(moment).transpose()?,
            latest: moment(self.latest)?,
            after: self.after,
            made: self.made,
            left_out: self.left_out,
            is_whole: self.whole,
        })
    }
}

/// The text of the column.
pub fn text(follow_up: &FollowUp) -> Result<String> {
    serde_json::to_string(&Kept::of(follow_up)).map_err(|error| Error::Corrupt(error.to_string()))
}

pub fn read(text: &str) -> Result<FollowUp> {
    let kept: Kept = serde_json::from_str(text).map_err(|_| corrupt("a follow-up", "a text"))?;
    kept.follow_up()
}

/// In a command.
pub fn serialize<S: Serializer>(of: &Option<Arc<FollowUp>>, to: S) -> std::result::Result<S::Ok, S::Error> {
    of.as_deref().map(Kept::of).serialize(to)
}

pub fn deserialize<'de, D: Deserializer<'de>>(
    from: D,
) -> std::result::Result<Option<Arc<FollowUp>>, D::Error> {
    let kept = Option::<Kept>::deserialize(from)?;
    kept.map(|kept| kept.follow_up().map(Arc::new).map_err(serde::de::Error::custom)).transpose()
}
