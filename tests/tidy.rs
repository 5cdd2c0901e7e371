//! The order of the house, held by reading its sources.
//!
//! Code is judged without comments and strings, and modules of tests are exempt from the rules about what a
//! room may use. Every rule has a test below that shows it firing.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Which room may `use crate::…` which: a room, or a module of one.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("grbl", &["model"]),
    ("config", &["model"]),
    // What can be sent is said in one place, for a program's check too.
    ("program", &["model", "grbl::line", "grbl::outputs"]),
    ("inverter", &["model"]),
    ("driver", &["model", "grbl", "inverter"]),
    ("hub", &["model", "grbl", "program", "inverter", "driver", "store"]),
    ("store", &["model"]),
    ("attach", &["model"]),
    ("ui", &["model"]),
    ("sim", &["model", "grbl::tables", "grbl::realtime", "program", "inverter"]),
    ("cli", &["model", "grbl", "program", "inverter", "config", "driver", "hub", "store", "attach", "ui", "sim"]),
];

/// Rooms in which bytes and time are arguments.
const PURE_ROOMS: &[&str] = &["model", "grbl", "program", "inverter"];
/// Parts of the screen that are pure: given a state and a snapshot they give the same frame, always.
const PURE_PARTS: &[&str] = &[
    "ui/plain/talk",
    "ui/plain/words",
    "ui/plain/speech",
    "ui/view/",
    "ui/state",
    "ui/update",
    "ui/programs",
    "ui/power",
    "ui/action",
    "ui/keymap",
    "ui/theme",
    "ui/decode",
    "ui/format",
];
/// What pure code never names.
const IMPURE: &[&str] = &[
    "Instant",
    "SystemTime",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "tokio",
    "crossterm::event::read",
    "crossterm::event::poll",
];
/// Files whose channels join screens and hub; of tokio they know `sync` only.
const MAY_SYNC: &[&str] = &["src/model/hub.rs", "src/model/latch.rs"];

/// Who may name a package: it belongs to one job.
const PACKAGES: &[(&str, &[&str])] = &[
    ("ratatui", &["ui"]),
    ("crossterm", &["ui"]),
    ("nix", &["attach"]),
    ("tokio_serial", &["driver"]),
    ("tokio_tungstenite", &["driver", "attach"]),
    ("hyper", &["attach"]),
    ("hyper_util", &["attach"]),
    ("tokio_rustls", &["attach"]),
    ("prometheus_client", &["attach"]),
    ("toml", &["config", "cli", "store", "inverter"]),
    ("rusqlite", &["store"]),
    ("csv", &["cli"]),
    ("clap", &["cli", "main"]),
    ("color_eyre", &["cli"]),
    ("tracing_appender", &["cli"]),
    ("tracing_subscriber", &["cli"]),
];

/// Most lines of a file.
const MOST_LINES: usize = 600;
/// Files that may be longer, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

// ---- the tests over the real sources -------------------------------------------------------------------------------

#[test]
fn arrows_run_one_way() {
    over_code(File::forbidden_rooms);
}

#[test]
fn every_room_has_its_arrows() {
    for entry in fs::read_dir(root().join("src")).expect("src").flatten() {
        let name = entry.file_name().into_string().expect("UTF-8");
        let room = name.trim_end_matches(".rs");
        let known = ["main", "lib"].contains(&room) || ARROWS.iter().any(|(known, _)| *known == room);
        assert!(known, "src/{name} is a room without arrows: add it to ARROWS");
    }
}

#[test]
fn pure_code_knows_no_clock_task_file_or_environment() {
    over_code(File::impurities);
}

#[test]
fn packages_stay_in_their_rooms() {
    over_code(File::foreign_packages);
}

#[test]
fn the_environment_is_read_in_one_place() {
    over_code(|file| {
        let here = file.path == "src/cli/environment.rs" || file.path == "src/main.rs";
        if here { Vec::new() } else { file.named(&["std::env::var", "env::var", "var_os", "env::vars"]) }
    });
}

#[test]
fn mod_files_hold_no_logic() {
    over_code(File::logic_in_mod);
}

