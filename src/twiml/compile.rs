//! Compiles the tree to literal text with slots, and checks every element against the vocabulary.

use crate::domain::Phone;

use super::escape::{self, Escape};
use super::fault::{Fault, Rule};
use super::kind::{Fit, Kind, filled};
use super::parse::{Attribute, Element, Node};
use super::placeholder::{Name, Piece, split};
use super::studio::{Flow, may_hand_over};
use super::vocabulary::{self, Body, Entry};
use super::{json, rules};

const DECLARATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>"#;

/// The compiled document: its text, and the places of values in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    pub text: String,
    /// In order of `at`.
    pub slots: Vec<Slot>,
    pub dials_consumer: bool,
    /// Literal addresses with a host: line, element or attribute, kind and address.
    pub addresses: Vec<(usize, String, Kind, String)>,
    /// The number that the document dials, if it is literal.
    pub consumer: Option<Phone>,
    /// The number that the document calls from, if it is literal.
    pub sender: Option<Phone>,
    /// The Studio flows that the document hands over to.
    pub flows: Vec<Flow>,
}

#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub at: usize,
    pub name: Name,
    pub fit: Fit,
    pub escape: Escape,
}

/// Compiles the document of this name. The result is valid only if no error was added to the faults.
pub(super) fn compile(name: &str, root: &Element, faults: &mut Vec<Fault>) -> Program {
    let mut compiler = Compiler { name, faults, program: Program::default() };
    compiler.program.text.push_str(DECLARATION);
    if root.name == "Response" {
        compiler.element(root, None);
    } else {
        let message = format!("the root is <{}>, but Twilio expects <Response>", root.name);
        compiler.fault(root.line, Rule::Root, message);
    }
    compiler.program.text.shrink_to_fit();
    compiler.program
}

struct Compiler<'f> {
    name: &'f str,
    faults: &'f mut Vec<Fault>,
    program: Program,
}

