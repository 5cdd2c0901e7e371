//! The desk: answers what a screen asks of the house. Files and `/proc` are read on threads that may block.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tokio::sync::mpsc;

use super::files;
use super::history;
use super::house::opener;
use super::ports::configured;
use super::settings::Settings;
use crate::config::{Source, with_port};
use crate::driver::clock::Clock;
use crate::driver::discover::{self, Roots};
use crate::driver::machine::ask;
use crate::driver::transport::Opener;
use crate::model::Endpoint;
use crate::model::audit::{AuditAsk, AuditPage};
use crate::model::desk::{Answer, Query};
use crate::model::hub::Errand;
use crate::store::Store;

/// Questions that may wait.
const WAITING: usize = 8;

/// What the desk works with.
struct Desk {
    opener: Opener,
    clock: Clock,
    roots: Roots,
    configured: Vec<(PathBuf, String)>,
    /// The text to begin with, and the file to write.
    config: Option<(Option<PathBuf>, PathBuf)>,
    state: Option<PathBuf>,
    store: Option<Store>,
}

/// Starts the desk; it ends when nobody can ask it any more. To be called in the runtime.
pub(super) fn start(settings: &Settings, clock: Clock, store: Option<Store>) -> mpsc::Sender<Errand> {
    let (asked, mut errands) = mpsc::channel::<Errand>(WAITING);
    let desk = Desk {
        opener: opener(settings),
        clock,
        roots: Roots::default(),
        configured: configured(settings),
        config: config_files(settings),
        state: settings.state_folder.clone(),
        store,
    };
    tokio::spawn(async move {
        // One at a time: a second device is not opened while the first one is asked.
        while let Some(Errand { query, answer_to }) = errands.recv().await {
            if let Some(answer) = desk.answer(query).await {
                // A client that has gone, or that does not read, has no use for it.
                let _ = answer_to.try_send(answer);
            }
        }
    });
    asked
}

/// Where the configuration is read from and written to: the file in force, but never the system's, of which the user gets
/// a copy.
fn config_files(settings: &Settings) -> Option<(Option<PathBuf>, PathBuf)> {
    let own = || settings.user_config.clone();
    match &settings.source {
        Source::System(path) => Some((Some(path.clone()), own()?)),
        Source::BuiltIn => Some((None, own()?)),
        source => source.path().map(|path| (Some(path.to_owned()), path.to_owned())),
    }
}

/// The file of the lines typed so far.
pub(super) fn history_file(state: &Path) -> PathBuf {
    state.join("mdi_history")
}

impl Desk {
    async fn answer(&self, query: Query) -> Option<Answer> {
        Some(match query {
            Query::Ports => {
                let (roots, configured) = (self.roots.clone(), self.configured.clone());
                Answer::Ports(blocking(move || discover::list(&roots, &configured)).await.unwrap_or_default())
            }
            Query::AskPort(path) => {
                let result = self.ask_port(&path).await;
                Answer::PortAsked { path, result }
            }
            Query::RememberPort(path) => {
                let files = self.config.clone();
                Answer::Done(blocking(move || remember(files, &path)).await.and_then(|done| done))
            }
            Query::SaveHistory(lines) => {
                let path = history_file(self.state.as_ref()?);
                let saved = blocking(move || history::save(&path, lines).map_err(|why| (path, why))).await;
                match saved {
                    Ok(Err((path, why))) => Answer::Done(Err(format!("{} was not saved: {why}", path.display()))),
                    _ => return None,
                }
            }
            Query::Audit(ask) => {
                let store = self.store.clone();
                Answer::Audit(blocking(move || audited(store.as_ref(), &ask)).await.and_then(|page| page))
            }
            Query::Program(_) => Answer::Done(Err("programs are not served here".to_owned())),
            Query::Power(_) => Answer::Done(Err("inverters are not served here".to_owned())),
            Query::SaveConsole(text) => {
                let folder = self.state.clone();
                Answer::Done(blocking(move || save(folder, "console", &text)).await.and_then(|done| done))
            }
            Query::SaveTable { name, text } => {
                let folder = self.state.clone();
                Answer::Done(blocking(move || save(folder, &name, &text)).await.and_then(|done| done))
            }
        })
    }

    /// Only what the list offers: not the link in use, and nothing that another program holds.
    async fn ask_port(&self, path: &Path) -> Result<crate::model::desk::PortAnswer, String> {
        let (roots, configured, wanted) = (self.roots.clone(), self.configured.clone(), path.to_owned());
        let found = blocking(move || discover::list(&roots, &configured)).await?;
        let Some(candidate) = found.into_iter().find(|candidate| candidate.path == wanted) else {
            return Err("it is not connected any more".to_owned());
        };
        if let Some(taken) = candidate.taken() {
            return Err(format!("not opened: it is {taken}"));
        }
        let opener = Opener { endpoint: Endpoint::Serial(candidate.path), ..self.opener.clone() };
        ask(&opener, self.clock).await.map_err(|error| error.to_string())
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|_| "sunmill is ending".to_owned())
}

