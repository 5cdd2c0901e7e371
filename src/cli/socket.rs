//! Where the hub is: its socket, or its port.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::settings::{BadSettings, Settings};
use crate::attach::{Place, Remote, Secret};

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

/// Where to attach: the hub elsewhere that was named, or a socket on which somebody answers.
pub(super) fn answering(settings: &Settings) -> Option<Place> {
    let remote = settings.remote.clone().map(Place::Remote);
    remote.or_else(|| answering_here(settings).map(Place::Socket))
}

/// A socket on which somebody answers.
pub(super) fn answering_here(settings: &Settings) -> Option<PathBuf> {
    places(settings).into_iter().find(|path| UnixStream::connect(path).is_ok())
}

/// The same for a script; a place into which this user is not let in counts too, so that this can be said.
pub(super) fn serving(settings: &Settings) -> Option<Place> {
    let is_closed_to_us =
        |path: &PathBuf| UnixStream::connect(path).is_err_and(|why| why.kind() == ErrorKind::PermissionDenied);
    let closed = || places(settings).into_iter().find(is_closed_to_us).map(Place::Socket);
    answering(settings).or_else(closed)
}

/// The way to a hub, as it was said.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    /// A file, or `ws://` and the like.
    pub(super) place: Option<PathBuf>,
    pub(super) token_file: Option<PathBuf>,
    pub(super) ca: Option<PathBuf>,
}

impl Way {
    /// Settings with it. `token` goes before the file of one.
    pub(super) fn into_settings(self, settings: Settings, token: Option<&Secret>) -> Result<Settings, BadSettings> {
        let Some(url) = self.place.as_deref().and_then(Path::to_str).filter(|text| Place::is_url(text)) else {
            return Ok(Settings { socket: self.place, ..settings });
        };
        let read = |path: &PathBuf| match std::fs::read_to_string(path) {
            Ok(text) => Ok(Secret::new(&text)),
            Err(error) => Err(BadSettings::Way(format!("--token-file {}: {error}", path.display()))),
        };
        let token = match token {
            Some(token) => Some(token.clone()),
            None => self.token_file.as_ref().map(read).transpose()?,
        };
        let remote = Remote { url: url.to_owned(), token, ca: self.ca };
        remote.check().map_err(|why| BadSettings::Way(format!("--socket {url}: {why}")))?;
        Ok(Settings { socket: None, remote: Some(remote), ..settings })
    }
}

fn own(settings: &Settings) -> Option<PathBuf> {
    settings.runtime_dir.as_ref().map(|folder| folder.join(NAME))
}

#[cfg(test)]
mod tests {
    use super::super::environment::Environment;
    use super::*;

    fn joined(way: Way, token: Option<&str>) -> Result<Settings, BadSettings> {
        way.into_settings(Settings::built_in(&Environment::default()), token.map(Secret::new).as_ref())
    }

    #[test]
    fn a_url_is_a_hub_elsewhere_and_all_else_a_file() {
        let way = |place: &str| Way { place: Some(place.into()), ..Way::default() };
        let here = joined(way("/run/x.sock"), None).unwrap();
        assert_eq!((here.socket, here.remote), (Some("/run/x.sock".into()), None));
        let there = joined(way("wss://mill:7410"), Some("abc")).unwrap();
        let remote = Remote { url: "wss://mill:7410".into(), token: Some(Secret::new("abc")), ca: None };
        assert_eq!(answering(&there), Some(Place::Remote(remote)));
        assert_eq!(there.socket, None);
        assert!(joined(way("wss://"), None).unwrap_err().to_string().contains("wss://host:port"));
    }

    #[test]
    fn a_token_comes_from_the_environment_or_a_file_and_stays_off_the_open_network() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let way = |place: &str| Way { place: Some(place.into()), token_file: Some(file.clone()), ca: None };
        let missing = joined(way("wss://mill"), None).unwrap_err().to_string();
        assert!(missing.contains("--token-file") && missing.contains("No such file"), "{missing}");
        std::fs::write(&file, "of-the-file\n").unwrap();
        let token = |way: Way, token| joined(way, token).unwrap().remote.and_then(|remote| remote.token);
        assert_eq!(token(way("wss://mill"), None), Some(Secret::new("of-the-file")));
        assert_eq!(token(way("wss://mill"), Some("said")), Some(Secret::new("said")));
        for open in ["ws://mill:7410", "ws://10.0.0.5", "ws://localhost.evil.example"] {
            let why = joined(way(open), None).unwrap_err().to_string();
            assert!(why.contains("use wss://"), "{open}: {why}");
        }
        for here in ["ws://127.0.0.1:7410", "ws://[::1]:7410", "ws://localhost:7410"] {
            assert!(joined(way(here), None).is_ok(), "{here}");
        }
    }
}
