//! Pages of lists. A page token holds the length of the list at the first page, so that items created later
//! do not shift the pages.

use serde_json::{Map, Value, json};

use super::rest::Asked;
use super::wire::{ApiResponse, Fields};

/// The requested part of a list.
pub(super) struct Page {
    number: usize,
    size: usize,
    snapshot: usize,
    more: bool,
}

impl Page {
    /// Reads `PageSize` (at most 1,000), `Page` and `PageToken`.
    pub(super) fn asked(query: &Fields, default_size: usize, length: usize) -> Self {
        let number = |name| query.value(name).and_then(|text| text.parse().ok());
        let token = query.value("PageToken").and_then(|token| token.strip_prefix("PA"));
        let snapshot = token.and_then(|digits| usize::from_str_radix(digits, 16).ok()).unwrap_or(length);
        Self {
            number: number("Page").unwrap_or(0),
            size: number("PageSize").unwrap_or(default_size).clamp(1, 1_000),
            snapshot: snapshot.min(length),
            more: false,
        }
    }

    /// The items of this page, newest first.
    pub(super) fn pick(&mut self, items: &[usize], mut wanted: impl FnMut(usize) -> bool) -> Vec<usize> {
        let newest_first = items[..self.snapshot].iter().rev().copied().filter(|&item| wanted(item));
        let start = self.number.saturating_mul(self.size);
        let mut picked: Vec<_> = newest_first.skip(start).take(self.size + 1).collect();
        self.more = picked.len() > self.size;
        picked.truncate(self.size);
        picked
    }

    fn link(&self, asked: &Asked<'_>, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in asked.query.pairs() {
            if !matches!(name.as_str(), "Page" | "PageSize" | "PageToken") {
                query.append_pair(name, value);
            }
        }
        query.append_pair("PageSize", &self.size.to_string()).append_pair("Page", &page.to_string());
        if page > 0 {
            query.append_pair("PageToken", &format!("PA{:032x}", self.snapshot));
        }
        format!("{}?{}", asked.path, query.finish())
    }

    fn next(&self, asked: &Asked<'_>) -> Option<String> {
        self.more.then(|| self.link(asked, self.number + 1))
    }

    fn previous(&self, asked: &Asked<'_>) -> Option<String> {
        self.number.checked_sub(1).map(|number| self.link(asked, number))
    }

    /// The page format of v2010: relative URLs beside the items.
    pub(super) fn v2010(&self, asked: &Asked<'_>, key: &str, items: Vec<Value>) -> ApiResponse {
        let start = self.number * self.size;
        let mut body = Map::new();
        body.insert("page".into(), json!(self.number));
        body.insert("page_size".into(), json!(self.size));
        body.insert("start".into(), json!(start));
        body.insert("end".into(), json!((start + items.len()).saturating_sub(1)));
        body.insert("uri".into(), json!(self.link(asked, self.number)));
        body.insert("first_page_uri".into(), json!(self.link(asked, 0)));
        body.insert("previous_page_uri".into(), json!(self.previous(asked)));
        body.insert("next_page_uri".into(), json!(self.next(asked)));
        body.insert(key.into(), Value::Array(items));
        ApiResponse::json(200, &Value::Object(body))
    }

    /// The page format of the newer products: absolute URLs in `meta`.
    pub(super) fn meta(&self, asked: &Asked<'_>, key: &str, items: Vec<Value>) -> ApiResponse {
        let whole = |link: String| format!("{}{link}", asked.origin);
        let mut body = Map::new();
        body.insert(
            "meta".into(),
            json!({
                "key": key,
                "page": self.number,
                "page_size": self.size,
                "url": whole(self.link(asked, self.number)),
                "first_page_url": whole(self.link(asked, 0)),
                "previous_page_url": self.previous(asked).map(whole),
                "next_page_url": self.next(asked).map(whole),
            }),
        );
        body.insert(key.into(), Value::Array(items));
        ApiResponse::json(200, &Value::Object(body))
    }
}
