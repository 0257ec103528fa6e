//! The import of a list in the browser. The script sends the file in parts and shows how far it is; without it a form sends
//! a file of a bounded size at once. Both go through the imports of the API.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::multipart::Field as Part;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::future::BoxFuture;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use super::preflight;
use crate::console::Console;
use crate::console::acts::{Posted, Said};
use crate::console::ask::Refused;
use crate::console::asking::{Asking, segment};
use crate::console::form::{Form, is_from_elsewhere};
use crate::console::layout;
use crate::console::page_of::{PageOf, Place, Shown};
use crate::console::visit::Visit;

/// A file that a form sends at once has at most so many bytes: one part of an import.
pub(super) const FILE_MAX: usize = 8 << 20;
/// The form around the file.
pub(super) const UPLOAD_MAX: usize = FILE_MAX + (64 << 10);
/// A text of the form has at most so many bytes.
const TEXT_MAX: usize = 16 << 10;
/// The header by which the script shows that a part is sent by our own page.
const CSRF: &str = "x-csrf-token";

pub(super) const PAGE: PageOf = PageOf {
    path: "campaigns/{id}/import",
    acts: &[],
    show: |asking, place, said| show(asking, place, said),
};

fn show<'a>(asking: &'a Asking, place: &'a Place, _: &'a Said) -> BoxFuture<'a, Shown> {
    Box::pin(async move {
        let campaign: Result<Value, _> = asking.read(&format!("/v1/campaigns/{}", segment(&place.id))).await;
        let name =
            campaign.as_ref().map_or_else(|_| "", |campaign| campaign["name"].as_str().unwrap_or_default());
        let title =
            if name.is_empty() { "Import a list".to_owned() } else { format!("Import a list for {name}") };
        Shown::new(title, form(asking, &place.id, &Posted::default(), None)).about(&campaign)
    })
}

const FIELDS: [(&str, &str, &str); 2] = [
    (
        "name",
        "Name of the list",
        "A letter, then letters, digits, \".\", \"-\" and \"_\", at most 64. The same name again corrects the list.",
    ),
    (
        "default_country",
        "Country of numbers without +",
        "Two letters, such as BR. Empty: such numbers are refused.",
    ),
];

fn form(asking: &Asking, campaign: &str, entered: &Posted, refused: Option<&Refused>) -> Markup {
    let fault = |name: &str| refused.and_then(|refused| refused.of_field(name));
    let suggested = format!("list-{}", asking.now.to_zoned(asking.zone.clone()).strftime("%Y-%m-%d"));
    let value = |name: &str| match entered.get(name) {
        Some(text) => text.to_owned(),
        None if name == "name" => suggested.clone(),
        None => String::new(),
    };
    html! {
        p { a href="../../campaigns" { "All campaigns" } " " a href={ "../" (segment(campaign)) } { "This campaign" } }
        p { "The list is CSV or NDJSON, with a column for the number of the consumer." }
        @if let Some(refused) = refused { (layout::problem(refused)) }
        form method="post" enctype="multipart/form-data" id="import" data-campaign=(campaign) data-root="../../" {
            (asking.visit.csrf())
            @for (name, label, hint) in FIELDS {
                @let id = format!("import-{name}");
                div class="field" {
                    label for=(id) { (label) }
                    input id=(id) name=(name) value=(value(name)) required[name == "name"] aria-invalid=[fault(name).map(|_| "true")]
                        aria-describedby=(format!("{id}-told"));
                    @match fault(name) {
                        Some(fault) => span class="fault" id=(format!("{id}-told")) { (fault) },
                        None => span class="hint" id=(format!("{id}-told")) { (hint) },
                    }
                }
            }
            div class="field" {
                label for="import-mapping" { "Columns " small { "(optional)" } }
                textarea id="import-mapping" name="mapping" rows="3" aria-describedby="import-mapping-told" { (value("mapping")) }
                span class="hint" id="import-mapping-told" { "One in each line: column = consumer, column = var.name or column = skip. Usual names need no line." }
            }
            div class="field" {
                label for="import-file" { "File" }
                input id="import-file" name="file" type="file" required accept=".csv,.ndjson,.jsonl,.txt" aria-describedby="import-file-told";
                span class="hint" id="import-file-told" { "Without JavaScript at most 8 MiB." }
            }
            button type="submit" { "Import" } " "
            button type="submit" name="check" value="1" class="quiet" { "Check only" }
            p { progress id="import-progress" max="100" value="0" hidden aria-label="Part of the list that has arrived" {} }
            p id="import-told" role="status" {}
        }
    }
}

