//! What signed-in people see and do, and what the audit log keeps of it.

use super::*;

#[tokio::test]
async fn numbers_are_masked_until_they_are_asked_for_and_asking_is_audited() {
    let house = house(by_password()).await;
    let id = house.api.callback().await;
    house.add("ana", Role::Supervisor, |_| {}).await;
    house.add("bo", Role::Viewer, |_| {}).await;
    let path = format!("/v1/callbacks/{id}");
    let get = async |session: &str, reveal: &str| {
        let request = Request::get(&path)
            .header("cookie", format!("__Host-ringmaster={session}"))
            .header("x-reveal", reveal);
        house.ask(ELSEWHERE, request, "").await
    };
    let (ana, bo) = (house.session("ana").await, house.session("bo").await);
    assert!(!get(&ana, "no").await.text.contains(CONSUMER));
    let before = house.audit().await.len();
    assert!(get(&ana, "yes").await.text.contains(CONSUMER));
    let told = house.audit().await;
    assert_eq!(told.len(), before + 1);
    assert_eq!(told[0].what, "reveal GET /v1/callbacks/{id}");
    assert_eq!(told[0].object, Some(id.to_string()));
    assert!(!get(&bo, "yes").await.text.contains(CONSUMER));
    assert_eq!(house.audit().await.len(), before + 1);
}

#[tokio::test]
async fn somebody_with_bounds_sees_and_orders_nothing_outside_them() {
    let house = house(by_password()).await;
    let ours = house.api.order(json!({"campaign": "spring"})).await.id();
    let others = house.api.order(json!({"campaign": "autumn", "consumer": "+5521976543211"})).await.id();
    let bounds: Bounds = "campaign:spring".parse().unwrap();
    house.add("ana", Role::Admin, |ana| ana.bounds = bounds).await;
    let session = house.session("ana").await;
    let list = house.by(&session, "GET", "/v1/callbacks", &Value::Null).await;
    assert!(
        list.text.contains(&ours.to_string()) && !list.text.contains(&others.to_string()),
        "{}",
        list.text
    );
    assert_eq!(
        house.by(&session, "GET", &format!("/v1/callbacks/{ours}"), &Value::Null).await.status,
        StatusCode::OK
    );
    for (method, rest) in
        [("GET", ""), ("GET", "/explain"), ("GET", "/timeline"), ("POST", "/cancel"), ("POST", "/wrap-up")]
    {
        let path = format!("/v1/callbacks/{others}{rest}");
        let body = json!({"disposition": "done"});
        let answer = house.by(&session, method, &path, &body).await;
        assert_ne!(answer.status, StatusCode::OK, "{method} {path}");
        assert!(!answer.text.contains("autumn"), "{}", answer.text);
    }
    let ordered = house.by(&session, "POST", "/v1/callbacks", &order(json!({"campaign": "autumn"}))).await;
    assert_eq!(ordered.faults(), ["campaign: campaign.not_allowed"]);
    for (method, path, _) in routes::ROUTES {
        let keeps = routes::OF_PARTS.contains(&(*method, *path));
        let answer = house.by(&session, method, &path.replace("{id}", &others.to_string()), &json!({})).await;
        let is_refused = answer.status == StatusCode::FORBIDDEN
            && ["auth.bounds", "auth.scope"].contains(&answer.code().as_str());
        assert!(keeps || is_refused, "{method} {path}: {} {}", answer.status, answer.text);
        assert!(!answer.text.contains("autumn"), "{method} {path}: {}", answer.text);
    }
}

#[tokio::test]
async fn somebody_with_bounds_gets_reports_of_one_part_inside_them() {
    let house = house(by_password()).await;
    let status = async |bounds: &str, query: &str| {
        let name = format!("p{}", bounds.len() + query.len());
        house.add(&name, Role::Viewer, |person| person.bounds = bounds.parse().unwrap()).await;
        let session = house.session(&name).await;
        let answer = house.by(&session, "GET", &format!("/v1/reports/{query}"), &Value::Null).await;
        house.app.store.remove_member(&name, entry()).await.unwrap();
        (answer.status.as_u16(), if answer.status == StatusCode::OK { String::new() } else { answer.code() })
    };
    let refused = || (403, "auth.bounds".to_owned());
    let given = || (200, String::new());
    assert_eq!(status("campaign:spring", "outcomes?campaign=spring").await, given());
    assert_eq!(status("campaign:spring", "outcomes?campaign=autumn").await, refused());
    assert_eq!(status("campaign:spring", "outcomes").await, refused());
    assert_eq!(status("campaign:spring", "agents").await, refused());
    let sender = format!("sender:{SENDER}");
    let end = &SENDER[SENDER.len() - 6..];
    assert_eq!(status("campaign:spring", &format!("outcomes?sender={end}&by=day")).await, refused());
    assert_eq!(status(&sender, &format!("outcomes?sender={end}&by=day")).await, given());
    assert_eq!(
        status(&sender, &format!("outcomes?sender={end}&by=campaign")).await,
        refused(),
        "names of others"
    );
    assert_eq!(status(&sender, "outcomes?campaign=spring").await, refused());
    let both = format!("campaign:spring\nsender:{SENDER}");
    assert_eq!(status(&both, "outcomes?campaign=spring").await, refused(), "nothing is counted for both");
}

