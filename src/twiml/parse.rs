//! Parses text to a tree with line numbers, and refuses what quick-xml accepts but XML or TwiML do not.
//!
//! quick-xml 0.42 accepts two roots, unknown entities, control characters, unquoted, adjoining or repeated
//! attributes, DOCTYPE, processing instructions and CDATA. This file refuses them. It does not know TwiML.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};

use super::escape::is_xml_char;
use super::fault::{Fault, Rule};

/// The deepest nesting. TwiML needs four levels, speech markup a few more.
pub(super) const DEPTH_MAX: usize = 12;

#[derive(Debug)]
pub(super) struct Element {
    pub name: String,
    pub line: usize,
    pub attributes: Vec<Attribute>,
    pub children: Vec<Node>,
    /// `false` if the text ended before the end tag. Missing content is then not reported.
    pub closed: bool,
}

#[derive(Debug)]
pub(super) struct Attribute {
    pub name: String,
    pub value: String,
    pub line: usize,
}

#[derive(Debug)]
pub(super) enum Node {
    Element(Element),
    Text { text: String, line: usize },
}

impl Element {
    pub(super) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text { .. } => None,
        })
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The text directly inside, if it is more than white space.
    pub(super) fn text(&self) -> Option<(&str, usize)> {
        self.children.iter().find_map(|node| match node {
            Node::Text { text, line } if !text.trim().is_empty() => Some((text.as_str(), *line)),
            _ => None,
        })
    }
}

/// Parses the root as far as possible. Adds every fault to `faults`.
pub(super) fn parse(source: &str, faults: &mut Vec<Fault>) -> Option<Element> {
    // Line ends become \n first (XML 1.0, §2.11). The number of lines does not change.
    let source = source.strip_prefix('\u{FEFF}').unwrap_or(source).replace("\r\n", "\n").replace('\r', "\n");
    for (at, c) in source.char_indices().filter(|&(_, c)| !is_xml_char(c)) {
        let message = format!("U+{:04X} is not allowed in XML 1.0", u32::from(c));
        faults.push(Fault::new(line_at(&source, at), Rule::Character, message));
    }
    let mut parser = Parser { source: &source, stack: Vec::new(), root: None, faults };
    parser.run();
    parser.finish()
}

fn line_at(source: &str, at: usize) -> usize {
    1 + source.as_bytes()[..at.min(source.len())].iter().filter(|&&b| b == b'\n').count()
}

struct Parser<'s, 'f> {
    source: &'s str,
    stack: Vec<Element>,
    root: Option<Element>,
    faults: &'f mut Vec<Fault>,
}

impl Parser<'_, '_> {
    fn run(&mut self) {
        let mut reader = Reader::from_str(self.source);
        reader.config_mut().check_comments = true;
        loop {
            let at = position(reader.buffer_position());
            let line = line_at(self.source, at);
            match reader.read_event() {
                Ok(Event::Eof) => break,
                Ok(Event::Comment(_)) => {}
                Ok(Event::Decl(declaration)) => self.declaration(&declaration, at, line),
                Ok(Event::Start(start)) => {
                    self.open(&start, line);
                    if self.stack.len() > DEPTH_MAX {
                        self.fault(
                            line,
                            Rule::Depth,
                            format!("more than {DEPTH_MAX} elements inside each other"),
                        );
                        break;
                    }
                }
                Ok(Event::Empty(start)) => {
                    self.open(&start, line);
                    self.close();
                }
                Ok(Event::End(_)) => self.close(),
                Ok(Event::Text(text)) => {
                    let text = text.into_inner();
                    if let Some(found) = text.find("]]>") {
                        let line = line_at(self.source, at + found);
                        self.fault(line, Rule::Syntax, "\"]]>\" must be written as ]]&gt;");
                    }
                    self.text(&text, line);
                }
                Ok(Event::GeneralRef(reference)) => self.reference(&reference, line),
                Ok(Event::CData(_)) => {
                    self.fault(line, Rule::Markup, "CDATA is not allowed: write &lt; and &amp; instead");
                }
                Ok(Event::PI(_)) => self.fault(line, Rule::Markup, "processing instructions are not allowed"),
                Ok(Event::DocType(_)) => {
                    self.fault(line, Rule::Markup, "a DOCTYPE is not allowed: it can define entities");
                }
                Err(error) => {
                    let line = line_at(self.source, position(reader.error_position()));
                    self.fault(line, Rule::Syntax, error.to_string());
                    return;
                }
            }
        }
        if let Some(open) = self.stack.last() {
            let (name, line) = (open.name.clone(), open.line);
            if self.stack.len() <= DEPTH_MAX {
                self.fault(line, Rule::Syntax, format!("<{name}> is never closed"));
            }
        } else if self.root.is_none() {
            self.fault(1, Rule::Root, "there is no <Response>");
        }
    }

    fn finish(mut self) -> Option<Element> {
        while let Some(mut element) = self.stack.pop() {
            element.closed = false;
            self.attach(element);
        }
        self.root
    }

    fn fault(&mut self, line: usize, rule: Rule, message: impl Into<String>) {
        self.faults.push(Fault::new(line, rule, message));
    }

