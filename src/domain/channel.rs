//! Channels: how a message reaches a person, and which account sends it.

use super::{AccountAlias, Psid};

/// How a message travels. Each channel has what its addresses need; the numbers of a message are those of WhatsApp.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// WhatsApp, from the number of a sender to the number of a consumer, by the platform of this account.
    WhatsApp { account: AccountAlias },
    /// Messenger, from the page of this account to a person whom the page knows by this id.
    Messenger { account: AccountAlias, psid: Psid },
}

impl Channel {
    pub fn whatsapp(account: impl Into<AccountAlias>) -> Self {
        Self::WhatsApp { account: account.into() }
    }

    /// The channel of this name through this account; `None` if there is none of this name, or none with this address.
    #[must_use]
    pub fn named(name: &str, account: AccountAlias, psid: Option<Psid>) -> Option<Self> {
        match (name, psid) {
            ("whatsapp", None) => Some(Self::WhatsApp { account }),
            ("messenger", Some(psid)) => Some(Self::Messenger { account, psid }),
            _ => None,
        }
    }

    /// A stable name for the API and the store.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::WhatsApp { .. } => "whatsapp",
            Self::Messenger { .. } => "messenger",
        }
    }

    /// The page's id of the person, on Messenger.
    #[must_use]
    pub const fn psid(&self) -> Option<&Psid> {
        match self {
            Self::WhatsApp { .. } => None,
            Self::Messenger { psid, .. } => Some(psid),
        }
    }

    /// The account that sends.
    #[must_use]
    pub const fn account(&self) -> &AccountAlias {
        match self {
            Self::WhatsApp { account } | Self::Messenger { account, .. } => account,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_known_by_its_name_and_its_account() {
        let psid: Psid = "6789012345678901".parse().unwrap();
        let whatsapp = Channel::whatsapp("main");
        let messenger = Channel::Messenger { account: "page".into(), psid: psid.clone() };
        assert_eq!((whatsapp.as_str(), &**whatsapp.account()), ("whatsapp", "main"));
        assert_eq!((messenger.as_str(), &**messenger.account()), ("messenger", "page"));
        for channel in [whatsapp, messenger] {
            let account = channel.account().clone();
            assert_eq!(
                Channel::named(channel.as_str(), account, channel.psid().cloned()),
                Some(channel.clone())
            );
        }
        assert_eq!(Channel::named("WhatsApp", "main".into(), None), None);
        assert_eq!(Channel::named("", "main".into(), None), None);
        assert_eq!(Channel::named("messenger", "page".into(), None), None, "without an address");
        assert_eq!(
            Channel::named("whatsapp", "main".into(), Some(psid)),
            None,
            "with the address of another"
        );
    }
}
