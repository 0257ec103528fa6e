//! `link`: a link by which a consumer calls, as text or as a QR code. With a callback or an invite the daemon makes it;
//! without one it has no payload, and nobody is asked.

use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Color, Style};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::json;

use super::callbacks::Named;
use super::callbacks::views;
use super::failure::refusal;
use super::remote::{Ask, Body, Target};
use super::values::phone;
use crate::domain::{Phone, deep_link};
use crate::qr::QrCode;

/// Dark on light, whatever the colours of the terminal are.
const CODE: Style = Style::new()
    .fg_color(Some(Color::Ansi(AnsiColor::Black)))
    .bg_color(Some(Color::Ansi(AnsiColor::BrightWhite)));

#[derive(Debug, Args)]
pub(super) struct Link {
    /// The callback or invite: its id, or the reference of a callback; that the link is given out is recorded with it
    #[arg(value_name = "ORDER", required_unless_present = "sender")]
    order: Option<Named>,
    /// The sender that the link calls: one of the order, or another one with the same country calling code
    #[arg(long, value_name = "NUMBER", value_parser = phone)]
    sender: Option<Phone>,
    /// The form; without it, the name of --output decides, or it is text
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write into this file
    #[arg(long, value_name = "IMAGE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The link
    Text,
    /// A QR code for a terminal
    Qr,
    /// A QR code as SVG
    Svg,
    /// A QR code as PNG; needs --output
    Png,
}

/// The part of the daemon's answer that is used.
#[derive(Deserialize)]
struct Answer {
    link: String,
}

impl Link {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let format = match (self.format, &self.output) {
            (Some(format), _) => format,
            (None, Some(path)) => match by_name(path) {
                Some(format) => format,
                None => return refusal("the name of the file says no form", [FORMS]),
            },
            (None, None) => Format::Text,
        };
        if format == Format::Png && self.output.is_none() {
            return refusal("a PNG is not written to the terminal", ["give a file: --output link.png"]);
        }
        let link = self.link()?;
        let bytes = match format {
            Format::Text => format!("{link}\n").into_bytes(),
            Format::Qr => lines(&code(&link)?, self.output.is_none()).into_bytes(),
            Format::Svg => code(&link)?.svg().into_bytes(),
            Format::Png => code(&link)?.png(),
        };
        match &self.output {
            Some(path) => {
                std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
            }
            None => Ok(out.write_all(&bytes)?),
        }
    }

    fn link(&self) -> anyhow::Result<String> {
        let Some(order) = &self.order else {
            let sender = self.sender.context("neither an order nor a sender is given")?;
            return Ok(deep_link(sender, None));
        };
        let path = format!("v1/{}/{order}/link", order.noun());
        let ask = match self.sender {
            Some(sender) => Ask::post(path, Body::Json(json!({ "sender": sender.e164() }))),
            None => Ask::get(path),
        };
        let Answer { link } = views::read(self.daemon.ask_json(&ask)?)?;
        Ok(link)
    }
}

const FORMS: &str = "let it end with .txt, .svg or .png, or give --format";

/// The form that the name of a file stands for, if it stands for one. A name without an end is a text.
fn by_name(path: &Path) -> Option<Format> {
    let Some(end) = path.extension() else { return Some(Format::Text) };
    match end.to_str()?.to_ascii_lowercase().as_str() {
        "txt" => Some(Format::Text),
        "svg" => Some(Format::Svg),
        "png" => Some(Format::Png),
        _ => None,
    }
}

fn code(link: &str) -> anyhow::Result<QrCode> {
    QrCode::of(link).context("the link does not fit into a QR code")
}

fn lines(code: &QrCode, in_colour: bool) -> String {
    let (begin, end) = if in_colour {
        (CODE.render().to_string(), CODE.render_reset().to_string())
    } else {
        (String::new(), String::new())
    };
    code.lines().map(|line| format!("{begin}{line}{end}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(format: Option<Format>, output: Option<PathBuf>) -> Link {
        let sender = Some(Phone::parse("+551151991234").unwrap());
        let daemon = Target::at("http://127.0.0.1:1".parse().unwrap(), "rm_x");
        Link { order: None, sender, format, output, daemon }
    }

    fn printed(link: &Link) -> String {
        let mut out = Vec::new();
        link.run(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_link_without_an_order_has_no_payload_and_asks_no_daemon() {
        assert_eq!(printed(&link(None, None)), "https://wa.me/call/551151991234\n");
    }

    #[test]
    fn the_form_is_named_or_follows_the_file() {
        assert!(printed(&link(Some(Format::Svg), None)).starts_with("<svg "));
        let code = printed(&link(Some(Format::Qr), None));
        assert!(code.starts_with(&CODE.render().to_string()) && code.contains('▀'), "{code}");
        let dir = tempfile::tempdir().unwrap();
        for (name, format, start) in [
            ("a.svg", None, &b"<svg "[..]),
            ("a.PNG", None, b"\x89PNG"),
            ("a.txt", None, b"https://wa.me/"),
            ("a", Some(Format::Png), b"\x89PNG"),
            ("a.png", Some(Format::Text), b"https://wa.me/"),
            ("b", Some(Format::Qr), b"      "),
        ] {
            let path = dir.path().join(name);
            assert_eq!(printed(&link(format, Some(path.clone()))), "");
            assert!(std::fs::read(&path).unwrap().starts_with(start), "{name}");
        }
    }

    #[test]
    fn a_file_whose_name_says_another_form_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jpg");
        let error = link(None, Some(path.clone())).run(&mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "the name of the file says no form");
        assert!(!path.exists());
        assert_eq!(printed(&link(Some(Format::Png), Some(path.clone()))), "");
        assert!(path.exists());
    }

    #[test]
    fn a_png_needs_a_file() {
        let error = link(Some(Format::Png), None).run(&mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "a PNG is not written to the terminal");
    }
}
