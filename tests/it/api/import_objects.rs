//! Imports as objects: a list arrives in parts, each row is kept once, and a campaign waits for its lists.

use axum::http::{Request, StatusCode};
use ringmaster::clock::Clock as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::harness::{Answer, ApiHarness, api};

/// The list ends without a line end. Row 4 calls the person of row 2 in another spelling, row 5 has a priority out of range,
/// and row 6 a formula.
const LIST: &str = "phone;reference;priority;var.message\n\
    +5521987650101;r-1;3;\"Hello;\nAna\"\n\
    +5521987650102;r-2;;Hi\n\
    +552187650101;r-3;;Hi\n\
    +5521987650104;r-4;12;Hi\n\
    =1;r-5;;Hi\n\
    +5521987650105;r-6;;Hi";

fn sha256(list: &str) -> String {
    let hash: [u8; 32] = Sha256::digest(list.as_bytes()).into();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn new_import(name: &str, list: &str) -> Value {
    json!({
        "name": name, "size": list.len(), "sha256": sha256(list),
        "defaults": {"document": "message", "variables": {"message": "Hello"}},
    })
}

async fn begin(api: &ApiHarness, body: &Value) -> Answer {
    let request = Request::post("/v1/imports").header("content-type", "application/json");
    api.ask(request, body.to_string()).await
}

async fn put(api: &ApiHarness, name: &str, offset: usize, part: &str) -> Answer {
    let path = format!("/v1/imports/{name}/parts?offset={offset}");
    api.ask(Request::put(path), part.to_owned()).await
}

async fn complete(api: &ApiHarness, name: &str) -> Answer {
    api.ask(Request::post(format!("/v1/imports/{name}/complete")), "").await
}

fn counts(view: &Value) -> (u64, u64, u64) {
    let count = |field: &str| view[field].as_u64().unwrap();
    (count("rows"), count("accepted"), count("accepted_before"))
}

fn groups(view: &Value, of: &str) -> Vec<(String, u64, Vec<u64>)> {
    let group = |group: &Value| {
        let rows = group["rows"].as_array().unwrap().iter().map(|row| row.as_u64().unwrap());
        (group["code"].as_str().unwrap().to_owned(), group["count"].as_u64().unwrap(), rows.collect())
    };
    view[of].as_array().unwrap().iter().map(group).collect()
}

async fn whole(api: &ApiHarness, name: &str, list: &str, size: usize) -> Value {
    assert!(begin(api, &new_import(name, list)).await.status.is_success());
    for (index, part) in list.as_bytes().chunks(size).enumerate() {
        let answer = put(api, name, index * size, std::str::from_utf8(part).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    let answer = complete(api, name).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn a_list_in_parts_of_any_size_keeps_each_row_once_and_tells_the_others() {
    for size in [1, 7, 40, LIST.len()] {
        let api = api().await;
        let view = whole(&api, "leads", LIST, size).await;
        assert_eq!((view["state"].as_str(), counts(&view)), (Some("complete"), (6, 3, 0)), "{size}");
        let refused = [("cell.formula", 6), ("row.double", 4), ("priority.out_of_range", 5)];
        assert_eq!(groups(&view, "refused"), refused.map(|(code, row)| (code.to_owned(), 1, vec![row])));
        assert_eq!(api.store.count().await, 3);
        let csv = api.get("/v1/imports/leads/refused").await;
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        let lines: Vec<&str> = csv.text.lines().collect();
        assert_eq!(lines[0], "row,field,code,detail");
        assert_eq!(lines[1], "4,consumer,row.double,calls the same person as row 2");
        assert!(lines[2].starts_with("5,priority,priority.out_of_range,"), "{}", csv.text);
        assert!(lines[3].starts_with("6,consumer,cell.formula,"), "{}", csv.text);
        assert!(!csv.text.contains("98765") && !view.to_string().contains("98765"));
    }
}

#[tokio::test]
async fn a_part_follows_on_and_may_come_again() {
    let api = api().await;
    let made = begin(&api, &new_import("leads", LIST)).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(begin(&api, &new_import("leads", LIST)).await.json()["id"], id.as_str(), "it is the same one");
    let gap = put(&api, &id, 1, &LIST[1..]).await;
    assert_eq!((gap.status, gap.code().as_str()), (StatusCode::CONFLICT, "import.gap"));
    assert!(gap.json()["detail"].as_str().unwrap().ends_with("has the offset 0"), "{}", gap.text);

    let first = put(&api, &id, 0, &LIST[..100]).await.json();
    assert_eq!((&first["received"], &first["rows"]), (&json!(100), &json!(2)));
    assert_eq!(put(&api, &id, 0, &LIST[..100]).await.json(), first, "the same part changes nothing");
    assert_eq!(put(&api, &id, 20, &LIST[20..60]).await.json(), first);
    let gap = put(&api, &id, 101, &LIST[101..]).await;
    assert!(gap.json()["detail"].as_str().unwrap().contains("100 bytes have arrived"), "{}", gap.text);
    // A part that overlaps goes on after what has arrived.
    let all = put(&api, &id, 50, &LIST[50..]).await.json();
    assert_eq!(all["received"], LIST.len());
    let long = put(&api, &id, LIST.len(), "x").await;
    assert_eq!(long.code(), "import.mismatch");
    let done = complete(&api, &id).await.json();
    assert_eq!(counts(&done), (6, 3, 0));
    assert_eq!(complete(&api, &id).await.json(), done, "repeated, it answers the same");
    assert_eq!(put(&api, &id, 0, LIST).await.json(), done);
    assert_eq!(api.get(&format!("/v1/imports/{id}")).await.json(), done);
    assert_eq!(api.store.count().await, 3);
}

#[tokio::test]
async fn a_corrected_list_orders_what_was_refused() {
    let api = api().await;
    assert_eq!(counts(&whole(&api, "leads", LIST, 64).await), (6, 3, 0));
    let corrected = LIST.replace(";12;", ";2;");
    assert_eq!(counts(&whole(&api, "leads", &corrected, 64).await), (6, 4, 3));
    assert_eq!(api.store.count().await, 4);
    let changed = corrected.replace("r-2;;Hi", "r-2;1;Hi");
    let view = whole(&api, "leads", &changed, 64).await;
    assert_eq!(counts(&view), (6, 3, 3));
    assert!(groups(&view, "refused").contains(&("import.row_changed".to_owned(), 1, vec![3])));
    assert_eq!(api.store.count().await, 4);
}

#[tokio::test]
async fn a_list_that_is_whole_and_without_a_fault_is_not_read_again() {
    let api = api().await;
    let list = "phone\n+5521987650101\n";
    let first = whole(&api, "leads", list, 8).await;
    let again = begin(&api, &new_import("leads", list)).await;
    assert_eq!((again.status, again.json()), (StatusCode::OK, first));
}

#[tokio::test]
async fn what_was_told_of_a_list_is_checked_before_it_is_complete() {
    let api = api().await;
    begin(&api, &new_import("short", LIST)).await;
    put(&api, "short", 0, &LIST[..90]).await;
    let short = complete(&api, "short").await;
    assert_eq!((short.status, short.code().as_str()), (StatusCode::CONFLICT, "import.incomplete"));
    let mut told = new_import("other", LIST);
    told["sha256"] = sha256("another list").into();
    begin(&api, &told).await;
    put(&api, "other", 0, LIST).await;
    assert_eq!(complete(&api, "other").await.code(), "import.mismatch");
    assert_eq!(api.get("/v1/imports/other").await.json()["state"], "receiving");
    let exists = begin(&api, &new_import("other", LIST)).await;
    assert_eq!((exists.status, exists.code().as_str()), (StatusCode::CONFLICT, "import.exists"));
    let empty = json!({"name": "empty"});
    begin(&api, &empty).await;
    assert_eq!(complete(&api, "empty").await.code(), "import.unreadable");
}

#[tokio::test]
async fn a_list_that_cannot_be_read_stays_before_the_fault() {
    let api = api().await;
    let list = format!("phone;x\n+5521987650101;1\n\"{}", "x".repeat(300 << 10));
    let body = json!({"name": "broken", "defaults": {"document": "message", "variables": {"message": "x"}}});
    begin(&api, &body).await;
    let answer = put(&api, "broken", 0, &list).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "import.unreadable")
    );
    let view = api.get("/v1/imports/broken").await.json();
    assert_eq!((&view["received"], &view["rows"]), (&json!(25), &json!(1)), "{view}");
    for (name, list, what) in
        [("array", "[{}]", "JSON array"), ("none", "a;b\n1;2\n", "none of the 2 columns")]
    {
        begin(&api, &json!({"name": name})).await;
        let answer = put(&api, name, 0, list).await;
        assert_eq!(answer.code(), "import.unreadable");
        assert!(answer.text.contains(what), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_draft_waits_for_its_lists() {
    let api = api().await;
    let draft = json!({"name": "Spring", "defaults": {"document": "message", "variables": {"message": "x"}}});
    let made = api.change("/v1/campaigns", draft.to_string()).await.json();
    let id = made["id"].as_str().unwrap();
    let list = "phone\n+5521987650101\n";
    let body = json!({"name": "leads", "campaign": id});
    let begun = begin(&api, &body).await.json();
    assert_eq!(begun["campaign"], id);
    put(&api, "leads", 0, list).await;
    for act in ["launch", "ready"] {
        let refused = api.change(&format!("/v1/campaigns/{id}/{act}"), "{}").await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "import.incomplete"));
        assert!(refused.text.contains("its import leads is not complete"), "{}", refused.text);
    }
    assert_eq!(counts(&complete(&api, "leads").await.json()), (1, 1, 0));
    let launched = api.change(&format!("/v1/campaigns/{id}/launch"), "{}").await;
    assert!(launched.status.is_success(), "{}", launched.text);
}

#[tokio::test]
async fn an_import_is_for_an_open_campaign_of_its_tenant() {
    let api = api().await;
    let nowhere = json!({"name": "leads", "campaign": "cmp_00000000000000000000000000000007"});
    let refused = begin(&api, &nowhere).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    assert_eq!(refused.json()["errors"][0]["code"], "campaign.unknown");
    assert_eq!(api.get("/v1/imports/leads").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_deleted_import_keeps_its_callbacks_and_holds_no_campaign() {
    let api = api().await;
    let draft = json!({"name": "Spring", "defaults": {"document": "message", "variables": {"message": "x"}}});
    let made = api.change("/v1/campaigns", draft.to_string()).await.json();
    let id = made["id"].as_str().unwrap();
    let begun = begin(&api, &json!({"name": "leads", "campaign": id})).await.json();
    put(&api, "leads", 0, "phone\n+5521987650101\nx\n").await;
    let path = format!("/v1/imports/{}", begun["id"].as_str().unwrap());
    let gone = api.ask(Request::delete(&path), "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(api.ask(Request::delete(&path), "").await.code(), "import.not_found", "repeated");
    assert_eq!(api.get("/v1/imports/leads").await.code(), "import.not_found");
    assert_eq!(api.get(&format!("/v1/campaigns/{id}")).await.json()["open"], 1);
    let launched = api.change(&format!("/v1/campaigns/{id}/launch"), "{}").await;
    assert!(launched.status.is_success(), "{}", launched.text);
}

#[tokio::test]
async fn a_name_deletes_no_import() {
    let api = api().await;
    begin(&api, &json!({"name": "leads"})).await;
    let refused = api.ask(Request::delete("/v1/imports/leads"), "").await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::BAD_REQUEST, "id.malformed"));
    assert_eq!(api.get("/v1/imports/leads").await.status, StatusCode::OK);
}

#[tokio::test]
async fn wrong_settings_are_told_together_and_nothing_is_begun() {
    let api = api().await;
    let body = json!({"name": "leads", "size": 0, "sha256": "xyz", "delimiter": "|", "encoding": "latin1",
        "default_country": "Brazil", "mapping": ["x"]});
    let answer = begin(&api, &body).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "import.invalid"));
    let fields: Vec<Value> =
        answer.json()["errors"].as_array().unwrap().iter().map(|fault| fault["field"].clone()).collect();
    assert_eq!(fields, ["size", "sha256", "mapping[0]", "default_country", "delimiter", "encoding"]);
    assert_eq!(api.get("/v1/imports/leads").await.code(), "import.not_found");
    for path in ["parts", "parts?offset=x", "parts?offset=0&x=1"] {
        let answer = api.ask(Request::put(format!("/v1/imports/leads/{path}")), "x").await;
        assert_eq!(answer.code(), "query.invalid");
    }
    assert_eq!(begin(&api, &json!({"name": "5521987650101"})).await.code(), "import.name_malformed");
}

#[tokio::test]
async fn columns_of_consent_and_zone_are_read() {
    let api = api().await;
    let at = api.clock.now() - jiff::SignedDuration::from_hours(24);
    let list = format!(
        "telefone;finalidade;consentimento;data do consentimento;validade do consentimento;janela perdida;separado;\
         prioridade;fuso horário;hours\n\
         +5521987650101;marketing;formulário;{at};2027-11-23T12:00:00Z;close;sim;2;America/Manaus;mon-sun 09:00-18:00\n\
         +5521987650102;marketing;;;;;;;;\n"
    );
    let view = whole(&api, "leads", &list, 64).await;
    assert_eq!(counts(&view), (2, 1, 0), "{view}");
    assert_eq!(groups(&view, "refused"), [("consent.missing".to_owned(), 1, vec![3])]);
    let listed = api.get("/v1/callbacks").await.json();
    let order = &listed["callbacks"][0];
    assert_eq!(order["consent"]["source"], "formulário", "{order}");
    assert_eq!((&order["priority"], &order["missed_window"]), (&json!(2), &json!("close")));
    assert_eq!(order["separate"], true);
    assert_eq!(order["hours"]["zone"], "America/Manaus");
}

#[tokio::test]
async fn imports_are_listed_newest_first_page_by_page() {
    let api = api().await;
    let list = "phone\n+5521987650101\n";
    for name in ["one", "two", "three"] {
        whole(&api, name, list, 64).await;
    }
    let names = |page: &Value| -> Vec<String> {
        let imports = page["imports"].as_array().unwrap().iter();
        imports.map(|import| import["name"].as_str().unwrap().to_owned()).collect()
    };
    let all = api.get("/v1/imports").await.json();
    assert_eq!((names(&all), &all["next"]), (vec!["three".into(), "two".into(), "one".into()], &Value::Null));
    let first = &all["imports"][0];
    assert_eq!((&first["rows"], &first["accepted"], &first["refused"]), (&json!(1), &json!(1), &json!(0)));
    let page = api.get("/v1/imports?limit=2").await.json();
    assert_eq!(names(&page), ["three", "two"]);
    let rest = api.get(&format!("/v1/imports?before={}", page["next"].as_str().unwrap())).await.json();
    assert_eq!((names(&rest), &rest["next"]), (vec!["one".into()], &Value::Null));
    let id = first["id"].as_str().unwrap();
    assert_eq!(
        api.ask(Request::delete(format!("/v1/imports/{id}")), "").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(names(&api.get("/v1/imports").await.json()), ["two", "one"]);
    // Nothing of it has arrived.
    assert!(begin(&api, &new_import("four", list)).await.status.is_success());
    assert_eq!(names(&api.get("/v1/imports").await.json()), ["four", "two", "one"]);
    assert_eq!(api.get("/v1/imports?before=two").await.code(), "query.invalid");
}

#[tokio::test]
async fn unknown_defaults_are_refused_when_an_import_begins() {
    let api = api().await;
    for (defaults, field, code) in [
        (json!({"prioritty": 3}), "defaults.prioritty", "field.unknown"),
        (json!({"priority": "3"}), "defaults.priority", "field.type"),
        (json!({"consumer": "+5521987650101"}), "defaults.consumer", "field.unknown"),
        (json!({"reference": "r-1"}), "defaults.reference", "field.unknown"),
        (json!({"hours": {"zone": "UTC"}}), "defaults.hours.spans", "field.missing"),
    ] {
        let answer = begin(&api, &json!({"name": "leads", "defaults": defaults})).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
        let error = &answer.json()["errors"][0];
        assert_eq!((error["field"].as_str(), error["code"].as_str()), (Some(field), Some(code)));
    }
    let answer = begin(&api, &json!({"name": 5511987654321_u64})).await;
    assert_eq!(
        (answer.code().as_str(), answer.json()["errors"][0]["field"].as_str()),
        ("body.shape", Some("name"))
    );
}
