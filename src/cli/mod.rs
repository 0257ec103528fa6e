//! The command line.
//!
//! Each command has a file. Output goes to the standard output, `error:` and `hint:` lines to the standard error.
//! The exit code is 1 if a command failed, and 2 if its arguments are wrong.

mod audit;
mod bulk;
mod calendars;
mod callbacks;
mod campaign;
mod clock;
mod config;
mod consent;
mod consumer;
mod content;
pub mod demo;
mod dispositions;
mod doctor;
mod erase;
mod events;
mod export;
mod failure;
mod forecast;
mod import;
mod inbox;
mod invites;
mod limits;
mod lineage;
mod link;
mod migrate;
mod node;
mod offer;
mod openapi;
mod parse_error;
mod pause;
mod permission;
mod person;
mod pool;
mod remote;
mod report;
mod sandbox;
mod scratch;
mod sender;
mod senders;
mod serve;
mod set_aside;
mod settings;
mod simulate;
mod status;
mod stop;
mod store;
mod suppression;
mod table;
mod terminal;
#[cfg(test)]
mod tests;
mod token;
mod twiml;
mod unresolved;
mod values;
mod watchdog;
mod webhooks;

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser, Subcommand};

use terminal::Terminal;

use crate::zone_data;

/// Calls people back on WhatsApp
///
/// A callback is an order to call a consumer. Ringmaster asks for the permission to call, waits for the calling
/// hours, places the call through Twilio at most once for each attempt, connects it with a TwiML document, and
/// explains why a callback waits.
#[derive(Debug, Parser)]
#[command(
    name = "ringmaster",
    version,
    long_version = long_version(),
    max_term_width = 100,
    after_help = "To start: ringmaster demo shows calls within seconds, without an account.\n\
                  Commands that ask a daemon find it by RINGMASTER_URL and RINGMASTER_TOKEN."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, at the start of the program")]
