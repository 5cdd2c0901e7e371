//! What happens on a panic: the terminal first (the screen sees to that), then the report, then a few words.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::panic;
use std::path::{Path, PathBuf};

use color_eyre::config::{HookBuilder, Theme};

use super::out;

/// The file of crash reports, beside the log files.
const FILE: &str = "panic.log";

/// Installs the hooks for panics and for error reports. On a panic the report goes to `panic.log` in `folder`,
/// written at once, since the log's own thread may be what died; then stderr gets a few words.
///
/// To be called before the screen opens: the screen puts a hook of its own before this one, which gives the
/// terminal back first.
///
/// # Errors
/// Hooks are installed already.
pub fn install(folder: Option<PathBuf>) -> color_eyre::Result<()> {
    let (panic_hook, error_hook) = HookBuilder::default().theme(Theme::new()).try_into_hooks()?;
    error_hook.install()?;
    panic::set_hook(Box::new(move |info| {
        let report = panic_hook.panic_report(info).to_string();
        let thread = std::thread::current();
        let report = format!("sunmill {} thread {:?}\n{report}", env!("CARGO_PKG_VERSION"), thread.name());
        tracing::error!("{info}");
        out::words(&words(&report, folder.as_deref()));
    }));
    Ok(())
}

/// Saves the report and says where; a report that cannot be saved is told whole.
fn words(report: &str, folder: Option<&Path>) -> String {
    let head = "sunmill has crashed. The machine may still be moving: use its own stop.";
    match folder.map(|folder| save(report, folder)) {
        Some(Ok(path)) => format!("{head}\nThe report is in {}", path.display()),
        Some(Err(why)) => format!("{head}\nThe report could not be saved ({why}):\n{report}"),
        None => format!("{head}\n{report}"),
    }
}

fn save(report: &str, folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let path = folder.join(FILE);
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    writeln!(file, "{report}\n")?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_cannot_be_saved_is_told_whole() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("file");
        fs::write(&in_the_way, "").unwrap();
        assert!(words("the report", Some(&in_the_way)).contains("the report"));
        assert!(words("the report", None).ends_with("the report"));
        let saved = words("the report", Some(folder.path()));
        assert!(!saved.contains("the report\n") && saved.contains("panic.log"), "{saved}");
        assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), "the report\n\n");
    }
}
