//! The real binary as a daemon, with scripts and screens that attach to it.

mod common;

use std::process::{Child, Command, Stdio};

use common::pty::Terminal;
use common::{Home, failure, stdout, sunmill};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A daemon over the simulated machine, on a socket in its home.
struct Daemon {
    home: Home,
    socket: String,
    process: Child,
}

impl Daemon {
    fn start() -> Self {
        let home = Home::new();
        let socket = home.path().join("sunmill.sock").to_str().expect("UTF-8").to_owned();
        let process = Command::new(env!("CARGO_BIN_EXE_sunmill"))
            .args(["daemon", "--socket", &socket])
            .current_dir(home.path())
            .env_clear()
            .env("HOME", home.path())
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut daemon = Self { home, socket, process };
        let stderr = daemon.process.stderr.take().expect("a pipe");
        let mut said = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stderr), &mut said).expect("a line");
        assert!(said.contains("sunmill serves sim"), "{said}");
        daemon
    }

    fn run(&self, args: &[&str]) -> std::process::Output {
        sunmill(&self.home, args, &[("SUNMILL_SOCKET", &self.socket)])
    }

    fn status(&self) -> Value {
        serde_json::from_str(&stdout(&self.run(&["status", "--json"]))).expect("JSON")
    }

    /// Asks until the state is as wanted; each answer is a run of the binary.
    fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..200 {
            let status = self.status();
            if wanted(&status) {
                return status;
            }
        }
        panic!("no {what}: {:#}", self.status());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn is(status: &Value, state: &str) -> bool {
    status["machine"]["state"]["kind"] == state
}

#[test]
fn scripts_do_what_a_person_can_with_exit_codes_that_tell() {
    let mut daemon = Daemon::start();
    daemon.until("idle machine", |status| is(status, "Idle") && status["machine"]["work_position"].is_object());
    assert!(stdout(&daemon.run(&["status"])).contains("state     Idle"));
    stdout(&daemon.run(&["send", "G91 G21", "G1 X40 F300"]));
    daemon.until("motion", |status| is(status, "Run"));
    stdout(&daemon.run(&["hold"]));
    assert!(is(&daemon.status(), "Hold"));
    let why = failure(&daemon.run(&["send", "G1 X1"]), 5);
    assert!(why.contains("on hold"), "{why}");
    stdout(&daemon.run(&["resume"]));
    daemon.until("motion again", |status| is(status, "Run"));
    stdout(&daemon.run(&["stop"]));
    let why = failure(&daemon.run(&["rpc", "fly"]), 1);
    assert!(why.contains("no method"), "{why}");
    assert!(stdout(&daemon.run(&["rpc", "ping"])).contains("now_us"));
    assert!(stdout(&daemon.run(&["control", "who"])).contains("nobody is in control"), "each script leaves again");

    let pid = Pid::from_child(&daemon.process);
    kill_process(pid, Signal::TERM).expect("it lives");
    assert!(daemon.process.wait().expect("its end").success());
    let why = failure(&daemon.run(&["status"]), 3);
    assert!(why.contains("no sunmill answers"), "{why}");
    assert!(!std::path::Path::new(&daemon.socket).exists(), "its socket is gone with it");
}

#[test]
fn a_script_changes_a_setting_of_an_inverter_and_is_told_what_became_of_it() {
    let daemon = Daemon::start();
    daemon.until("an inverter that may be written", |status| {
        let unit = &status["power"]["inverters"][0];
        unit["state"] == "answers" && unit["read_only"].is_null()
    });
    assert!(stdout(&daemon.run(&["inverter", "list"])).contains("senergy_hybrid"));
    let run = |what: &str| daemon.run(&["inverter", "set", "simulated", what, "--yes"]);
    let output = run("capacity_of_discharger_end_eod_=35");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "discharge_end_soc: written and read back\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("discharge_end_soc: 20 % -> 35 %"), "{output:?}");
    let why = failure(&run("discharge_end_soc=200"), 5);
    assert!(why.contains("out of range") && why.contains("0 % to 100 %"), "{why}");
    let why = failure(&run("discharge_end_soc=40"), 5);
    assert!(why.contains("wait"), "too soon after the last write: {why}");
    let why = failure(&daemon.run(&["inverter", "set", "roof", "discharge_end_soc=40", "--yes"]), 5);
    assert!(why.contains("simulated"), "which there are: {why}");
    let why = failure(&daemon.run(&["inverter", "set", "simulated", "charge_end_soc=90"]), 5);
    assert!(why.contains("not agreed"), "{why}");
    assert!(stdout(&daemon.run(&["audit"])).contains("discharge_end_soc 20 % -> 35 %"));
}

#[test]
fn two_screens_see_one_machine_and_control_goes_back_and_forth() {
    let daemon = Daemon::start();
    let open = || {
        let mut terminal = Terminal::sunmill(Home::new(), &["--socket", &daemon.socket], (24, 80), &[]);
        terminal.wait_for("IDLE");
        terminal.rest();
        terminal
    };
    let (mut first, mut second) = (open(), open());
    first.send("i");
    first.wait_for("JOG MODE");
    first.rest();
    first.send("\x1b[C");
    second.wait_for("watching: ");
    first.send("\x1b");
    // What takes control is not taken in the same moment as other news.
    for _ in 0..10 {
        second.rest();
        if second.grid().contains("Take control") {
            break;
        }
        second.send("T");
    }
    second.wait_for("Take control");
    second.rest();
    second.send("\r");
    first.wait_for("is in control");
    // Leaving a screen leaves the hub at work, and control free.
    second.rest();
    second.send("q");
    assert!(second.exit_status().success());
    daemon.until("free control", |status| status["people"]["control"].is_null());
    first.rest();
    first.send("q");
    assert!(first.exit_status().success());
    daemon.status();
}

#[test]
fn a_screen_that_hangs_up_in_a_program_leaves_the_program_running_to_its_end() {
    let home = Home::new();
    home.write("gcode/part.nc", "G21 G90 G94 G54\nG0 X52 Y52 Z-9\nG1 X54 F60\nG1 X52 F60\nM30\n");
    home.write("config.toml", "[programs]\nfolders = [\"~/gcode\"]\n");
    let folder = home.path().to_owned();
    let socket = folder.join("own.sock").to_str().expect("UTF-8").to_owned();
    let mut terminal = Terminal::sunmill(home, &["--socket", &socket], (24, 80), &[]);
    terminal.wait_for("IDLE");
    let ask = |args: &[&str]| {
        let run = Command::new(env!("CARGO_BIN_EXE_sunmill"))
            .args(args)
            .args(["--socket", &socket])
            .current_dir(&folder)
            .env_clear()
            .env("HOME", &folder)
            .output();
        run.expect("the binary runs")
    };
    let order = serde_json::json!({"command": {"Program": {"Run": {
        "path": folder.join("gcode/part.nc"), "seen": null, "start": "Beginning", "check_mode": false,
        "agreed": {"warnings": true, "unchecked": true, "position_word": "position is good"},
    }}}});
    stdout(&ask(&["rpc", "command", &order.to_string()]));
    terminal.wait_for("RUNNING");
    terminal.hang_up();
    let status: Value = serde_json::from_str(&stdout(&ask(&["status", "--json"]))).expect("it still answers");
    assert!(status["programs"]["run"].is_object(), "{status:#}");
    terminal.exit_status();
    let history = stdout(&ask(&["programs", "history", "--csv"]));
    assert!(history.contains("done"), "{history}");
}
