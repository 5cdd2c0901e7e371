//! What scripts are told by exit codes, and what they can watch.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;

use super::*;

/// Reads on to a line as wanted.
fn read_to(lines: &mut impl Iterator<Item = std::io::Result<String>>, wanted: impl Fn(&str) -> bool) -> String {
    lines.map(|line| line.expect("text")).find(|line| wanted(line)).expect("it ends before")
}

#[test]
fn a_script_watches_what_changes_as_lines_for_people_and_for_programs() {
    let daemon = Daemon::start();
    daemon.until("idle machine", |status| is(status, "Idle") && status["machine"]["work_position"].is_object());
    let (mut people, mut programs) =
        (daemon.begin(&["status", "--watch"]), daemon.begin(&["status", "--watch", "--json"]));
    let mut lines = BufReader::new(people.stdout.take().expect("a pipe")).lines();
    let mut documents = BufReader::new(programs.stdout.take().expect("a pipe")).lines();
    let first = read_to(&mut lines, |_| true);
    assert!(first.starts_with("Idle  X "), "{first}");
    let kind = |line: &str| {
        serde_json::from_str::<Value>(line).expect("a document a line")["machine"]["state"]["kind"].clone()
    };
    read_to(&mut documents, |line| kind(line) == "Idle");
    stdout(&daemon.run(&["send", "G91 G21", "G1 X2 F120"]));
    read_to(&mut lines, |line| line.starts_with("Run  X "));
    read_to(&mut documents, |line| kind(line) == "Run");
    let stood = read_to(&mut lines, |line| line.starts_with("Idle  X "));
    assert_ne!(first, stood);
    read_to(&mut documents, |line| kind(line) == "Idle");
    for child in [&mut people, &mut programs] {
        kill_process(Pid::from_child(child), Signal::INT).expect("it lives");
        assert_eq!(child.wait().expect("its end").code(), Some(130));
    }
}

#[test]
fn what_the_machine_is_not_in_a_state_for_is_refused_with_5_whatever_it_is() {
    let home = Home::new();
    home.write("config.toml", "[programs]\nfolders = [\"~/gcode\"]\n");
    let good = home.write("gcode/good.nc", "G21 G90 G94 G54\nG1 X52 F600\nM30\n");
    let daemon = Daemon::start_with(home);
    daemon.until("idle machine", |status| is(status, "Idle") && status["machine"]["work_position"].is_object());
    let refused = |args: &[&str], words: &str| {
        let why = failure(&daemon.run(args), 5);
        assert!(why.contains(words), "{args:?}: {why}");
    };
    refused(&["unlock"], "no alarm to unlock");
    refused(&["resume"], "nothing to resume (state Idle)");
    stdout(&daemon.run(&["send", "G91 G21", "G1 X40 F300"]));
    daemon.until("motion", |status| is(status, "Run"));
    for command in [&["jog", "X1"][..], &["home"], &["home", "X"], &["zero", "X"]] {
        refused(command, "running");
    }
    refused(&["run", &good, "--position-is-good"], "not idle");
    refused(&["resume"], "nothing to resume (state Run)");
    stdout(&daemon.run(&["hold"]));
    for command in [&["jog", "X1"][..], &["home"], &["zero", "X"], &["send", "G0 X1"]] {
        refused(command, "on hold");
    }
    refused(&["run", &good, "--position-is-good"], "not idle");
    refused(&["unlock"], "no alarm to unlock");
    // A reset in motion loses the position: an alarm.
    stdout(&daemon.run(&["resume"]));
    daemon.until("motion", |status| is(status, "Run"));
    stdout(&daemon.run(&["reset"]));
    daemon.until("alarm", |status| is(status, "Alarm"));
    for command in [&["jog", "X1"][..], &["zero", "X"], &["send", "G0 X1"]] {
        refused(command, "alarm");
    }
    refused(&["run", &good, "--position-is-good"], "must not run");
    refused(&["resume"], "nothing to resume (state Alarm)");
    stdout(&daemon.run(&["unlock"]));
    daemon.until("idle machine", |status| is(status, "Idle"));
}

#[test]
fn a_machine_that_does_not_answer_is_7_and_one_that_is_not_there_is_5() {
    // A peer that takes what is sent, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let home = Home::new();
    home.write("config.toml", &format!("[machine]\nport = \"tcp://{}\"\n", silent.local_addr().expect("an address")));
    let daemon = Daemon::start_with(home);
    daemon.until("a link", |status| !matches!(status["machine"]["link"]["state"].as_str(), Some("Opening")));
    let why = failure(&daemon.run(&["stop"]), 7);
    assert!(why.contains("not seen to obey"), "{why}");
    failure(&daemon.run(&["jog", "X1"]), 5);
    drop(daemon);

    let home = Home::new();
    home.write("config.toml", "[machine]\nport = \"/dev/serial/by-id/nowhere\"\n");
    let daemon = Daemon::start_with(home);
    daemon.until("a lost link", |status| status["machine"]["link"]["state"]["Down"].is_object());
    for command in ["stop", "hold", "reset"] {
        let why = failure(&daemon.run(&[command]), 5);
        assert!(why.contains("NOTHING COULD BE SENT") && why.contains("nowhere"), "{command}: {why}");
    }
}