enum Command {
    /// Run the daemon
    ///
    /// Checks the configuration and the TwiML documents, and does not start if one of them has a fault. Stops on SIGTERM
    /// or SIGINT after the requests in progress. Calls in progress continue, and the next start looks them up.
    #[command(after_long_help = "Example:\n  ringmaster serve --config ringmaster.toml")]
    Serve(serve::Serve),
    /// Run a simulated Twilio and WhatsApp, for tests without an account
    ///
    /// Answers as Twilio's API does, and with --meta as WhatsApp's Cloud API and with --page as Messenger, and delivers signed webhooks, with consumers who grant, refuse, answer and
    /// miss calls. The last two digits of a number choose what its consumer does: 01 talks, 02 refuses the
    /// permission, 03 ignores everything, 04 refuses and grants later, 05 never answers a call, 06 rejects calls,
    /// 07 calls when invited, 08 is busy, 09 revokes the permission, 10 grants permanently, 11 answers every
    /// second time; others are drawn from the seed. Prints the configuration that a daemon needs for it.
    /// GET /sandbox/report returns the counts, and every broken rule.
    ///
    /// POST /sandbox/faults injects the faults in its JSON; all others are off. Each is a probability from 0 to 1:
    /// drop_answer (a write is carried out and its answer never arrives), delay_answer (the answer arrives
    /// answer_delay_ms late), webhook_before_answer (the first webhooks arrive before the answer), throttle (429, nothing
    /// is carried out), error_before (503, nothing is carried out), error_after (500, after the write was carried out),
    /// duplicate_webhook, lose_webhook, delay_webhook (up to webhook_delay_ms late). From outage_from to outage_until the
    /// API answers 503 and status webhooks are lost.
    /// Content that is submitted for approval is approved after a minute. Its name decides otherwise: one with "rejected"
    /// is rejected, with "recategorized" it gets the other category, with "paused" or "disabled" it is stopped an hour
    /// after its approval, and with "slow" the review takes an hour longer. --haste shortens the minute and the hour.
    /// Templates of the Cloud API are reviewed in the same way.
    ///
    /// POST /sandbox/call-in, messages, replies, taps, links and preferences let a consumer call, write, answer, tap the
    /// latest button that arrived, open a calling link, and stop marketing messages; their JSON has "sender" and
    /// "consumer". messages has "text", replies an "answer", preferences "marketing", which is true or false. links has a
    /// "link" as ringmaster link prints it, in place of a "sender" and a "payload". An unknown key is refused.
    /// POST /sandbox/consumers/NUMBER sets a "habit", and a "client" with drops_payload, has_no_buttons, is_desktop and
    /// hides_number. POST /sandbox/restrictions restricts an "account" of Meta's (or a page), or ends that without a "restriction",
    /// /sandbox/calls switches the calls of a "phone_number_id" "on", and /sandbox/handshakes checks the webhook URL of
    /// an "app".
    ///
    /// GET /sandbox/pages/PAGE/people/NUMBER has the "psid" by which a page of Messenger knows a consumer, which an order
    /// names. POST /sandbox/pages lets the consumer do something there: its JSON has "page", "consumer", and "does", which
    /// is writes (with "text"), calls, taps or blocks.
    ///
    /// POST /sandbox/pools/NAME sets how many agents of a team are free, reserved, assigned, wrapping and away; NAME is that of
    /// a pool, or the SID of a task queue. GET tells the seats as the URL of a pool does, and TaskRouter's statistics tell them
    /// of a task queue.
    #[command(after_long_help = "Examples:\n  ringmaster sandbox\n  \
                                 ringmaster sandbox --speed 60 --sender +442079460000 --sender +442079460001\n  \
                                 curl -X POST http://127.0.0.1:4010/sandbox/faults -H 'Content-Type: \
                                 application/json' -d '{\"throttle\": 0.2}'")]
    Sandbox(sandbox::Sandbox),
    /// Watch sample callbacks run against the simulated world
    ///
    /// Starts a daemon on a temporary store and a simulated Twilio and WhatsApp, orders sample callbacks and shows their
    /// progress: a table on a terminal, a line for each change elsewhere. Needs no account and leaves no files.
    #[command(after_long_help = "Examples:\n  ringmaster demo\n  \
                                 ringmaster demo --callbacks 200 --speed 600 --exit-when-idle\n  \
                                 ringmaster demo --campaign --callbacks 40 --exit-when-idle")]
    Demo(demo::Demo),
    /// Simulate days of a daemon and its world from seeds, and search for problems
    ///
    /// Each seed determines customers, consumers, calling hours, limits, faults of the platform, clock steps and the times
    /// at which the daemon is killed. A day takes milliseconds, and the same seed gives the same run. Stops and fails at
    /// the first seed in which a rule of the platforms was broken, a callback was lost or a slot was leaked.
    #[command(after_long_help = "Examples:\n  ringmaster simulate --seeds 1000\n  \
                                 ringmaster simulate --seed 42 --trace")]
    Simulate(simulate::Simulate),
    /// Order a callback, or many from a file
    ///
    /// When the command ends without an error, the daemon has stored the callbacks. After a lost answer, it can be
    /// repeated with the same --idempotency-key.
    #[command(override_usage = "ringmaster enqueue --consumer <NUMBER> --document <NAME> [OPTIONS]\n       \
                                ringmaster enqueue --file <FILE> [OPTIONS]")]
    #[command(after_long_help = "Examples:\n  \
        ringmaster enqueue --consumer +447700900101 --document dial-client --agent client:alice\n  \
        ringmaster enqueue --consumer +447700900101 --document message --var message='Hello.' --latest +8h\n  \
        ringmaster enqueue --file callbacks.ndjson")]
    Enqueue(Box<callbacks::Enqueue>),
    /// Order the callbacks of a list: CSV, NDJSON or JSON
    ///
    /// The first row of CSV has the names of the columns. A column is known by its name in English, Portuguese, Spanish,
    /// French, German or Hindi, by the name of the field in the API, or by --map; others are not used. Each row is accepted
    /// or refused individually. Rows that call the same person are found under every spelling of the number. The command can
    /// be repeated after it was stopped: each row is ordered once. With the same --name, a corrected list orders the rows
    /// that were refused before. Exits with 1 if rows are refused.
    #[command(after_long_help = "Examples:\n  \
        ringmaster import leads.csv --document dial-client --dry-run --refused refused.csv\n  \
        ringmaster import leads.csv --document dial-client --name leads-november\n  \
        ringmaster import leads.csv --default-country BR --map Contato=consumer --document message --var message=Hello")]
    Import(import::Import),
    /// List callbacks, newest first
    #[command(after_long_help = "Examples:\n  ringmaster list --status waiting\n  \
                                 ringmaster list --abandoned --status waiting\n  \
                                 ringmaster list --consumer +447700900101 --json")]
    List(callbacks::List),
    /// Show a callback with its attempts and messages
    #[command(after_long_help = "Example:\n  \
                                 ringmaster show cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --timeline")]
    Show(callbacks::Show),
    /// Explain why a callback is in its state, and what would change that
    #[command(after_long_help = "Example:\n  ringmaster explain cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Explain(callbacks::One),
    /// Cancel a callback
    ///
    /// A waiting callback closes at once; one with an attempt in progress closes when the attempt has ended.
    #[command(after_long_help = "Example:\n  ringmaster cancel cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Cancel(callbacks::One),
    /// Change the times or the priority of a waiting callback
    #[command(after_long_help = "Example:\n  \
        ringmaster reschedule cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --earliest +2h --latest +10h")]
    Reschedule(callbacks::Reschedule),
    /// Allow one more attempt in spite of the streak guard
    ///
    /// WhatsApp revokes the permission after too many missed calls in a row, so Ringmaster stops before that. Only this
    /// command overrides it, for one attempt of one waiting callback. All other rules still apply.
    #[command(after_long_help = "Example:\n  \
        ringmaster allow-attempt cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --reason asked-by-mail")]
    AllowAttempt(callbacks::AllowAttempt),
    /// Contact the consumer of a callback no more today
    ///
    /// No call, permission request or invite leaves for this callback before the consumer's midnight. A call in progress goes
    /// on. A new earliest time (ringmaster reschedule) ends it.
    #[command(after_long_help = "Example:\n  \
        ringmaster not-today cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --reason the-call-may-have-reached-her")]
    NotToday(callbacks::NotToday),
    /// Say what came of a call, with what follows from it
    ///
    /// The disposition's effect in the configuration is carried out at once: another callback at a time, an entry of a
    /// suppression list, or the end of the number for the order's reference. A second one is a correction.
    #[command(after_long_help = "Examples:\n  \
        ringmaster wrap-up cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --disposition done --note paid --agent alice\n  \
        ringmaster wrap-up cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --disposition call_again --callback-at +1d")]
    WrapUp(callbacks::WrapUp),
    /// List what agents may say of calls, with what follows from it
    #[command(after_long_help = "Example:\n  ringmaster dispositions")]
    Dispositions(dispositions::Dispositions),
    /// List callbacks that are offered to agents, and accept, skip or close them
    #[command(subcommand)]
    Offer(offer::Command),
    /// Order, list, show, explain and cancel invites, which place no call
    #[command(subcommand)]
    Invite(invites::Command),
    /// Make a link by which a consumer calls, as text or as a QR code
    ///
    /// For a callback or an invite, the link has a payload: the consumer's call closes it. Only a call of this consumer
    /// counts. Without one, the link of a sender has no payload, and no daemon is asked. WhatsApp does not open such links
    /// on computers; clients before version 2.25.27 leave the payload out, and Twilio does not tell it. That a link is given
    /// out is recorded: after that an answered call of the consumer to that sender closes the callback or invite.
    #[command(override_usage = "ringmaster link <ORDER> [OPTIONS]\n       \
                                ringmaster link --sender <NUMBER> [OPTIONS]")]
    #[command(after_long_help = "Examples:\n  ringmaster link cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f\n  \
                                 ringmaster link inv_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --output link.png\n  \
                                 ringmaster link --sender +551151991234 --format qr")]
    Link(link::Link),
    /// List the attempts in progress
    #[command(after_long_help = "Example:\n  ringmaster attempts --unknown")]
    Attempts(unresolved::List),
    /// List the messages that wait for the platform's confirmation or the consumer's reply
    ///
    /// With --unknown, only the messages that may not have been sent.
    #[command(after_long_help = "Example:\n  ringmaster messages --unknown")]
    Messages(unresolved::List),
    /// Resolve an unresolved attempt or message
    ///
    /// If Twilio's API cannot tell whether a call or message exists, look into Twilio's console and record what you found.
    /// An attempt that ended as abandoned may be resolved as completed, if no report says that nobody was there.
    /// A later report of Twilio overrides it if it says more. The timeline has the resolution with the token's name.
    #[command(after_long_help = "Examples:\n  \
        ringmaster resolve at_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f not_placed --note not-in-the-call-log\n  \
        ringmaster resolve at_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f no_answer \
        --sid CA0123456789abcdef0123456789abcdef\n  \
        ringmaster resolve ms_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f not_sent")]
    Resolve(unresolved::Resolve),
    /// Hold an attempt of unknown fate for a day
    ///
    /// Meanwhile no time-out settles it. What Twilio says of it, and a resolution, count as before. With --release it is held
    /// no more.
    #[command(after_long_help = "Examples:\n  \
        ringmaster hold at_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f\n  \
        ringmaster hold at_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --release")]
    Hold(unresolved::Hold),
    /// Follow what happens, line by line, as it is recorded
    ///
    /// Prints the lines of the timelines of all callbacks and invites that the token may see, in the order in which they
    /// were committed. If the stream ends, it is opened again after the last line, so that none is lost or told twice.
    #[command(after_long_help = "Examples:\n  ringmaster events\n  \
                                 ringmaster events --after 0 --what callback.closed --json")]
    Events(events::Events),
    /// List reports of the platform that could not be applied
    Inbox(inbox::Inbox),
    /// List, retry or drop items at which the daemon failed
    #[command(subcommand)]
    SetAside(set_aside::Command),
    /// Tell whether the store is the one that was last written, and release one that is not
    #[command(subcommand)]
    Lineage(lineage::Command),
    /// Confirm the machine's clock after it jumped
    #[command(subcommand)]
    Clock(clock::Command),
    /// Bring the schema of the store to the version of this program
    ///
    /// The daemon does so when it starts. Use this command to do it before, with a user of the database that may create
    /// tables. Daemons of the version before go on meanwhile.
    #[command(after_long_help = "Example:\n  ringmaster migrate")]
    Migrate(migrate::Migrate),
    /// Copy the store for a backup
    #[command(subcommand)]
    Store(store::Command),
    /// Show the callbacks by state and outcome, and what keeps the daemon from dialling
    #[command(after_long_help = "Example:\n  ringmaster status")]
    Status(status::Status),
    /// Pause calls, permission requests and invites: all, or those of an account, a sender or to a consumer
    ///
    /// From the answer on nothing leaves that the pause holds, until it ends or is lifted. Calls in progress go on and
    /// consumers' calls are answered. Deadlines pass and permissions end meanwhile; the answer says how many.
    #[command(subcommand)]
    Pause(pause::Pause),
    /// Lift pauses
    ///
    /// Lifts those with exactly this scope and name, or one by its id.
    #[command(
        after_long_help = "Examples:\n  ringmaster resume all\n  ringmaster resume sender +551151991234\n  \
                                 ringmaster resume ps_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f"
    )]
    Resume(pause::Resume),
    /// List the pauses in force
    #[command(after_long_help = "Example:\n  ringmaster pauses")]
    Pauses(pause::Pauses),
    /// List calendars, show, close and open their days, and try calling hours at a moment
    #[command(subcommand)]
    Calendars(calendars::Command),
    /// Create, launch, pause and end campaigns: callbacks that go together
    #[command(subcommand)]
    Campaign(campaign::Command),
    /// Change many callbacks at once: prepare, confirm, follow and stop it
    #[command(subcommand)]
    Bulk(bulk::Command),
    /// Feed pools of agents, list and show their seats, and remove them
    #[command(subcommand)]
    Pool(pool::Command),
    /// List the nodes on the store, and change who dials
    #[command(subcommand)]
    Node(node::Command),
    /// Report what came of the callbacks: answer rate, permissions, agents, cost and others
    ///
    /// The numbers are those of the token's tenant, from counts that the daemon keeps. A day is closed 48 hours after its
    /// end; what changes after that is shown apart. docs/REPORTS.md explains each number.
    #[command(
        after_long_help = "Examples:\n  ringmaster report\n  ringmaster report answer-rate --by weekday\n  \
        ringmaster report outcomes --from 2026-11-01 --to 2026-11-30 --format csv --out november.csv"
    )]
    Report(Box<report::Report>),
    /// List the senders with their calls in progress and pauses
    #[command(after_long_help = "Example:\n  ringmaster senders")]
    Senders(senders::Senders),
    /// List the senders at Twilio, and activate or deactivate their calls
    #[command(subcommand)]
    Sender(sender::Command),
    /// Find out what keeps calls from working: credentials, senders, webhooks, content and recent errors
    ///
    /// Asks Twilio, Meta and the server of a PostgreSQL store, and changes nothing. Each finding has a code, what was found, why it matters, and the command or the
    /// click that mends it (docs/DOCTOR.md). Hints are about what cannot be read or works all the same. Exits with 0 without
    /// faults and warnings, with 1 if there are warnings, with 2 if there are faults.
    #[command(after_long_help = "Examples:\n  ringmaster doctor --config ringmaster.toml\n  \
                                 ringmaster doctor --config ringmaster.toml --json")]
    Doctor(doctor::Doctor),
    /// Show or change the call permission of a sender and a consumer
    #[command(subcommand)]
    Permission(permission::Command),
    /// Add people whom nobody calls or writes to, and check, remove, list and import them
    #[command(subcommand)]
    Suppression(suppression::Command),
    /// Print everything that is stored of one person, as JSON, for a request of access
    ///
    /// The names, refusals, permissions, entries of suppression lists, and all orders of all tenants with their consents,
    /// attempts and messages. Numbers and user ids are complete only for a token with the scope reveal. What Twilio, Meta,
    /// backups and logs hold is not in it.
    #[command(after_long_help = "Example:\n  ringmaster export +5511987654321 > person.json")]
    Export(export::Export),
    /// Set the time zones of a person
    #[command(subcommand)]
    Consumer(consumer::Command),
    /// Erase the data of a person, in every table and of all tenants
    ///
    /// It cannot be undone. Open orders are canceled, calls in progress are hung up, and the person stays suppressed. What
    /// Twilio and Meta, backups, logs and your own systems hold is not erased. It needs a token with the scope admin.
    #[command(after_long_help = "Example:\n  ringmaster erase +5511987654321 --why asked-by-mail")]
    Erase(erase::Erase),
    /// Show how far an erasure is, and what platforms still hold
    #[command(after_long_help = "Example:\n  ringmaster erasure er_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Erasure(erase::Show),
    /// Deliver the webhooks of a callback again
    ///
    /// All its webhooks are sent again, in order, unchanged and with the same ids.
    #[command(after_long_help = "Example:\n  ringmaster replay cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Replay(callbacks::One),
    /// Show the state of the webhook endpoint, or enable it again
    #[command(subcommand)]
    Webhooks(webhooks::Command),
    /// Check, render and list TwiML documents
    #[command(subcommand)]
    Twiml(twiml::Command),
    /// Check, create and follow declared content: permission requests and invites
    #[command(subcommand)]
    Content(content::Command),
    /// Check a configuration, or print every key with its default
    #[command(subcommand)]
    Config(config::Command),
    /// Create, list and revoke API tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Add, list, change and remove the people who sign in
    #[command(subcommand)]
    Person(person::Command),
    /// Print the audit log: who did what, when and from where
    #[command(after_long_help = "Examples:\n  ringmaster audit --config ringmaster.toml\n  \
        ringmaster audit --who person/ana --since 2026-11-22T09:00:00-03:00 --format csv --config ringmaster.toml")]
    Audit(audit::Audit),
    /// Print the effective limits with their sources, and our own rules
    ///
    /// Published pages differ and change, so every limit has a date and a source, and can be overridden in the
    /// configuration under its name. Our own rules follow, with their origins.
    #[command(after_long_help = "Examples:\n  ringmaster limits --profile meta\n  \
                                 ringmaster limits --config ringmaster.toml --json")]
    Limits(limits::Limits),
    /// Print the description of the HTTP API (OpenAPI)
    #[command(after_long_help = "Example:\n  ringmaster openapi > openapi.json")]
    Openapi,
}

