//! Reads each number and each page once at Meta at the start: with a wrong id or token everything would be refused, and with
//! the id of another number consumers would be invited by one number and called from another. So the daemon does not start.
//! It looks at nothing else; `doctor` examines the rest.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;

use super::meta;
use crate::config::Config;
use crate::domain::Phone;
use crate::meta::graph::with_query;
use crate::meta::number::is_another;
use crate::meta::{Graph, GraphError, Refusal};

/// How long the start waits for Meta (our rule).
const LONGEST: Duration = Duration::from_secs(10);

/// What a read of one number or page tells.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Known,
    /// The configuration cannot work.
    Wrong(String),
    /// Meta did not say.
    Untold(String),
}

/// Reads all of them at the same time. One of which Meta does not say whether it is right is a warning.
///
/// # Errors
/// All numbers and pages that Meta does not know with their token.
pub(super) async fn check(config: &Config) -> anyhow::Result<()> {
    let graphs = meta::graphs(config)?;
    let number = config.meta.iter().map(|(alias, own)| {
        (alias, format!("meta.{alias}"), "phone_number_id", own.phone_number_id.as_str(), Some(own.number))
    });
    let page = config
        .messenger
        .iter()
        .map(|(alias, own)| (alias, format!("messenger.{alias}"), "page_id", own.page_id.as_str(), None));
    let reads = number.chain(page).filter_map(|(alias, section, key, id, number)| {
        let graph = graphs.get(alias)?;
        Some(async move {
            let fields = if number.is_some() { "id,display_phone_number" } else { "id" };
            verdict(&section, key, number, &read(graph, id, fields).await)
        })
    });
    let mut wrong = Vec::new();
    for verdict in join_all(reads).await {
        match verdict {
            Verdict::Known => {}
            Verdict::Wrong(told) => wrong.push(told),
            Verdict::Untold(told) => tracing::warn!("{told}"),
        }
    }
    anyhow::ensure!(
        wrong.is_empty(),
        "what is configured does not fit what Meta has: {} (\"ringmaster doctor\" examines the rest)",
        wrong.join("; ")
    );
    Ok(())
}

async fn read(graph: &Graph, id: &str, fields: &str) -> Result<Value, GraphError> {
    let path = with_query(id, &[("fields", fields)]);
    let answer = tokio::time::timeout(LONGEST, graph.read(&path)).await;
    answer.unwrap_or_else(|late| Err(GraphError::Unreachable(Box::new(late))))
}

/// `number` is the configured one.
fn verdict(section: &str, key: &str, number: Option<Phone>, answer: &Result<Value, GraphError>) -> Verdict {
    let is_other = |shown: &Value| {
        let digits = shown["display_phone_number"].as_str().unwrap_or_default();
        number.is_some_and(|number| is_another(digits, number))
    };
    match answer {
        Ok(shown) if is_other(shown) => {
            Verdict::Wrong(format!("{section}.number: {section}.{key} is the id of another number"))
        }
        Ok(_) => Verdict::Known,
        Err(GraphError::Rejected(refusal)) if refusal.is_credentials() => {
            Verdict::Wrong(format!("{section}.token: Meta does not take it: {refusal}"))
        }
        Err(GraphError::NotFound) => Verdict::Wrong(format!("{section}.{key}: Meta knows no such id")),
        Err(GraphError::Rejected(refusal)) if is_hidden(refusal) => Verdict::Wrong(format!(
            "{section}.{key}: its token sees no such id, so one of them is wrong or of something else: {refusal}"
        )),
        Err(error) => Verdict::Untold(format!(
            "{section}.{key}: it is not known whether the id and the token are right: {}",
            told(error)
        )),
    }
}

/// Whether the token sees no such thing, or has no right to it: 100 with the subcode 33, 3, 10, 200 to 299, and 803 (Meta,
/// *Graph API: handle errors* and *WhatsApp error codes*, 18 Jun 2026).
fn is_hidden(refusal: &Refusal) -> bool {
    match (refusal.code, refusal.subcode) {
        (Some(100), Some(33)) | (Some(3 | 10 | 33 | 803), _) => true,
        (Some(code), _) => (200..=299).contains(&code),
        (None, _) => false,
    }
}

fn told(error: &GraphError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(status: u16, code: Option<u32>, subcode: Option<u32>) -> GraphError {
        let message = "no".to_owned();
        GraphError::Rejected(Refusal { status, code, subcode, is_transient: false, message })
    }

    fn found(answer: Result<Value, GraphError>) -> Verdict {
        verdict("meta.cloud", "phone_number_id", Phone::parse("+551151991234").ok(), &answer)
    }

    #[test]
    fn the_id_of_another_number_is_refused() {
        let shown = |number: &str| found(Ok(json!({"id": "1", "display_phone_number": number})));
        assert_eq!(shown("+55 11 5199-1234"), Verdict::Known);
        assert_eq!(found(Ok(json!({"id": "1"}))), Verdict::Known);
        let Verdict::Wrong(told) = shown("+55 11 5199-1235") else { panic!("it is another") };
        assert!(told.starts_with("meta.cloud.number: ") && !told.contains("1235"), "{told}");
        let page = verdict("messenger.page", "page_id", None, &Ok(json!({"id": "1"})));
        assert_eq!(page, Verdict::Known);
    }

    #[test]
    fn a_wrong_id_or_token_is_refused_and_names_its_key() {
        for (answer, key) in [
            (refusal(400, Some(190), None), "meta.cloud.token: "),
            (refusal(401, None, None), "meta.cloud.token: "),
            (refusal(401, Some(0), None), "meta.cloud.token: "),
            (refusal(400, Some(100), Some(33)), "meta.cloud.phone_number_id: "),
            (refusal(403, Some(10), None), "meta.cloud.phone_number_id: "),
            (refusal(403, Some(200), None), "meta.cloud.phone_number_id: "),
            (refusal(403, Some(299), None), "meta.cloud.phone_number_id: "),
            (refusal(500, Some(3), None), "meta.cloud.phone_number_id: "),
            (GraphError::NotFound, "meta.cloud.phone_number_id: "),
        ] {
            match found(Err(answer)) {
                Verdict::Wrong(told) => assert!(told.starts_with(key), "{told}"),
                other => panic!("{key} {other:?}"),
            }
        }
    }

    #[test]
    fn what_says_nothing_about_the_id_does_not_keep_the_daemon_from_starting() {
        assert_eq!(found(Ok(json!({}))), Verdict::Known);
        for answer in [
            refusal(400, Some(100), None),
            refusal(400, Some(100), Some(34)),
            refusal(400, Some(199), None),
            refusal(400, Some(300), None),
            refusal(400, Some(368), None),
            refusal(400, None, None),
            GraphError::RateLimited { retry_after: None },
            GraphError::Unreachable("nobody answers".into()),
            GraphError::Unexpected("a page of a proxy".into()),
        ] {
            let verdict = found(Err(answer));
            assert!(matches!(verdict, Verdict::Untold(_)), "{verdict:?}");
        }
    }
}
