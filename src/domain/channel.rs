//! Channels: how a message reaches a person, and which account sends it.

use super::AccountAlias;

/// How a message travels. Each channel has what its addresses need; the numbers of a message are those of WhatsApp.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// WhatsApp, from the number of a sender to the number of a consumer, by the platform of this account.
    WhatsApp { account: AccountAlias },
}

impl Channel {
    pub fn whatsapp(account: impl Into<AccountAlias>) -> Self {
        Self::WhatsApp { account: account.into() }
    }

    /// The channel of this name through this account; `None` if there is none of this name.
    #[must_use]
    pub fn named(name: &str, account: AccountAlias) -> Option<Self> {
        match name {
            "whatsapp" => Some(Self::WhatsApp { account }),
            _ => None,
        }
    }

    /// A stable name for the API and the store.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::WhatsApp { .. } => "whatsapp",
        }
    }

    /// The account that sends.
    #[must_use]
    pub const fn account(&self) -> &AccountAlias {
        match self {
            Self::WhatsApp { account } => account,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_known_by_its_name_and_its_account() {
        let channel = Channel::whatsapp("main");
        assert_eq!((channel.as_str(), &**channel.account()), ("whatsapp", "main"));
        assert_eq!(Channel::named(channel.as_str(), "main".into()), Some(channel));
        assert_eq!(Channel::named("WhatsApp", "main".into()), None);
        assert_eq!(Channel::named("", "main".into()), None);
    }
}