#[tokio::test]
async fn an_agent_sees_own_callbacks_only() {
    let house = house(by_password()).await;
    let others = house.api.callback().await;
    house.add("ana", Role::Agent, |_| {}).await;
    let session = house.session("ana").await;
    let ordered =
        house.by(&session, "POST", "/v1/callbacks", &order(json!({"consumer": "+5521976543211"}))).await;
    assert_eq!(ordered.status, StatusCode::ACCEPTED, "{}", ordered.text);
    let own = ordered.id();
    let list = house.by(&session, "GET", "/v1/callbacks", &Value::Null).await.text;
    assert!(list.contains(&own.to_string()) && !list.contains(&others.to_string()), "{list}");
    let status =
        async |method: &str, path: String| house.by(&session, method, &path, &json!({})).await.status;
    assert_eq!(status("GET", format!("/v1/callbacks/{own}")).await, StatusCode::OK);
    assert_eq!(status("GET", format!("/v1/callbacks/{others}")).await, StatusCode::NOT_FOUND);
    assert_eq!(status("POST", format!("/v1/callbacks/{others}/cancel")).await, StatusCode::NOT_FOUND);
    assert!(status("POST", format!("/v1/callbacks/{own}/cancel")).await.is_success());
    let stored = house.app.store.callback(own).await.unwrap().unwrap();
    assert_eq!(stored.callback.ordered_by.as_deref(), Some("person/ana"));
}

#[tokio::test]
async fn every_change_by_a_token_has_an_entry_in_the_transaction_of_its_act() {
    let house = house(by_password()).await;
    let (text, hash) = auth::new_token([4; 32]);
    let token = Token { scopes: Role::Operator.scopes(), ..Token::new("ops", hash, house.app.clock.now()) };
    house.app.store.create_token(token).await.unwrap();
    let ask = async |method: &str, path: &str, body: Value| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {text}"))
            .header("content-type", "application/json")
            .header("content-length", body.to_string().len());
        house.ask(ELSEWHERE, request, body.to_string()).await
    };
    ask("POST", "/v1/callbacks", order(Value::Null)).await;
    let told = house.audit().await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].what.as_str(), &told[0].after),
        ("POST /v1/callbacks", &None),
        "orders are stored themselves"
    );
    let body = json!({"sender": SENDER, "consumer": CONSUMER, "reason": "they asked"});
    ask("POST", "/v1/permissions/revoke", body).await;
    let told = house.audit().await;
    assert_eq!(told[0].what, "POST /v1/permissions/revoke");
    // What is wrong changes nothing, and has no entry.
    ask("POST", "/v1/callbacks", json!({})).await;
    ask("GET", "/v1/callbacks", Value::Null).await;
    ask("POST", "/v1/callbacks/search", json!({})).await;
    let count = house.audit().await.len();
    // What is not allowed has one.
    assert_eq!(ask("POST", "/v1/consumers/erase", json!({})).await.code(), "auth.scope");
    let told = house.audit().await;
    assert_eq!((told.len(), told[0].outcome.to_string()), (count + 1, "refused".into()));
    let numbers = told.iter().filter_map(|entry| entry.after.as_ref()).filter(|text| text.contains(CONSUMER));
    assert_eq!(numbers.count(), 0);
}

#[tokio::test]
async fn the_audit_log_is_exported_without_formulas() {
    let house = house(by_password()).await;
    house.add("ana", Role::Admin, |_| {}).await;
    let mut formula = entry();
    (formula.who, formula.after) = ("=1+1".into(), Some("+cmd".into()));
    formula.consumer = Some(phone(CONSUMER));
    house.app.store.append_audit(formula).await.unwrap();
    let ana = house.session("ana").await;
    let csv = house.by(&ana, "GET", "/v1/audit/export?format=csv", &Value::Null).await.text;
    assert!(csv.starts_with("at,who,way,"), "{csv}");
    assert!(csv.contains(",'=1+1,") && csv.contains("'+cmd"), "{csv}");
    assert!(!csv.contains(CONSUMER), "{csv}");
    let lines = house.by(&ana, "GET", "/v1/audit/export?who=%3D1%2B1", &Value::Null).await.text;
    assert_eq!(lines.lines().count(), 1, "{lines}");
    let page = house.by(&ana, "GET", "/v1/audit?limit=2", &Value::Null).await.json();
    assert!(page["next_cursor"].is_string());
    let path = format!("/v1/audit?limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
    let next = house.by(&ana, "GET", &path, &Value::Null).await.json();
    assert_ne!(page["entries"], next["entries"]);
    for wrong in ["since=x", "outcome=x", "cursor=x", "limit=0", "who=a&who=b", "else=x"] {
        let answer = house.by(&ana, "GET", &format!("/v1/audit?{wrong}"), &Value::Null).await;
        assert_eq!(answer.code(), "query.invalid", "{wrong}");
    }
    // Somebody of one tenant reads that tenant's entries only.
    house.add("cy", Role::Admin, |cy| cy.tenant = "shop".parse::<Tenant>().unwrap()).await;
    let cy = house.session("cy").await;
    let theirs = house.by(&cy, "GET", "/v1/audit", &Value::Null).await.json();
    assert_eq!(theirs["entries"], json!([]));
}
