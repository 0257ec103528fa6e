//! The calling links of a callback that were given out, as JSON: the digits of the sender, and the microseconds of the time.

use jiff::Timestamp;

use super::rows::{corrupt, digits, micros};
use crate::domain::{LinkGiven, Phone};
use crate::store::{Error, Result};

type Shape = (i64, i64);

/// `None` if there are none.
pub fn text(links: &[LinkGiven]) -> Result<Option<String>> {
    if links.is_empty() {
        return Ok(None);
    }
    let shapes: Vec<Shape> = links.iter().map(|link| (digits(link.sender), micros(link.at))).collect();
    serde_json::to_string(&shapes).map(Some).map_err(|error| Error::Corrupt(error.to_string()))
}

pub fn read(text: Option<&str>) -> Result<Vec<LinkGiven>> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let wrong = || corrupt("a list of links", "a text");
    let shapes: Vec<Shape> = serde_json::from_str(text).map_err(|_| wrong())?;
    let link = |(sender, at): Shape| {
        let sender = Phone::from_stored(u64::try_from(sender).map_err(|_| wrong())?);
        Ok(LinkGiven { sender, at: Timestamp::from_microsecond(at).map_err(|_| wrong())? })
    };
    shapes.into_iter().map(link).collect()
}
