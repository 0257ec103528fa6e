//! Lists and maps of orders as the texts of their columns.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::domain::{AccountAlias, Phone, Psid};
use crate::store::{Error, Result};

pub fn senders(numbers: &[Phone]) -> String {
    let mut text = String::with_capacity(1 + 16 * numbers.len());
    text.push(',');
    for number in numbers {
        write!(text, "{},", number.digits()).expect("writing to a String does not fail");
    }
    text
}

pub fn read_senders(text: &str) -> Result<Vec<Phone>> {
    text.split(',')
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().map(Phone::from_stored))
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| Error::Corrupt("a callback has senders that are not numbers".into()))
}

pub fn variables(variables: &BTreeMap<String, String>) -> Result<Option<String>> {
    if variables.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(variables).map(Some).map_err(|error| Error::Corrupt(error.to_string()))
}

pub fn read_variables(text: Option<&str>) -> Result<BTreeMap<String, String>> {
    let Some(text) = text else { return Ok(BTreeMap::new()) };
    serde_json::from_str(text)
        .map_err(|_| Error::Corrupt("a callback has variables that are not JSON".into()))
}

/// The ids as JSON, without their mask.
pub fn psids(psids: &BTreeMap<AccountAlias, Psid>) -> Result<Option<String>> {
    let texts = psids.iter().map(|(alias, psid)| (alias.to_string(), psid.as_str().to_owned()));
    variables(&texts.collect())
}

pub fn read_psids(text: Option<&str>) -> Result<BTreeMap<AccountAlias, Psid>> {
    let read = |(alias, psid): (String, String)| {
        let psid = psid
            .parse()
            .map_err(|_| Error::Corrupt("a callback has a page-scoped id that is none".into()))?;
        Ok((alias.into(), psid))
    };
    read_variables(text)?.into_iter().map(read).collect()
}
