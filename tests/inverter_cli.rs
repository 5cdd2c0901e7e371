//! `sunmill inverter` and `sunmill history`, run as a person or a script runs them, on a simulated inverter of another process.

mod common;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use common::{Home, data_from, failure, stdout, sunmill};
use serde_json::Value;

/// A simulated inverter on a socket; it ends with the test.
struct Sim(Child, String);

impl Sim {
    fn senergy() -> Self {
        Self::with(&[])
    }

    fn with(more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sunmill"))
            .args(["sim", "inverter", "--profile", "senergy", "--tcp", "0"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let mut at = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut at).expect("an address");
        Self(child, format!("tcp://{}", at.trim()))
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A hub without a screen, on a socket in a home; it ends with the test.
struct Daemon(Child, String);

impl Daemon {
    fn start(home: &Home, socket: &str) -> Self {
        let socket = home.path().join(socket).to_str().expect("UTF-8").to_owned();
        let (child, _) = common::daemon(home, &socket);
        Self(child, socket)
    }

    /// The inverters, once this holds of the first; each look is a run of the binary.
    fn until(&self, home: &Home, is_so: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..400 {
            let output = sunmill(home, &["inverter", "list", "--json"], &[("SUNMILL_SOCKET", &self.1)]);
            let all: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
            if is_so(&all[0]) {
                return all[0].clone();
            }
        }
        panic!("in vain: {}", stdout(&sunmill(home, &["inverter", "list"], &[("SUNMILL_SOCKET", &self.1)])));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The configuration with one inverter there.
fn configured(home: &Home, at: &str) {
    let text = format!(
        "[[bus]]\nname = \"roof\"\nport = \"{at}\"\n\n[[inverter]]\nname = \"hybrid\"\nbus = \"roof\"\nprofile = \"senergy\"\n"
    );
    home.write("config.toml", &text);
}

/// Of the answer on stdout; on stderr there may be words for people.
fn json(home: &Home, args: &[&str]) -> Value {
    let output = sunmill(home, args, &[]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{args:?}: {err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{args:?}: {error}: {out}"))
}

#[test]
fn an_inverter_is_found_shown_and_read() {
    let home = Home::new();
    let sim = Sim::senergy();
    let found = json(&home, &["inverter", "scan", &sim.1, "--json"]);
    assert_eq!(
        (&found[0]["unit"], &found[0]["profiles"][0]["profile"]),
        (&1.into(), &"senergy_hybrid".into()),
        "{found}"
    );
    assert_eq!(found[0]["profiles"][0]["sensible"], 3, "{found}");

    let at = ["--at", &sim.1, "--profile", "senergy"];
    let shown = json(&home, &[&["inverter", "show", "--json"][..], &at].concat());
    assert_eq!((shown["soc_percent"].as_f64(), &shown["unfinished"]), (Some(62.0), &Value::Null), "{shown}");
    assert!(shown["serial"].is_string() && shown["grid_v"].as_f64().expect("a voltage") > 200.0, "{shown}");
    let words = stdout(&sunmill(&home, &[&["inverter", "show"][..], &at].concat(), &[]));
    assert!(words.contains("battery    ") && words.contains(", 62 %, ") && words.contains("from the sun"), "{words}");

    let registers = [&["inverter", "registers", "--json"][..], &at].concat();
    let all = json(&home, &registers);
    let all = all.as_array().expect("an array");
    assert!(all.len() > 90, "{}", all.len());
    assert!(all.iter().all(|row| row["access"] == "wo" || row["quality"] != "unknown"), "{all:?}");
    let one = json(&home, &[&registers[..], &["--search", "8475"]].concat());
    assert_eq!(
        (&one[0]["raw"], &one[0]["shown"], one.as_array().expect("an array").len()),
        (&serde_json::json!([20]), &"20 %".into(), 1)
    );
}

#[test]
fn what_cannot_be_asked_is_said_with_a_code_of_its_own() {
    let home = Home::new();
    // Somebody listens and never answers: a gateway without an inverter behind it.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = format!("tcp://{}", silent.local_addr().expect("an address"));
    let words = failure(&sunmill(&home, &["inverter", "scan", &at, "--units", "1", "--profile", "senergy"], &[]), 7);
    assert!(words.contains("nobody answers at tcp://127.0.0.1"), "{words}");
    drop(silent);
    let words = failure(&sunmill(&home, &["inverter", "show", "--at", &at, "--profile", "senergy"], &[]), 1);
    assert!(words.contains("refuses the connection"), "{words}");
    let words = failure(&sunmill(&home, &["inverter", "show", "--at", &at, "--profile", "tesla"], &[]), 1);
    assert!(words.contains("senergy_hybrid"), "the profiles are named: {words}");
    let words = failure(&sunmill(&home, &["inverter", "show", "--at", "COM3", "--profile", "senergy"], &[]), 2);
    assert!(words.contains("tcp://host[:502]"), "{words}");

    // The machine's port, by whatever name.
    home.write("config.toml", "[machine]\nport = \"/dev/null\"");
    let link = home.path().join("link");
    std::os::unix::fs::symlink("/dev/null", &link).expect("a link");
    for args in [
        vec!["inverter", "scan", link.to_str().expect("UTF-8")],
        vec!["inverter", "registers", "--at", "/dev/null", "--profile", "senergy"],
    ] {
        let words = failure(&sunmill(&home, &args, &[]), 4);
        assert!(words.contains("the machine's port"), "{words}");
    }
}

#[test]
fn where_there_is_no_history_there_are_names_only() {
    let home = Home::new();
    let csv = stdout(&sunmill(&home, &["history", "export", "--csv"], &[]));
    assert!(csv.starts_with("at,inverter,pv_w,") && csv.lines().count() == 1, "{csv}");
    assert_eq!(stdout(&sunmill(&home, &["history", "export", "--jsonl", "--grain", "raw"], &[])), "");
    let words = failure(&sunmill(&home, &["history", "export"], &[]), 2);
    assert!(words.contains("--csv") && words.contains("--jsonl"), "{words}");
}

#[test]
fn configured_ones_are_asked_by_name_where_no_hub_runs() {
    let home = Home::new();
    let sim = Sim::senergy();
    configured(&home, &sim.1);
    let shown = json(&home, &["inverter", "show", "hybrid", "--json"]);
    assert_eq!((&shown["name"], shown["soc_percent"].as_f64()), (&"hybrid".into(), Some(62.0)), "{shown}");
    let one = json(&home, &["inverter", "registers", "hybrid", "--search", "8475", "--json"]);
    assert_eq!((&one[0]["raw"], &one[0]["quality"]), (&serde_json::json!([20]), &"fresh".into()));
    let found = json(&home, &["inverter", "scan", "--json"]);
    assert_eq!((&found[0]["place"], found.as_array().map(Vec::len)), (&sim.1.as_str().into(), Some(1)), "{found}");

    let words = failure(&sunmill(&home, &["inverter", "show", "hybird"], &[]), 1);
    assert!(words.contains("did you mean \"hybrid\"?"), "{words}");
    failure(&sunmill(&home, &["inverter", "show"], &[]), 2);
    failure(&sunmill(&home, &["inverter", "show", "hybrid", "--at", &sim.1, "--profile", "senergy"], &[]), 2);
    let words = failure(&sunmill(&home, &["inverter", "set", "hybrid", "discharge_end_soc=30"], &[]), 3);
    assert!(words.contains("no sunmill answers"), "{words}");
    // Nothing is configured: there is nothing to scan but the simulated one.
    home.write("config.toml", "");
    let words = failure(&sunmill(&home, &["inverter", "scan"], &[]), 1);
    assert!(words.contains("no bus is configured"), "{words}");
    let words = stdout(&sunmill(&home, &["inverter", "show", "simulated"], &[]));
    assert!(words.starts_with("SIM simulated: Senergy"), "{words}");
}

#[test]
fn what_a_hub_holds_is_asked_through_it_and_opened_by_nobody_else() {
    let home = Home::new();
    let state = home.path().join("settings").to_str().expect("UTF-8").to_owned();
    let sim = Sim::with(&["--state", &state]);
    configured(&home, &sim.1);
    let hub = Daemon::start(&home, "hub.sock");
    let answers = |unit: &Value| unit["state"] == "answers" && unit["read_only"].is_null();
    hub.until(&home, answers);
    let socket = [("SUNMILL_SOCKET", hub.1.as_str())];
    let run = |args: &[&str]| sunmill(&home, args, &socket);
    let read = |args: &[&str]| -> Value { serde_json::from_str(&stdout(&run(args))).expect("JSON") };
    hub.until(&home, |unit| unit["known"]["battery"]["soc_percent"]["value"].is_number());
    let shown = read(&["inverter", "show", "hybrid", "--json"]);
    assert_eq!((&shown["name"], &shown["identity"], &shown["doubt"]), (&"hybrid".into(), &Value::Null, &Value::Null));
    assert!(shown["soc_percent"].is_number() && shown["serial"].is_string(), "{shown}");

    // Whoever would open it is told who has it.
    for args in [
        vec!["inverter", "scan"],
        vec!["inverter", "scan", &sim.1],
        vec!["inverter", "show", "--at", &sim.1, "--profile", "senergy"],
    ] {
        let words = failure(&run(&args), 4);
        assert!(words.contains("bus \"roof\" of the sunmill that runs"), "{words}");
    }
    let words = failure(&run(&["inverter", "registers", "barn"]), 1);
    assert!(words.contains("there is hybrid"), "{words}");
    // A second hub is kept out by the lock, and says so.
    let second = Daemon::start(&home, "second.sock");
    let silent = second.until(&home, |unit| unit["state"]["silent"].is_object());
    let why = silent["state"]["silent"]["why"].as_str().expect("words");
    assert!(why.contains("is in use by"), "{why}");
    drop(second);

    let output = run(&["inverter", "set", "hybrid", "capacity_of_discharger_end_eod_=30", "--yes", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("20 % -> 30 %"), "{words}");
    let rows: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&rows[0]["good"], &rows[0]["before"], &rows[0]["after"]),
        (&true.into(), &"20 %".into(), &"30 %".into())
    );
    let registers = read(&["inverter", "registers", "hybrid", "--search", "8475", "--json"]);
    assert_eq!(registers[0]["raw"], serde_json::json!([30]));
    let audit = data_from(&run(&["audit"]), "the audit of the sunmill that runs at ");
    assert!(audit.contains("20 % -> 30 %"), "{audit}");
    drop(hub);
    // The inverter itself is started again, and has it still.
    drop(sim);
    let sim = Sim::with(&["--state", &state]);
    configured(&home, &sim.1);
    let one = json(&home, &["inverter", "registers", "hybrid", "--search", "8475", "--json"]);
    assert_eq!(one[0]["raw"], serde_json::json!([30]));
}

#[test]
fn ones_own_profiles_are_listed_shown_and_used() {
    let home = Home::new();
    let sim = Sim::senergy();
    let shown = stdout(&sunmill(&home, &["inverter", "profiles", "show", "senergy"], &[]));
    assert!(shown.starts_with("senergy_hybrid\n"), "{shown}");
    let shipped = include_str!("../assets/inverters/senergy_hybrid.toml");
    home.write("own/mine.toml", &shipped.replacen("name = \"senergy_hybrid\"", "name = \"mine\"", 1));
    home.write("own/bad.toml", "name = \"bad\"\n");
    home.write("config.toml", &format!("[inverters]\nprofiles = \"{}/own\"\n", home.path().display()));
    let output = sunmill(&home, &["inverter", "profiles", "list", "--json"], &[]);
    let all: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mine = all.as_array().expect("an array").iter().find(|one| one["name"] == "mine").expect("one's own");
    assert!(mine["file"].as_str().is_some_and(|file| file.ends_with("own/mine.toml")), "{mine}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("bad.toml:"), "{output:?}");
    let at = ["inverter", "show", "--at", &sim.1, "--profile", "mine", "--json"];
    assert_eq!(json(&home, &at)["profile"], "mine");
}
