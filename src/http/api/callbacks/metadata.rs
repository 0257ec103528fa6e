//! Checks metadata: any JSON that all parsers can read, ours and the customer's.

/// The maximum depth of objects and arrays. Some parsers stop at 100, ours at 128.
const DEPTH_MAX: usize = 64;

/// Why metadata is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("is {0} levels deep: expected at most {DEPTH_MAX}")]
    TooDeep(usize),
    /// Half a surrogate pair, or a number that is too large.
    #[error("has a value that not every JSON parser can read: {0}")]
    Value(String),
}

/// The bytes of a well-formed JSON text without white space between its values and with its characters written out, if
/// strict parsers can read it too. How a customer escapes is no matter of size.
pub(super) fn size(json: &str) -> Result<usize, Unreadable> {
    let depth = depth(json);
    if depth > DEPTH_MAX {
        return Err(Unreadable::TooDeep(depth));
    }
    match serde_json::from_str::<serde_json::Value>(json) {
        Ok(value) => Ok(value.to_string().len()),
        Err(error) => Err(Unreadable::Value(error.to_string())),
    }
}

/// The depth of objects and arrays. One pass, without recursion.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<(), Unreadable> {
        size(json).map(|_| ())
    }

    #[test]
    fn escapes_and_white_space_do_not_count() {
        for (json, bytes) in [
            (r#""x""#, 3),
            (r#"{ "a" : [ 1, 2 ] }"#, 11),
            (r#""\u00e9\u00e9""#, 6),
            (r#""\ud83d\ude00""#, 6),
            (r#""\n\"""#, 6),
        ] {
            assert_eq!(size(json), Ok(bytes), "{json}");
        }
    }

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn metadata_may_be_64_levels_deep_and_no_deeper() {
        assert_eq!([63, 64].map(|levels| check(&nested(levels))), [Ok(()), Ok(())]);
        assert_eq!(check(&nested(65)), Err(Unreadable::TooDeep(65)));
        assert_eq!(check(&nested(2_000)), Err(Unreadable::TooDeep(2_000)));
        let objects = format!("{}1{}", "{\"a\":".repeat(65), "}".repeat(65));
        assert_eq!(check(&objects), Err(Unreadable::TooDeep(65)));
    }

    #[test]
    fn brackets_within_texts_do_not_count() {
        let text = format!(r#"{{"a": "{} \" {}"}}"#, "[".repeat(70), "{".repeat(70));
        assert_eq!((depth(&text), check(&text)), (1, Ok(())));
    }

    #[test]
    fn half_a_surrogate_pair_and_endless_numbers_are_refused() {
        for json in [r#""\ud800""#, r#"{"a": ["\udc00"]}"#, r#"{"\ud800x": 1}"#, "1e999"] {
            assert!(matches!(check(json), Err(Unreadable::Value(_))), "{json}");
        }
        for json in [r#""\ud83d\ude00""#, "1e300", "null", r#"{"a": 1, "a": 2}"#] {
            assert_eq!(check(json), Ok(()), "{json}");
        }
    }
}
