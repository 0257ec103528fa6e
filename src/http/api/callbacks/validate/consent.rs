//! The consent of an order: its fields, and whether its purpose needs one.

use super::Validator;
use super::times::{time, whole_microseconds};
use super::values::name;
use crate::domain::{Consent, Purpose};
use crate::http::api::callbacks::field_errors::FieldErrors;
use crate::http::api::callbacks::request_body::ConsentObject;

/// The longest source, in bytes.
const SOURCE_MAX: usize = 200;
/// The longest version of a text, in bytes.
const VERSION_MAX: usize = 100;

impl Validator<'_> {
    pub(super) fn consent(
        &self,
        given: Option<ConsentObject<'_>>,
        purpose: Option<Purpose>,
        faults: &mut FieldErrors,
    ) -> Option<Consent> {
        let Some(given) = given else {
            if purpose == Some(Purpose::Marketing) && !faults.has("consent") {
                let detail = "is missing: an order with the purpose marketing needs the consumer's consent";
                faults.add("consent", "consent.missing", detail);
            }
            return None;
        };
        let source = name("consent.source", given.source, SOURCE_MAX, faults);
        let text_version = name("consent.text_version", given.text_version, VERSION_MAX, faults);
        let at = time("consent.at", given.at, faults).map(whole_microseconds);
        if at.is_some_and(|at| at.duration_since(self.now) > Consent::AHEAD_MAX) {
            let detail = "is more than 5 minutes in the future: expected when the consumer consented";
            faults.add("consent.at", "consent.in_future", detail);
        }
        let expires_at = time("consent.expires_at", given.expires_at, faults).map(whole_microseconds);
        if expires_at.is_some_and(|at| at <= self.now) {
            faults.add(
                "consent.expires_at",
                "consent.ended",
                "is not in the future: the consent holds no more",
            );
        }
        Some(Consent { source: source?, at: at?, text_version, expires_at })
    }
}