/// The version of the program and of its time zones.
fn long_version() -> String {
    let zones = zone_data::choice().map(|choice| format!("\n{}", choice.sentence()));
    format!("{}{}", env!("CARGO_PKG_VERSION"), zones.unwrap_or_default())
}

/// Runs the command of this process.
#[must_use]
pub fn main() -> ExitCode {
    // Choose the zones before the flags are read, which may name zones.
    zone_data::choose(std::env::var_os("TZDIR").as_deref());
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(mut error) => {
            mask_number(&mut error);
            return not_understood(&error);
        }
    };
    let mut out = Terminal::new(BufWriter::new(anstream::stdout()));
    let done = cli.command.run(&mut out).and_then(|()| Ok(out.flush()?));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if failure::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Earlier output comes before the error.
            let _ = out.flush();
            // If the standard error is closed, the exit code is still set.
            let _ = failure::write(&error, &mut Terminal::new(anstream::stderr()));
            ExitCode::from(failure::exit_code(&error))
        }
    }
}

/// Help and the version are printed as they are; a fault is one line.
fn not_understood(error: &clap::Error) -> ExitCode {
    let is_fault = error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    // A reader that disconnects during the help is not a failure either.
    let _ = if is_fault {
        let words: Vec<String> =
            std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        let mut root = Cli::command();
        root.build();
        let told = parse_error::one_line(error, &root, &words);
        failure::write(&anyhow::anyhow!(told), &mut Terminal::new(anstream::stderr()))
    } else {
        error.print()
    };
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Masks phone numbers and ids of people in an error, even mistyped ones, because the output may be logged.
fn mask_number(error: &mut clap::Error) {
    let is_number = matches!(
        error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(argument)) if (argument.contains("NUMBER") || argument.contains("<ACCOUNT=PSID>"))
    );
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue).filter(|_| is_number) {
        let masked = value.chars().map(|c| if c.is_ascii_digit() { '*' } else { c }).collect();
        error.insert(ContextKind::InvalidValue, ContextValue::String(masked));
    }
}

