//! The stream of events: what is in it and in which order, who sees what, where it goes on, and when it ends.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use futures_util::StreamExt as _;
use ringmaster::domain::CallbackId;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::access::with_token;
use super::harness::{ApiHarness, api};

/// A stream that is read event by event.
struct Followed {
    body: axum::body::BodyDataStream,
    text: String,
}

/// An event as it was sent.
#[derive(Debug)]
struct Seen {
    id: i64,
    event: String,
    data: Value,
}

impl Followed {
    async fn of(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event; `None` at the end of the stream. Comments are passed over.
    async fn next(&mut self) -> Option<Seen> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    line.map(str::to_owned)
                };
                let Some(id) = field("id") else { continue };
                return Some(Seen {
                    id: id.parse().unwrap(),
                    event: field("event").unwrap_or_default(),
                    data: field("data").map_or(Value::Null, |data| serde_json::from_str(&data).unwrap()),
                });
            }
            let bytes = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

async fn ask(api: &ApiHarness, token: &str, query: &str, last: Option<i64>) -> Response {
    let request =
        Request::get(format!("/v1/events{query}")).header("authorization", format!("Bearer {token}"));
    let request = match last {
        Some(id) => request.header("last-event-id", id),
        None => request,
    };
    api.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn follow(api: &ApiHarness, query: &str) -> Followed {
    Followed::of(ask(api, &api.token, query, None).await).await
}

async fn canceled(api: &ApiHarness) -> CallbackId {
    let id = api.callback().await;
    assert_eq!(api.change(&format!("/v1/callbacks/{id}/cancel"), "").await.status, StatusCode::OK);
    id
}

#[tokio::test(start_paused = true)]
async fn what_is_committed_is_told_in_its_order_to_those_who_follow() {
    let api = api().await;
    let mut stream = follow(&api, "").await;
    let first = canceled(&api).await;
    let seen = stream.next().await.unwrap();
    assert_eq!((seen.event.as_str(), &seen.data["callback"]), ("callback.closed", &json!(first.to_string())));
    assert_eq!(seen.data["what"], "callback.closed");
    assert!(seen.data["why"].as_str().unwrap().contains("canceled"), "{}", seen.data);
    let second = canceled(&api).await;
    let next = stream.next().await.unwrap();
    assert!(next.id > seen.id, "ids grow: {} after {}", next.id, seen.id);
    assert_eq!(next.data["callback"], second.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_on_after_the_last_id_that_was_seen() {
    let api = api().await;
    let ids = [canceled(&api).await, canceled(&api).await];
    let mut whole = follow(&api, "?after=0").await;
    let (first, second) = (whole.next().await.unwrap(), whole.next().await.unwrap());
    assert_eq!(
        [&first, &second].map(|seen| seen.data["callback"].clone()),
        ids.map(|id| json!(id.to_string()))
    );
    let mut rest = follow(&api, &format!("?after={}", first.id)).await;
    assert_eq!(rest.next().await.unwrap().id, second.id);
    // What a browser repeats goes first.
    let mut again = Followed::of(ask(&api, &api.token, "?after=0", Some(first.id)).await).await;
    assert_eq!(again.next().await.unwrap().id, second.id);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_not_there_is_answered_with_a_reset() {
    let api = api().await;
    canceled(&api).await;
    let last = follow(&api, "?after=0").await.next().await.unwrap().id;
    let mut streams = Vec::new();
    for beyond in [last + 1, i64::MAX] {
        let mut stream = follow(&api, &format!("?after={beyond}")).await;
        let reset = stream.next().await.unwrap();
        assert_eq!((reset.event.as_str(), reset.id), ("reset", last));
        streams.push(stream);
    }
    // The last id itself is there.
    streams.push(follow(&api, &format!("?after={last}")).await);
    let id = canceled(&api).await;
    for mut stream in streams {
        assert_eq!(stream.next().await.unwrap().data["callback"], id.to_string(), "it goes on");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_sees_the_lines_of_its_own_tenant() {
    let api = api().await;
    let stranger = with_token(&api, |token| token.tenant = "other".parse().unwrap()).await;
    let mut theirs = Followed::of(ask(&api, &stranger, "", None).await).await;
    canceled(&api).await;
    let request = Request::post("/v1/callbacks").header("authorization", format!("Bearer {stranger}"));
    let request = request.header("content-type", "application/json").header("x-request-id", "req-2");
    let order = super::harness::order(Value::Null).to_string();
    let ordered = super::harness::answer(&api.router, request.body(Body::from(order)).unwrap()).await;
    let own = ordered.id();
    let request = Request::post(format!("/v1/callbacks/{own}/cancel"));
    let request =
        request.header("authorization", format!("Bearer {stranger}")).header("x-request-id", "req-3");
    super::harness::answer(&api.router, request.body(Body::empty()).unwrap()).await;
    api.fold().await;
    assert_eq!(theirs.next().await.unwrap().data["callback"], own.to_string());
}

#[tokio::test(start_paused = true)]
async fn lines_can_be_chosen_by_the_beginning_of_their_code() {
    let api = api().await;
    let mut attempts = follow(&api, "?what=attempt.").await;
    let mut closed = follow(&api, "?what=callback.c").await;
    let id = canceled(&api).await;
    assert_eq!(closed.next().await.unwrap().data["callback"], id.to_string());
    api.app.event_places.close();
    assert!(attempts.next().await.is_none(), "nothing of an attempt was told before the end");
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_its_token() {
    let api = api().await;
    let mut hash = [0; 32];
    let token = with_token(&api, |token| hash = token.hash).await;
    let mut stream = Followed::of(ask(&api, &token, "", None).await).await;
    assert!(api.store.shared().revoke_token(hash).await.unwrap());
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let api = api().await;
    for (query, name) in [
        ("?after=-1", "after"),
        ("?after=x", "after"),
        ("?after=9223372036854775808", "after"),
        ("?what=Attempt", "what"),
        ("?from=1", "from"),
    ] {
        let answer = api.get(&format!("/v1/events{query}")).await;
        assert_eq!(answer.code(), "query.invalid", "{query}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(name), "{}", answer.text);
    }
    let answer = super::harness::answer(
        &api.router,
        Request::get("/v1/events")
            .header("authorization", format!("Bearer {}", api.token))
            .header("x-request-id", "req-1")
            .header("last-event-id", "x")
            .body(Body::empty())
            .unwrap(),
    )
    .await;
    assert_eq!(answer.code(), "query.invalid");
}
