//! The real binary as a daemon, with scripts and screens that attach to it.

#[path = "daemon/codes.rs"]
mod codes;
mod common;
#[path = "daemon/people.rs"]
mod people;

use std::process::{Child, Command, Stdio};

use common::pty::Terminal;
use common::{Home, data_from, failure, stdout, sunmill};
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
        Self::start_with(Home::new())
    }

    fn start_with(home: Home) -> Self {
        let socket = home.path().join("sunmill.sock").to_str().expect("UTF-8").to_owned();
        let (process, said) = common::daemon(&home, &socket);
        assert!(said.contains("sunmill serves "), "{said}");
        Self { home, socket, process }
    }

    fn run(&self, args: &[&str]) -> std::process::Output {
        sunmill(&self.home, args, &[("SUNMILL_SOCKET", &self.socket)])
    }

    /// Starts a script that goes on by itself.
    fn begin(&self, args: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_sunmill"))
            .args(args)
            .args(["--socket", &self.socket])
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs")
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
    stdout(&daemon.run(&["send", "--wait", "G91 G21", "G1 X1 F600"]));
    daemon.until("an idle machine at its end", |status| is(status, "Idle"));
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
    assert!(data_from(&daemon.run(&["audit"]), &daemon.socket).contains("discharge_end_soc 20 % -> 35 %"));
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
fn a_screen_comes_back_with_the_hub_that_it_was_attached_to() {
    let mut daemon = Daemon::start();
    let mut screen = Terminal::sunmill(Home::new(), &["--socket", &daemon.socket], (24, 80), &[]);
    screen.wait_for("IDLE");
    daemon.process.kill().expect("it lives");
    daemon.process.wait().expect("its end");
    screen.wait_for("NO KEY HERE STOPS ANYTHING");
    // What is typed into the lost screen is meant for no machine.
    screen.send("i\x1b[C\r");
    let (process, _) = common::daemon(&daemon.home, &daemon.socket);
    daemon.process = process;
    screen.wait_for("attached again");
    screen.wait_for("IDLE");
    assert!(!screen.grid().contains("JOG MODE"), "{}", screen.grid());
    // And Ctrl+C ends the search for one that does not come back.
    daemon.process.kill().expect("it lives");
    daemon.process.wait().expect("its end");
    screen.wait_until("it looks for it again", |screen| !screen.contents().contains("IDLE"));
    screen.wait_for("Ctrl+C ends that");
    screen.send("\x03");
    assert_eq!(screen.exit_status().exit_code(), 130);
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

#[test]
fn a_script_jogs_zeroes_and_runs_programs_and_its_exit_code_says_how_they_ended() {
    let home = Home::new();
    home.write("config.toml", "[programs]\nfolders = [\"~/gcode\"]\n");
    let good = home.write("gcode/good.nc", "G21 G90 G94 G54\nG0 X52 Y52 Z-9\nG1 X53 F600\nM30\n");
    let warns = home.write("gcode/warns.nc", "G21 G90 G94 G54\nG1 X52 F600\nM62 P1\nG0 X500\nM30\n");
    let wrong = home.write("gcode/wrong.nc", "G21 G90 G94 G54\nG1 X52\nM30\n");
    let slow = home.write("gcode/slow.nc", "G21 G90 G94 G54\nG0 X52 Y52 Z-9\nG1 X90 F60\nM30\n");
    let asks = home.write("gcode/asks.nc", "G21 G90 G94 G54\nG0 X52\nM0 (turn the part)\nG0 X53\nM30\n");
    let daemon = Daemon::start_with(home);
    daemon.until("idle machine", |status| is(status, "Idle") && status["machine"]["work_position"].is_object());
    let at = |status: &Value| status["machine"]["machine_position"]["values"][0].as_f64().expect("a position");
    let before = at(&daemon.status());
    stdout(&daemon.run(&["jog", "X1.5", "Y-1", "--feed", "3000"]));
    let after = daemon.status();
    assert!(is(&after, "Idle") && (at(&after) - before - 1.5).abs() < 0.01, "it has waited for the end: {after:#}");
    assert!(failure(&daemon.run(&["jog", "X"]), 2).contains("such as X10"));
    assert!(failure(&daemon.run(&["jog", "X1", "--feed", "0"]), 1).contains("above 0"));
    stdout(&daemon.run(&["zero", "X", "y"]));
    let status = daemon.until("zero", |status| status["machine"]["work_position"]["values"][0] == 0.0);
    assert_eq!(status["machine"]["work_position"]["values"][1], 0.0, "{status:#}");
    stdout(&daemon.run(&["send", "G10 L2 P1 X0 Y0 Z0"]));
    daemon.until("offsets as they were", |status| status["machine"]["work_position"]["values"][0] != 0.0);

    let why = failure(&daemon.run(&["run", &good]), 5);
    assert!(why.contains("--position-is-good"), "{why}");
    let why = failure(&daemon.run(&["run", &good, "--position-is-good"]), 5);
    assert!(why.contains("line 3: warning: ") && why.contains("agree to the warnings with --yes"), "{why}");
    let run = daemon.run(&["run", &good, "--wait", "--position-is-good", "--yes"]);
    assert!(run.status.success(), "{run:?}");
    let run = daemon.run(&["run", &asks, "--position-is-good", "--yes"]);
    assert!(run.status.success(), "{run:?}");
    let asked = daemon.until("the question", |status| status["programs"]["run"]["prompt"].is_object());
    assert!(asked.to_string().contains("turn the part"), "{asked:#}");
    stdout(&daemon.run(&["resume"]));
    daemon.until("the end", |status| status["programs"]["run"]["state"]["state"] == "done");
    // Later reports than those that were on their way: it stands, and was not just about to move.
    let seen = daemon.status()["machine"]["reported_at"].as_u64().expect("a report");
    daemon.until("a machine that stands at its end", |status| {
        let later = status["machine"]["reported_at"].as_u64().expect("a report") > seen + 500_000;
        later && is(status, "Idle") && (at(status) - 53.0).abs() < 0.01
    });
    assert!(failure(&daemon.run(&["run", &wrong, "--position-is-good"]), 1).contains("line 2: error:"));
    assert!(failure(&daemon.run(&["run", &warns, "--position-is-good"]), 5).contains("beyond its travel"));
    let why = failure(&daemon.run(&["run", &good, "--from", "3", "--position-is-good"]), 5);
    assert!(why.contains("sent first") && why.contains("--yes"), "{why}");
    let from = daemon.run(&["run", &good, "--from", "3", "--yes", "--wait", "--position-is-good"]);
    assert!(from.status.success(), "{from:?}");
    daemon.until("a machine that stands", |status| is(status, "Idle"));
    assert!(failure(&daemon.run(&["run", "/etc/passwd", "--position-is-good"]), 1).contains("/etc/passwd"));

    let run = daemon.run(&["run", &slow, "--position-is-good", "--yes"]);
    assert!(run.status.success(), "{run:?}");
    assert_eq!(daemon.until("a run", |status| is(status, "Run"))["programs"]["run"]["name"], "slow.nc");
    stdout(&daemon.run(&["reset"]));
    let history = stdout(&daemon.run(&["programs", "history", "--csv"]));
    assert!(history.contains("stopped"), "{history}");
    // The row of the reset comes when it is known what became of it.
    let is_reset = |row: &Value| row["kind"] == "realtime" && row["what"] == "soft reset";
    let rows = (0..1000)
        .map(|_| {
            serde_json::from_str::<Value>(&data_from(&daemon.run(&["audit", "--json"]), &daemon.socket)).expect("JSON")
        })
        .find(|rows| rows.as_array().expect("rows").iter().any(is_reset))
        .expect("a row of the reset");
    let of = |what: &str| {
        let row = rows.as_array().expect("rows").iter().find(|row| {
            // The alarm that follows a reset in motion speaks of it too.
            row["kind"] != "alarm" && row["what"].as_str().is_some_and(|it| it.contains(what))
        });
        row.unwrap_or_else(|| panic!("no {what}: {rows:#}"))
    };
    let uid = format!("uid {}", rustix::process::getuid().as_raw());
    for what in ["jog X+1.5 Y-1 at 3000 mm/min", "set work ", "run slow.nc", "soft reset"] {
        let row = of(what);
        let who = row["who"].as_str().expect("words");
        assert!(who.contains(&uid) && who.contains("process ") && who.contains("script "), "{row}");
        assert!(row["took_ms"].is_number() && row["outcome"].is_string(), "{row}");
    }
}

#[test]
fn who_waits_for_a_program_that_is_stopped_exits_with_8_and_who_is_not_in_control_with_4() {
    let home = Home::new();
    home.write("config.toml", "[programs]\nfolders = [\"~/gcode\"]\n");
    let slow = home.write("gcode/slow.nc", "G21 G90 G94 G54\nG0 X52 Y52 Z-9\nG1 X90 F60\nM30\n");
    let good = home.write("gcode/good.nc", "G21 G90 G94 G54\nG0 X52 Y52 Z-9\nG1 X53 F600\nM30\n");
    let daemon = Daemon::start_with(home);
    daemon.until("idle machine", |status| is(status, "Idle") && status["machine"]["work_position"].is_object());
    // Each run follows one that ended otherwise, and is told by its own end.
    let to_its_end = || {
        let run = daemon.run(&["run", &good, "--wait", "--position-is-good", "--yes"]);
        assert!(run.status.success(), "{run:?}");
    };
    to_its_end();
    let mut events = daemon.begin(&["events", "--follow"]);
    let waiting = daemon.begin(&["run", &slow, "--wait", "--position-is-good", "--yes"]);
    daemon.until("a run", |status| is(status, "Run"));
    let why = failure(&daemon.run(&["unlock"]), 4);
    assert!(why.contains("is in control since"), "{why}");
    assert!(stdout(&daemon.run(&["control", "who"])).contains("is in control"));
    stdout(&daemon.run(&["stop"]));
    daemon.until("hold", |status| is(status, "Hold"));
    stdout(&daemon.run(&["reset"]));
    let ended = waiting.wait_with_output().expect("its end");
    assert_eq!(ended.status.code(), Some(8), "{ended:?}");
    assert!(String::from_utf8_lossy(&ended.stderr).contains("slow.nc: stopped"), "{ended:?}");
    daemon.until("idle machine", |status| is(status, "Idle"));
    to_its_end();
    let waiting = daemon.begin(&["run", &slow, "--wait", "--position-is-good", "--yes"]);
    daemon.until("a run", |status| is(status, "Run") && status["programs"]["run"]["name"] == "slow.nc");
    stdout(&daemon.run(&["reset"]));
    let ended = waiting.wait_with_output().expect("its end");
    assert_eq!(ended.status.code(), Some(8), "an alarm: {ended:?}");
    let status = daemon.until("alarm", |status| is(status, "Alarm") && status["machine"]["alarm"].is_object());
    assert!(
        status["programs"]["run"]["state"]["state"] == "failed"
            || status["programs"]["run"]["state"]["state"] == "stopped"
    );
    assert!(stdout(&daemon.run(&["status"])).contains("alarm     "));
    stdout(&daemon.run(&["unlock"]));
    daemon.until("idle machine", |status| is(status, "Idle"));

    let jogging = daemon.begin(&["jog", "X40"]);
    daemon.until("a jog", |status| is(status, "Jog"));
    stdout(&daemon.run(&["stop"]));
    let ended = jogging.wait_with_output().expect("its end");
    assert_eq!(ended.status.code(), Some(8), "{ended:?}");
    assert!(String::from_utf8_lossy(&ended.stderr).contains("it was stopped by a stop"), "{ended:?}");
    daemon.until("free control", |status| status["people"]["control"].is_null() && is(status, "Idle"));

    let taking = daemon.begin(&["control", "take", "--reason", "tool breaks"]);
    daemon.until("somebody in control", |status| status["people"]["control"].is_object());
    failure(&daemon.run(&["jog", "X1"]), 4);
    // Long enough to be seen in control.
    let jogging = daemon.begin(&["jog", "X20", "--feed", "100", "--take", "--reason", "it is mine"]);
    let ended = taking.wait_with_output().expect("its end");
    assert_eq!(ended.status.code(), Some(4), "{ended:?}");
    let words = String::from_utf8_lossy(&ended.stderr);
    assert!(words.contains("you are in control") && words.contains("has taken control"), "{words}");
    daemon.until("a jog", |status| is(status, "Jog"));
    stdout(&daemon.run(&["stop"]));
    assert_eq!(jogging.wait_with_output().expect("its end").status.code(), Some(8));
    stdout(&daemon.run(&["control", "release"]));

    kill_process(Pid::from_child(&events), Signal::INT).expect("it lives");
    let mut told = String::new();
    std::io::Read::read_to_string(&mut events.stdout.take().expect("a pipe"), &mut told).expect("text");
    assert_eq!(events.wait().expect("its end").code(), Some(130));
    let entries: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ids: Vec<u64> = entries.iter().filter_map(|entry| entry["id"].as_u64()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    assert!(told.contains("tool breaks") && told.contains("it is mine"), "{told}");
    assert!(entries.iter().all(|entry| entry["time"].as_str().is_some_and(|time| time.ends_with('Z'))), "{told}");
}

#[test]
fn who_waits_for_a_program_is_told_when_sunmill_ends_before_it() {
    let home = Home::new();
    home.write("config.toml", "[programs]\nfolders = [\"~/gcode\"]\n");
    let slow = home.write("gcode/slow.nc", "G21 G90 G94 G54\nG0 X52 Y52 Z-9\nG1 X90 F60\nM30\n");
    let mut daemon = Daemon::start_with(home);
    daemon.until("idle machine", |status| is(status, "Idle") && status["machine"]["work_position"].is_object());
    let waiting = daemon.begin(&["run", &slow, "--wait", "--position-is-good", "--yes"]);
    daemon.until("a run", |status| is(status, "Run"));
    daemon.process.kill().expect("it lives");
    let ended = waiting.wait_with_output().expect("its end");
    assert_eq!(ended.status.code(), Some(8), "{ended:?}");
    assert!(String::from_utf8_lossy(&ended.stderr).contains("lost before the program came to its end"), "{ended:?}");
}

#[test]
fn a_daemon_goes_on_when_its_terminal_goes_away_and_is_the_only_one_on_its_device() {
    let machine = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("tcp://{}", machine.local_addr().expect("an address"));
    let home = Home::new();
    home.write("config.toml", &format!("[machine]\nport = \"{endpoint}\"\n"));
    let mut daemon = Daemon::start_with(home);
    daemon.until("a link", |status| status["machine"]["link"]["state"].as_str().is_some_and(|link| link != "Opening"));
    kill_process(Pid::from_child(&daemon.process), Signal::HUP).expect("it lives");
    assert!(stdout(&daemon.run(&["status"])).contains("link      "));
    assert!(daemon.process.try_wait().expect("a child").is_none());
    let second = sunmill(&daemon.home, &["daemon", "--socket", "other.sock"], &[]);
    let why = failure(&second, 4);
    assert!(why.contains(&endpoint) && why.contains("is in use by sunmill"), "{why}");
    assert!(!daemon.home.path().join("other.sock").exists());
}

#[test]
fn a_hub_elsewhere_is_attached_to_by_a_token_until_that_is_revoked() {
    let home = Home::new();
    home.write("config.toml", "[attach.tcp]\nlisten = \"127.0.0.1:0\"\n");
    let socket = home.path().join("sunmill.sock").to_str().expect("UTF-8").to_owned();
    let (mut process, said) = common::daemon(&home, &socket);
    let url = said.trim().rsplit(' ').next().expect("a place").to_owned();
    assert!(url.starts_with("ws://127.0.0.1:"), "{said}");
    let made = sunmill(&home, &["token", "add", "pendant", "--role", "operate", "--expires", "30d"], &[]);
    let secret = String::from_utf8(made.stdout).expect("text").trim().to_owned();
    assert!(secret.starts_with("sunmill_") && secret.len() == 72, "{secret}");
    let words = String::from_utf8(made.stderr).expect("text");
    assert!(words.contains("only this once") && !words.contains(&secret), "{words}");
    let kept = std::fs::read_to_string(home.path().join(".local/state/sunmill/tokens.json")).expect("a file");
    assert!(!kept.contains(&secret[8..]), "{kept}");
    assert!(stdout(&sunmill(&home, &["token", "list"], &[])).starts_with("pendant  operate  since "));

    let far = |args: &[&str], token: &str| {
        let args: Vec<&str> = ["--socket", &url].into_iter().chain(args.iter().copied()).collect();
        sunmill(&home, &args, &[("SUNMILL_TOKEN", token)])
    };
    let status: Value = serde_json::from_str(&stdout(&far(&["status", "--json"], &secret))).expect("JSON");
    assert!(status["machine"].is_object());
    assert!(stdout(&far(&["control", "who"], &secret)).contains("nobody is in control"));
    let why = failure(&far(&["status"], "sunmill_0"), 6);
    assert!(why.contains("not valid"), "{why}");
    let why = failure(&sunmill(&home, &["--socket", &url, "status"], &[]), 6);
    assert!(why.contains("sunmill token add"), "{why}");
    assert!(failure(&far(&["daemon"], &secret), 1).contains("[attach.tcp]"));
    let doctor = sunmill(&home, &["doctor", "--socket", &socket], &[]);
    let doctor = String::from_utf8(doctor.stdout).expect("text");
    assert!(doctor.contains("tokens: 1 good"), "{doctor}");

    let revoked = sunmill(&home, &["token", "revoke", "pendant"], &[]);
    assert!(revoked.status.success(), "{revoked:?}");
    failure(&far(&["status"], &secret), 6);
    assert!(
        failure(&sunmill(&home, &["token", "revoke", "pendant"], &[]), 1).contains("there is no token \"pendant\"")
    );
    assert!(failure(&sunmill(&home, &["token", "add", "a b", "--role", "stop"], &[]), 1).contains("is no name"));
    assert!(failure(&sunmill(&home, &["token", "add", "x", "--role", "king"], &[]), 2).contains("observe, stop"));
    process.kill().expect("killed");
    process.wait().expect("ended");
}

#[test]
fn a_hub_that_other_computers_could_reach_unprotected_does_not_start() {
    let home = Home::new();
    home.write("config.toml", "[attach.tcp]\nlisten = \"0.0.0.0:0\"\n");
    let why = failure(&sunmill(&home, &["daemon", "--socket", "s"], &[]), 1);
    assert!(why.contains("config.toml:2:10: attach.tcp.listen") && why.contains("certificate and key"), "{why}");
    let tls = "certificate = \"c.pem\"\nkey = \"k.pem\"\n";
    home.write("config.toml", &format!("[attach.tcp]\nlisten = \"0.0.0.0:0\"\n{tls}"));
    let why = failure(&sunmill(&home, &["daemon", "--socket", "s"], &[]), 1);
    assert!(why.contains("so it needs a token") && why.contains("sunmill token add NAME"), "{why}");
}
