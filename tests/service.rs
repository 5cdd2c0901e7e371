//! sunmill under systemd: what it is told, how it ends, and what the files in `assets/` say of it.

mod common;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{Home, stdout, sunmill};
use rustix::process::{Pid, Signal, kill_process};

/// Ends a test that would hang.
const DEADLINE: Duration = Duration::from_secs(30);

/// A daemon whose service manager is this test.
struct Service {
    home: Home,
    socket: String,
    manager: UnixDatagram,
    process: Child,
}

impl Service {
    fn start(home: Home, watchdog: Duration) -> Self {
        let at = home.path().join("notify");
        let manager = UnixDatagram::bind(&at).expect("a socket");
        manager.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        let socket = home.path().join("sunmill.sock").to_str().expect("UTF-8").to_owned();
        let process = Command::new(env!("CARGO_BIN_EXE_sunmill"))
            .args(["daemon", "--socket", &socket])
            .current_dir(home.path())
            .env_clear()
            .env("HOME", home.path())
            .env("NOTIFY_SOCKET", &at)
            .env("WATCHDOG_USEC", watchdog.as_micros().to_string())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        Self { home, socket, manager, process }
    }

    /// What it tells next.
    fn told(&self) -> String {
        let mut bytes = [0; 4096];
        loop {
            match self.manager.recv(&mut bytes) {
                Ok(count) => return String::from_utf8_lossy(&bytes[..count]).into_owned(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("nothing is told any more: {error}\n{}", self.home.log_tail()),
            }
        }
    }

    /// Reads on to what says this.
    fn until(&self, words: &str) -> String {
        loop {
            let told = self.told();
            if told.contains(words) {
                return told;
            }
        }
    }

    fn ask(&self, args: &[&str]) -> String {
        stdout(&sunmill(&self.home, args, &[("SUNMILL_SOCKET", &self.socket)]))
    }

    fn end(&mut self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).expect("it lives");
        self.until("STOPPING=1");
        assert!(self.process.wait().expect("its end").success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn it_tells_when_it_is_ready_that_it_lives_and_that_it_ends() {
    let mut service = Service::start(Home::new(), Duration::from_millis(800));
    let first = service.told();
    assert!(first.contains("READY=1\n") && first.contains("STATUS=serves sim on "), "{first}");
    assert!(service.ask(&["status"]).contains("machine"), "ready means that it can be asked");
    for _ in 0..3 {
        assert_eq!(service.told(), "WATCHDOG=1\n");
    }
    service.end();
    assert!(!Path::new(&service.socket).exists());
}

#[test]
fn a_machine_that_is_not_there_and_a_bus_that_is_silent_are_no_reason_to_end_it() {
    let home = Home::new();
    home.write(
        "config.toml",
        "[machine]\nport = \"/dev/serial/by-id/nowhere\"\n\
         [[bus]]\nname = \"roof\"\nport = \"tcp://127.0.0.1:1\"\n\
         [[inverter]]\nname = \"hybrid\"\nbus = \"roof\"\nprofile = \"senergy_hybrid\"\n",
    );
    let mut service = Service::start(home, Duration::from_millis(800));
    assert!(service.told().contains("READY=1"));
    for _ in 0..6 {
        assert_eq!(service.told(), "WATCHDOG=1\n");
    }
    service.end();
}

/// A service that runs a program of these moves, and is to do this with it when it is told to end.
fn running(moves: &str, on_stop: &str) -> Service {
    let home = Home::new();
    home.write("gcode/part.nc", &format!("G21 G90 G94 G54\nG0 X52 Y52 Z-9\n{moves}M30\n"));
    home.write("config.toml", &format!("[programs]\nfolders = [\"~/gcode\"]\n{on_stop}"));
    let service = Service::start(home, DEADLINE);
    service.until("READY=1");
    let path = service.home.path().join("gcode/part.nc");
    let order = serde_json::json!({"command": {"Program": {"Run": {
        "path": path, "seen": null, "start": "Beginning", "check_mode": false,
        "agreed": {"warnings": true, "unchecked": true, "position_word": "position is good"},
    }}}});
    // The machine has to have been heard of before a program may run.
    for _ in 0..200 {
        if service.ask(&["status"]).contains("state     Idle") && service.ask(&["status"]).contains("position") {
            break;
        }
    }
    service.ask(&["rpc", "command", &order.to_string()]);
    for _ in 0..200 {
        if service.ask(&["status"]).contains("state     Run") {
            break;
        }
    }
    service
}

impl Service {
    fn history(&self) -> String {
        stdout(&sunmill(&self.home, &["programs", "history", "--csv"], &[]))
    }

    /// What was sent last, without questions.
    fn last_sent(&self) -> String {
        let wire = fs::read_to_string(self.home.path().join(".local/state/sunmill/log/wire.log")).expect("a wire log");
        let is_said = |line: &&str| line.contains(" > ") && !line.ends_with(" ?") && !line.ends_with(" $G\\n");
        wire.lines().rev().find(is_said).unwrap_or_default().to_owned()
    }
}

#[test]
fn told_to_end_in_a_program_it_holds_the_machine_and_writes_down_how_far_it_was() {
    let mut service = running("G1 X90 F60\nG1 X52 F60\n", "");
    service.end();
    let (history, last) = (service.history(), service.last_sent());
    assert!(history.contains("part.nc") && history.contains("interrupted"), "{history}");
    assert!(last.contains('!'), "the last that was sent is a feed hold: {last}");
}

#[test]
fn told_to_end_in_a_program_it_may_end_that_first_at_a_standstill() {
    let mut service = running("G1 X90 F60\nG1 X52 F60\n", "[daemon]\non_stop = \"stop\"\n");
    service.end();
    let history = service.history();
    assert!(history.contains("part.nc") && history.contains(",stopped,"), "{history}");
}

#[test]
fn told_to_end_in_a_program_it_may_wait_for_its_end_and_systemd_is_told_so() {
    let finish = "[daemon]\non_stop = \"finish\"\n";
    let mut service = running("G1 X54 F60\n", finish);
    kill_process(Pid::from_child(&service.process), Signal::TERM).expect("it lives");
    service.until("STOPPING=1");
    service.until("EXTEND_TIMEOUT_USEC=");
    assert!(service.process.wait().expect("its end").success());
    let history = service.history();
    assert!(history.contains("part.nc") && history.contains(",done,"), "{history}");

    // Who tells it twice is not willing to wait.
    let mut service = running("G1 X90 F60\nG1 X52 F60\n", finish);
    kill_process(Pid::from_child(&service.process), Signal::TERM).expect("it lives");
    service.until("EXTEND_TIMEOUT_USEC=");
    kill_process(Pid::from_child(&service.process), Signal::TERM).expect("it lives");
    assert!(service.process.wait().expect("its end").success());
    let history = service.history();
    assert!(history.contains("part.nc") && history.contains("interrupted"), "{history}");
}

fn asset(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Values of a key of the unit, in their order.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

#[test]
fn the_unit_starts_what_there_is_and_lets_it_do_what_it_must() {
    let unit = asset("systemd/sunmill.service");
    for line in unit.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert!(line.starts_with('[') && line.ends_with(']') || line.contains('='), "{line}");
    }
    // What it starts is a command line of this binary, but for the files.
    let [start] = values(&unit, "ExecStart")[..] else { panic!("one command") };
    let words: Vec<&str> = start.split(' ').collect();
    assert_eq!(words[0], "/usr/bin/sunmill");
    let home = Home::new();
    home.write("config.toml", "");
    let socket = words.iter().skip_while(|word| **word != "--socket").nth(1).expect("a socket");
    let output = sunmill(&home, &[&words[1..2], &["--help"]].concat(), &[]);
    let help = stdout(&output);
    for option in words.iter().filter(|word| word.starts_with("--")) {
        assert!(help.contains(option), "{option} is no option of {}: {help}", words[1]);
    }
    // Where scripts look for it.
    let output = sunmill(&home, &["status"], &[]);
    assert!(String::from_utf8_lossy(&output.stderr).contains(socket), "{output:?}");
    assert_eq!(values(&unit, "Type"), ["notify"]);
    assert_eq!(values(&unit, "RuntimeDirectory"), ["sunmill"]);
    assert_eq!(values(&unit, "SupplementaryGroups"), ["dialout"]);
    assert!(values(&unit, "BindsTo").is_empty(), "it lives on without its machine");
    for device in ["char-ttyUSB rw", "char-ttyACM rw", "char-ttyAMA rw"] {
        assert!(values(&unit, "DeviceAllow").contains(&device), "{device}");
    }
}

#[test]
fn systemd_itself_finds_no_fault_with_the_unit() {
    // It wants the program to be there: a copy that names this binary. Where there is no systemd the test above stands alone.
    let home = Home::new();
    let unit = asset("systemd/sunmill.service").replace("/usr/bin/sunmill", env!("CARGO_BIN_EXE_sunmill"));
    let path = home.write("sunmill.service", &unit);
    let Ok(output) = Command::new("systemd-analyze").args(["verify", &path]).output() else { return };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let about: Vec<&str> = said.lines().filter(|line| line.contains("sunmill")).collect();
    assert!(about.is_empty(), "{about:#?}");
}

#[test]
fn user_group_and_rule_are_those_that_the_doctor_and_the_unit_speak_of() {
    let unit = asset("systemd/sunmill.service");
    let users = asset("systemd/sysusers.conf");
    assert_eq!((values(&unit, "User"), values(&unit, "Group")), (vec!["sunmill"], vec!["sunmill"]));
    for line in ["g sunmill -", "u sunmill - ", "m sunmill dialout"] {
        assert!(users.lines().any(|known| known.starts_with(line)), "{line}: {users}");
    }
    // Where the service looks for programs, members of its group can put them.
    let folders = asset("systemd/tmpfiles.conf");
    let home = values(&unit, "WorkingDirectory")[0];
    assert!(folders.lines().any(|line| line == format!("d {home}/gcode 2775 sunmill sunmill -")), "{folders}");
    let rules = asset("udev/60-sunmill.rules");
    let active: Vec<&str> = rules.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(active.iter().all(|rule| rule.contains("ENV{ID_MM_DEVICE_IGNORE}=\"1\"") || rule.contains("SYMLINK+=")));
    assert!(active.iter().all(|rule| rule.starts_with("SUBSYSTEM==\"tty\", ATTRS{idVendor}==\"")), "{rules}");
}