#[test]
fn queues_are_bounded_and_nothing_is_process_wide() {
    over_code(|file| [file.unbounded(), file.statics()].concat());
}

#[test]
fn tests_do_not_sleep() {
    over(&["src", "tests"], File::sleeps_in_tests);
}

#[test]
fn files_stay_short() {
    over(&["src", "tests", "benches"], |file| {
        let lines = file.text.lines().count();
        let excused = LONG_FILES.iter().any(|(path, _)| *path == file.path);
        if lines > MOST_LINES && !excused {
            vec![format!("{lines} lines: it is asking to be two files")]
        } else {
            Vec::new()
        }
    });
}

#[test]
fn nothing_names_the_computer_it_was_built_on() {
    for path in all_files() {
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            for place in build_machine_paths() {
                assert!(!line.contains(&place), "{}:{}: names {place}", path.display(), number + 1);
            }
        }
    }
}

/// Put together here so that this file does not contain them.
fn build_machine_paths() -> Vec<String> {
    ["work", "home", "root", "Users", "build"].iter().map(|folder| format!("/{folder}/")).collect()
}

// ---- the rules -------------------------------------------------------------------------------------------------------

/// A source file.
struct File {
    /// From the top of the repository, with `/`.
    path: String,
    text: String,
    /// Without comments, and with strings and characters emptied; lines are kept.
    code: String,
    /// Where in `code` the module of tests begins; a file of tests is all tests.
    tests_from: usize,
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        let code = strip(text);
        let all_tests = path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/");
        let tests_from = if all_tests { 0 } else { code.find("#[cfg(test)]\nmod ").unwrap_or(code.len()) };
        Self { path: path.to_owned(), text: text.to_owned(), code, tests_from }
    }

    /// `grbl` of `src/grbl/line.rs`, `main` of `src/main.rs`.
    fn room(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
    }

    /// The code that is not tests.
    fn own(&self) -> &str {
        &self.code[..self.tests_from]
    }

    fn forbidden_rooms(&self) -> Vec<String> {
        let Some((_, allowed)) = ARROWS.iter().find(|(room, _)| *room == self.room()) else { return Vec::new() };
        let mut found = Vec::new();
        for (at, path) in self.crate_paths() {
            let target = path.split("::").next().unwrap_or_default();
            let is_room = ARROWS.iter().any(|(room, _)| *room == target) && target != self.room();
            let within = |allowed: &&str| path == *allowed || path.starts_with(&format!("{allowed}::"));
            if is_room && !allowed.iter().any(within) {
                found.push(format!("line {}: {} may not use {path}", self.line(at), self.room()));
            }
        }
        found
    }

    /// Every path of the own code that begins at the crate, by `crate::` or by enough `super::`, without that
    /// beginning; groups taken apart.
    fn crate_paths(&self) -> Vec<(usize, String)> {
        let own = self.own();
        let mut paths = Vec::new();
        for (at, _) in own.match_indices("crate::") {
            if starts_word(own, at) {
                expand("", &own[at + "crate::".len()..], &mut |path| paths.push((at, path)));
            }
        }
        // src/ui/mod.rs is one module below the crate, src/ui/view/dro.rs three.
        let depth = self.path.matches('/').count() - usize::from(self.path.ends_with("/mod.rs"));
        let climb = "super::".repeat(depth);
        for (at, _) in own.match_indices(&climb).filter(|_| depth > 0) {
            if starts_word(own, at) {
                expand("", &own[at + climb.len()..], &mut |path| paths.push((at, path)));
            }
        }
        paths
    }

    fn impurities(&self) -> Vec<String> {
        let below = self.path.strip_prefix("src/").unwrap_or_default();
        if !PURE_ROOMS.contains(&self.room()) && !PURE_PARTS.iter().any(|part| below.starts_with(part)) {
            return Vec::new();
        }
        let may_sync = MAY_SYNC.contains(&self.path.as_str());
        let mut found =
            self.named(&IMPURE.iter().copied().filter(|name| !(may_sync && *name == "tokio")).collect::<Vec<_>>());
        if may_sync {
            let other = self.words("tokio").filter(|at| !self.own()[*at..].starts_with("tokio::sync::"));
            found.extend(other.map(|at| format!("line {}: names more of tokio than sync", self.line(at))));
        }
        found
    }

    fn foreign_packages(&self) -> Vec<String> {
        let foreign = PACKAGES.iter().filter(|(_, rooms)| !rooms.contains(&self.room()));
        self.named(&foreign.map(|(package, _)| *package).collect::<Vec<_>>())
    }

    fn logic_in_mod(&self) -> Vec<String> {
        if !self.path.ends_with("/mod.rs") && self.path != "src/lib.rs" {
            return Vec::new();
        }
        let mut found = Vec::new();
        for statement in self.own().split(';') {
            let mut rest = statement.trim();
            while rest.starts_with('#') {
                rest = rest.split_once(']').map_or("", |(_, rest)| rest).trim();
            }
            if let Some(after) = rest.strip_prefix("pub") {
                rest = after.trim_start();
                rest = rest.strip_prefix('(').and_then(|r| r.split_once(')')).map_or(rest, |(_, r)| r.trim_start());
            }
            if !(rest.is_empty() || rest.starts_with("mod ") || rest.starts_with("use ")) {
                found.push(format!("holds more than mod and use: {}", rest.lines().next().unwrap_or_default()));
            }
        }
        found
    }

    fn unbounded(&self) -> Vec<String> {
        self.named(&["unbounded", "unbounded_channel", "UnboundedSender", "UnboundedReceiver", "mpsc::channel()"])
    }

    /// A `static` that can change, or that is filled while running. Tables of constants are fine.
    fn statics(&self) -> Vec<String> {
        const CHANGING: &[&str] =
            &["mut ", "Atomic", "Mutex", "RwLock", "OnceLock", "OnceCell", "LazyLock", "LazyCell", "RefCell", "Cell<"];
        let own = self.own();
        let mut found = self.named(&["lazy_static", "thread_local", "once_cell"]);
        for (at, _) in own.match_indices("static ").filter(|(at, _)| starts_word(own, *at)) {
            // A lifetime is no item.
            if own[..at].ends_with('\'') {
                continue;
            }
            let declared = own[at..].split(['=', ';']).next().unwrap_or_default();
            if CHANGING.iter().any(|kind| declared.contains(kind)) {
                found.push(format!("line {}: {}", self.line(at), declared.trim()));
            }
        }
        found
    }

    fn sleeps_in_tests(&self) -> Vec<String> {
        let tests = &self.code[self.tests_from..];
        let mut found = Vec::new();
        for name in ["thread::sleep", "time::sleep", "sleep_until"] {
            // Where time is simulated, sleeping takes none and waits for nothing.
            let real = tests.match_indices(name).filter(|(at, _)| {
                let test = tests[..*at].rfind("#[").unwrap_or(0);
                !tests[test..*at].starts_with("#[tokio::test(start_paused")
            });
            found.extend(real.map(|(at, _)| {
                format!("line {}: {name} in a test: wait for what you wait for", self.line(self.tests_from + at))
            }));
        }
        found
    }

    /// Where the own code names these.
    fn named(&self, names: &[&str]) -> Vec<String> {
        let one = |name: &'_ str| {
            let name = name.to_owned();
            self.words(&name).map(|at| format!("line {}: names {name}", self.line(at))).collect::<Vec<_>>()
        };
        names.iter().flat_map(|name| one(name)).collect()
    }

    /// Places in the own code where `name` stands as whole words.
    fn words<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        let own = self.own();
        own.match_indices(name).map(|(at, _)| at).filter(move |at| {
            starts_word(own, *at) && !own[at + name.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    }

    fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }
}

