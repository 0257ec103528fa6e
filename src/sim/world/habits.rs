//! How consumers behave. The last two digits of a number choose a habit; other numbers draw one from the mix.

use serde::{Deserialize, Serialize};

use crate::domain::Phone;

/// How a consumer reacts to permission requests, calls and invites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// Grants and answers. Numbers that end in 01.
    Talks,
    /// Refuses the permission. Numbers that end in 02.
    Refuses,
    /// Neither answers requests nor calls. Numbers that end in 03.
    Ignores,
    /// Refuses, and grants some hours later. Numbers that end in 04.
    ChangesMind,
    /// Grants, and never answers a call. Numbers that end in 05.
    Misses,
    /// Grants, and rejects every call. Numbers that end in 06.
    Declines,
    /// Ignores requests, and calls when invited. Numbers that end in 07.
    CallsIn,
    /// Grants, and is always on another call. Numbers that end in 08.
    Busy,
    /// Grants, and takes it back some hours later. Numbers that end in 09.
    Revokes,
    /// Grants permanently, answers, talks. Numbers that end in 10.
    GrantsPermanently,
    /// Grants, and picks up every second call. Numbers that end in 11.
    Sometimes,
    /// Is not on WhatsApp: no message arrives and no call rings. Only set explicitly, never by number.
    Absent,
}

/// What a consumer does with a ringing phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pickup {
    Answer,
    Decline,
    Busy,
    Miss,
}

/// A consumer's answer to a permission request, and a second answer to the same request later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) first: Word,
    pub(super) later: Option<Word>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Accept,
    AcceptPermanently,
    Reject,
}

impl Habit {
    pub(super) const fn reply(self) -> Option<Reply> {
        let (first, later) = match self {
            Self::Talks | Self::Misses | Self::Declines | Self::Busy | Self::Sometimes => {
                (Word::Accept, None)
            }
            Self::GrantsPermanently => (Word::AcceptPermanently, None),
            Self::Refuses => (Word::Reject, None),
            Self::ChangesMind => (Word::Reject, Some(Word::Accept)),
            Self::Revokes => (Word::Accept, Some(Word::Reject)),
            Self::Ignores | Self::CallsIn | Self::Absent => return None,
        };
        Some(Reply { first, later })
    }

    /// `calls` is the number of earlier calls that rang at this consumer.
    pub(super) const fn pickup(self, calls: u32) -> Pickup {
        match self {
            Self::Misses | Self::Ignores | Self::Absent => Pickup::Miss,
            Self::Declines => Pickup::Decline,
            Self::Busy => Pickup::Busy,
            Self::Sometimes if calls.is_multiple_of(2) => Pickup::Miss,
            _ => Pickup::Answer,
        }
    }

    const fn of_last_digits(digits: u64) -> Option<Self> {
        Some(match digits % 100 {
            1 => Self::Talks,
            2 => Self::Refuses,
            3 => Self::Ignores,
            4 => Self::ChangesMind,
            5 => Self::Misses,
            6 => Self::Declines,
            7 => Self::CallsIn,
            8 => Self::Busy,
            9 => Self::Revokes,
            10 => Self::GrantsPermanently,
            11 => Self::Sometimes,
            _ => return None,
        })
    }
}

/// Weights from which the habits of the other consumers are drawn.
#[derive(Debug, Clone)]
pub struct Mix(pub Vec<(Habit, u32)>);

impl Default for Mix {
    fn default() -> Self {
        Self(vec![
            (Habit::Talks, 40),
            (Habit::Sometimes, 15),
            (Habit::Misses, 10),
            (Habit::Ignores, 10),
            (Habit::Refuses, 7),
            (Habit::Declines, 5),
            (Habit::GrantsPermanently, 5),
            (Habit::ChangesMind, 3),
            (Habit::CallsIn, 3),
            (Habit::Revokes, 2),
        ])
    }
}

impl Mix {
    /// Depends only on the seed and the number, not on earlier draws.
    pub(super) fn habit(&self, seed: u64, consumer: Phone) -> Habit {
        if let Some(habit) = Habit::of_last_digits(consumer.digits()) {
            return habit;
        }
        let total: u32 = self.0.iter().map(|(_, weight)| weight).sum();
        if total == 0 {
            return Habit::Talks;
        }
        let mut rng = fastrand::Rng::with_seed(seed ^ consumer.digits().wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut drawn = rng.u32(..total);
        for (habit, weight) in &self.0 {
            if drawn < *weight {
                return *habit;
            }
            drawn -= weight;
        }
        Habit::Talks
    }
}
