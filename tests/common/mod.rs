//! What the tests of the program share: runs of the real binary, plain and in a terminal.
#![allow(dead_code, unreachable_pub, reason = "each test file is a crate of its own and uses a part of this")]

pub mod mill;
pub mod pty;
pub mod scene;
pub mod shop;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A home folder of its own for each run, which is also the working directory.
pub struct Home(TempDir);

impl Home {
    /// An empty home.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file below it and gives its path as text.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder in the home");
        std::fs::write(&path, text).expect("a file in the home");
        path.to_str().expect("a path in UTF-8").to_owned()
    }

    /// The last lines of all log files.
    pub fn log_tail(&self) -> String {
        let folder = self.path().join(".local/state/sunmill/log");
        let mut text = String::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let log = std::fs::read_to_string(entry.path()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(20)..];
            let _ = writeln!(text, "--- {}\n{}", entry.file_name().display(), tail.join("\n"));
        }
        text
    }
}

/// The variables a run sees besides `HOME`: nothing of the computer that runs the tests.
const ENVIRONMENT: [(&str, &str); 3] = [("LANG", "C.UTF-8"), ("TERM", "xterm-256color"), ("PATH", "/usr/bin:/bin")];

/// Runs the real binary with plain pipes until it ends.
pub fn sunmill(home: &Home, args: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sunmill"))
        .args(args)
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .envs(ENVIRONMENT)
        .envs(variables.iter().copied())
        .output()
        .expect("the binary runs")
}

/// Starts a hub without a screen on this socket, and waits until it serves. Returns what it said then.
pub fn daemon(home: &Home, socket: &str) -> (Child, String) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_sunmill"))
        .args(["daemon", "--socket", socket])
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut said = String::new();
    BufReader::new(process.stderr.take().expect("a pipe")).read_line(&mut said).expect("a line");
    assert!(said.contains("sunmill serves"), "{said}");
    (process, said)
}

/// stdout of a run that must succeed and say nothing on stderr.
pub fn stdout(output: &Output) -> String {
    let (stdout, stderr) = texts(output);
    assert!(output.status.success() && stderr.is_empty(), "{:?}\n{stdout}\n{stderr}", output.status);
    stdout
}

/// stdout of a run that must succeed and say on stderr where its data is from.
pub fn data_from(output: &Output, whence: &str) -> String {
    let (stdout, stderr) = texts(output);
    assert!(output.status.success() && stderr.contains(whence), "{:?}\n{stdout}\n{stderr}", output.status);
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stdout
}

/// stderr of a run that must fail with `code` and print no data.
pub fn failure(output: &Output, code: i32) -> String {
    let (stdout, stderr) = texts(output);
    assert_eq!(output.status.code(), Some(code), "{stdout}\n{stderr}");
    assert_eq!(stdout, "", "{stderr}");
    stderr
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (text(&output.stdout), text(&output.stderr))
}