impl Compiler<'_> {
    fn fault(&mut self, line: usize, rule: Rule, message: impl Into<String>) {
        self.faults.push(Fault::new(line, rule, message));
    }

    fn element(&mut self, element: &Element, parent: Option<&str>) {
        let name = element.name.as_str();
        let Some(entry) = vocabulary::entry(name) else {
            return self.unknown(element, parent);
        };
        self.placed(entry, element, parent);
        if name == "WhatsApp" {
            if self.program.dials_consumer {
                self.fault(
                    element.line,
                    Rule::WhatsApp,
                    "a second <WhatsApp>: one attempt places one call to the consumer, never two",
                );
            }
            self.program.dials_consumer = true;
        }
        self.program.text.push('<');
        self.program.text.push_str(name);
        for attribute in &element.attributes {
            self.attribute(entry, attribute);
        }
        for attribute in entry.attributes {
            if let Some(why) = attribute.required
                && element.attribute(attribute.name).is_none()
            {
                let message = format!("<{name}> needs the attribute {}: {why}", attribute.name);
                self.fault(element.line, Rule::MissingAttribute, message);
            }
        }
        rules::check(element, self.faults);
        rules::note_numbers(element, &mut self.program);

        self.program.text.push('>');
        let before = (self.program.text.len(), self.program.slots.len());
        self.body(entry, element);
        if before == (self.program.text.len(), self.program.slots.len()) {
            self.program.text.pop();
            self.program.text.push_str("/>");
        } else {
            self.program.text.push_str("</");
            self.program.text.push_str(name);
            self.program.text.push('>');
        }
    }

    /// Handles an element that is not in the vocabulary. At the top level it may be a newer verb, so it is
    /// copied with a warning. Inside another verb it is an error, because it could reach the telephone
    /// network.
    fn unknown(&mut self, element: &Element, parent: Option<&str>) {
        let name = &element.name;
        if let Some(reason) = vocabulary::refused(name) {
            let rule = if name == "Application" { Rule::UncheckedDocument } else { Rule::Pstn };
            return self.fault(element.line, rule, format!("<{name}> is refused: {reason}"));
        }
        let hint = vocabulary::nearest(name, vocabulary::names())
            .map_or_else(String::new, |known| format!("; did you mean <{known}>?"));
        let message = format!("<{name}> is not a known TwiML element{hint}");
        if parent == Some("Response") && is_xml_name(name) {
            self.faults.push(Fault::warning(element.line, Rule::UnknownElement, message));
            self.unknown_verb(element);
        } else {
            self.fault(element.line, Rule::UnknownElement, message);
        }
    }

    /// Copies an unknown verb with literal attributes and literal text. Text like a phone number is an error.
    fn unknown_verb(&mut self, verb: &Element) {
        let name = &verb.name;
        self.program.text.push('<');
        self.program.text.push_str(name);
        for attribute in &verb.attributes {
            if let Some(reason) = vocabulary::refused(&attribute.name) {
                let message = format!("{} is refused: {reason}", attribute.name);
                self.fault(attribute.line, Rule::UncheckedDocument, message);
            }
            self.literal_attribute(attribute);
        }
        self.program.text.push('>');
        if let Some((text, line)) = verb.text() {
            if may_be_a_telephone_number(text) {
                let message =
                    format!("text in <{name}> looks like a telephone number, which an unknown verb may dial");
                self.fault(line, Rule::Pstn, message);
            }
            self.literal(text.trim(), line, Escape::Text, &format!("<{name}>"));
        }
        for child in verb.elements() {
            let message =
                format!("<{}> cannot be checked inside <{name}>, which is not a known verb", child.name);
            self.fault(child.line, Rule::UnknownElement, message);
        }
        self.program.text.push_str("</");
        self.program.text.push_str(name);
        self.program.text.push('>');
    }

    fn literal_attribute(&mut self, attribute: &Attribute) {
        self.program.text.push(' ');
        self.program.text.push_str(&attribute.name);
        self.program.text.push_str("=\"");
        self.literal(&attribute.value, attribute.line, Escape::Attribute, &attribute.name);
        self.program.text.push('"');
    }

    /// Text without placeholders, because values of an unknown type cannot be checked.
    fn literal(&mut self, text: &str, line: usize, escape: Escape, what: &str) {
        let Some(pieces) = self.split(text, line) else { return };
        if pieces.iter().any(|piece| matches!(piece, Piece::Slot(_))) {
            let message = format!("{what} is not known, so it cannot have a placeholder");
            return self.fault(line, Rule::Placeholder, message);
        }
        self.emit(&pieces, Fit::Part, escape);
    }

    fn placed(&mut self, entry: &Entry, element: &Element, parent: Option<&str>) {
        let Some(parent) = parent else { return };
        if !entry.parents.contains(&parent) {
            let places = match entry.parents {
                [] => "is the root only".to_owned(),
                parents => format!("stands in <{}>", parents.join(">, <")),
            };
            let message = format!("<{}> cannot stand in <{parent}>: it {places}", element.name);
            self.fault(element.line, Rule::Nesting, message);
        }
    }

    fn attribute(&mut self, entry: &Entry, attribute: &Attribute) {
        let Attribute { name, value, line } = attribute;
        let Some(known) = entry.attributes.iter().find(|known| known.name == *name) else {
            if name == "xmlns" && !value.is_empty() {
                let message = format!(
                    "xmlns puts <{}> into a namespace, and TwiML's elements are in none: remove it",
                    entry.name
                );
                return self.fault(*line, Rule::UnknownAttribute, message);
            }
            if let Some(reason) = vocabulary::refused(name) {
                let message = format!("{name} is refused: {reason}");
                return self.fault(*line, Rule::UncheckedDocument, message);
            }
            let hint = vocabulary::nearest(name, entry.attributes.iter().map(|known| known.name))
                .map_or_else(String::new, |known| format!("; did you mean {known}?"));
            let message = format!("<{}> has no known attribute {name}{hint}", entry.name);
            if !is_xml_name(name) {
                return self.fault(*line, Rule::UnknownAttribute, message);
            }
            self.faults.push(Fault::warning(*line, Rule::UnknownAttribute, message));
            return self.literal_attribute(attribute);
        };
        self.program.text.push(' ');
        self.program.text.push_str(name);
        self.program.text.push_str("=\"");
        self.value(known.kind, value, *line, Escape::Attribute, name);
        self.program.text.push('"');
    }

    fn body(&mut self, entry: &Entry, element: &Element) {
        match entry.body {
            Body::Speech => return self.speech(element),
            Body::None => {
                if let Some((text, line)) = element.text() {
                    let line = line + blank_lines_before(text);
                    self.stray_text(element, line);
                }
            }
            Body::Json => match element.text() {
                Some((text, line)) => self.json(text, line),
                None if element.closed => {
                    self.fault(
                        element.line,
                        Rule::Content,
                        format!("<{}> needs a JSON object", element.name),
                    );
                }
                None => {}
            },
            Body::One(kind) | Body::Maybe(kind) => match element.text() {
                Some((text, line)) => {
                    let line = line + blank_lines_before(text);
                    if entry.name == "Redirect" && self.hands_over(text.trim(), line) {
                        return;
                    }
                    self.value(kind, text.trim(), line, Escape::Text, &format!("<{}>", element.name));
                }
                None if element.closed && matches!(entry.body, Body::One(_)) => {
                    let message = format!("<{}> is empty: expected {}", element.name, kind.expected());
                    self.fault(element.line, Rule::Content, message);
                }
                None => {}
            },
        }
        for child in element.elements() {
            self.element(child, Some(entry.name));
        }
    }

    fn stray_text(&mut self, element: &Element, line: usize) {
        if element.name == "Dial" {
            self.fault(
                line,
                Rule::Pstn,
                "text in <Dial> is a number of the public telephone network, and Twilio rejects a WhatsApp leg \
                 bridged to it: use <WhatsApp>, <Client>, <Sip>, <Conference> or <Queue>",
            );
        } else {
            self.fault(line, Rule::Text, format!("<{}> takes no text", element.name));
        }
    }

    /// Spoken text: white space is collapsed to one space, and trimmed at the ends of a verb.
    fn speech(&mut self, element: &Element) {
        let verb = element.name == "Say";
        if verb && element.closed && element.text().is_none() && element.elements().next().is_none() {
            self.fault(element.line, Rule::Content, "<Say> has nothing to say");
        }
        let last = element.children.len().saturating_sub(1);
        for (index, child) in element.children.iter().enumerate() {
            match child {
                Node::Element(child) => self.element(child, Some(&element.name)),
                Node::Text { text, line } => {
                    let Some(mut pieces) = self.split(text, *line) else { continue };
                    let ends = pieces.len().saturating_sub(1);
                    for (at, piece) in pieces.iter_mut().enumerate() {
                        if let Piece::Literal(literal) = piece {
                            let mut folded = fold_white_space(literal);
                            if verb && index == 0 && at == 0 {
                                folded = folded.trim_start().to_owned();
                            }
                            if verb && index == last && at == ends {
                                folded.truncate(folded.trim_end().len());
                            }
                            *literal = folded;
                        }
                    }
                    self.emit(&pieces, Fit::Part, Escape::Text);
                }
            }
        }
    }

    fn json(&mut self, text: &str, line: usize) {
        let Some(pieces) = self.split(text, line) else { return };
        match json::compact(&pieces) {
            Ok(pieces) => self.emit(&pieces, Fit::Part, Escape::Json),
            Err(refusal) => self.fault(line + refusal.line, Rule::Json, refusal.message),
        }
    }

    fn value(&mut self, kind: Kind, text: &str, line: usize, escape: Escape, what: &str) {
        let Some(pieces) = self.split(text, line) else { return };
        match kind.fit(&pieces) {
            Ok(fit) => {
                if matches!(kind, Kind::Sip | Kind::Socket)
                    && matches!(pieces.first(), Some(Piece::Literal(_)))
                {
                    self.program.addresses.push((line, what.to_owned(), kind, filled(&pieces)));
                }
                self.emit(&pieces, fit, escape);
            }
            Err((rule, message)) => self.fault(line, rule, format!("{what}: {message}")),
        }
    }

    /// Copies the URL of a Studio flow, which only documents of inbound calls may have. Whether the flow is listed, is
    /// checked with the list.
    fn hands_over(&mut self, url: &str, line: usize) -> bool {
        let Some(flow) = Flow::read(url, line) else { return false };
        if !may_hand_over(self.name) {
            return false;
        }
        self.program.flows.push(flow);
        self.literal(url, line, Escape::Text, "<Redirect>");
        true
    }

    fn split(&mut self, text: &str, line: usize) -> Option<Vec<Piece>> {
        split(text)
            .map_err(|bad| {
                for bad in bad {
                    let line = line + text[..bad.offset].matches('\n').count();
                    self.fault(line, Rule::Placeholder, bad.message);
                }
            })
            .ok()
    }

    fn emit(&mut self, pieces: &[Piece], fit: Fit, escape: Escape) {
        for piece in pieces {
            match piece {
                // JSON literals need no escaping.
                Piece::Literal(literal) => {
                    let escape = if escape == Escape::Json { Escape::Text } else { escape };
                    // A refused character was already reported by the parser.
                    let _ = escape::push(&mut self.program.text, literal, escape);
                }
                Piece::Slot(name) => {
                    let at = self.program.text.len();
                    self.program.slots.push(Slot { at, name: name.clone(), fit, escape });
                }
            }
        }
    }
}

/// The characters of Twilio's names: letters, digits, `_`, `-` and `.`, starting with a letter or `_`.
fn is_xml_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// Whether a text has at least seven digits with only separators between them, or is a `tel:` URI.
fn may_be_a_telephone_number(text: &str) -> bool {
    let mut digits = 0;
    for c in text.chars() {
        match c {
            '0'..='9' => digits += 1,
            ' ' | '-' | '.' | '(' | ')' | '+' | '/' => {}
            _ => digits = 0,
        }
        if digits >= 7 {
            return true;
        }
    }
    text.to_ascii_lowercase().contains("tel:")
}

fn blank_lines_before(text: &str) -> usize {
    text[..text.len() - text.trim_start().len()].matches('\n').count()
}

fn fold_white_space(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        if !matches!(c, ' ' | '\n' | '\t') {
            folded.push(c);
        } else if !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    folded
}
