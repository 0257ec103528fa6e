//! What declared content says in the values of this module.

use super::limits::TTL_MINUTES_DEFAULT;
use super::messages::{Contents, Header, Parameter, Template, UrlButton, Words};
use crate::content::{Action, ActionKind, Declaration, Kind, Provider, canonical, placeholder, template};

/// All declarations for WhatsApp's Cloud API, by name.
pub fn contents<'d>(declarations: impl IntoIterator<Item = &'d Declaration>) -> Contents {
    let said = declarations
        .into_iter()
        .filter_map(|declaration| Some((declaration.name.parse().ok()?, words(declaration)?)));
    said.collect()
}

/// What a declaration without a fault says; `None` for one of another platform.
#[must_use]
pub fn words(declaration: &Declaration) -> Option<Words> {
    if declaration.kind.provider() != Provider::Meta {
        return None;
    }
    let action = |kind| declaration.actions.iter().find(|action| action.kind == kind);
    let body = declaration.body.clone();
    Some(match declaration.kind {
        Kind::MetaVoiceCall => {
            let call = action(ActionKind::VoiceCall)?;
            Words::VoiceCall { body: body?, display_text: call.title.clone(), ttl_minutes: minutes(call) }
        }
        Kind::MetaCtaUrl => {
            let button = action(ActionKind::Url)?;
            Words::CtaUrl {
                header: header(declaration),
                body: body?,
                footer: declaration.footer.clone(),
                display_text: button.title.clone()?,
                url: button.url.clone()?,
            }
        }
        Kind::MetaText => Words::Text { body: body? },
        Kind::MetaPermissionRequest => Words::PermissionRequest { body },
        _ => Words::Template(Template {
            name: canonical::template_name(declaration),
            language: declaration.language.clone(),
            header: parameters(declaration, declaration.header_text.as_deref()),
            body: parameters(declaration, declaration.body.as_deref()),
            voice_call: action(ActionKind::VoiceCall)
                .map(|call| minutes(call).unwrap_or(TTL_MINUTES_DEFAULT)),
            url_button: url_button(declaration),
        }),
    })
}

fn minutes(action: &Action) -> Option<u32> {
    action.ttl_minutes.and_then(|minutes| u32::try_from(minutes).ok())
}

fn header(declaration: &Declaration) -> Option<Header> {
    let text = declaration.header_text.clone().map(Header::Text);
    let image = || declaration.header_image.clone().map(Header::Image);
    let video = || declaration.header_video.clone().map(Header::Video);
    let document = || declaration.header_document.clone().map(Header::Document);
    text.or_else(image).or_else(video).or_else(document)
}

fn parameters(declaration: &Declaration, text: Option<&str>) -> Vec<Parameter> {
    let is_named = template::is_named(declaration);
    let names = template::parameters(text.unwrap_or_default());
    let parameter =
        |name: &str| Parameter { name: is_named.then(|| name.to_owned()), text: format!("{{{{{name}}}}}") };
    names.into_iter().map(parameter).collect()
}

/// The URL button, if its URL has a variable.
fn url_button(declaration: &Declaration) -> Option<UrlButton> {
    let index = declaration.actions.iter().position(|action| action.kind == ActionKind::Url)?;
    let name = placeholder::variables(declaration.actions.get(index)?.url.as_deref()?).next()?;
    Some(UrlButton { index: u32::try_from(index).ok()?, text: format!("{{{{{name}}}}}") })
}

#[cfg(test)]
#[path = "tests/declared.rs"]
mod tests;
