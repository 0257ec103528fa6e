//! Parses a TwiML document into verbs. It finds only faults that make a call fail.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Twilio's documented limit for a TwiML response, in bytes.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024;

/// One XML element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    pub(super) children: Vec<Self>,
    text: String,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.attribute(name)?.parse().ok()
    }

    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// How long this verb speaks, plays or pauses, in milliseconds.
    pub(super) fn spoken_ms(&self) -> u64 {
        // Zero means "repeat for ever"; one hour stands for it.
        let loops = |once: u64| match self.number("loop") {
            Some(0) => 3_600_000,
            Some(times) => once.saturating_mul(times).min(3_600_000),
            None => once,
        };
        match self.name.as_str() {
            "Say" => loops(300 + 60 * self.text().chars().count() as u64),
            "Play" => loops(4_000),
            "Pause" => self.number("length").unwrap_or(1).min(3_600) * 1_000,
            _ => 0,
        }
    }
}

/// Parses a document. The error is Twilio's error code.
pub(super) fn parse(body: &str) -> Result<Vec<Element>, u32> {
    if body.len() > DOCUMENT_BYTES_MAX {
        return Err(11750);
    }
    let root = read(body).ok_or(12100_u32)?;
    if root.name == "Response" { Ok(root.children) } else { Err(12100) }
}

/// Whether Twilio accepts this content type as TwiML.
pub(super) fn is_xml(content_type: Option<&str>) -> bool {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    ["text/xml", "application/xml", "text/html"].iter().any(|known| essence.eq_ignore_ascii_case(known))
}

fn read(body: &str) -> Option<Element> {
    let mut reader = Reader::from_str(body);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => open.push(element(&tag)?),
            Event::Empty(tag) => close(element(&tag)?, &mut open, &mut root)?,
            Event::End(_) => close(open.pop()?, &mut open, &mut root)?,
            Event::Text(text) => append(&mut open, &text.xml10_content())?,
            Event::CData(text) => append(&mut open, &text.xml10_content())?,
            Event::GeneralRef(entity) => {
                let name = entity.xml10_content();
                match entity.resolve_char_ref().ok()? {
                    Some(char) => append(&mut open, char.encode_utf8(&mut [0; 4]))?,
                    None => append(&mut open, quick_xml::escape::resolve_predefined_entity(&name)?)?,
                }
            }
            Event::Eof => return if open.is_empty() { root } else { None },
            _ => {}
        }
    }
}

fn element(tag: &BytesStart<'_>) -> Option<Element> {
    let mut element = Element { name: tag.name().as_ref().to_owned(), ..Element::default() };
    for attribute in tag.attributes() {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?;
        element.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Some(element)
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Option<()> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return None,
    }
    Some(())
}

/// Appends text to the open element. Outside the root, only white space is allowed.
fn append(open: &mut [Element], text: &str) -> Option<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_with_attributes_text_and_entities() {
        let verbs = parse(
            "<?xml version=\"1.0\"?><Response><Say loop=\"2\">Tom &amp; &#74;erry</Say>\
             <Dial action=\"/x?a=1&amp;b=2\"><Client>anna</Client></Dial></Response>",
        )
        .unwrap();
        assert_eq!(verbs[0].text(), "Tom & Jerry");
        assert_eq!(verbs[0].spoken_ms(), 2 * (300 + 60 * 11));
        assert_eq!(verbs[1].attribute("action"), Some("/x?a=1&b=2"));
        assert_eq!(verbs[1].children[0].text(), "anna");
    }

    #[test]
    fn an_invalid_document_is_refused_with_twilios_code() {
        assert_eq!(parse("<Response><Say>"), Err(12100));
        assert_eq!(parse("<Html/>"), Err(12100));
        assert_eq!(parse("hello"), Err(12100));
        assert_eq!(parse(&format!("<Response><!--{}--></Response>", "x".repeat(65_536))), Err(11750));
    }
}
