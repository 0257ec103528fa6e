//! Escapes control characters in the output, so that no text can control the terminal: `\u001b` for ESC.
//!
//! Only colour sequences pass (`ESC [ numbers m`, ECMA-48, SGR). Texts from outside are escaped completely before they
//! are put into tables.

use std::io::{self, Write};

use crate::text::visible;

/// The longest colour sequence: 24-bit colours for text and background.
const SEQUENCE_MAX: usize = 40;

/// A writer that passes text and colours.
pub(super) struct Terminal<W> {
    out: W,
    /// The bytes of an incomplete character.
    cut: Vec<u8>,
    /// The bytes of an incomplete sequence; it begins with ESC.
    sequence: String,
}

impl<W: Write> Terminal<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, cut: Vec::new(), sequence: String::new() }
    }

    fn take(&mut self, c: char, shown: &mut String) {
        if self.sequence.is_empty() {
            if c == '\u{1b}' {
                self.sequence.push(c)
            } else {
                visible::push(c, shown)
            }
            return;
        }
        let fits = match self.sequence.len() {
            1 => c == '[',
            length => length < SEQUENCE_MAX && (c.is_ascii_digit() || c == ';' || c == 'm'),
        };
        if !fits {
            self.give_up(shown);
            self.take(c, shown);
            return;
        }
        self.sequence.push(c);
        if c == 'm' {
            shown.push_str(&std::mem::take(&mut self.sequence));
        }
    }

    /// It is not a colour sequence.
    fn give_up(&mut self, shown: &mut String) {
        for c in std::mem::take(&mut self.sequence).chars() {
            visible::push(c, shown);
        }
    }
}

impl<W: Write> Write for Terminal<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = std::mem::take(&mut self.cut);
        all.extend_from_slice(bytes);
        let mut shown = String::with_capacity(all.len());
        let mut rest = all.as_slice();
        while !rest.is_empty() {
            let (text, after) = match std::str::from_utf8(rest) {
                Ok(text) => (text, rest.len()),
                Err(fault) => {
                    let good = std::str::from_utf8(&rest[..fault.valid_up_to()]).unwrap_or_default();
                    (good, fault.valid_up_to() + fault.error_len().unwrap_or(usize::MAX / 2))
                }
            };
            text.chars().for_each(|c| self.take(c, &mut shown));
            if text.len() == rest.len() {
                break;
            }
            if after > rest.len() {
                // The rest of the character comes with the next write.
                self.cut = rest[text.len()..].to_vec();
                break;
            }
            self.take(char::REPLACEMENT_CHARACTER, &mut shown);
            rest = &rest[after..];
        }
        self.out.write_all(shown.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut shown = String::new();
        self.give_up(&mut shown);
        self.out.write_all(shown.as_bytes())?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(pieces: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut terminal = Terminal::new(&mut out);
        pieces.iter().for_each(|piece| terminal.write_all(piece).unwrap());
        terminal.flush().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_and_colours_pass_in_any_pieces() {
        let text = "\u{1b}[1merror:\u{1b}[0m Ação \u{1b}[38;5;12m👩\u{1b}[0m\n";
        assert_eq!(printed(&[text.as_bytes()]), text);
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(printed(&bytes), text);
    }

    #[test]
    fn every_other_terminal_command_is_escaped() {
        for (text, shown) in [
            ("\u{1b}]0;title\u{7}", "\\u001b]0;title\\u0007"),
            ("\u{1b}[2J", "\\u001b[2J"),
            ("\u{1b}\u{1b}[1m", "\\u001b\u{1b}[1m"),
            ("\u{9b}31m", "\\u009b31m"),
            ("a\u{202e}b\u{200b}", "a\\u202eb\\u200b"),
            ("a\u{1b}", "a\\u001b"),
            ("a\rb", "a\\u000db"),
        ] {
            assert_eq!(printed(&[text.as_bytes()]), shown, "{shown}");
        }
        let long = format!("\u{1b}[{}m", "1;".repeat(40));
        assert!(printed(&[long.as_bytes()]).starts_with("\\u001b["));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced() {
        assert_eq!(printed(&[b"a\xFFb"]), "a\u{FFFD}b");
        assert_eq!(printed(&[b"a\xE2\x80"]), "a");
    }

    #[test]
    fn json_stays_json() {
        let json = serde_json::json!({"reference": "\u{9b}2J\u{202e}\u{e0041}"}).to_string();
        let shown = printed(&[json.as_bytes()]);
        assert!(shown.is_ascii(), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap().to_string(), json);
    }
}
