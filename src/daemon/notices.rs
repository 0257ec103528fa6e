//! Documents that record calls, and for which the configuration does not say how people learn of it.

use crate::config::Config;
use crate::domain::{Notice, RecordingRules};
use crate::twiml::Library;

/// The names of these documents.
pub fn unstated_notices<'a>(config: &Config, documents: &'a Library) -> Vec<&'a str> {
    unstated(&config.recordings, documents)
}

fn unstated<'a>(rules: &RecordingRules, documents: &'a Library) -> Vec<&'a str> {
    let recording = documents.all().filter(|document| document.records()).map(|document| document.name());
    recording.filter(|name| rules.notice(name) == Notice::Unstated).collect()
}

/// Warnings about these documents, and about notices for documents that do not exist.
pub fn recording_doubts(config: &Config, documents: &Library) -> Vec<String> {
    let unstated = unstated_notices(config, documents).into_iter().map(|name| {
        format!(
            "the document {name:?} records calls, and nothing says how people learn of it: set notice in \
             [recordings.documents.{name}] to \"spoken\", \"agent\" or \"none\""
        )
    });
    let unknown = config.recordings.notices.keys().filter(|name| documents.document(name).is_none());
    let unknown =
        unknown.map(|name| format!("recordings.documents.{name} is about a document that does not exist"));
    unstated.chain(unknown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_records_wants_a_notice() {
        let folder = tempfile::tempdir().unwrap();
        let dial = |record: &str| {
            format!(
                "<Response><Dial action=\"{{{{action_url}}}}\" record=\"{record}\"><Client>{{{{agent}}}}</Client></Dial></Response>"
            )
        };
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("taped.xml", &dial("record-from-answer"));
        write("plain.xml", &dial("do-not-record"));
        write("mailbox.xml", "<Response><Say>Hello</Say><Record action=\"{{action_url}}\"/></Response>");
        let documents = Library::load(folder.path()).unwrap();
        let mut rules = RecordingRules::default();
        assert_eq!(unstated(&rules, &documents), ["mailbox", "taped"]);
        rules.notices = [("taped".to_owned(), Notice::Agent)].into();
        assert_eq!(unstated(&rules, &documents), ["mailbox"]);
        rules.notice = Notice::None;
        assert_eq!(unstated(&rules, &documents), [""; 0]);
    }
}
