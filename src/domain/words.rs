//! The words by which a consumer ends contact, or allows it again, as the whole of a message.

use std::collections::BTreeSet;

use super::event::Word;

/// The longest message that can be such a word, in bytes.
const WORD_MAX: usize = 64;

/// Words that end contact and words that allow it again, in any language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    stop: BTreeSet<String>,
    start: BTreeSet<String>,
}

impl Words {
    pub fn new<'a>(
        stop: impl IntoIterator<Item = &'a str>,
        start: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let folded = |words: &mut dyn Iterator<Item = &'a str>| words.map(fold).collect();
        Self { stop: folded(&mut stop.into_iter()), start: folded(&mut start.into_iter()) }
    }

    /// What a message says, if the whole of it is such a word. Spaces, marks and punctuation around it and the case
    /// of its letters do not matter. A word in a sentence is none: who asks how to stop a pain wants an answer.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Word> {
        if text.len() > WORD_MAX {
            return None;
        }
        let word = fold(text);
        if self.stop.contains(&word) {
            Some(Word::Stop)
        } else if self.start.contains(&word) {
            Some(Word::Start)
        } else {
            None
        }
    }
}

/// Trims, and folds the case. The dotted and the dotless i of Turkish become one letter.
fn fold(text: &str) -> String {
    let is_edge = |c: char| c.is_whitespace() || c.is_ascii_punctuation() || is_mark(c);
    let lower = text.trim_matches(is_edge).to_lowercase();
    lower.chars().filter(|c| *c != '\u{307}').map(|c| if c == 'ı' { 'i' } else { c }).collect()
}

/// Marks that cannot be seen: of direction, of no width, and the byte-order mark.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_message_has_to_be_the_word() {
        let words = Words::new(["STOP", "Sair", "إيقاف", "İPTAL", "opt out"], ["START", "ابدأ"]);
        for (text, expected) in [
            ("stop", Some(Word::Stop)),
            (" Stop.\n", Some(Word::Stop)),
            ("\u{200e}STOP!", Some(Word::Stop)),
            ("\"sair\"", Some(Word::Stop)),
            ("إيقاف", Some(Word::Stop)),
            ("iptal", Some(Word::Stop)),
            ("IPTAL", Some(Word::Stop)),
            ("ıptal", Some(Word::Stop)),
            ("Opt Out", Some(Word::Stop)),
            ("start", Some(Word::Start)),
            ("ابدأ", Some(Word::Start)),
            ("please stop", None),
            ("stop it", None),
            ("stopped", None),
            ("s t o p", None),
            ("", None),
            ("...", None),
        ] {
            assert_eq!(words.read(text), expected, "{text:?}");
        }
        assert_eq!(words.read(&format!("stop{}", " ".repeat(60))), Some(Word::Stop));
        assert_eq!(words.read(&format!("stop{}", " ".repeat(61))), None);
    }

    #[test]
    fn a_word_in_both_lists_stops() {
        let words = Words::new(["alto"], ["alto"]);
        assert_eq!(words.read("ALTO"), Some(Word::Stop));
        assert_eq!(Words::default().read("stop"), None);
    }
}
