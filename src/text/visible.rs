//! Checks for invisible characters. Characters that change the direction of a line or have no width can make two
//! names look the same, or change how a line looks on a terminal.
//!
//! Sources: Unicode 16.0, UAX #9 (bidirectional controls) and UTS #39 (default ignorable characters); ECMA-48 for
//! the control characters of terminals.

use std::fmt::Write as _;

/// The first invisible character of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Hidden {
    #[error("has a control character (U+{:04X})", u32::from(*.0))]
    Control(char),
    #[error("has a character that changes the direction of the text (U+{:04X})", u32::from(*.0))]
    Direction(char),
    #[error("has an invisible character (U+{:04X})", u32::from(*.0))]
    Invisible(char),
}

/// Checks that all characters of a name are visible. Joiners (U+200C, U+200D) between letters are part of some scripts
/// and of emoji, and are allowed.
///
/// # Errors
/// [`Hidden`], with the first character that cannot be seen.
pub fn check_name(text: &str) -> Result<(), Hidden> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(());
    }
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            return Err(Hidden::Control(c));
        }
        if is_direction(c) {
            return Err(Hidden::Direction(c));
        }
        let joins =
            is_joiner(c) && before.is_some_and(is_joined) && rest.peek().copied().is_some_and(is_joined);
        if is_invisible(c) || is_joiner(c) && !joins {
            return Err(Hidden::Invisible(c));
        }
        before = Some(c);
    }
    Ok(())
}

/// The text with all terminal commands and invisible characters escaped as in `\u001b`, line ends included.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { escape(c, &mut out) } else { push(c, &mut out) }
    }
    out
}

/// One character, escaped if it is a terminal command. Line ends and tabs are not changed.
pub fn push(c: char, out: &mut String) {
    let obeyed = c.is_control() && !matches!(c, '\n' | '\t');
    if obeyed || is_direction(c) || is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}') {
        escape(c, out);
    } else {
        out.push(c);
    }
}

/// Escapes a character as JSON does, so that JSON stays valid.
fn escape(c: char, out: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        write!(out, "\\u{unit:04x}").expect("writing to memory does not fail");
    }
}

/// Bidirectional controls: marks, embeddings, overrides, isolates.
const fn is_direction(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// Whether a joiner may be next to the character: a letter, its marks, or a symbol such as an emoji; in ASCII only
/// letters.
fn is_joined(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphabetic()
    } else {
        !c.is_whitespace() && !is_joiner(c) && !is_invisible(c)
    }
}

/// Characters without a width that no script needs between letters: zero-width spaces, word joiners, fillers, tags.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}'
            | '\u{034F}'
            | '\u{115F}'
            | '\u{1160}'
            | '\u{17B4}'
            | '\u{17B5}'
            | '\u{180E}'
            | '\u{200B}'
            | '\u{2060}'..='\u{2065}'
            | '\u{206A}'..='\u{206F}'
            | '\u{3164}'
            | '\u{2800}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_all_scripts_are_accepted() {
        for name in [
            "order 17/b",
            "Ação çã",
            "日本語",
            "שלום",
            "مرحبا",
            // Joiners in Persian, in Hindi, and in an emoji of a family.
            "می\u{200C}خواهم",
            "क्\u{200D}ष",
            "👩\u{200D}👩\u{200D}👧",
            "a\u{200D}b",
            "e\u{301}",
            "❤\u{FE0F}",
        ] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn an_invisible_character_is_named_by_its_number() {
        for (name, fault) in [
            ("a\u{202E}b", Hidden::Direction('\u{202E}')),
            ("a\u{200E}b", Hidden::Direction('\u{200E}')),
            ("a\u{2066}b", Hidden::Direction('\u{2066}')),
            ("a\u{200B}b", Hidden::Invisible('\u{200B}')),
            ("a\u{FEFF}", Hidden::Invisible('\u{FEFF}')),
            ("a\u{E0041}", Hidden::Invisible('\u{E0041}')),
            ("\u{200D}a", Hidden::Invisible('\u{200D}')),
            ("a\u{200C}", Hidden::Invisible('\u{200C}')),
            ("a\u{200C} b", Hidden::Invisible('\u{200C}')),
            ("a\u{200C}\u{200C}b", Hidden::Invisible('\u{200C}')),
            ("1\u{200D}2", Hidden::Invisible('\u{200D}')),
            ("a\nb", Hidden::Control('\n')),
            ("a\u{9B}31m", Hidden::Control('\u{9B}')),
            ("a\u{2028}b", Hidden::Control('\u{2028}')),
        ] {
            assert_eq!(check_name(name), Err(fault), "{name:?}");
        }
        assert_eq!(
            Hidden::Direction('\u{202E}').to_string(),
            "has a character that changes the direction of the text (U+202E)"
        );
    }

    #[test]
    fn the_edges_of_the_ranges_are_in_them() {
        let directions: Vec<u32> =
            (0..=0x10_FFFF).filter(|code| char::from_u32(*code).is_some_and(is_direction)).collect();
        assert_eq!(
            directions,
            [0x61C, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069]
        );
        for (c, invisible) in
            [('\u{205F}', false), ('\u{2060}', true), ('\u{2065}', true), ('\u{200A}', false)]
        {
            assert_eq!(is_invisible(c), invisible, "{c:?}");
        }
    }

    #[test]
    fn terminal_commands_are_escaped() {
        assert_eq!(escaped("\u{1b}]0;title\u{7}a\nb"), "\\u001b]0;title\\u0007a\\u000ab");
        assert_eq!(escaped("a\u{9B}2Jb\u{202E}c\u{E0041}"), "a\\u009b2Jb\\u202ec\\udb40\\udc41");
        assert_eq!(escaped("Ação 👩\u{200D}👧"), "Ação 👩\u{200D}👧");
        let mut out = String::new();
        "a\n\tb\r".chars().for_each(|c| push(c, &mut out));
        assert_eq!(out, "a\n\tb\\u000d");
    }
}
