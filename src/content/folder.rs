//! Reads all declarations of a folder, or some files, and checks them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::check::check;
use super::declaration::Declaration;
use super::fault::{Fault, FileFaults, Severity};
use super::online::Link;
use super::published::Rule;
use super::read::{Read, read};
use super::texts::urls;

/// The declarations of a folder that have no fault.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// In the order of their files.
    pub declarations: Vec<Declaration>,
    pub warnings: Vec<(PathBuf, Fault)>,
    /// The names in files with a fault.
    broken: BTreeSet<String>,
    /// The URLs of all files that could be read, without those that have a fault.
    pub links: Vec<Link>,
}

/// Why declarations cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} holds no .toml file", .0.display())]
    Empty(PathBuf),
    /// All faults of all files.
    #[error("{0}")]
    Faults(FileFaults),
}

impl Folder {
    /// Loads every `.toml` file of a folder, without its subfolders and hidden files.
    ///
    /// # Errors
    /// [`LoadError`], with all faults of all files.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let files = files(folder)?;
        if files.is_empty() {
            return Err(LoadError::Empty(folder.to_owned()));
        }
        Self::load_files(&files)
    }

    /// Loads these files.
    ///
    /// # Errors
    /// [`LoadError`], with all faults of all files.
    pub fn load_files(files: &[PathBuf]) -> Result<Self, LoadError> {
        let (folder, faults) = Self::read_files(files);
        if faults.errors() > 0 {
            return Err(LoadError::Faults(faults));
        }
        Ok(folder)
    }

    /// Reads every `.toml` file of a folder: the declarations without a fault, and the faults of all files, warnings among
    /// them.
    ///
    /// # Errors
    /// [`LoadError::Read`] and [`LoadError::Empty`].
    pub fn read(folder: &Path) -> Result<(Self, FileFaults), LoadError> {
        let files = files(folder)?;
        if files.is_empty() {
            return Err(LoadError::Empty(folder.to_owned()));
        }
        Ok(Self::read_files(&files))
    }

    /// The same of these files.
    #[must_use]
    pub fn read_files(files: &[PathBuf]) -> (Self, FileFaults) {
        let mut faults = Vec::new();
        let mut reads: Vec<(&Path, Read)> = Vec::new();
        let most = Rule::FileNumber.figure();
        if let Some(beyond) = files.get(most) {
            let message = format!("is one of {} files: at most {most}", files.len());
            faults.push((beyond.clone(), whole_file(Rule::FileNumber, message)));
        }
        for path in files.iter().take(most) {
            let (declared, found) = load_file(path);
            faults.extend(found.into_iter().map(|fault| (path.clone(), fault)));
            reads.extend(declared.map(|read| (path.as_path(), read)));
        }
        repeated(&reads, &mut faults);
        faults.sort_by(|left, right| (&left.0, left.1.line).cmp(&(&right.0, right.1.line)));
        let links = reads.iter().flat_map(|(path, read)| links(path, read, &faults)).collect();
        let is_broken = |path: &Path| faults.iter().any(|(file, fault)| file == path && fault.is_error());
        let (broken, whole): (Vec<_>, Vec<_>) = reads.into_iter().partition(|(path, _)| is_broken(path));
        let folder = Self {
            declarations: whole.into_iter().map(|(_, read)| read.declaration).collect(),
            broken: broken.into_iter().map(|(_, read)| read.declaration.name).collect(),
            links,
            warnings: faults.iter().filter(|(_, fault)| !fault.is_error()).cloned().collect(),
        };
        (folder, FileFaults(faults))
    }

    /// Whether a file with a fault declares this name.
    #[must_use]
    pub fn is_broken(&self, name: &str) -> bool {
        self.broken.contains(name)
    }

    /// The declaration of this name.
    #[must_use]
    pub fn declaration(&self, name: &str) -> Option<&Declaration> {
        self.declarations.iter().find(|declaration| declaration.name == name)
    }
}

fn links(path: &Path, read: &Read, faults: &[(PathBuf, Fault)]) -> Vec<Link> {
    let is_broken =
        |key: &str| faults.iter().any(|(file, fault)| file == path && fault.key == key && fault.is_error());
    let of = urls(&read.declaration).into_iter().filter(|(key, _)| !is_broken(key));
    of.map(|(key, url)| Link { path: path.to_owned(), line: read.line(&key), key, url }).collect()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let failed = |source| LoadError::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden && path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// A file that cannot be read, such as a link to nothing, is a fault like others: the rest is checked too.
fn load_file(path: &Path) -> (Option<Read>, Vec<Fault>) {
    let source = match source(path) {
        Ok(source) => source,
        Err(fault) => return (None, vec![fault]),
    };
    let (declared, mut faults) = read(&source);
    faults.extend(declared.iter().flat_map(check));
    (declared, faults)
}

fn source(path: &Path) -> Result<String, Fault> {
    let failed = |why: io::Error| whole_file(Rule::FileType, format!("cannot be read: {why}"));
    // A pipe or device is never opened: it may have no end.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(whole_file(Rule::FileType, "is not a regular file".to_owned()));
    }
    let most = Rule::FileSize.figure();
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take((most as u64).saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most {
        return Err(whole_file(Rule::FileSize, format!("is longer than {most} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| whole_file(Rule::FileSyntax, "is not UTF-8".to_owned()))
}

fn repeated(reads: &[(&Path, Read)], faults: &mut Vec<(PathBuf, Fault)>) {
    let mut first: BTreeMap<&str, &Path> = BTreeMap::new();
    for (path, read) in reads.iter().filter(|(_, read)| read.has("name")) {
        match first.get(read.declaration.name.as_str()) {
            Some(first) => {
                let message = format!("is the name of {} as well", first.display());
                faults.push((path.to_path_buf(), read.fault("name", Rule::NameRepeated, message)));
            }
            None => _ = first.insert(&read.declaration.name, path),
        }
    }
}

fn whole_file(rule: Rule, message: String) -> Fault {
    Fault { line: 1, key: String::new(), severity: Severity::Error, rule, message }
}
