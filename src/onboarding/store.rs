//! What the server of a PostgreSQL database is found to lack.

use super::{Code, Finding};
use crate::domain::{AccountAlias, Replication, ServerSettings};

/// In place of an account.
const STORE: &str = "store";

/// What is wrong with the server of the store. `has_witness` says whether a directory for the witness is configured.
#[must_use]
pub fn examine_store(settings: Result<&ServerSettings, String>, has_witness: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut tell = |code, detail: String| {
        found.push(Finding { code, account: AccountAlias::from(STORE), sender: None, detail });
    };
    if !has_witness {
        tell(Code::StoreWitness, String::new());
    }
    let settings = match settings {
        Ok(settings) => settings,
        Err(why) => {
            tell(Code::StoreUnreachable, why);
            return found;
        }
    };
    if !settings.fsync || !settings.full_page_writes {
        let word = |is_on| if is_on { "on" } else { "off" };
        let (fsync, pages) = (word(settings.fsync), word(settings.full_page_writes));
        tell(Code::StoreFsync, format!("fsync is {fsync}, full_page_writes is {pages}"));
    }
    let standbys = &settings.standbys;
    if standbys.commit == "off" {
        tell(Code::StoreCommit, String::new());
    }
    if settings.origin.is_none() {
        tell(Code::StoreOrigin, String::new());
    }
    match standbys.replication() {
        Replication::NoStandby | Replication::Synchronous => {}
        Replication::Hidden => tell(Code::StoreStandbyHidden, format!("{} connected", standbys.all)),
        Replication::Asynchronous => {
            let (all, names, commit) = (standbys.all, &standbys.names, &standbys.commit);
            let waited = standbys.sync.saturating_add(standbys.quorum);
            tell(
                Code::StoreStandby,
                format!(
                    "{all} connected, {waited} of them synchronous; synchronous_standby_names is {names:?}, \
                     synchronous_commit is {commit}"
                ),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ServerOrigin, Standbys};

    fn good() -> ServerSettings {
        let (commit, names) = ("on".to_owned(), "FIRST 1 (b)".to_owned());
        ServerSettings {
            fsync: true,
            full_page_writes: true,
            standbys: Standbys { commit, names, all: 1, hidden: 0, sync: 1, quorum: 0 },
            origin: Some(ServerOrigin { system: 7, timeline: 1 }),
        }
    }

    fn codes(change: fn(&mut ServerSettings)) -> Vec<Code> {
        let mut settings = good();
        change(&mut settings);
        examine_store(Ok(&settings), true).iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn each_setting_that_can_lose_commits_is_found() {
        assert_eq!(codes(|_| ()), []);
        assert_eq!(codes(|server| server.fsync = false), [Code::StoreFsync]);
        assert_eq!(codes(|server| server.full_page_writes = false), [Code::StoreFsync]);
        assert_eq!(codes(|server| server.standbys.sync = 0), [Code::StoreStandby]);
        assert_eq!(codes(|server| server.standbys.hidden = 1), [Code::StoreStandbyHidden]);
        assert_eq!(codes(|server| server.origin = None), [Code::StoreOrigin]);
        assert_eq!(
            codes(|server| server.standbys.commit = "off".to_owned()),
            [Code::StoreCommit, Code::StoreStandby]
        );
        assert_eq!(codes(|server| server.standbys = Standbys::default()), []);
        let away = examine_store(Err("it is away".to_owned()), false);
        let codes: Vec<Code> = away.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [Code::StoreWitness, Code::StoreUnreachable]);
    }
}
