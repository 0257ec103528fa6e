//! Reads a list in any encoding that spreadsheets write, as UTF-8, without the byte-order mark.
//!
//! UTF-8 that is broken passes: the row that has it is refused later, and not the whole list.

use std::io::{self, BufRead, Read};

use serde::{Deserialize, Serialize};

/// The encoding of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "utf-16le")]
    Utf16Le,
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// The one of older spreadsheets in western Europe and America. ISO 8859-1 (Latin-1) is read as this too.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// The characters 0x80 to 0x9F of Windows-1252; the others are those of Unicode. WHATWG, *Encoding*, index windows-1252,
/// 2026-11-29.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '\u{98}', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// The text of bytes in Windows-1252: a character for each byte.
pub(super) fn of_windows_1252(bytes: &[u8]) -> String {
    let of = |byte: &u8| match byte {
        0x80..=0x9F => WINDOWS_1252[usize::from(byte - 0x80)],
        byte => char::from(*byte),
    };
    bytes.iter().map(of).collect()
}

impl Encoding {
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Windows1252];
    /// Their names, for errors.
    pub const NAMES: &str = "utf-8, utf-16le, utf-16be or windows-1252";

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// The encoding with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.as_str().eq_ignore_ascii_case(name))
    }

    /// The encoding that the first bytes show: by the mark, or by the zero byte that every ASCII character has in
    /// UTF-16. A list begins with the name of a column or with a bracket, so its first character is ASCII.
    #[must_use]
    pub fn detect(first: &[u8]) -> Self {
        match first {
            [0xFF, 0xFE, ..] => Self::Utf16Le,
            [0xFE, 0xFF, ..] => Self::Utf16Be,
            [low, 0, ..] if *low != 0 => Self::Utf16Le,
            [0, low, ..] if *low != 0 => Self::Utf16Be,
            _ => Self::Utf8,
        }
    }

    /// How many bytes a unit has: a byte, or half of a pair.
    pub(super) const fn unit(self) -> usize {
        match self {
            Self::Utf8 | Self::Windows1252 => 1,
            Self::Utf16Le | Self::Utf16Be => 2,
        }
    }

    /// How many bytes the mark at the start has; 0 without one.
    pub(super) fn mark(self, first: &[u8]) -> usize {
        let mark: &[u8] = match self {
            Self::Utf8 => &[0xEF, 0xBB, 0xBF],
            Self::Utf16Le => &[0xFF, 0xFE],
            Self::Utf16Be => &[0xFE, 0xFF],
            Self::Windows1252 => &[],
        };
        if first.starts_with(mark) { mark.len() } else { 0 }
    }
}

/// How many units of UTF-16 are read at once.
const UNITS: usize = 4096;

/// A list as UTF-8.
#[derive(Debug)]
pub struct Utf8<R> {
    inner: R,
    encoding: Encoding,
    /// UTF-8 that was decoded and not yet taken, from `taken`.
    ready: Vec<u8>,
    taken: usize,
    /// The first half of a pair, whose second half was not read yet.
    half: Option<u16>,
}

impl<R: BufRead> Utf8<R> {
    /// Opens a list. `told` goes before what its first bytes show.
    ///
    /// # Errors
    /// If the list cannot be read.
    pub fn open(mut inner: R, told: Option<Encoding>) -> io::Result<Self> {
        let first = inner.fill_buf()?;
        let encoding = told.unwrap_or_else(|| Encoding::detect(first));
        let mark = encoding.mark(first);
        inner.consume(mark);
        Ok(Self { inner, encoding, ready: Vec::new(), taken: 0, half: None })
    }

    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Decodes the next units. Nothing is ready after the end of the list.
    fn decode(&mut self) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(2 * UNITS);
        (&mut self.inner).take(2 * UNITS as u64).read_to_end(&mut bytes)?;
        let is_end = bytes.len() < 2 * UNITS;
        if self.encoding == Encoding::Windows1252 {
            (self.ready, self.taken) = (of_windows_1252(&bytes).into_bytes(), 0);
            return Ok(());
        }
        let pairs = bytes.chunks(2).map(|pair| match (pair, self.encoding) {
            (&[a, b], Encoding::Utf16Be) => u16::from_be_bytes([a, b]),
            (&[a, b], _) => u16::from_le_bytes([a, b]),
            // Half a unit at the end of the list is no character.
            _ => 0xFFFD,
        });
        let mut units: Vec<u16> = self.half.take().into_iter().chain(pairs).collect();
        if !is_end && units.last().is_some_and(|unit| (0xD800..0xDC00).contains(unit)) {
            self.half = units.pop();
        }
        let text: String =
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        (self.ready, self.taken) = (text.into_bytes(), 0);
        Ok(())
    }
}