/// Takes `a::{b, c::{d}}` apart into `a::b` and `a::c::d`.
fn expand(prefix: &str, text: &str, each: &mut impl FnMut(String)) {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let path = format!("{prefix}{}", &text[..end]);
    if !text[end..].starts_with('{') {
        each(path.trim_end_matches(':').to_owned());
        return;
    }
    let (mut depth, mut start) = (0, end + 1);
    for (at, c) in text[end..].char_indices().map(|(at, c)| (end + at, c)) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if (c == ',' && depth == 1) || depth == 0 {
            let item = text[start..at].trim();
            if !item.is_empty() {
                expand(&path, item, each);
            }
            start = at + 1;
        }
        if depth == 0 {
            return;
        }
    }
}

fn starts_word(code: &str, at: usize) -> bool {
    !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Code without comments, and with nothing in its strings and characters. Lines stay where they are.
fn strip(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (skip, keep) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), "")
        } else if rest.starts_with("/*") {
            (rest.find("*/").map_or(rest.len(), |end| end + 2), "")
        } else if let Some(length) = raw_string(rest).filter(|_| !code.ends_with(|c: char| c.is_alphanumeric())) {
            (length, "\"\"")
        } else if c == '"' {
            (quoted(rest, '"'), "\"\"")
        } else if c == '\'' && is_character(rest) {
            (quoted(rest, '\''), "' '")
        } else {
            (c.len_utf8(), &rest[..c.len_utf8()])
        };
        code.push_str(keep);
        if skip > c.len_utf8() {
            code.extend(rest[..skip].chars().filter(|c| *c == '\n'));
        }
        rest = &rest[skip..];
    }
    code
}

