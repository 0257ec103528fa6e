//! Read access to the Calls resource: one call, filtered lists, and the events of a call.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::World;
use super::calls::seconds;
use super::listing::Page;
use super::rest::{Asked, Served};
use super::state::{Call, CallId, Party};
use super::wire::{ApiResponse, Fields, Refusal, rfc2822};

impl World {
    pub(super) fn fetch_call(&self, asked: &Asked<'_>, sid: &str) -> Served {
        Ok(ApiResponse::json(200, &self.call_resource(self.find_call(asked, sid)?)))
    }

    pub(super) fn list_calls(&self, asked: &Asked<'_>) -> Served {
        let account = &self.accounts[asked.account];
        let query = &asked.query;
        let times = [
            Bound::parse(query, "StartTime", |call| call.started)?,
            Bound::parse(query, "EndTime", |call| call.ended)?,
        ];
        let parent = query.value("ParentCallSid").map(|sid| self.call_ids.get(sid).copied());
        // The narrowest list that holds every possible match: most queries filter by parent or by To.
        let candidates: &[CallId] = match (parent, query.value("To")) {
            (Some(None), _) => &[],
            (Some(Some(parent)), _) => &self.calls[parent].children,
            (None, Some(to)) => account.calls_to.get(to).map_or(&[], Vec::as_slice),
            (None, None) => &account.calls,
        };
        let mut page = Page::asked(query, 50, candidates.len());
        let same = |name, value: &str| query.value(name).is_none_or(|wanted| wanted == value);
        let picked = page.pick(candidates, |id| {
            let call = &self.calls[id];
            !call.deleted
                && call.account == asked.account
                && same("To", &call.to)
                && same("From", &call.from)
                && same("Status", call.status.in_resource())
                && times.iter().flatten().all(|bound| bound.holds(call))
        });
        let items = picked.into_iter().map(|id| self.call_resource(id)).collect();
        Ok(page.v2010(asked, "calls", items))
    }

    pub(super) fn list_call_events(&self, asked: &Asked<'_>, sid: &str) -> Served {
        let call = &self.calls[self.find_call(asked, sid)?];
        let newest_last: Vec<_> = (0..call.exchanges.len()).rev().collect();
        let mut page = Page::asked(&asked.query, 50, newest_last.len());
        let picked = page.pick(&newest_last, |_| true);
        let items = picked.into_iter().map(|index| {
            let exchange = &call.exchanges[index];
            let parameters: Map<_, _> =
                exchange.params.iter().map(|(name, value)| (snake_case(name), json!(value))).collect();
            json!({
                "request": {"method": exchange.method, "url": exchange.url, "parameters": parameters},
                "response": {
                    "response_code": exchange.status,
                    "request_duration": 50,
                    "content_type": exchange.content_type,
                    "response_body": exchange.body,
                    "date_created": rfc2822(exchange.at),
                },
            })
        });
        let items = items.collect();
        Ok(page.v2010(asked, "events", items))
    }

    pub(super) fn list_call_notes(&self, asked: &Asked<'_>, sid: &str) -> Served {
        let call = &self.calls[self.find_call(asked, sid)?];
        let account = &self.accounts[call.account].sid;
        let mut page = Page::asked(&asked.query, 50, call.notes.len());
        let items = page.pick(&call.notes, |_| true).into_iter().map(|note| {
            let note = &self.alerts[note];
            let at = rfc2822(note.at);
            json!({
                "sid": note.sid,
                "account_sid": account,
                "call_sid": call.sid,
                "api_version": "2010-04-01",
                "error_code": note.code.to_string(),
                "log": if note.code == 15003 { "1" } else { "0" },
                "message_text": note.text,
                "message_date": at,
                "more_info": format!("https://www.twilio.com/docs/errors/{}", note.code),
                "request_method": null,
                "request_url": note.url,
                "date_created": at,
                "date_updated": at,
                "uri": format!("/2010-04-01/Accounts/{account}/Calls/{}/Notifications/{}.json", call.sid, note.sid),
            })
        });
        let items = items.collect();
        Ok(page.v2010(asked, "notifications", items))
    }

