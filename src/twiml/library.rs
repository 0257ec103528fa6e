//! All documents by name: the built-in ones, or those of a folder.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Document, Fault, Rule};
use crate::domain::AllowedHosts;

/// The document for inbound calls to senders without an inbound document of their own.
pub const INBOUND: &str = "inbound";

/// The document for a canceled call that is answered. A folder without a document of this name gets the built-in one.
pub const CANCELED: &str = "canceled";

/// The document for a consumer who answered and could not be connected. A folder without a document of this name gets
/// the built-in one.
pub const APOLOGY: &str = "apology";

/// The documents that orders can name.
#[derive(Debug, Clone, Default)]
pub struct Library {
    documents: BTreeMap<String, Document>,
}

/// Why a folder of documents cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} has no .xml file", .0.display())]
    Empty(PathBuf),
    /// All faults of all files.
    #[error("{0}")]
    Faults(FileFaults),
}

/// All faults of all files, displayed as one `file:line: rule: message` per line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFaults(pub Vec<(PathBuf, Fault)>);

impl std::error::Error for FileFaults {}

impl fmt::Display for FileFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (path, fault)) in self.0.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{fault}", path.display())?;
        }
        Ok(())
    }
}

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        /// Names and sources of the documents in `twiml/`.
        pub(super) const SHIPPED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../twiml/", $name, ".xml")))),+];
    };
}

shipped!(
    "agent-first",
    "apology",
    "canceled",
    "conference",
    "conversation-relay",
    "dial-client",
    "dial-sip",
    "enqueue",
    "inbound",
    "inbound-message",
    "message",
);

impl Library {
    /// The built-in documents.
    #[must_use]
    pub fn embedded() -> Self {
        let documents = SHIPPED.iter().map(|&(name, source)| {
            let document = Document::parse(name, source).expect("the tests check every built-in document");
            (name.to_owned(), document)
        });
        Self { documents: documents.collect() }
    }

    /// Loads every `.xml` file of a folder, not including subfolders. A folder without [`APOLOGY`] or
    /// [`CANCELED`] gets the built-in one.
    ///
    /// # Errors
    /// If any document has an error, with all faults of all files; if an entry `.xml` cannot be read, such as a link that
    /// leads nowhere.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let mut documents = BTreeMap::new();
        let mut faults = Vec::new();
        for path in files(folder)? {
            let bytes =
                std::fs::read(&path).map_err(|source| LoadError::Read { path: path.clone(), source })?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            match read(&name, &bytes) {
                Ok(document) => {
                    documents.insert(name, document);
                }
                Err(found) => faults.extend(found.into_iter().map(|fault| (path.clone(), fault))),
            }
        }
        if !faults.is_empty() {
            return Err(LoadError::Faults(FileFaults(faults)));
        }
        if documents.is_empty() {
            return Err(LoadError::Empty(folder.to_owned()));
        }
        let mut library = Self { documents };
        let mut shipped = Self::embedded().documents;
        for name in [APOLOGY, CANCELED] {
            if let Some(document) = shipped.remove(name) {
                library.documents.entry(name.to_owned()).or_insert(document);
            }
        }
        Ok(library)
    }

    /// Allows these hosts only; see [`Document::hold_to`].
    ///
    /// # Errors
    /// If a document names another host, with all faults of all documents.
    pub fn hold_to(self, hosts: &AllowedHosts) -> Result<Self, FileFaults> {
        let hosts = Arc::new(hosts.clone());
        let mut faults = Vec::new();
        let mut documents = BTreeMap::new();
        for (name, document) in self.documents {
            match document.hold_to(Arc::clone(&hosts)) {
                Ok(document) => _ = documents.insert(name, document),
                Err(found) => {
                    let file = PathBuf::from(format!("{name}.xml"));
                    faults.extend(found.into_iter().map(|fault| (file.clone(), fault)));
                }
            }
        }
        if faults.is_empty() { Ok(Self { documents }) } else { Err(FileFaults(faults)) }
    }

    #[must_use]
    pub fn document(&self, name: &str) -> Option<&Document> {
        self.documents.get(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.documents.keys().map(String::as_str)
    }

    /// All warnings, each with the name of its document.
    pub fn warnings(&self) -> impl Iterator<Item = (&str, &Fault)> {
        self.all().flat_map(|document| document.warnings().iter().map(move |fault| (document.name(), fault)))
    }

    pub fn all(&self) -> impl Iterator<Item = &Document> {
        self.documents.values()
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |source| LoadError::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_none_or(|extension| extension != "xml") {
            continue;
        }
        match std::fs::metadata(&path) {
            Ok(found) if found.is_file() => paths.push(path),
            Ok(_) => {
                let source = io::Error::new(io::ErrorKind::InvalidInput, "it is not a file");
                return Err(LoadError::Read { path, source });
            }
            // An editor marks an open file with a hidden link that leads nowhere.
            Err(_) if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) => {}
            Err(source) => return Err(LoadError::Read { path, source }),
        }
    }
    paths.sort();
    Ok(paths)
}

fn read(name: &str, bytes: &[u8]) -> Result<Document, Vec<Fault>> {
    match std::str::from_utf8(bytes) {
        Ok(source) => Document::parse(name, source),
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&b| b == b'\n').count();
            Err(vec![Fault::new(line, Rule::Encoding, "not UTF-8")])
        }
    }
}
