//! `sunmill doctor`, run as a person or a script runs it.

mod common;

use std::process::Output;

use common::pty::Terminal;
use common::{Home, stdout, sunmill};
use serde_json::Value;

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// What is said about an area, all in one text.
fn about(report: &Value, area: &str) -> String {
    let findings = report["findings"].as_array().expect("a list").iter();
    findings.filter(|finding| finding["area"] == area).map(Value::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_mistake_in_the_configuration_is_a_problem_and_the_rest_is_looked_at_all_the_same() {
    let home = Home::new();
    home.write("config.toml", "[machine]\nbauds = 1");
    let output = sunmill(&home, &["doctor"], &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("PROBLEM  config    ./config.toml:2:1: unknown key \"bauds\""), "{text}");
    for area in ["groups", "others", "socket", "database", "log", "clock", "terminal"] {
        assert!(text.lines().any(|line| line.get(9..).is_some_and(|line| line.starts_with(area))), "{area}: {text}");
    }
    assert!(text.trim_end().lines().last().unwrap().contains("problem"), "{text}");
    assert!(!home.path().join(".local").exists(), "looking changes nothing");
}

#[test]
fn what_is_configured_and_missing_is_named_with_its_remedy() {
    let home = Home::new();
    home.write("config.toml", "[machine]\nport = \"/dev/serial/by-id/usb-nowhere\"\n[store]\npath = \"sunmill.db\"");
    home.write("sunmill.db", &"no database ".repeat(50));
    let output = sunmill(&home, &["doctor", "--json"], &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = report(&output);
    assert!(report["problems"].as_u64() >= Some(2), "{report:#}");
    let port = about(&report, "port");
    assert!(port.contains("usb-nowhere") && port.contains("is not there") && port.contains("sunmill ports"), "{port}");
    let database = about(&report, "database");
    assert!(database.contains("sunmill.db") && database.contains("\"problem\""), "{database}");
}

#[test]
fn sockets_that_were_left_behind_and_hubs_that_answer_are_told_apart() {
    let home = Home::new();
    let socket = home.path().join("sunmill.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let socket = socket.to_str().unwrap().to_owned();
    let look = |home: &Home| about(&report(&sunmill(home, &["doctor", "--json", "--socket", &socket], &[])), "socket");
    assert!(look(&home).contains("left behind"), "{}", look(&home));
    let mut screen = Terminal::sunmill(Home::new(), &["--socket", &socket], (24, 80), &[]);
    screen.wait_for("IDLE");
    let said = look(&home);
    assert!(said.contains("\"ok\"") && said.contains("runs sim on"), "{said}");
    screen.rest();
    screen.send("q");
    assert!(screen.exit_status().success());
}

#[test]
fn the_terminal_is_asked_what_it_can_do_and_left_as_it_was() {
    let mut terminal = Terminal::sunmill(Home::new(), &["doctor"], (60, 120), &[]);
    terminal.wait_for("problem");
    let grid = terminal.grid();
    assert!(grid.contains("xterm-256color of 120x60") && grid.contains("256 colours"), "{grid}");
    assert!(grid.contains("does not tell when a key is let go"), "{grid}");
    let asked = |what: &[u8]| terminal.raw.windows(what.len()).any(|window| window == what);
    assert!(asked(b"\x1b[?u") && !asked(b"\x1b[?1049h"));
    terminal.exit_status();
}

#[test]
fn help_says_what_it_looks_at() {
    let help = stdout(&sunmill(&Home::new(), &["doctor", "--help"], &[]));
    assert!(help.contains("ModemManager") && help.contains("--json"), "{help}");
}