    pub(super) fn call_resource(&self, id: CallId) -> Value {
        let call = &self.calls[id];
        let account = &self.accounts[call.account].sid;
        let own = format!("/2010-04-01/Accounts/{account}/Calls/{}", call.sid);
        let under = |name: &str| format!("{own}/{name}.json");
        let duration = call.answered.zip(call.ended).map(|(from, to)| seconds(from, to).to_string());
        let phone = match call.party {
            Party::Agent => None,
            Party::Consumer(pair) | Party::Caller(pair) => {
                Some(self.senders[self.pairs[pair].sender].sid.replacen("XE", "PN", 1))
            }
        };
        json!({
            "sid": call.sid,
            "account_sid": account,
            "parent_call_sid": call.parent.map(|parent| self.calls[parent].sid.as_str()),
            "to": call.to,
            "to_formatted": call.to,
            "from": call.from,
            "from_formatted": call.from,
            "phone_number_sid": phone,
            "status": call.status.in_resource(),
            "start_time": call.started.map(rfc2822),
            "end_time": call.ended.map(rfc2822),
            "duration": duration.or_else(|| call.ended.map(|_| "0".to_owned())),
            "price": null,
            "price_unit": "USD",
            "direction": call.direction,
            "answered_by": null,
            "api_version": "2010-04-01",
            "forwarded_from": null,
            "group_sid": null,
            "caller_name": null,
            "queue_time": call.queue_time_ms.to_string(),
            "trunk_sid": null,
            "uri": format!("{own}.json"),
            "subresource_uris": {
                "notifications": under("Notifications"),
                "recordings": under("Recordings"),
                "payments": under("Payments"),
                "events": under("Events"),
                "siprec": under("Siprec"),
                "streams": under("Streams"),
                "transcriptions": under("Transcriptions"),
                "user_defined_message_subscriptions": under("UserDefinedMessageSubscriptions"),
                "user_defined_messages": under("UserDefinedMessages"),
            },
            "date_created": rfc2822(call.created),
            "date_updated": rfc2822(call.updated),
        })
    }
}

/// Filters by `StartTime` (on that day), `StartTime<` (up to it) and `StartTime>` (from it on). A call
/// without a start time, such as a queued one, matches none of them.
struct Bound {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    time: fn(&Call) -> Option<Timestamp>,
}

impl Bound {
    fn parse(
        query: &Fields,
        name: &str,
        time: fn(&Call) -> Option<Timestamp>,
    ) -> Result<Option<Self>, Refusal> {
        let value = |suffix: &str| query.value(&format!("{name}{suffix}")).map(Moment::parse).transpose();
        let (on, before, after) = (value("")?, value("<")?, value(">")?);
        if on.is_none() && before.is_none() && after.is_none() {
            return Ok(None);
        }
        let from = on.or(after).map(|moment| moment.first);
        let until = on.or(before).map(|moment| moment.last);
        Ok(Some(Self { from, until, time }))
    }

    fn holds(&self, call: &Call) -> bool {
        (self.time)(call).is_some_and(|at| {
            self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at <= until)
        })
    }
}

/// Parses a UTC day or a timestamp. Returns the first and the last instant that it covers.
#[derive(Clone, Copy)]
struct Moment {
    first: Timestamp,
    last: Timestamp,
}

impl Moment {
    fn parse(text: &str) -> Result<Self, Refusal> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self { first: at, last: at });
        }
        let day = text.parse::<Date>().ok().and_then(|date| date.to_zoned(TimeZone::UTC).ok());
        let first = day.ok_or_else(|| Refusal::bad_request(20001, "Invalid date"))?.timestamp();
        let last = first + SignedDuration::from_hours(24) - SignedDuration::from_nanos(1);
        Ok(Self { first, last })
    }
}

/// Converts `CallSid` to `call_sid`, as the events resource writes parameters.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for char in name.chars() {
        if char.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
    }
    snake
}
