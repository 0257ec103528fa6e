//! Twilio's addresses of calls and messages, with the prefix of the channel.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::domain::Phone;

use crate::transport::mask::mask_numbers;

/// One end of a call or a message. `Display` and `Debug` hide phone numbers; [`Address::wire`] does not.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// `whatsapp:+…`.
    WhatsApp(Phone),
    /// A plain E.164 number. Some webhooks may leave out the channel of a WhatsApp call.
    Number(Phone),
    /// `client:…`: an agent in a browser or an app.
    Client(String),
    /// `sip:…`.
    Sip(String),
    /// Anything else, such as a WhatsApp user without a number.
    Other(String),
}

impl Address {
    /// The number, with or without the prefix of a channel.
    #[must_use]
    pub fn phone(&self) -> Option<Phone> {
        match self {
            Self::WhatsApp(phone) | Self::Number(phone) => Some(*phone),
            _ => None,
        }
    }

    /// The address in Twilio's spelling.
    #[must_use]
    pub fn wire(&self) -> String {
        match self {
            Self::WhatsApp(phone) => format!("whatsapp:{}", phone.e164()),
            Self::Number(phone) => phone.e164(),
            Self::Client(name) => format!("client:{name}"),
            Self::Sip(uri) => format!("sip:{uri}"),
            Self::Other(text) => text.clone(),
        }
    }
}

impl FromStr for Address {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let trimmed = text.trim();
        let known = match trimmed.split_once(':') {
            Some(("whatsapp", number)) => Phone::parse(number).ok().map(Self::WhatsApp),
            Some(("client", name)) => Some(Self::Client(name.to_owned())),
            Some(("sip", uri)) => Some(Self::Sip(uri.to_owned())),
            _ => Phone::parse(trimmed).ok().map(Self::Number),
        };
        Ok(known.unwrap_or_else(|| Self::Other(trimmed.to_owned())))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WhatsApp(phone) => write!(f, "whatsapp:{phone}"),
            Self::Number(phone) => write!(f, "{phone}"),
            other => f.write_str(&mask_numbers(&other.wire())),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_it_was_written() {
        for text in
            ["whatsapp:+5511987654321", "+5511987654321", "client:ana", "sip:a@b.example", "whatsapp:ID.7"]
        {
            assert_eq!(text.parse::<Address>().unwrap().wire(), text);
        }
    }

    #[test]
    fn the_number_is_read_with_and_without_its_channel_and_never_printed() {
        let phone = Phone::parse("+5511987654321").unwrap();
        for text in ["whatsapp:+5511987654321", " +5511987654321"] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.phone(), Some(phone));
            assert!(!format!("{address}{address:?}").contains("987"), "{address}");
        }
        let sip: Address = "sip:5511987654321@b.example".parse().unwrap();
        assert_eq!(sip.to_string(), "sip:*************@b.example");
    }
}