/// Length of a raw string that begins here.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.chars().take_while(|c| *c == '#').count();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let before = text.len() - body.len();
    Some(body.find(&end).map_or(text.len(), |at| before + at + end.len()))
}

/// Length of a string or character that begins here, with its quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `'x'` or `'\n'`, but not the lifetime `'x`.
fn is_character(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    match chars.next() {
        Some('\\') => true,
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}

// ---- walking -----------------------------------------------------------------------------------------------------------

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file that belongs to the project, from the top of the repository.
fn all_files() -> Vec<PathBuf> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let name = entry.file_name();
            // Editors and git keep their own things in folders with a dot.
            let foreign = name == "target" || (name.to_string_lossy().starts_with('.') && name != ".ci");
            if foreign {
                continue;
            }
            let path = entry.path();
            if path.is_dir() {
                walk(&path, files);
            } else {
                files.push(path.strip_prefix(root()).expect("below the root").to_owned());
            }
        }
    }
    let mut files = Vec::new();
    walk(&root(), &mut files);
    files.sort();
    files
}

/// Applies a rule to every Rust file below these folders, and fails with all that it finds.
fn over(folders: &[&str], rule: impl Fn(&File) -> Vec<String>) {
    let mut found = String::new();
    let mut seen = 0;
    for path in all_files().iter().filter(|path| folders.iter().any(|folder| path.starts_with(folder))) {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(root().join(path)).expect("a source in UTF-8");
            let file = File::new(&path.to_string_lossy().replace('\\', "/"), &text);
            seen += 1;
            for complaint in rule(&file) {
                let _ = writeln!(found, "{}: {complaint}", file.path);
            }
        }
    }
    assert!(seen > 0, "no sources below {folders:?}");
    assert!(found.is_empty(), "\n{found}");
}

fn over_code(rule: impl Fn(&File) -> Vec<String>) {
    over(&["src"], rule);
}

// ---- every rule fires ----------------------------------------------------------------------------------------------------

