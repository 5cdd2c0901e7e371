//! Several clients of one daemon, each a process of its own: one that dies in a jog, one that is stuck, one that stops what another
//! moves, two that are asked the same, one of another user.

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use rustix::process::{WaitOptions, waitpid};
use serde_json::json;
use sunmill::model::jog::{JogVector, MAX_LEASE};

use super::*;

/// Says to the child where the hub is.
const CHILD: &str = "SUNMILL_TEST_JOG";
/// Between two renewals of a key that is held.
const REPEAT: Duration = Duration::from_millis(80);
/// The user that everybody has and nobody is.
const NOBODY: u32 = 65534;

/// Not a test: the client that others kill and stop. It holds a jog key, as a screen does.
#[test]
fn a_child_that_holds_a_jog_key() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let mut hub = UnixStream::connect(path).expect("a hub");
    let say = |hub: &mut UnixStream, method: &str, params: Value| {
        writeln!(hub, "{}", json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})).expect("written");
    };
    say(&mut hub, "hello", json!({"protocol": 1, "client": "jogger", "screen": true}));
    let vector = JogVector { direction: sunmill::model::AxisVec::from_slice(&[1.0]), feed_mm_min: 60.0 };
    let jog = json!({"command": sunmill::model::Command::JogContinue { vector, lease: MAX_LEASE }});
    let mut answers = [0; 4096];
    loop {
        say(&mut hub, "submit", jog.clone());
        // What comes in the meantime is of no interest.
        let next = Instant::now() + REPEAT;
        while let Some(left) = next.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            hub.set_read_timeout(Some(left)).expect("a timeout");
            match hub.read(&mut answers) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Starts it, and waits until the machine jogs.
fn jogger(daemon: &Daemon) -> Child {
    let child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "people::a_child_that_holds_a_jog_key"])
        .env(CHILD, &daemon.socket)
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    daemon.until("jog", |status| is(status, "Jog"));
    child
}

/// Where the machine stands, once it stands: it is no jog that has just paused.
fn stands(daemon: &Daemon) -> f64 {
    let at = |status: &Value| status["machine"]["machine_position"]["values"][0].as_f64().expect("a position");
    let still = |status: &Value| is(status, "Idle") && status["machine"]["jog"].is_null();
    let first = daemon.until("standstill", still);
    let seen = first["machine"]["reported_at"].as_u64().expect("a report");
    // Longer than any lease, and than the pace of reports.
    let later = daemon.until("a later report", |status| {
        status["machine"]["reported_at"].as_u64().expect("a report") > seen + 1_000_000
    });
    assert!(still(&later) && (at(&later) - at(&first)).abs() < 1e-9, "it moves again: {later:#}");
    at(&later)
}

/// A row of the audit, once it is on the disk.
fn audited(daemon: &Daemon, wanted: impl Fn(&Value) -> bool) -> Value {
    let read =
        || serde_json::from_str::<Value>(&data_from(&daemon.run(&["audit", "--json"]), &daemon.socket)).expect("JSON");
    let found = (0..1000).find_map(|_| read().as_array().expect("rows").iter().find(|row| wanted(row)).cloned());
    found.unwrap_or_else(|| panic!("no such row: {:#}", read()))
}

#[test]
fn a_client_that_is_killed_or_stuck_in_mid_jog_stops_the_machine() {
    let daemon = Daemon::start();
    daemon.until("idle machine", |status| is(status, "Idle") && status["machine"]["work_position"].is_object());
    let mut killed = jogger(&daemon);
    killed.kill().expect("it lives");
    killed.wait().expect("its end");
    stands(&daemon);
    daemon.until("nobody in control", |status| status["people"]["control"].is_null());

    let mut stuck = jogger(&daemon);
    let pid = Pid::from_child(&stuck);
    kill_process(pid, Signal::STOP).expect("it lives");
    let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).expect("a child").expect("a change");
    assert!(status.stopped());
    stands(&daemon);
    // It is still attached, and its control can be taken.
    assert!(daemon.status()["people"]["clients"].to_string().contains("jogger"));
    stdout(&daemon.run(&["jog", "X-1", "--take", "--reason", "it does not answer"]));
    stuck.kill().expect("it is there");
    stuck.wait().expect("its end");
}

#[test]
fn who_watches_stops_what_another_jogs() {
    let daemon = Daemon::start();
    daemon.until("idle machine", |status| is(status, "Idle") && status["machine"]["work_position"].is_object());
    let mut child = jogger(&daemon);
    stdout(&daemon.run(&["stop"]));
    // Its key is still down, or down again if this computer is slow: it is let go now.
    child.kill().expect("it lives");
    child.wait().expect("its end");
    stands(&daemon);
    let stop = audited(&daemon, |row| row["what"] == "stop");
    assert!(stop["outcome"].as_str().is_some_and(|outcome| outcome.starts_with("seen to ")), "{stop}");
    assert_eq!(stop["uid"], rustix::process::getuid().as_raw(), "{stop}");
    for column in ["user", "program", "place"] {
        assert!(stop[column].as_str().is_some_and(|said| !said.is_empty()), "{column}: {stop}");
    }
    assert!(stop["client"].is_number() && stop["took_ms"].is_number(), "{stop}");
}

