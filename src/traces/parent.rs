//! The header `traceparent` of requests to us.

use http::HeaderMap;

use crate::domain::TraceParent;

pub(super) const TRACEPARENT: &str = "traceparent";

/// What a request says. A header that is malformed or repeated counts as absent, as the recommendation has it.
pub(super) fn of(headers: &HeaderMap) -> Option<TraceParent> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    value.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_or_malformed_header_counts_as_absent() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let mut headers = HeaderMap::new();
        assert_eq!(of(&headers), None);
        headers.append(TRACEPARENT, good.parse().unwrap());
        assert_eq!(of(&headers), good.parse().ok());
        headers.append(TRACEPARENT, good.parse().unwrap());
        assert_eq!(of(&headers), None);
        headers.insert(TRACEPARENT, "0".parse().unwrap());
        assert_eq!(of(&headers), None);
    }
}
