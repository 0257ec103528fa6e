//! Speed on one core: documents, signatures, decisions, lists, checks of suppression lists, phone numbers.
//!
//! `cargo bench --bench micro`.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "kit/figures.rs"]
mod figures;
#[path = "kit/forms.rs"]
mod forms;
#[path = "kit/rows.rs"]
mod rows;

#[path = "kit/suppressed.rs"]
mod suppressed;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use figures::{ROUNDS, head, row, wanted};
use jiff::{SignedDuration, Timestamp};
use ringmaster::config::Config;
use ringmaster::daemon::rules;
use ringmaster::domain::{
    AccountView, AgentTarget, Calendars, Country, LegOrder, Load, Name, Pair, PersonId, Phone, Resource,
    Sender,
};
use ringmaster::import::{Options, Rows};
use ringmaster::policy::{Candidate, PersonView, Situation, next_step};
use ringmaster::traces::Traces;
use ringmaster::twilio::forms::Form;
use ringmaster::twilio::signature::{Key, Payload, Signed, Verifier};
use ringmaster::twiml::{Library, Values};
use secrecy::SecretString;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often a call asks whether it is traced: in its turns, at its requests and at its webhooks.
const TRACE_QUESTIONS: usize = 16;
/// The length of one round.
const ROUND: Duration = Duration::from_secs(1);

fn main() {
    head();
    documents();
    signatures();
    decisions();
    lists();
    suppressions();
    let mut n = 0;
    measure("phone", "a phone number parsed", "", || {
        n = (n + 1) % NUMBERS.len();
        black_box(Phone::parse(black_box(NUMBERS[n])).is_ok());
    });
}

const NUMBERS: [&str; 4] = ["+5511987654321", "+14155552671", "+4915112345678", "+6591234567"];

/// How many rows the lists have that are imported.
const LIST_ROWS: u32 = 100_000;

/// Lists of callbacks, read from the first byte to the last order.
fn lists() {
    // The goals are for two cores.
    for (what, target, country, number) in [
        ("rows of a list read, in E.164", "50,000 /s", None, "+55119"),
        ("rows of a list read, as people write them", "15,000 /s", Country::parse("BR"), "(11) 9"),
    ] {
        if !wanted("import") {
            continue;
        }
        let mut list = "phone;reference;var.name\n".to_owned();
        for row in 0..LIST_ROWS {
            list.push_str(&format!("{number}{row:08};r-{row};Ana\n"));
        }
        let rates = (0..=ROUNDS).map(|_| {
            let began = Instant::now();
            let options = Options { default_country: country, ..Options::default() };
            let rows = Rows::open(list.as_bytes(), options).expect("the list has a header");
            let good = rows.flatten().filter(|row| black_box(row).order.is_ok()).count();
            assert_eq!(good, LIST_ROWS as usize);
            f64::from(LIST_ROWS) / began.elapsed().as_secs_f64()
        });
        let rates: Vec<f64> = rates.collect();
        row(what, "/s", target, rates[1..].to_vec());
    }
}

/// The goal is under 2 µs for a spelling.
const SPELLINGS: &str = "500,000";

fn suppressions() {
    let hasher = suppressed::hasher();
    let mut n = 0;
    measure("suppression", "the hash of one spelling", SPELLINGS, || {
        n = (n + 1) % NUMBERS.len();
        let number = Phone::parse(NUMBERS[n]).expect("it is a number");
        black_box(hasher.of_name(&Name::Number(black_box(number))));
    });
    if !wanted("suppression") {
        return;
    }
    let shelf = suppressed::Shelf::filled();
    for (what, asked) in [
        ("a spelling checked, of people with two on no list of 100,000", suppressed::Asked::OnNone),
        ("a spelling checked, of people with two on a list of 100,000", suppressed::Asked::OnOne),
    ] {
        let rates = (0..=ROUNDS).map(|_| {
            let (began, mut spellings) = (Instant::now(), 0);
            while began.elapsed() < ROUND {
                spellings += shelf.check(asked);
            }
            f64::from(spellings) / began.elapsed().as_secs_f64()
        });
        // The first round warms up.
        let rates: Vec<f64> = rates.collect();
        row(what, "/s", SPELLINGS, rates[1..].to_vec());
    }
}

