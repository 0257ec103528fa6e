//! Variables in a text: `{{1}}` or `{{name}}`.

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    /// The name between the braces, as it is written.
    Variable(&'a str),
}

/// The pieces of a text in order. `{{` without `}}` is text.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(Piece::Variable(name));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// The names of the variables of a text, in order, each as often as it is there.
pub fn variables(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Variable(name) => Some(name),
        Piece::Text(_) => None,
    })
}

/// The text with a value for each variable. A variable without a value stays as it is.
#[must_use]
pub fn filled<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Variable(name) => match value(name) {
                Some(value) => out.push_str(value),
                None => out.extend(["{{", name, "}}"]),
            },
        }
    }
    out
}

/// The variables at the ends of a text, in which white space and punctuation count as nothing.
#[must_use]
pub fn at_the_ends(text: &str) -> Vec<&str> {
    let pieces = pieces(text);
    let is_word = |piece: &Piece<'_>| match piece {
        Piece::Text(text) => text.chars().any(char::is_alphanumeric),
        Piece::Variable(_) => true,
    };
    let mut found = Vec::new();
    for piece in [pieces.iter().find(|piece| is_word(piece)), pieces.iter().rfind(|piece| is_word(piece))] {
        if let Some(Piece::Variable(name)) = piece
            && !found.contains(name)
        {
            found.push(*name);
        }
    }
    found
}

/// The pairs of variables with nothing but white space between them.
#[must_use]
pub fn adjacent(text: &str) -> Vec<(&str, &str)> {
    let pieces: Vec<_> = pieces(text)
        .into_iter()
        .filter(|piece| !matches!(piece, Piece::Text(text) if text.trim().is_empty()))
        .collect();
    pieces
        .windows(2)
        .filter_map(|two| match two {
            [Piece::Variable(left), Piece::Variable(right)] => Some((*left, *right)),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_variables() {
        assert_eq!(pieces("a {{1}}b"), [Piece::Text("a "), Piece::Variable("1"), Piece::Text("b")]);
        assert_eq!(pieces("{{1}}{{two}}"), [Piece::Variable("1"), Piece::Variable("two")]);
        assert_eq!(pieces("a {{1"), [Piece::Text("a {{1")]);
        assert_eq!(pieces("{1} }}"), [Piece::Text("{1} }}")]);
        assert_eq!(pieces(""), []);
    }

    #[test]
    fn ends_are_found_behind_punctuation_and_blanks() {
        assert_eq!(at_the_ends("{{1}} is here"), ["1"]);
        assert_eq!(at_the_ends("here is {{1}}."), ["1"]);
        assert_eq!(at_the_ends(" \u{a1}{{a}}, and {{b}}!? "), ["a", "b"]);
        assert_eq!(at_the_ends("{{1}}"), ["1"]);
        assert!(at_the_ends("here {{1}} is").is_empty());
        assert!(at_the_ends("?").is_empty());
    }

    #[test]
    fn neighbours_have_only_blanks_between_them() {
        assert_eq!(adjacent("x {{1}} {{2}} y"), [("1", "2")]);
        assert_eq!(adjacent("x {{1}}{{2}}{{3}} y"), [("1", "2"), ("2", "3")]);
        assert!(adjacent("x {{1}}, {{2}} y").is_empty());
    }

    #[test]
    fn a_text_is_filled_where_there_is_a_value() {
        let value = |name: &str| (name == "1").then_some("docs");
        assert_eq!(filled("https://e.example/{{1}}/{{2}}", value), "https://e.example/docs/{{2}}");
    }
}
