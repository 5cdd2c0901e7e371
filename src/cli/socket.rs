//! Where the hub's socket is.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::settings::Settings;

/// Of a daemon, whose folder its unit makes for the group `sunmill`.
const SYSTEM: &str = "/run/sunmill/sunmill.sock";
const NAME: &str = "sunmill.sock";

/// Where a hub without a screen serves: what was said, else the system's folder where it may write there, else the user's own.
pub(super) fn of_daemon(settings: &Settings) -> Option<PathBuf> {
    let system = Path::new(SYSTEM);
    let writable = |folder: &Path| rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok();
    let system = system.parent().is_some_and(writable).then(|| system.to_owned());
    settings.socket.clone().or(system).or_else(|| own(settings))
}

/// Where a screen's own hub serves: what was said, else the user's own.
pub(super) fn of_screen(settings: &Settings) -> Option<PathBuf> {
    settings.socket.clone().or_else(|| own(settings))
}

/// Where a hub may be, the likeliest first.
pub(super) fn places(settings: &Settings) -> Vec<PathBuf> {
    match &settings.socket {
        Some(said) => vec![said.clone()],
        None => [Some(PathBuf::from(SYSTEM)), own(settings)].into_iter().flatten().collect(),
    }
}

/// A place on which somebody answers.
pub(super) fn answering(settings: &Settings) -> Option<PathBuf> {
    places(settings).into_iter().find(|path| UnixStream::connect(path).is_ok())
}

fn own(settings: &Settings) -> Option<PathBuf> {
    settings.runtime_dir.as_ref().map(|folder| folder.join(NAME))
}
