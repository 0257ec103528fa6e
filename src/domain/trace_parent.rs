//! The trace of a customer in which a callback was ordered, as the header `traceparent` names it (W3C Trace Context,
//! recommendation of 23 November 2021, section 3.2).

use std::fmt;
use std::str::FromStr;

/// The customer's trace and the span in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// Never all zeros.
    pub trace: [u8; 16],
    /// Never all zeros.
    pub span: [u8; 8],
    /// Whether the customer records the trace.
    pub is_sampled: bool,
}

/// A text that is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTraceParent;

const SAMPLED: u8 = 1;

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("00-")?;
        self.trace.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("-")?;
        self.span.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, "-0{}", u8::from(self.is_sampled))
    }
}

impl FromStr for TraceParent {
    type Err = NoTraceParent;

    /// Reads version 00, and what later versions have in common with it.
    fn from_str(text: &str) -> Result<Self, NoTraceParent> {
        read(text).ok_or(NoTraceParent)
    }
}

fn read(text: &str) -> Option<TraceParent> {
    let mut parts = text.split('-');
    let version: [u8; 1] = bytes(parts.next()?)?;
    let (trace, span) = (bytes(parts.next()?)?, bytes(parts.next()?)?);
    let [flags]: [u8; 1] = bytes(parts.next()?)?;
    let has_more = parts.next().is_some();
    let is_valid = version != [0xff] && trace != [0; 16] && span != [0; 8] && !(version == [0] && has_more);
    is_valid.then_some(TraceParent { trace, span, is_sampled: flags & SAMPLED == SAMPLED })
}

/// Exactly as many bytes, in small hexadecimal digits.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_written_is_read_back() {
        for text in [GOOD.to_owned(), format!("{}0", &GOOD[..GOOD.len() - 1])] {
            assert_eq!(read(&text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_last_bit_of_the_flags_tells_whether_it_is_recorded() {
        for (flags, is_sampled) in [("00", false), ("01", true), ("02", false), ("03", true), ("ff", true)] {
            let text = format!("{}{flags}", &GOOD[..GOOD.len() - 2]);
            assert_eq!(read(&text).map(|parent| parent.is_sampled), Some(is_sampled), "{flags}");
        }
    }

    #[test]
    fn a_later_version_may_have_more_parts_and_this_one_may_not() {
        let later = GOOD.replacen("00", "01", 1);
        assert!(read(&later).is_some() && read(&format!("{later}-what-ever")).is_some());
        assert_eq!(read(&format!("{GOOD}-what")), None);
    }

    #[test]
    fn a_malformed_text_is_none() {
        let zeros = "0000000000000000";
        for text in [
            "",
            "00",
            &GOOD[..GOOD.len() - 1],
            &format!("{GOOD}0"),
            &format!(" {GOOD}"),
            &GOOD.to_uppercase(),
            &GOOD.replacen("00", "ff", 1),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &format!("{zeros}{zeros}")),
            &GOOD.replace("00f067aa0ba902b7", zeros),
            &GOOD.replace('-', "_"),
            &GOOD.replace("4b", "4ß"),
        ] {
            assert_eq!(text.parse::<TraceParent>(), Err(NoTraceParent), "{text:?}");
        }
    }
}
