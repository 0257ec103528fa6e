//! The log on standard error.

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt};

use crate::config::{Log, LogFormat};

/// Why the log cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("log.filter is not a filter")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("a log is already set up")]
    AlreadySet(#[from] tracing::subscriber::SetGlobalDefaultError),
}

/// Sends the log of the whole process to standard error.
///
/// # Errors
/// [`LogError`] if the filter does not parse or the process has a log already.
pub fn start(log: &Log) -> Result<(), LogError> {
    let stderr = std::io::stderr();
    let colors = anstream::AutoStream::choice(&stderr) != anstream::ColorChoice::Never;
    let format = match log.format {
        LogFormat::Auto if stderr.is_terminal() => LogFormat::Text,
        LogFormat::Auto => LogFormat::Json,
        chosen => chosen,
    };
    let filter = EnvFilter::builder().parse(&log.filter)?;
    tracing::subscriber::set_global_default(subscriber(filter, format, colors, std::io::stderr))?;
    Ok(())
}

fn subscriber<W>(
    filter: EnvFilter,
    format: LogFormat,
    colors: bool,
    writer: W,
) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let layer = match format {
        LogFormat::Json => layer.json().flatten_event(true).with_current_span(false).boxed(),
        LogFormat::Auto | LogFormat::Text => layer.with_ansi(colors).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(filter))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, format: LogFormat) -> String {
        let page = Page::default();
        let writer = page.clone();
        let filter = EnvFilter::builder().parse(filter).unwrap();
        let subscriber = subscriber(filter, format, false, move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(attempt = 7, "placed");
            tracing::debug!("detail");
        });
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_json_log_is_one_object_a_line() {
        let line = logged("info", LogFormat::Json);
        let value: serde_json::Value = serde_json::from_str(line.trim_end()).unwrap();
        assert_eq!(
            (&value["message"], &value["attempt"], &value["level"]),
            (&"placed".into(), &7.into(), &"INFO".into())
        );
    }

    #[test]
    fn the_filter_decides_what_is_logged() {
        let text = logged("info", LogFormat::Text);
        assert!(text.contains("placed attempt=7") && !text.contains("detail"), "{text}");
        assert!(logged("debug", LogFormat::Text).contains("detail"));
        assert_eq!(logged("off", LogFormat::Text), "");
    }
}