fn documents() {
    let library = Library::embedded();
    let agent: AgentTarget = "client:alice".parse().expect("this is an agent");
    let workflow = "WW00000000000000000000000000000001";
    let url = "https://calls.example.com/hooks/calls/AZ8xYnFwfKmQ4b7aYz0c5w3v9uQ2hJ1rT6kLmN8pXyE/action";
    for name in ["agent-first", "enqueue"] {
        let document = library.document(name).expect("it is shipped");
        let values = Values {
            sender: rows::sender(),
            consumer: Some(rows::consumer(1)),
            agent: Some(&agent),
            callback: "01990000-0000-7000-8000-000000000001",
            attempt: "01990000-0000-7000-8000-000000000002",
            reference: Some("order-4711"),
            action_url: url,
            leg_status_url: url,
            recording_url: url,
            variables: &|name| (name == "workflow").then_some(workflow),
            is_our_sender: &|_| true,
        };
        measure("twiml", &format!("the document `{name}` rendered"), "200,000", || {
            black_box(document.render(black_box(&values))).expect("the values fit");
        });
    }
}

fn signatures() {
    let url = "https://calls.example.com/hooks/calls/AZ8xYnFwfKmQ4b7aYz0c5w3v9uQ2hJ1rT6kLmN8pXyE/status";
    let pairs = forms::status(1, 1, Timestamp::constant(1_790_000_000, 0));
    let body = forms::encode(&pairs);
    let key = || Key::auth_token(&SecretString::from("0123456789abcdef0123456789abcdef"));
    let signature = key().sign(url, Payload::Form(Form::parse(body.as_bytes()).pairs()));
    let verifier = Verifier::new(vec![key()]);
    measure("signature", "a form of 25 parameters parsed and its signature checked", "150,000", || {
        let form = Form::parse(black_box(body.as_bytes()));
        let signed =
            Signed { url, payload: Payload::Form(form.pairs()), signature: Some(&signature), settings: None };
        black_box(verifier.verify(&signed)).expect("the signature is right");
    });
}

fn decisions() {
    let now = Timestamp::constant(1_790_000_000, 0);
    let sender = Sender::new(rows::sender(), "main");
    let mut callback = rows::callback(1, now, now);
    callback.order.hours = "mon-fri 00:00-24:00, sat-sun 00:00-24:00 @America/Sao_Paulo".parse().ok();
    let connected = (1..=3).map(|hours| now - SignedDuration::from_hours(hours)).collect();
    let pair = Pair { connected, ..rows::permitted_pair(1) };
    let account = AccountView { paused: None, next_call_at: Timestamp::MIN };
    let candidates = [Candidate {
        sender: &sender,
        pair: pair.clone(),
        load: vec![Load {
            resource: Resource::Sender(sender.number),
            live: 7,
            offered: 0,
            own_max: None,
            next_at: None,
            pool: None,
        }],
        account: account.clone(),
        paused: None,
        pauses: Vec::new(),
        contents: Vec::new(),
        rests: BTreeMap::new(),
        paused_parts: Vec::new(),
    }];
    let rules = rules(&Config::default());
    let situation = Situation {
        callback: &callback,
        document: Some(LegOrder::ConsumerFirst),
        candidates: candidates.into(),
        budget: None,
        person: PersonView::unknown(PersonId::of(rows::consumer(1))),
        contacts: BTreeMap::new(),
        calendars: Calendars::default(),
        list_terms: Vec::new().into(),
        held: None,
    };
    measure("policy", "the next step of a callback that may be called now", "", || {
        black_box(next_step(black_box(now), black_box(&situation), &rules));
    });
    // What a call asks of the traces in all its turns, requests and webhooks while nothing is recorded. One in a hundred of
    // the decisions above is what they may cost.
    let traces = Traces::default();
    measure("traces", "a call with all questions of traces that are off", "", || {
        for _ in 0..TRACE_QUESTIONS {
            black_box(black_box(&traces).of(black_box(&callback)));
        }
    });
}

fn measure(name: &str, what: &str, target: &str, mut work: impl FnMut()) {
    if !wanted(name) {
        return;
    }
    let rates = (0..=ROUNDS).map(|_| {
        let began = Instant::now();
        let mut count = 0_u32;
        while began.elapsed() < ROUND {
            (0..100).for_each(|_| work());
            count += 100;
        }
        f64::from(count) / began.elapsed().as_secs_f64()
    });
    // The first round warms up.
    let rates: Vec<f64> = rates.collect();
    row(what, "/s", target, rates[1..].to_vec());
}
