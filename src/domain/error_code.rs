//! Error codes of the platforms.

use std::fmt;

use strum::{EnumString, IntoStaticStr};

/// Who gives a number its meaning. The same number can mean different things at two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Issuer {
    Twilio,
    /// Meta's Graph, Cloud and Calling APIs.
    Meta,
    /// Meta's Messenger. The number is the subcode where an error has one, else the code.
    Messenger,
}

impl Issuer {
    pub const ALL: [Self; 3] = [Self::Twilio, Self::Meta, Self::Messenger];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// An error code: a number, with the one who gives it its meaning. Displayed as the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode {
    pub issuer: Issuer,
    pub number: u32,
}

impl ErrorCode {
    #[must_use]
    pub const fn new(issuer: Issuer, number: u32) -> Self {
        Self { issuer, number }
    }

    #[must_use]
    pub const fn of_twilio(number: u32) -> Self {
        Self::new(Issuer::Twilio, number)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number.fmt(f)
    }
}
