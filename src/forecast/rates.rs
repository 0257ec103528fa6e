//! What is assumed of consumers and calls: measured where enough is known, and else stated.

/// A rate, and from how many cases it was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub value: f64,
    /// 0: it is assumed.
    pub sample: u64,
}

impl Rate {
    /// The fewest cases from which a rate is taken.
    pub const SAMPLE_MIN: u64 = 50;

    #[must_use]
    pub const fn assumed(value: f64) -> Self {
        Self { value, sample: 0 }
    }

    /// The measured value, if there are enough cases; else what is assumed.
    #[must_use]
    pub fn measured(value: f64, sample: u64, assumed: Self) -> Self {
        if sample >= Self::SAMPLE_MIN && value.is_finite() { Self { value, sample } } else { assumed }
    }
}

/// The rates of a forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Of the consumers who are asked, the share that grants the permission, 0 to 1.
    pub granted: Rate,
    /// The mean time from the request to the permission, in seconds.
    pub grant_s: Rate,
    /// Of the calls, the share that is answered, 0 to 1.
    pub answered: Rate,
    /// The mean time that an answered call takes its place, in seconds.
    pub answered_s: Rate,
    /// The same of a call that is not answered.
    pub missed_s: Rate,
}

impl Rates {
    /// What is assumed where too little is known. Our own choice: a cautious list of consumers who know the sender.
    pub const ASSUMED: Self = Self {
        granted: Rate::assumed(0.40),
        grant_s: Rate::assumed(7_200.0),
        answered: Rate::assumed(0.55),
        answered_s: Rate::assumed(180.0),
        missed_s: Rate::assumed(45.0),
    };
}
