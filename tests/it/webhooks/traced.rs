//! The traces of deliveries.

use ringmaster::traces::Value;

use super::*;

#[tokio::test]
async fn a_delivery_names_its_span_in_the_trace_of_its_callback() {
    let store: Arc<dyn Store> = Arc::new(SqlStore::in_memory().unwrap());
    keep(&*store, [callback(1)]).await;
    // The second one is about a callback that is not stored, as one about a consumer is.
    let rows = vec![told(1, 1, CLOSED), told(2, 2, CLOSED)];
    store.record(Batch { outbox: rows, ..Batch::default() }).await.unwrap();
    let (traces, mut spans) = Traces::new(1.0, 10, Arc::new(Metrics::default()));
    let mut post = Post::traced(Sink::open().await, store, Duration::from_secs(30), traces);
    let mut seen = [post.sink.next().await, post.sink.next().await];
    seen.sort_by_key(|one| one.header("webhook-id") != id(1));
    let trace: String = callback_id(1).bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let parent = seen[0].header("traceparent").to_owned();
    assert_eq!(parent.split('-').nth(1), Some(&*trace), "{parent}");
    assert_eq!(seen[1].header("traceparent"), "");
    let span = spans.recv().await.unwrap();
    assert_eq!((span.trace.to_string(), span.name), (trace, "webhook"));
    assert_eq!(parent.split('-').nth(2), Some(&*span.id.to_string()));
    assert!(span.attributes.contains(&("ringmaster.result", Value::from("taken"))), "{:?}", span.attributes);
    assert!(spans.try_recv().is_err(), "one trace has one delivery");
}