/// What begins an import.
fn begin(campaign: &str, posted: &Posted, size: u64) -> Value {
    let lines = posted.get("mapping").unwrap_or_default().lines();
    let mapping = lines.filter_map(|line| {
        let (column, field) = line.split_once('=')?;
        Some(format!("{}={}", column.trim(), field.trim()))
    });
    let mut draft = json!({
        "name": posted.get("name").unwrap_or_default().trim(),
        "campaign": campaign,
        "size": size,
        "mapping": mapping.collect::<Vec<_>>(),
    });
    if let Some(country) = posted.get("default_country").map(str::trim).filter(|text| !text.is_empty()) {
        draft["default_country"] = country.to_ascii_uppercase().into();
    }
    draft
}

/// Sends a form with the file, and goes to its report.
pub(super) async fn upload(
    State(_): State<Arc<Console>>,
    Path(campaign): Path<String>,
    headers: HeaderMap,
    visit: Visit,
    mut parts: Multipart,
) -> Response {
    let asking = Asking::new(visit);
    let read = if is_from_elsewhere(&headers) { Err(not_ours()) } else { read(&asking, &mut parts).await };
    let (entered, file) = match read {
        Ok(read) => read,
        Err(refused) => return asking.visit.refused(&refused),
    };
    let sent = match entered.get("check") {
        Some(_) => preflight::check(&asking, &campaign, &entered, file).await,
        None => match whole(&asking, &campaign, &entered, file).await {
            Ok(id) => return layout::see_other(&format!("../../imports/{}", segment(&id))),
            Err(refused) => Err(refused),
        },
    };
    let (status, head, refused) = match sent {
        Ok(checked) => (StatusCode::OK, checked, None),
        Err(refused) => (refused.status, html! {}, Some(refused)),
    };
    let form = form(&asking, &campaign, &entered, refused.as_ref());
    layout::answer(&asking.visit, status, layout::Page::new("Import a list").head(head).rest(form))
}

/// Begins, sends and completes an import; its id.
async fn whole(asking: &Asking, campaign: &str, entered: &Posted, file: Bytes) -> Result<String, Refused> {
    let made: Value = asking.look_up("/v1/imports", &begin(campaign, entered, file.len() as u64)).await?;
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    asking.put(&format!("/v1/imports/{}/parts?offset=0", segment(&id)), file).await?;
    let _: Value = asking.look_up(&format!("/v1/imports/{}/complete", segment(&id)), &json!({})).await?;
    Ok(id)
}

/// The texts of the form, and the file.
async fn read(asking: &Asking, parts: &mut Multipart) -> Result<(Posted, Bytes), Refused> {
    let (mut entered, mut file) = (Posted::default(), None);
    while let Some(part) = parts.next_field().await.map_err(unreadable)? {
        match part.name().unwrap_or_default().to_owned() {
            name if name == "file" => file = Some(part.bytes().await.map_err(unreadable)?),
            name => entered.0.push((name, text(part).await?)),
        }
        // The token comes first, so that nobody else's file is read.
        if entered.0.len() == 1 && !is_ours(asking, entered.get("csrf").unwrap_or_default()) {
            return Err(not_ours());
        }
    }
    let file = file.filter(|file| !file.is_empty() && file.len() <= FILE_MAX);
    let refused = || {
        let detail = "Choose a file of 1 byte to 8 MiB. With JavaScript it may be larger.";
        let errors = vec![("file".to_owned(), detail.to_owned())];
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Refused { errors, ..Refused::new(status, "There is no file that can be sent at once", detail) }
    };
    if !is_ours(asking, entered.get("csrf").unwrap_or_default()) {
        return Err(not_ours());
    }
    file.map(|file| (entered, file)).ok_or_else(refused)
}