    fn declaration(&mut self, declaration: &BytesDecl<'_>, at: usize, line: usize) {
        if at != 0 {
            self.fault(line, Rule::Syntax, "the XML declaration must be the very first thing in the file");
        }
        match declaration.version() {
            Ok(version) if version == "1.0" => {}
            Ok(_) => self.fault(line, Rule::Syntax, "only XML version 1.0 is allowed"),
            Err(error) => self.fault(line, Rule::Syntax, error.to_string()),
        }
        match declaration.encoding() {
            None => {}
            Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("utf-8") => {}
            Some(_) => self.fault(line, Rule::Encoding, "only UTF-8 is allowed"),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, line: usize) {
        if self.stack.is_empty() && self.root.is_some() {
            self.fault(line, Rule::Root, "a document has exactly one <Response>; this is a second root");
        }
        let name = start.name().as_ref().to_owned();
        let mut attributes: Vec<Attribute> = Vec::new();
        for attribute in start.attributes() {
            match attribute {
                Ok(attribute) => {
                    let key = attribute.key.as_ref();
                    let at = self.offset_of(key);
                    let line = at.map_or(line, |at| line_at(self.source, at));
                    let touches = at.is_some_and(|at| !self.source.as_bytes()[at - 1].is_ascii_whitespace());
                    if touches {
                        self.fault(line, Rule::Syntax, format!("a space is missing before {key:?}"));
                    }
                    if attribute.value.contains('<') {
                        self.fault(line, Rule::Syntax, format!("\"<\" in {key:?} must be written as &lt;"));
                    }
                    let value = self.attribute_value(&attribute.value, key, line);
                    attributes.push(Attribute { name: key.to_owned(), value, line });
                }
                Err(AttrError::Duplicated(..)) => {
                    self.fault(line, Rule::DuplicateAttribute, format!("<{name}> repeats an attribute"));
                }
                Err(error) => self.fault(line, Rule::Syntax, error.to_string()),
            }
        }
        self.stack.push(Element { name, line, attributes, children: Vec::new(), closed: true });
    }

    /// The position of a part of the source.
    fn offset_of(&self, part: &str) -> Option<usize> {
        let at = (part.as_ptr() as usize).checked_sub(self.source.as_ptr() as usize)?;
        (at > 0 && at < self.source.len()).then_some(at)
    }

    fn attribute_value(&mut self, raw: &str, key: &str, line: usize) -> String {
        // White space becomes a space before references are resolved (XML 1.0, §3.3.3).
        let mut rest = raw;
        let mut value = String::with_capacity(raw.len());
        while let Some(ampersand) = rest.find('&') {
            value.extend(rest[..ampersand].chars().map(spaced));
            let Some(end) = rest[ampersand..].find(';').map(|end| ampersand + end) else {
                self.fault(line, Rule::Syntax, format!("\"&\" in {key:?} must be written as &amp;"));
                return value;
            };
            match resolve(&BytesRef::new(&rest[ampersand + 1..end])) {
                Ok(resolved) => value.push_str(&resolved),
                Err((rule, message)) => {
                    self.fault(line, rule, message);
                    value.push(char::REPLACEMENT_CHARACTER);
                }
            }
            rest = &rest[end + 1..];
        }
        value.extend(rest.chars().map(spaced));
        value
    }

    fn reference(&mut self, reference: &BytesRef<'_>, line: usize) {
        match resolve(reference) {
            Ok(resolved) => self.text(&resolved, line),
            Err((rule, message)) => {
                self.fault(line, rule, message);
                // Do not report missing content for a faulty element.
                self.text("\u{FFFD}", line);
            }
        }
    }

    fn text(&mut self, text: &str, line: usize) {
        let Some(parent) = self.stack.last_mut() else {
            if !text.trim_matches([' ', '\t', '\n']).is_empty() {
                self.fault(line, Rule::Root, "there is text outside <Response>");
            }
            return;
        };
        if let Some(Node::Text { text: before, .. }) = parent.children.last_mut() {
            before.push_str(text);
        } else {
            parent.children.push(Node::Text { text: text.to_owned(), line });
        }
    }

    fn close(&mut self) {
        if let Some(element) = self.stack.pop() {
            self.attach(element);
        }
    }

    fn attach(&mut self, element: Element) {
        match self.stack.last_mut() {
            Some(parent) => parent.children.push(Node::Element(element)),
            None => {
                self.root.get_or_insert(element);
            }
        }
    }
}

fn position(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

const fn spaced(c: char) -> char {
    if matches!(c, '\n' | '\t') { ' ' } else { c }
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, (Rule, String)> {
    let name: &str = reference;
    match reference.resolve_char_ref() {
        Ok(Some(c)) if is_xml_char(c) => Ok(c.to_string()),
        Ok(Some(_)) => Err((Rule::Character, format!("&{name}; is not allowed in XML 1.0"))),
        Ok(None) => resolve_predefined_entity(name).map(str::to_owned).ok_or_else(|| {
            (
                Rule::Entity,
                format!("&{name}; is unknown: only &lt; &gt; &amp; &quot; &apos; and &#...; are allowed"),
            )
        }),
        Err(_) => Err((Rule::Character, format!("&{name}; is no character of XML 1.0"))),
    }
}
