//! URLs of media and of URL actions.

use url::Url;

use super::super::declaration::{Action, Declaration};
use super::super::placeholder::{Piece, filled, pieces, variables};
use super::super::published::Rule;
use super::{Findings, of_action};

pub(super) fn media(findings: &mut Findings<'_>, declaration: &Declaration) {
    let (count, most) = (declaration.media.len(), Rule::MediaMax.figure());
    if count > most {
        findings.refuse("media", Rule::MediaMax, format!("has {count} URLs: at most {most}"));
    }
    for (index, text) in declaration.media.iter().enumerate() {
        let key = format!("media[{index}]");
        if let Some(fault) = host_fault(text) {
            findings.refuse(&key, Rule::MediaUrl, fault);
            continue;
        }
        let Some(whole) = sampled(findings, &key, text, Rule::MediaSample) else { continue };
        if whole.path_segments().and_then(|mut parts| parts.next_back()).is_none_or(|last| !has_type(last)) {
            findings.refuse(&key, Rule::MediaUrl, "does not name the type of the file, such as .png");
        }
    }
}

/// Whether the name of a file ends with its type.
fn has_type(file: &str) -> bool {
    file.rsplit_once('.').is_some_and(|(name, kind)| {
        !name.is_empty() && (2..=5).contains(&kind.len()) && kind.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

pub(super) fn action(findings: &mut Findings<'_>, action: &Action) {
    let key = of_action(action, "url");
    let Some(text) = &action.url else {
        findings.refuse(&key, Rule::ActionUrl, "is missing");
        return;
    };
    let fault = host_fault(text);
    if let Some(fault) = fault {
        findings.refuse(&key, Rule::ActionUrl, fault);
    }
    if variables(text).count() > 1 {
        findings.refuse(&key, Rule::ActionUrlVariable, "has more than one variable");
        return;
    }
    if variables(text).count() == 1 && !matches!(pieces(text).last(), Some(Piece::Variable(_))) {
        findings.refuse(&key, Rule::ActionUrlVariable, "has something behind its variable");
        return;
    }
    if fault.is_none() {
        sampled(findings, &key, text, Rule::ActionUrlSample);
    }
}

/// What is wrong with a URL whose variables may have any value.
pub(super) fn fault(text: &str) -> Option<&'static str> {
    if let Some(fault) = host_fault(text) {
        return Some(fault);
    }
    let whole = filled(text, |_| Some("x"));
    Url::parse(&whole).is_err().then_some("is not a URL")
}

/// What is wrong with a URL up to the end of its host. Variables stand behind the host.
fn host_fault(text: &str) -> Option<&'static str> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("holds white space or a control character");
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Some("is not an http or https URL");
    };
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Some("is not an http or https URL");
    }
    let has_variable = variables(text).next().is_some();
    let host = match rest.split_once('/') {
        Some((host, _)) => host,
        None if has_variable => return Some("has a variable that does not stand behind a \"/\" of its path"),
        None => rest,
    };
    if host.contains("{{") {
        return Some("has a variable in its host");
    }
    let Ok(url) = Url::parse(&format!("{scheme}://{host}/")) else {
        return Some("has no valid host");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Some("holds a user or a password");
    }
    if !is_public(&url) {
        return Some("does not lead to a public site");
    }
    None
}

/// Whether the host can be one of the Internet.
fn is_public(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let ends = |suffix: &str| name.len() > suffix.len() && name.ends_with(suffix);
            name.contains('.')
                && ![".localhost", ".local", ".internal", ".invalid", ".test"].iter().any(|s| ends(s))
        }
        Some(url::Host::Ipv4(ip)) => {
            !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified())
        }
        Some(url::Host::Ipv6(ip)) => {
            !(ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local())
        }
        None => false,
    }
}

/// The URL with its samples. Notes a fault where a sample is missing or the URL is not valid with it.
fn sampled(findings: &mut Findings<'_>, key: &str, text: &str, rule: Rule) -> Option<Url> {
    let samples = &findings.declaration().variables;
    for name in variables(text) {
        match samples.get(name).map(String::as_str) {
            None | Some("") => {
                findings.refuse(key, rule, format!("needs a sample path for {{{{{name}}}}} in [variables]"));
                return None;
            }
            Some(sample) if sample.contains("://") || sample.starts_with('/') => {
                let message =
                    format!("is continued by the sample of {{{{{name}}}}}, which is no path behind it");
                findings.refuse(key, rule, message);
                return None;
            }
            Some(_) => {}
        }
    }
    let whole = filled(text, |name| samples.get(name).map(String::as_str));
    let has_blank = whole.chars().any(|c| c.is_whitespace() || c.is_control());
    match Url::parse(&whole) {
        Ok(url) if !has_blank => Some(url),
        _ => {
            findings.refuse(key, rule, "is not a URL with its sample");
            None
        }
    }
}