async fn text(part: Part<'_>) -> Result<String, Refused> {
    let text = part.text().await.map_err(unreadable)?;
    if text.len() <= TEXT_MAX {
        return Ok(text);
    }
    Err(Refused::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "The form is too long",
        "A text may have at most 16 KiB.",
    ))
}

fn unreadable(error: axum::extract::multipart::MultipartError) -> Refused {
    let detail = "The file is larger than 8 MiB, or the connection ended. With JavaScript it may be larger.";
    Refused::new(error.status(), "The file could not be read", detail)
}

fn is_ours(asking: &Asking, token: &str) -> bool {
    bool::from(token.as_bytes().ct_eq(asking.visit.person.csrf.as_bytes()))
}

fn not_ours() -> Refused {
    let detail =
        "The form is out of date, or it was not sent from a page of the console. Open the page again.";
    Refused::new(StatusCode::FORBIDDEN, "The form is not ours", detail)
}

/// Begins an import for the script: the answer has its id and how much has arrived.
pub(super) async fn begun(Path(campaign): Path<String>, form: Form) -> Response {
    let posted = Posted(form.fields().to_vec());
    let asking = Asking::new(form.visit);
    let size = posted.get("size").and_then(|size| size.parse().ok()).unwrap_or(0);
    told(asking.look_up("/v1/imports", &begin(&campaign, &posted, size)).await)
}

#[derive(Deserialize)]
pub(super) struct Offset {
    offset: u64,
}

/// Takes a part from the script.
pub(super) async fn part(
    State(_): State<Arc<Console>>,
    Path(id): Path<String>,
    Query(Offset { offset }): Query<Offset>,
    headers: HeaderMap,
    visit: Visit,
    bytes: Bytes,
) -> Response {
    let asking = Asking::new(visit);
    let token = headers.get(CSRF).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if is_from_elsewhere(&headers) || !is_ours(&asking, token) {
        return told(Err(not_ours()));
    }
    let put = asking.put(&format!("/v1/imports/{}/parts?offset={offset}", segment(&id)), bytes).await;
    told(match put {
        Ok(()) => asking.read(&format!("/v1/imports/{}", segment(&id))).await,
        Err(refused) => Err(refused),
    })
}

/// Completes an import for the script.
pub(super) async fn completed(Path(id): Path<String>, form: Form) -> Response {
    let asking = Asking::new(form.visit);
    told(asking.look_up(&format!("/v1/imports/{}/complete", segment(&id)), &json!({})).await)
}

/// What the script needs: the id and how much has arrived, or what was refused.
fn told(answer: Result<Value, Refused>) -> Response {
    match answer {
        Ok(import) => Json(json!({
            "id": import["id"], "received": import["received"], "rows": import["rows"], "accepted": import["accepted"],
        }))
        .into_response(),
        Err(refused) => {
            let fields: Vec<String> =
                refused.errors.iter().map(|(field, detail)| format!("{field} {detail}")).collect();
            let detail = if fields.is_empty() { refused.detail } else { fields.join("; ") };
            (refused.status, Json(json!({"title": refused.title, "detail": detail}))).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_begins_an_import_with_what_was_entered() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let posted = Posted(vec![
            pair("name", " list-1 "),
            pair("default_country", "br"),
            pair("mapping", "Telefone = consumer\r\n\r\nNome=var.name"),
        ]);
        let expected = json!({"name": "list-1", "campaign": "cmp_1", "size": 9, "default_country": "BR",
            "mapping": ["Telefone=consumer", "Nome=var.name"]});
        assert_eq!(begin("cmp_1", &posted, 9), expected);
        let least = json!({"name": "", "campaign": "cmp_1", "size": 0, "mapping": []});
        assert_eq!(begin("cmp_1", &Posted::default(), 0), least);
    }
}