/// The rules on small sources: what each finds, and what it lets pass.
mod rules {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File::new(path, text)
    }

    #[test]
    fn arrows() {
        for text in [
            "use crate::hub::Port;",
            "use crate::{model, hub};",
            "use crate::{model::{Axis, Time}, grbl::{session::Session}};",
            "fn f() { crate::driver::open() }",
            "use super::super::hub;",
        ] {
            assert_eq!(file("src/ui/screen.rs", text).forbidden_rooms().len(), 1, "{text}");
        }
        for text in [
            "use crate::model::{Axis, hub::Hub};",
            "// use crate::hub;",
            "const S: &str = \"crate::hub\";",
            "use super::hub_line;",
            "#[cfg(test)]\nmod tests { use crate::hub; }",
        ] {
            assert_eq!(file("src/ui/screen.rs", text).forbidden_rooms(), Vec::<String>::new(), "{text}");
        }
        assert_eq!(file("src/ui/mod.rs", "use super::hub;").forbidden_rooms().len(), 1);
        assert_eq!(file("src/sim/wire.rs", "use crate::grbl::session::Session;").forbidden_rooms().len(), 1);
        assert_eq!(file("src/sim/wire.rs", "use crate::grbl::tables::alarm;").forbidden_rooms().len(), 0);
    }

    #[test]
    fn purity() {
        for (path, text) in [
            ("src/grbl/line.rs", "use std::time::Instant;"),
            ("src/grbl/line.rs", "use tokio::sync::watch;"),
            ("src/model/hub.rs", "use tokio::time::sleep;"),
            ("src/ui/view/dro.rs", "std::fs::read(p)"),
        ] {
            assert_eq!(file(path, text).impurities().len(), 1, "{text}");
        }
        for (path, text) in [
            ("src/grbl/line.rs", "struct Instantly; // std::fs"),
            ("src/model/hub.rs", "use tokio::sync::watch;"),
            ("src/driver/link.rs", "use std::time::Instant;"),
        ] {
            assert_eq!(file(path, text).impurities(), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn packages() {
        assert_eq!(file("src/hub/fold.rs", "use ratatui::Frame;").foreign_packages().len(), 1);
        assert_eq!(file("src/ui/view/dro.rs", "use ratatui::Frame;").foreign_packages().len(), 0);
        assert_eq!(file("src/config/parse.rs", "let toml_text = 1;").foreign_packages().len(), 0);
    }

    #[test]
    fn logic_in_mod_files() {
        let clean =
            "//! Words; more words.\n#[cfg(test)]\nmod x;\npub(crate) mod y;\npub use y::{A, B};\nuse z as _;\n";
        assert_eq!(file("src/ui/mod.rs", clean).logic_in_mod(), Vec::<String>::new());
        assert_eq!(file("src/ui/mod.rs", "mod x;\npub fn f() {}").logic_in_mod().len(), 1);
        assert_eq!(file("src/ui/mod.rs", "pub const A: u8 = 1;").logic_in_mod().len(), 1);
        assert_eq!(file("src/ui/other.rs", "pub fn f() {}").logic_in_mod().len(), 0);
    }

    #[test]
    fn queues_and_statics() {
        assert_eq!(file("src/hub/a.rs", "mpsc::unbounded_channel::<u8>()").unbounded().len(), 1);
        assert_eq!(file("src/hub/a.rs", "mpsc::channel(16)").unbounded().len(), 0);
        for text in ["static mut N: u8 = 0;", "pub static M: Mutex<u8> = Mutex::new(0);", "static A: OnceLock<T> = N;"]
        {
            assert_eq!(file("src/hub/a.rs", text).statics().len(), 1, "{text}");
        }
        for text in ["static TABLE: &[u8] = &[1];", "fn f(a: &'static Mutex<u8>) {}", "fn f() -> &'static str {}"] {
            assert_eq!(file("src/hub/a.rs", text).statics(), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn sleeps() {
        let asleep = "fn f() { tokio::time::sleep(d) }\n#[cfg(test)]\nmod tests { fn g() { std::thread::sleep(d) } }";
        assert_eq!(file("src/driver/a.rs", asleep).sleeps_in_tests().len(), 1);
        assert_eq!(file("tests/a.rs", "time::sleep(d).await").sleeps_in_tests().len(), 1);
        let simulated = "#[tokio::test(start_paused = true)]\nasync fn f() { time::sleep(d).await }";
        assert_eq!(file("tests/a.rs", simulated).sleeps_in_tests(), Vec::<String>::new());
        let after = format!("{simulated}\n#[tokio::test]\nasync fn g() {{ time::sleep(d).await }}");
        assert_eq!(file("tests/a.rs", &after).sleeps_in_tests().len(), 1);
    }

    #[test]
    fn stripping_keeps_code_and_lines() {
        let text = "a /* b\nc */ \"d // e\\\" f\" 'g' '\\'' &'h i // j\nr#\"k \" l\"# m";
        assert_eq!(strip(text), "a \n \"\" ' ' ' ' &'h i \n\"\" m");
    }
}
