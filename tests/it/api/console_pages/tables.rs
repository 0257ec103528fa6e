//! The tables of pages and acts: what they name is there.

use std::collections::BTreeSet;

use axum::http::Method;
use ringmaster::console::acts::{Act, Kind};
use ringmaster::console::pages::table::PAGES;
use ringmaster::http::api::{openapi, routes};
use serde_json::Value;

fn acts() -> impl Iterator<Item = &'static Act> {
    PAGES.iter().flat_map(|page| page.acts.iter().copied())
}

/// The names of the fields that a request to this route may have.
fn fields_of(api: &Value, act: &Act) -> BTreeSet<String> {
    let method = act.method.as_str().to_ascii_lowercase();
    let body = &api["paths"][act.route][&method]["requestBody"]["content"]["application/json"]["schema"];
    let named = |schema: &Value| schema["$ref"].as_str().map(str::to_owned);
    let several = body["oneOf"].as_array().into_iter().flatten().find_map(named);
    let Some(name) = named(body).or(several) else { return BTreeSet::new() };
    let found = properties(api, &api["components"]["schemas"][name.rsplit('/').next().unwrap()]);
    assert!(!found.is_empty(), "{name} has no fields");
    found
}

/// The names of the fields of a schema, and of those that it is made of.
fn properties(api: &Value, schema: &Value) -> BTreeSet<String> {
    let own = schema["properties"].as_object().into_iter().flat_map(|fields| fields.keys().cloned());
    let parts = schema["allOf"].as_array().into_iter().flatten().flat_map(|part| {
        let named = part["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        properties(api, named.map_or(part, |name| &api["components"]["schemas"][name]))
    });
    own.chain(parts).collect()
}

#[test]
fn every_form_is_a_request_of_the_api_with_its_fields() {
    let api = serde_json::to_value(openapi()).unwrap();
    for act in acts() {
        assert!(
            routes::scope_of(&act.method, act.route).is_some(),
            "{}: {} is no route",
            act.name,
            act.route
        );
        let known = fields_of(&api, act);
        for field in act.fields {
            let in_path = act.route.contains(&format!("{{{}}}", field.name));
            let first = field.name.split('.').next().unwrap();
            assert!(in_path || known.contains(first), "{}: {} is none of {known:?}", act.name, field.name);
        }
        let in_route = act.route.matches('{').count();
        let named = act.fields.iter().filter(|field| act.route.contains(&format!("{{{}}}", field.name)));
        assert_eq!(named.count(), in_route, "{}: the path is whole", act.name);
    }
}

#[test]
fn forms_have_names_of_their_own_and_words_for_their_fields() {
    let mut seen = BTreeSet::new();
    for page in PAGES {
        let names: BTreeSet<_> = page.acts.iter().map(|act| act.name).collect();
        assert_eq!(names.len(), page.acts.len(), "{}", page.path);
        assert!(seen.insert(page.path) && !page.path.starts_with('/'), "{}", page.path);
    }
    for act in acts() {
        assert!(!act.button.is_empty() && act.method != Method::GET, "{}", act.name);
        for field in act.fields.iter().filter(|field| field.kind != Kind::Hidden) {
            assert!(!field.label.is_empty(), "{}: {}", act.name, field.name);
        }
    }
}
