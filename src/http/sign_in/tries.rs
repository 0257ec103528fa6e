//! How often somebody may try to sign in: for each name, and for each address.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};

use crate::http::ApiError;
use crate::http::peers::network_of;

/// Tries with one name: as many at once, and one more each minute. So a name cannot be guessed at, and somebody who is
/// locked out by others' tries gets in again soon.
const OF_NAME: NonZeroU32 = NonZeroU32::new(5).expect("it is not zero");
/// Tries of one address, with any names: a call centre shares one.
const OF_ADDRESS: NonZeroU32 = NonZeroU32::new(30).expect("it is not zero");
const ONE_MORE: Duration = Duration::from_secs(60);
const ONE_MORE_OF_ADDRESS: Duration = Duration::from_secs(10);
/// More names and addresses than that are forgotten when they are quiet.
const KEPT: usize = 4096;

/// Counts tries.
pub(super) struct Tries {
    names: DefaultKeyedRateLimiter<[u8; 32]>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl Default for Tries {
    fn default() -> Self {
        let quota = |each: Duration, most| Quota::with_period(each).map(|quota| quota.allow_burst(most));
        Self {
            names: RateLimiter::keyed(quota(ONE_MORE, OF_NAME).unwrap_or(Quota::per_minute(OF_NAME))),
            addresses: RateLimiter::keyed(
                quota(ONE_MORE_OF_ADDRESS, OF_ADDRESS).unwrap_or(Quota::per_minute(OF_ADDRESS)),
            ),
            clock: DefaultClock::default(),
        }
    }
}

impl Tries {
    /// Takes a try; refused if there were too many with this name or from this address.
    pub(super) fn take(&self, name: &str, address: Option<IpAddr>) -> Result<(), ApiError> {
        if self.names.len().max(self.addresses.len()) > KEPT {
            self.names.retain_recent();
            self.addresses.retain_recent();
        }
        self.take_of_address(address)?;
        // Names are hashed, so that a long one takes no more memory.
        let name: [u8; 32] = Sha256::digest(name.as_bytes()).into();
        self.names.check_key(&name).map_err(|until| self.refusal(&until))
    }

    /// Takes a try of an address alone.
    pub(super) fn take_of_address(&self, address: Option<IpAddr>) -> Result<(), ApiError> {
        let Some(address) = address else { return Ok(()) };
        self.addresses.check_key(&network_of(address)).map_err(|until| self.refusal(&until))
    }

    fn refusal(&self, until: &NotUntil<<DefaultClock as Clock>::Instant>) -> ApiError {
        let wait = until.wait_time_from(self.clock.now());
        let detail = "too many tries to sign in; try again after Retry-After";
        ApiError::later("auth.tries", detail, wait.try_into().unwrap_or(SignedDuration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_tried_five_times_and_another_is_not_counted_with_it() {
        let tries = Tries::default();
        let address = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        for at in 1..=5 {
            assert!(tries.take("ana", address(at)).is_ok());
        }
        assert_eq!(tries.take("ana", address(6)).map_err(|error| error.code()), Err("auth.tries"));
        assert!(tries.take("bo", address(6)).is_ok());
    }

    #[test]
    fn an_address_tries_thirty_names() {
        let tries = Tries::default();
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        for at in 0..30 {
            assert!(tries.take(&format!("name{at}"), address).is_ok());
        }
        assert_eq!(tries.take("another", address).map_err(|error| error.code()), Err("auth.tries"));
    }
}
