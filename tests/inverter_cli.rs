//! `sunmill inverter` and `sunmill history`, run as a person or a script runs them, on a simulated inverter of another process.

mod common;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use common::{Home, failure, stdout, sunmill};
use serde_json::Value;

/// A simulated inverter on a socket; it ends with the test.
struct Sim(Child, String);

impl Sim {
    fn senergy() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sunmill"))
            .args(["sim", "inverter", "--profile", "senergy", "--tcp", "0"])
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