#[test]
fn programs_are_those_of_the_sunmill_that_runs_and_so_is_their_history() {
    let home = Home::new();
    home.write("config.toml", "[programs]\nfolders = [\"~/gcode\"]\n");
    let good = home.write("gcode/good.nc", "G21 G90 G94 G54\nG0 X52 Y52 Z-9\nG1 X53 F600\nM30\n");
    let far = home.write("gcode/far.nc", "G21 G90 G94 G54\nG53 G0 X5000\nM30\n");
    let daemon = Daemon::start_with(home);
    daemon.until("idle machine", |status| is(status, "Idle") && status["machine"]["work_position"].is_object());
    let run = daemon.run(&["run", &good, "--wait", "--position-is-good", "--yes"]);
    assert!(run.status.success(), "{run:?}");
    // Of somebody with another home, and so without a history and programs of his own.
    let stranger = Home::new();
    let socket = daemon.socket.clone();
    let ask = |args: &[&str]| sunmill(&stranger, args, &[("SUNMILL_SOCKET", &socket)]);
    let rows: Value = serde_json::from_str(&stdout(&ask(&["programs", "list", "--json"]))).expect("JSON");
    let mut names: Vec<&str> = rows.as_array().expect("rows").iter().filter_map(|row| row["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["far.nc", "good.nc"]);
    assert!(failure(&ask(&["programs", "list", "/etc"]), 1).contains("outside of the folders"));
    let shown = stdout(&ask(&["programs", "show", &good]));
    for words in ["size      4 lines", "feeds     600 mm/min", "X 52 to 53", "may run on FluidNC"] {
        assert!(shown.contains(words), "{words:?}: {shown}");
    }
    assert!(stdout(&ask(&["programs", "check", &good])).contains("may run on FluidNC with 4 axes"));
    let wrong = ask(&["programs", "check", &far]);
    let said = String::from_utf8_lossy(&wrong.stdout).into_owned();
    assert_eq!(wrong.status.code(), Some(1), "{said}");
    // What only this machine can tell: it is not homed, and how far it goes.
    assert!(said.contains("far.nc: error: ") && said.contains("before homing"), "{said}");
    assert!(said.contains("far.nc:2: warning: ") && said.contains("beyond its travel"), "{said}");
    let document: Value = serde_json::from_slice(&ask(&["programs", "check", &far, "--json"]).stdout).expect("JSON");
    assert_eq!((&document["may_run"], &document["firmware"]), (&false.into(), &"FluidNC".into()));
    let history = stdout(&ask(&["programs", "history", "--csv"]));
    assert!(history.lines().count() == 2 && history.contains("good.nc") && history.contains(",done,"), "{history}");
    assert_eq!(stdout(&ask(&["programs", "history", "--csv", "--last", "0"])).lines().count(), 1);
    assert_eq!(stdout(&ask(&["programs", "history", "--json", "--since", "2100-01-01"])), "[]\n");
    let sums: Value = serde_json::from_str(&stdout(&ask(&["programs", "statistics", "--json"]))).expect("JSON");
    assert_eq!((&sums["dry"]["done"], &sums["programs"][0]["name"]), (&1.into(), &"good.nc".into()), "{sums:#}");
    let audit = data_from(&ask(&["audit", "--kind", "run"]), &socket);
    assert!(audit.contains("run good.nc"), "{audit}");
    assert_eq!(data_from(&ask(&["audit", "--csv", "--last", "1"]), &socket).lines().count(), 2);
    let report = stdout(&ask(&["bugreport"]));
    let (_, report) =
        report.split_once("== audit, the last 100\n(the audit of the sunmill that runs at ").expect("whose");
    let (audit, events) = report.split_once("== events, the last 300 of the sunmill that runs\n").expect("events");
    assert!(audit.contains("run good.nc") && events.contains("good.nc has come to its end"), "{report}");
    drop(daemon);
    // Without one they are what lies on this disk: nothing.
    assert_eq!(stdout(&ask(&["programs", "history", "--json"])), "[]\n");
    assert_eq!(data_from(&ask(&["audit", "--json"]), "no sunmill answers, and nothing has been kept in "), "[]\n");
}
