//! Plays the scenes in `tests/scenes/sim-*.txt` on simulated time.
//!
//! A scene is a session with one firmware, its name in the file's: `seconds > bytes sent` (escaped as `\n`, `\x85`),
//! `seconds < line received` (`*` at the end stands for anything), `seconds = press X` or `release X` for a switch,
//! `# comment`. Lines received must come in the order given, before the next `>` or `=`; their own time is for the
//! reader. What the real firmwares said to the same bytes was recorded; the scenes hold its kind and order.

// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use sunmill::model::{AxisVec, Firmware, Time};
use sunmill::sim::{Machine, Options, Settings};

/// After the last line of a scene nothing may be said for this long.
const AFTERMATH: Duration = Duration::from_secs(1);

fn firmware_of(name: &str) -> Firmware {
    match name.split('-').nth(1) {
        Some("fluidnc") => Firmware::FluidNc,
        Some("grbl") => Firmware::Grbl,
        Some("grblhal") => Firmware::GrblHal,
        other => panic!("{name}: no firmware is called {other:?}"),
    }
}

/// Homed in the middle of the travel, or locked as after power-on where the scene is about homing.
fn machine_for(name: &str) -> Machine {
    let firmware = firmware_of(name);
    let settings = Settings::defaults(firmware, 3);
    let settings = if firmware == Firmware::GrblHal { settings } else { settings.with(10, 3.0) };
    let middle = if firmware == Firmware::FluidNc { [150.0, 100.0, -20.0] } else { [-150.0, -100.0, -20.0] };
    let mut machine = Machine::new(Options {
        axes: 3,
        settings: Some(settings),
        homed: !name.contains("home"),
        start: Some(AxisVec::from_slice(&middle)),
        probe_plate_mm: None,
        ..Options::new(firmware)
    });
    // What it says while it boots belongs to scenes about homing only.
    if !name.contains("home") {
        machine.poll_output(Time::ZERO, &mut Vec::new());
    }
    machine
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (byte, length) = match rest.get(..2) {
            Some("\\n") => (b'\n', 2),
            Some("\\r") => (b'\r', 2),
            Some("\\x") => (u8::from_str_radix(&rest[2..4], 16).unwrap(), 4),
            _ => (u8::try_from(c).unwrap(), 1),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    bytes
}

fn fits(expected: &str, said: &str) -> bool {
    expected.strip_suffix('*').map_or(expected == said, |start| said.starts_with(start))
}

fn lines(machine: &mut Machine, now: Time) -> Vec<String> {
    let mut out = Vec::new();
    machine.poll_output(now, &mut out);
    String::from_utf8(out).unwrap().lines().map(|l| l.trim_end().to_owned()).collect()
}

fn play(name: &str, text: &str) {
    let mut machine = machine_for(name);
    let mut now = Time::ZERO;
    let mut expected: Vec<(usize, &str)> = Vec::new();
    let check = |machine: &mut Machine, now: Time, expected: &mut Vec<(usize, &str)>, before: usize| {
        let said = lines(machine, now);
        for (i, line) in said.iter().enumerate() {
            let wanted = expected.get(i).unwrap_or_else(|| panic!("{name}:{before}: said {line:?}, nothing expected"));
            assert!(fits(wanted.1, line), "{name}:{}: said {line:?}, expected {:?}", wanted.0, wanted.1);
        }
        assert_eq!(said.len(), expected.len(), "{name}:{before}: something was not said: {expected:?}");
        expected.clear();
    };
    for (i, line) in text.lines().enumerate() {
        let number = i + 1;
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut parts = line.trim_start().splitn(3, ' ');
        let (time, kind, rest) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap_or_default());
        let at = Time::ZERO + Duration::from_secs_f64(time.parse().unwrap());
        if kind == "<" {
            expected.push((number, rest));
            continue;
        }
        now = at;
        check(&mut machine, now, &mut expected, number);
        match (kind, rest.split_once(' ')) {
            (">", _) => machine.handle_bytes(now, &unescape(rest)),
            ("=", Some(("press", pin))) => machine.press_pin(pin.chars().next().unwrap()),
            ("=", Some(("release", pin))) => machine.release_pin(pin.chars().next().unwrap()),
            _ => panic!("{name}:{number}: cannot read {line:?}"),
        }
    }
    check(&mut machine, now + AFTERMATH, &mut expected, text.lines().count());
}

#[test]
fn scenes_play_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenes");
    let mut played = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name.starts_with("sim-") {
            play(&name, &std::fs::read_to_string(&path).unwrap());
            played += 1;
        }
    }
    assert!(played >= 12, "only {played} scenes found");
}
