//! The roads by which an invite of a callback failed, as JSON: the name of the road, and the issuer and the number of the
//! code, if there was one.

use super::rows::{corrupt, parse};
use crate::domain::{ErrorCode, RoadFailure};
use crate::store::{Error, Result};

type Shape = (String, Option<(String, u32)>);

/// `None` if there are none.
pub fn text(failures: &[RoadFailure]) -> Result<Option<String>> {
    if failures.is_empty() {
        return Ok(None);
    }
    let shape = |failure: &RoadFailure| -> Shape {
        (failure.road.to_string(), failure.code.map(|code| (code.issuer.as_str().to_owned(), code.number)))
    };
    let shapes: Vec<Shape> = failures.iter().map(shape).collect();
    serde_json::to_string(&shapes).map(Some).map_err(|error| Error::Corrupt(error.to_string()))
}

pub fn read(text: Option<&str>) -> Result<Vec<RoadFailure>> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let shapes: Vec<Shape> =
        serde_json::from_str(text).map_err(|_| corrupt("a list of failed roads", "a text"))?;
    let failure = |(road, code): Shape| {
        let code = code.map(|(issuer, number)| Ok::<_, Error>(ErrorCode::new(parse(&issuer)?, number)));
        Ok(RoadFailure { road: parse(&road)?, code: code.transpose()? })
    };
    shapes.into_iter().map(failure).collect()
}