impl<R: BufRead> Read for Utf8<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.encoding == Encoding::Utf8 {
            return self.inner.read(out);
        }
        if self.taken == self.ready.len() {
            self.decode()?;
        }
        let count = out.len().min(self.ready.len() - self.taken);
        out[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], told: Option<Encoding>) -> String {
        let mut text = Vec::new();
        Utf8::open(bytes, told).unwrap().read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }

    fn utf16(text: &str, encoding: Encoding) -> Vec<u8> {
        let of =
            |unit: u16| if encoding == Encoding::Utf16Be { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(of).collect()
    }

    #[test]
    fn each_encoding_is_read_with_and_without_its_mark() {
        let text = "nome;horário\n😀;1\n";
        assert_eq!(read(text.as_bytes(), None), text);
        assert_eq!(read(format!("\u{FEFF}{text}").as_bytes(), None), text);
        for encoding in [Encoding::Utf16Le, Encoding::Utf16Be] {
            assert_eq!(read(&utf16(text, encoding), None), text);
            assert_eq!(read(&utf16(&format!("\u{FEFF}{text}"), encoding), None), text);
        }
    }

    #[test]
    fn what_is_told_goes_before_what_the_bytes_show() {
        assert_eq!(read(&utf16("é", Encoding::Utf16Le), Some(Encoding::Utf16Le)), "é");
        assert_eq!(Encoding::detect(&utf16("é", Encoding::Utf16Le)[..1]), Encoding::Utf8);
    }

    #[test]
    fn a_pair_at_the_border_of_two_reads_is_one_character() {
        for before in [UNITS - 2, UNITS - 1, UNITS] {
            let text = format!("{}😀b", "a".repeat(before));
            assert_eq!(read(&utf16(&text, Encoding::Utf16Le), None), text, "{before}");
        }
    }

    #[test]
    fn half_a_unit_and_half_a_pair_are_no_characters() {
        let mut bytes = utf16("ab", Encoding::Utf16Le);
        bytes.push(b'c');
        assert_eq!(read(&bytes, None), "ab\u{FFFD}");
        assert_eq!(read(&[b'a', 0, 0x3D, 0xD8], None), "a\u{FFFD}");
        assert_eq!(read(b"", None), "");
    }

    #[test]
    fn windows_1252_has_a_character_for_each_byte() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = read(&bytes, Some(Encoding::Windows1252));
        assert_eq!(text.chars().count(), 256);
        let told = Some(Encoding::Windows1252);
        assert_eq!(read(b"S\xE3o Jo\xE3o \x80 \x93x\x94 \x9F", told), "São João € “x” Ÿ");
        assert_eq!(read(&[0xEF, 0xBB, 0xBF], told), "ï»¿", "there is no mark");
        assert_eq!(read(&b"\xE9".repeat(3 * UNITS), told), "é".repeat(3 * UNITS));
    }

    #[test]
    fn an_encoding_has_a_name() {
        for encoding in Encoding::ALL {
            assert_eq!(Encoding::named(&encoding.as_str().to_uppercase()), Some(encoding));
        }
        assert_eq!(Encoding::named("latin1"), None);
    }
}
