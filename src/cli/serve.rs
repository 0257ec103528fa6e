//! `serve`: the daemon in the foreground.

use anyhow::Context as _;
use clap::Args;

use super::settings::ConfigFile;
use super::{stop, watchdog};
use crate::{daemon, log, panics};

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigFile,
    /// Take a store without a matching witness as the right one
    ///
    /// Without it, nothing is dialled or sent until `ringmaster lineage release`. It does not help a store that is older
    /// than its witness.
    #[arg(long)]
    adopt: bool,
    /// Kill the process at the given passing of a failpoint, such as `group.committed=3`
    #[cfg(feature = "failpoints")]
    #[arg(long, value_name = "PLACE=PASSING", hide = true)]
    die_at: Option<crate::failpoint::Death>,
    /// Stop the process (SIGSTOP) at the given passing of a failpoint
    #[cfg(feature = "failpoints")]
    #[arg(long, value_name = "PLACE=PASSING", hide = true, conflicts_with = "die_at")]
    stop_at: Option<crate::failpoint::Death>,
    /// Panic once at the given passing of a failpoint, such as `fold:PermissionReply=2`
    #[cfg(feature = "failpoints")]
    #[arg(long, value_name = "PLACE:TEXT=PASSING", hide = true)]
    panic_at: Option<crate::failpoint::panics::Once>,
    /// Block every thread of the runtime when the daemon is ready
    #[cfg(feature = "failpoints")]
    #[arg(long, hide = true)]
    stick: bool,
}

impl Serve {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        #[cfg(feature = "failpoints")]
        self.die_at.iter().cloned().for_each(crate::failpoint::choose);
        #[cfg(feature = "failpoints")]
        self.stop_at.iter().cloned().for_each(crate::failpoint::choose_stop);
        #[cfg(feature = "failpoints")]
        self.panic_at.iter().cloned().for_each(crate::failpoint::panics::choose);
        let config = self.config.load()?;
        log::start(&config.log)?;
        panics::install_hook();
        for doubt in config.doubts() {
            tracing::warn!("{doubt}");
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("the runtime cannot be started")?;
        runtime.block_on(async {
            let shutdown = stop::on_signal().context("signals cannot be received")?;
            stop::survive_file_limits().context("signals cannot be received")?;
            watchdog::start(shutdown.clone()).context("the watchdog cannot be started")?;
            let options = daemon::Options { shutdown, adopts: self.adopt, ..daemon::Options::default() };
            let running = daemon::start(&config, options).await?;
            #[cfg(feature = "failpoints")]
            if self.stick {
                crate::failpoint::stick();
            }
            running.finished().await
        })
    }
}
