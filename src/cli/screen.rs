//! `sunmill` without a command: the screen, and the hub in the same process.

use color_eyre::eyre::{WrapErr, eyre};

use super::exit::Failure;
use super::settings::Settings;
use super::{crash, logging};

/// Opens the screen and stays until it is left.
pub(super) fn run(settings: &Settings, terminal: bool) -> Result<(), Failure> {
    if !terminal {
        return Err(eyre!(
            "the screen needs a terminal on stdin and stdout; over ssh, ask for one with ssh -t. \
             See sunmill --help for the commands that need none"
        )
        .into());
    }
    let (log, notice) = match &settings.log_folder {
        Some(folder) => match logging::start(&settings.config.log, folder) {
            Ok(guard) => (Some(guard), None),
            Err(why) => (None, Some(format!("no log: {} cannot be used: {why}", folder.display()))),
        },
        None => (None, Some("no log: there is no home folder; set log.folder in config.toml".to_owned())),
    };
    crash::install(restore_terminal, settings.log_folder.clone())?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), source = %settings.source, machine = %settings.endpoint, "start");

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .wrap_err("cannot start the runtime")?;
    let result = runtime.block_on(open(settings, notice));
    tracing::info!("end");
    drop(log);
    result
}

/// Hub and screen, joined. `notice` is something to tell at the start.
async fn open(settings: &Settings, notice: Option<String>) -> Result<(), Failure> {
    let _ = (settings, notice);
    std::future::ready(()).await;
    Err(eyre!("the screen is not in this build yet").into())
}

/// Gives the terminal back.
fn restore_terminal() {}
