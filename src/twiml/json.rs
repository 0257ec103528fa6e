//! Checks and compacts a JSON object with placeholders in its strings.

use serde_json::{Map, Value};

use super::placeholder::Piece;

/// Why a text is not a JSON object. `line` counts from 0 within the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadJson {
    pub line: usize,
    pub message: String,
}

/// Returns the object without white space. Placeholders are allowed only inside strings, where their values
/// are escaped. Elsewhere a value could add keys.
pub(super) fn compact(pieces: &[Piece]) -> Result<Vec<Piece>, BadJson> {
    let mut whole = String::new();
    let mut compact = Vec::with_capacity(pieces.len());
    let mut in_string = false;
    let mut escaped = false;
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => {
                whole.push_str(literal);
                let mut kept = String::with_capacity(literal.len());
                for c in literal.chars() {
                    if in_string {
                        in_string = escaped || c != '"';
                        escaped = c == '\\' && !escaped;
                        kept.push(c);
                    } else if !matches!(c, ' ' | '\n' | '\r' | '\t') {
                        in_string = c == '"';
                        kept.push(c);
                    }
                }
                if !kept.is_empty() {
                    compact.push(Piece::Literal(kept));
                }
            }
            Piece::Slot(name) => {
                if !in_string {
                    return Err(BadJson {
                        line: whole.matches('\n').count(),
                        message: format!(
                            "{{{{{0}}}}} must stand inside a JSON string, as in \"{{{{{0}}}}}\"",
                            name.as_str()
                        ),
                    });
                }
                // Neither a hexadecimal digit nor an escape, so that `\{{a}}` and `\u00{{a}}` are errors.
                whole.push('x');
                escaped = false;
                compact.push(Piece::Slot(name.clone()));
            }
        }
    }
    serde_json::from_str::<Map<String, Value>>(&whole).map_err(|error| BadJson {
        line: error.line().saturating_sub(1),
        message: format!("not a JSON object: {error}"),
    })?;
    Ok(compact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twiml::placeholder::split;

    fn check(text: &str) -> Result<String, usize> {
        compact(&split(text).unwrap())
            .map(|pieces| {
                pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Literal(literal) => literal.clone(),
                        Piece::Slot(name) => format!("<{}>", name.as_str()),
                    })
                    .collect()
            })
            .map_err(|bad| bad.line)
    }

    #[test]
    fn white_space_is_removed_between_tokens_and_kept_in_strings() {
        assert_eq!(
            check("{\n  \"a b\" : \"x \\\" y {{v}} z\",\n \"n\": [1, 2] }").as_deref(),
            Ok("{\"a b\":\"x \\\" y <v> z\",\"n\":[1,2]}")
        );
    }

    #[test]
    fn a_placeholder_outside_a_string_is_refused() {
        assert_eq!(check("{\"a\":\n {{v}} }"), Err(1));
        assert_eq!(check("{\"a\\\\\":{{v}}}"), Err(0));
        assert_eq!(check("{\"a\\\"\": \"{{v}}\"}").as_deref(), Ok("{\"a\\\"\":\"<v>\"}"));
    }

    #[test]
    fn a_placeholder_after_an_incomplete_escape_is_refused() {
        for text in ["{\"a\":\"\\{{v}}\"}", "{\"a\":\"\\u00{{v}}\"}"] {
            assert_eq!(check(text), Err(0), "{text}");
        }
    }

    #[test]
    fn only_an_object_is_taken() {
        for text in ["[]", "\"a\"", "{\"a\":1,}", "{\"a\":1} {}", "{'a':1}", "{"] {
            assert_eq!(check(text), Err(0), "{text}");
        }
    }
}