fn audited(store: Option<&Store>, ask: &AuditAsk) -> Result<AuditPage, String> {
    let store = store.ok_or("no audit is kept: there is no folder for it, or it cannot be used")?;
    store.reader().audit_page(ask).map_err(|why| why.to_string())
}

fn remember(files: Option<(Option<PathBuf>, PathBuf)>, port: &Path) -> Result<String, String> {
    let (from, to) = files.ok_or("there is no home folder to keep a configuration in")?;
    let named = |path: &Path, why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let text = match &from {
        Some(from) => std::fs::read_to_string(from).map_err(|why| named(from, &why))?,
        None => String::new(),
    };
    let edited = with_port(&text, &Endpoint::Serial(port.to_owned())).map_err(|why| named(&to, &why))?;
    files::replace(&to, &edited).map_err(|why| named(&to, &why))?;
    Ok(format!("port written to {}; sunmill opens it from its next start on", to.display()))
}

/// Writes a text into a dated file whose name begins with `name`.
fn save(folder: Option<PathBuf>, name: &str, text: &str) -> Result<String, String> {
    let folder = folder.ok_or("there is no home folder to write to")?;
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    // A name comes from a configuration; it must not lead into another folder.
    let name: String = name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let name = format!("{name}-{}.txt", crate::model::time::utc(seconds).replace(':', ""));
    let path = folder.join(name);
    files::replace(&path, text).map_err(|why| format!("{}: {why}", path.display()))?;
    Ok(format!("written to {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::environment::Environment;
    use crate::model::audit::{Asker, AuditKind, AuditRow};

    #[test]
    fn remembering_a_port_writes_one_line_and_says_where() {
        let dir = tempfile::tempdir().unwrap();
        let (system, own) = (dir.path().join("system.toml"), dir.path().join("own/config.toml"));
        std::fs::write(&system, "# of the workshop\n[machine]\nbaud = 57600\n").unwrap();
        let said = remember(Some((Some(system.clone()), own.clone())), Path::new("/dev/ttyUSB0")).unwrap();
        assert!(said.contains("own/config.toml") && said.contains("next start"), "{said}");
        assert_eq!(
            std::fs::read_to_string(&own).unwrap(),
            "# of the workshop\n[machine]\nport = \"/dev/ttyUSB0\"\nbaud = 57600\n"
        );
        assert!(!std::fs::read_to_string(&system).unwrap().contains("port"));
        assert!(remember(None, Path::new("/dev/ttyUSB0")).is_err());
        std::fs::write(&own, "[machine\n").unwrap();
        assert!(remember(Some((Some(own.clone()), own.clone())), Path::new("/dev/ttyUSB0")).is_err());
        assert_eq!(std::fs::read_to_string(&own).unwrap(), "[machine\n", "a file that is wrong is left alone");
    }

    #[test]
    fn a_console_is_saved_under_its_date() {
        let dir = tempfile::tempdir().unwrap();
        let said = save(Some(dir.path().to_owned()), "console", "> G0 X1").unwrap();
        let file = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
        assert!(said.contains(file.to_str().unwrap()) && said.contains("console-20"), "{said}");
        assert_eq!(std::fs::read_to_string(file).unwrap(), "> G0 X1");
    }
    #[tokio::test]
    async fn the_audit_is_told_page_by_page_and_where_there_is_none_that_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(&dir.path().join("sunmill.db")).unwrap();
        let row = AuditRow {
            at_ms: crate::store::now_ms(),
            kind: AuditKind::Mdi,
            who: "screen 1".into(),
            by: Asker::default(),
            what: "G0 X1".into(),
            outcome: "done".into(),
            took_ms: Some(3),
        };
        store.audit(row.clone());
        store.flush().unwrap();
        let settings = Settings::built_in(&Environment::default());
        let ask = async |store: Option<Store>| {
            let errands = start(&settings, Clock::start(), store);
            let (answer_to, mut answers) = mpsc::channel(1);
            errands.send(Errand { query: Query::Audit(AuditAsk::default()), answer_to }).await.unwrap();
            answers.recv().await.unwrap()
        };
        assert_eq!(ask(Some(store)).await, Answer::Audit(Ok(AuditPage { rows: vec![row], before: None })));
        assert!(matches!(ask(None).await, Answer::Audit(Err(why)) if why.contains("no audit is kept")));
    }
}