/// A stop needs no greeting; who it was is known by the socket all the same.
#[test]
fn a_stop_of_who_says_nothing_else_is_in_the_audit_with_its_user() {
    let daemon = Daemon::start();
    daemon.until("idle machine", |status| is(status, "Idle") && status["machine"]["work_position"].is_object());
    let mut hub = UnixStream::connect(&daemon.socket).expect("a hub");
    writeln!(hub, "{}", json!({"jsonrpc": "2.0", "id": 1, "method": "stop"})).expect("written");
    let stop = audited(&daemon, |row| row["what"] == "stop");
    assert_eq!(stop["uid"], rustix::process::getuid().as_raw(), "{stop}");
    assert!(stop["place"].as_str().is_some_and(|place| place.starts_with("process ")), "{stop}");
    assert!(daemon.status()["people"]["clients"].as_array().is_some_and(|all| all.len() == 1), "only who looks now");
}

#[test]
fn a_program_asks_on_every_screen_and_is_answered_once() {
    let home = Home::new();
    home.write("config.toml", "[programs]\nfolders = [\"~/gcode\"]\n");
    let asks = home.write("gcode/asks.nc", "G21 G90 G94 G54\nG0 X52\nM0 (turn the part)\nG1 X90 F60\nM30\n");
    let daemon = Daemon::start_with(home);
    let open = || {
        let mut terminal = Terminal::sunmill(Home::new(), &["--socket", &daemon.socket], (24, 80), &[]);
        terminal.wait_for("IDLE");
        terminal
    };
    let (mut first, mut second) = (open(), open());
    daemon.until("idle machine", |status| is(status, "Idle") && status["machine"]["work_position"].is_object());
    let run = daemon.run(&["run", &asks, "--position-is-good", "--yes"]);
    assert!(run.status.success(), "{run:?}");
    for terminal in [&mut first, &mut second] {
        terminal.wait_for("The program waits for you");
        terminal.wait_for("turn the part");
    }
    first.rest();
    first.send("~");
    first.rest();
    first.send("\r");
    first.wait_for("RUNNING");
    second.wait_until("no question any more", |screen| !screen.contents().contains("The program waits for you"));
    let why = failure(&daemon.run(&["resume", "--take"]), 5);
    assert!(why.contains("line 3 has been answered already, by ") && why.contains("(screen "), "{why}");
    stdout(&daemon.run(&["reset"]));
}

/// A run of the binary as another user.
fn as_nobody(daemon: &Daemon, binary: &Path, args: &[&str]) -> Output {
    Command::new(binary)
        .args(args)
        .args(["--socket", &daemon.socket])
        .current_dir("/")
        .env_clear()
        .env("HOME", "/")
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .expect("the binary runs")
}

/// The name of the group with this number.
fn group_of(gid: u32) -> Option<String> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    let is_it = |line: &&str| line.split(':').nth(2) == Some(gid.to_string().as_str());
    groups.lines().find(is_it).and_then(|line| line.split(':').next()).map(str::to_owned)
}

#[test]
#[allow(clippy::print_stdout, reason = "a test that cannot be made here says so")]
fn another_user_has_the_role_of_its_group_and_stops_whatever_that_is() {
    let Some(group) = group_of(NOBODY).filter(|_| rustix::process::getuid().is_root()) else {
        println!("left out: only root can be another user, and that one needs a group");
        return;
    };
    let home = Home::new();
    // Another user cannot look into the folders in which this was built.
    let binary = PathBuf::from(home.path()).join("sunmill");
    fs::copy(env!("CARGO_BIN_EXE_sunmill"), &binary).expect("a copy");
    fs::set_permissions(home.path(), Permissions::from_mode(0o755)).expect("a mode");
    home.write("config.toml", &format!("[attach]\nothers = \"operate\"\n[attach.groups]\n{group} = \"observe\"\n"));
    let daemon = Daemon::start_with(home);
    daemon.until("idle machine", |status| is(status, "Idle") && status["machine"]["work_position"].is_object());
    let other = |args: &[&str]| as_nobody(&daemon, &binary, args);
    // The socket is for its owner and the group.
    let why = failure(&other(&["status"]), 6);
    assert!(why.contains("this user may not use the socket"), "{why}");
    fs::set_permissions(&daemon.socket, Permissions::from_mode(0o666)).expect("a mode");
    assert!(stdout(&other(&["status"])).contains("state     Idle"));
    for refused in [
        &["jog", "X1"][..],
        &["send", "G4 P0"],
        &["home"],
        &["zero", "X"],
        &["control", "release"],
        &["park"],
        &["rules", "aside", "evening"],
    ] {
        let why = failure(&other(refused), 6);
        assert!(why.contains("your role here is observe, and this takes operate"), "{refused:?}: {why}");
    }
    let why = failure(&other(&["rpc", "command", r#"{"command":"Unlock"}"#]), 6);
    assert!(why.contains("your role here is observe"), "{why}");
    stdout(&daemon.run(&["send", "G91 G21", "G1 X40 F300"]));
    daemon.until("motion", |status| is(status, "Run"));
    stdout(&other(&["stop"]));
    daemon.until("hold", |status| is(status, "Hold"));
    failure(&other(&["resume"]), 6);
    audited(&daemon, |row| row["what"] == "stop" && row["uid"] == NOBODY);
    stdout(&daemon.run(&["reset"]));
}
