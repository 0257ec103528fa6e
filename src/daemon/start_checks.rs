//! What a start refuses in a configuration whose values are all good by themselves. Asks nobody and opens no store, so
//! that `config check` tells the same.

use anyhow::anyhow;

use super::{daily_reports, wiring};
use crate::config::Config;
use crate::twiml::Library;
use crate::webhooks::sign::Signer;

/// The documents, if the configuration can be started with them.
///
/// # Errors
/// Everything that a start would refuse.
pub fn start_checks(config: &Config) -> Result<Library, Vec<anyhow::Error>> {
    let mut faults = Vec::new();
    if config.accounts.is_empty() && config.meta.is_empty() {
        faults.push(anyhow!(
            "no Twilio account is configured: add [accounts.<alias>] with its senders (see `ringmaster config default`)"
        ));
    }
    if let Some(daily) = &config.reports.daily {
        faults.extend(daily_reports::named(&daily.names).err());
        faults.extend(daily_reports::check_directory(daily).err());
    }
    if config.webhooks.url.is_some() {
        let signer = Signer::new(config.webhooks.secrets().map(|secret| secret.expose()));
        faults.extend(signer.err().map(Into::into));
    }
    let documents = match wiring::documents(config) {
        Ok(documents) => documents,
        Err(error) => {
            faults.push(error);
            return Err(faults);
        }
    };
    faults.extend(wiring::check_inbound_documents(config, &documents).err());
    faults.extend(wiring::check_spoken_documents(&documents).err());
    faults.extend(wiring::check_missed_calls(config, &documents).err());
    if faults.is_empty() { Ok(documents) } else { Err(faults) }
}

/// All of them as one error.
pub(super) fn as_one(mut faults: Vec<anyhow::Error>) -> anyhow::Error {
    match faults.len() {
        1 => faults.remove(0),
        _ => {
            let lines: Vec<String> = faults.iter().map(|fault| format!("{fault:#}")).collect();
            anyhow!("{}", lines.join("\n"))
        }
    }
}