impl Command {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        match self {
            Self::Serve(serve) => serve.run(),
            Self::Sandbox(sandbox) => sandbox.run(out),
            Self::Demo(demo) => demo.run(out),
            Self::Simulate(simulate) => simulate.run(out),
            Self::Enqueue(enqueue) => enqueue.run(out),
            Self::Import(import) => import.run(out),
            Self::List(list) => list.run(out),
            Self::Show(show) => show.run(out),
            Self::Explain(one) => callbacks::explain(one, out),
            Self::Cancel(one) => callbacks::cancel(one, out),
            Self::Reschedule(reschedule) => reschedule.run(out),
            Self::AllowAttempt(allow) => allow.run(out),
            Self::NotToday(mark) => mark.run(out),
            Self::WrapUp(wrap_up) => wrap_up.run(out),
            Self::Dispositions(dispositions) => dispositions.run(out),
            Self::Offer(command) => offer::run(command, out),
            Self::Invite(command) => invites::run(command, out),
            Self::Link(link) => link.run(out),
            Self::Attempts(list) => list.attempts(out),
            Self::Messages(list) => list.messages(out),
            Self::Resolve(resolve) => resolve.run(out),
            Self::Hold(hold) => hold.run(out),
            Self::Events(events) => events.run(out),
            Self::Inbox(inbox) => inbox.run(out),
            Self::Status(status) => status.run(out),
            Self::Pause(pause) => pause.run(out),
            Self::Resume(resume) => resume.run(out),
            Self::Pauses(pauses) => pauses.run(out),
            Self::Calendars(command) => calendars::run(command, out),
            Self::Campaign(command) => campaign::run(command, out),
            Self::Bulk(command) => command.run(out),
            Self::Pool(command) => command.run(out),
            Self::Node(command) => command.run(out),
            Self::Report(report) => report.run(out),
            Self::Senders(senders) => senders.run(out),
            Self::Sender(command) => sender::run(command, out),
            Self::Doctor(doctor) => doctor.run(out),
            Self::Permission(command) => permission::run(command, out),
            Self::Suppression(command) => suppression::run(command, out),
            Self::Export(export) => export.run(out),
            Self::Consumer(command) => consumer::run(command, out),
            Self::Erase(erase) => erase.run(out),
            Self::Erasure(show) => show.run(out),
            Self::Replay(one) => callbacks::replay(one, out),
            Self::Webhooks(command) => webhooks::run(command, out),
            Self::SetAside(command) => set_aside::run(command, out),
            Self::Clock(command) => clock::run(command, out),
            Self::Lineage(command) => lineage::run(command, out),
            Self::Migrate(migrate) => migrate.run(out),
            Self::Store(command) => store::run(command, out),
            Self::Twiml(command) => twiml::run(command, out),
            Self::Content(command) => content::run(command, out),
            Self::Config(command) => config::run(command, out),
            Self::Token(command) => token::run(command, out),
            Self::Person(command) => person::run(command, out),
            Self::Audit(audit) => audit::run(audit, out),
            Self::Limits(limits) => limits.run(out),
            Self::Openapi => openapi::run(out),
        }
    }
}
