//! `sunmill check`, and the sample programs: what is wrong is said, and the good ones run.

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Home, failure, stdout, sunmill};
use serde_json::Value;
use sunmill::model::program::{Problem, Severity};
use sunmill::model::{AxisVec, Firmware, Time};
use sunmill::program::estimate::EstimateModel;
use sunmill::program::{Analysis, AnalysisConfig, Dialect};
use sunmill::sim::{Machine, Options};

const ALL: [Firmware; 3] = [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal];

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/programs").join(name)
}

fn analysis(firmware: Firmware) -> Analysis {
    Analysis::new(AnalysisConfig { dialect: Dialect::new(firmware, 3), model: EstimateModel::default() })
}

fn problems(firmware: Firmware, name: &str) -> Vec<Problem> {
    let mut analysis = analysis(firmware);
    analysis.feed(&std::fs::read(sample(name)).expect(name));
    analysis.finish().0.problems
}

#[test]
fn the_samples_have_no_mistake() {
    for name in ["facing.nc", "sun.nc", "drill.nc"] {
        for firmware in ALL {
            assert_eq!(problems(firmware, name), [], "{name} on {firmware}");
        }
    }
    assert_eq!(problems(Firmware::GrblHal, "drill-cycles.nc"), []);
    let refused = problems(Firmware::Grbl, "drill-cycles.nc");
    assert!(refused.iter().all(|problem| problem.severity == Severity::Error) && !refused.is_empty(), "{refused:?}");
}

#[test]
fn the_samples_stay_within_what_they_say_they_need() {
    for (name, x, y) in [("facing.nc", 80.0, 48.0), ("sun.nc", 88.0, 36.0), ("drill.nc", 60.0, 30.0)] {
        let mut analysis = analysis(Firmware::Grbl);
        analysis.feed(&std::fs::read(sample(name)).expect(name));
        let report = analysis.finish().0;
        for reach in &report.reach {
            assert!(reach.min[0] >= 0.0 && reach.max[0] <= x, "{name}: {reach:?}");
            assert!(reach.min[1] >= 0.0 && reach.max[1] <= y, "{name}: {reach:?}");
            assert!(reach.min[2] >= -10.0 && reach.max[2] <= 5.0, "{name}: {reach:?}");
        }
        assert!(!report.reach.is_empty() && report.times.cutting_s > 1.0, "{name}");
    }
}

#[test]
fn the_bad_sample_has_exactly_the_mistakes_that_it_names() {
    for firmware in ALL {
        let found = problems(firmware, "bad.nc");
        let of = |severity| found.iter().filter(move |p| p.severity == severity).map(|p| p.line).collect::<Vec<_>>();
        assert_eq!(of(Severity::Error), [7, 10, 13, 16, 19, 22, 25, 28, 31], "{firmware}: {found:#?}");
        assert_eq!(of(Severity::Warning), [7, 34], "{firmware}: {found:#?}");
        assert!(found.iter().all(|problem| !problem.text.is_empty() && !problem.remedy.is_empty()));
    }
}

/// Sends a program line by line, each when the one before was answered, on simulated time.
fn run_on_simulator(firmware: Firmware, name: &str) {
    let middle = match firmware {
        Firmware::FluidNc => [150.0, 100.0, -20.0, 0.0],
        _ => [-150.0, -100.0, -20.0, 0.0],
    };
    let axes = if firmware == Firmware::Grbl { 3 } else { 4 };
    let start = AxisVec::from_slice(&middle[..axes]);
    let mut machine = Machine::new(Options { homed: true, start: Some(start), ..Options::new(firmware) });
    let mut now = Time::ZERO;
    let mut out = Vec::new();
    machine.poll_output(now, &mut out);
    let program = std::fs::read_to_string(sample(name)).expect(name);
    let lines: Vec<&str> = std::iter::once("G10 L20 P1 X0 Y0 Z0").chain(program.lines()).collect();
    for line in &lines {
        out.clear();
        machine.handle_bytes(now, format!("{line}\n").as_bytes());
        for _ in 0..10_000 {
            machine.poll_output(now, &mut out);
            let said = String::from_utf8_lossy(&out);
            assert!(!said.contains("error:") && !said.contains("ALARM:"), "{firmware}, {name}: {line}: {said}");
            if said.lines().any(|said| said.trim_end() == "ok") {
                break;
            }
            now += Duration::from_millis(20);
        }
        assert!(String::from_utf8_lossy(&out).contains("ok"), "{firmware}, {name}: no answer to {line}");
    }
    for _ in 0..10_000 {
        now += Duration::from_millis(20);
        machine.poll_output(now, &mut out);
        if !machine.is_moving() {
            break;
        }
    }
    let end = machine.position();
    let there = end.as_slice().iter().zip(middle).take(2).all(|(at, was)| (at - was).abs() < 0.01);
    assert!(there, "{firmware}, {name}: back at its zero: {end:?}");
}

#[test]
fn the_samples_run_on_every_simulated_machine() {
    for name in ["facing.nc", "sun.nc", "drill.nc"] {
        for firmware in ALL {
            run_on_simulator(firmware, name);
        }
    }
    run_on_simulator(Firmware::GrblHal, "drill-cycles.nc");
}

#[test]
fn a_good_program_ends_with_0_and_says_what_it_is() {
    let home = Home::new();
    let path = sample("sun.nc");
    let text = stdout(&sunmill(&home, &["check", path.to_str().unwrap()], &[]));
    assert!(text.contains("sun.nc: may run on FluidNC with 3 axes: 116 lines, about 1 min"), "{text}");
    assert!(text.trim_end().ends_with("0 errors, 0 warnings"), "{text}");
}

#[test]
fn a_bad_program_ends_with_1_and_names_each_line() {
    let home = Home::new();
    let path = sample("bad.nc");
    let run = sunmill(&home, &["check", path.to_str().unwrap(), "--firmware", "grblhal"], &[]);
    assert_eq!(run.status.code(), Some(1));
    let text = String::from_utf8(run.stdout).unwrap();
    for line in [7, 10, 13, 16, 19, 22, 25, 28, 31] {
        assert!(text.contains(&format!("bad.nc:{line}: error: ")), "{line}:\n{text}");
    }
    assert!(
        text.trim_end().ends_with("must not run on grblHAL with 3 axes: 38 lines, about 17 s, 9 errors, 2 warnings")
    );
}

#[test]
fn json_is_one_object_with_the_whole_report() {
    let home = Home::new();
    let path = sample("bad.nc");
    let run = sunmill(&home, &["check", path.to_str().unwrap(), "--json"], &[]);
    assert_eq!(run.status.code(), Some(1));
    let value: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(value["may_run"], false);
    assert_eq!((&value["errors"], &value["warnings"], &value["lines"]), (&9.into(), &2.into(), &38.into()));
    assert_eq!(value["problems"][0]["line"], 7);
    assert_eq!(value["hash"].as_str().map(str::len), Some(64));
    assert!(value["assumed"].as_array().is_some_and(|assumed| !assumed.is_empty()));
    for key in
        ["file", "firmware", "axes", "reach", "times", "total_s", "cut_mm", "rapid_mm", "units", "tools", "waits"]
    {
        assert!(value.get(key).is_some(), "{key}");
    }
}

#[test]
fn files_that_are_no_programs_are_said_to_be_so() {
    let home = Home::new();
    let check = |name: &str| sunmill(&home, &["check", name], &[]);
    home.write("empty.nc", "");
    home.write("binary.nc", "\u{7f}ELF\0\0\0\u{1}\0");
    for (name, words) in [("empty.nc", "nothing in this file"), ("binary.nc", "not a text file")] {
        let run = check(name);
        let text = String::from_utf8(run.stdout).unwrap();
        assert_eq!(run.status.code(), Some(1), "{text}");
        assert!(text.contains(&format!("{name}:")) && text.contains(words), "{text}");
    }
    assert!(failure(&check("none.nc"), 1).starts_with("error: none.nc cannot be read: No such file"));
    assert!(failure(&check("."), 1).contains("is a folder"));
    let words = failure(&sunmill(&home, &["check", "empty.nc", "--backup", "none.toml"], &[]), 1);
    assert!(words.contains("none.toml cannot be read"), "{words}");
}

#[test]
fn a_line_of_two_gigabytes_is_an_error_of_that_line() {
    let mut analysis = analysis(Firmware::Grbl);
    let piece = vec![b'X'; 1 << 20];
    analysis.feed(b"G21\n");
    for _ in 0..2048 {
        analysis.feed(&piece);
    }
    analysis.feed(b"\nG0 X1\n");
    let report = analysis.finish().0;
    assert_eq!(report.lines, 3);
    let long = |problem: &Problem| problem.line == 2 && problem.text.contains("2147483648");
    let found = report.problems.iter().find(|problem| long(problem)).expect("the length is said");
    assert_eq!(found.severity, Severity::Error);
}

#[test]
fn what_it_will_need_is_said_where_there_is_an_inverter_or_the_machine_is_known() {
    let home = Home::new();
    let path = sample("sun.nc");
    let check = |config: &str, more: &[&str]| {
        let args = [&["check", path.to_str().unwrap(), "--config", config], more].concat();
        stdout(&sunmill(&home, &args, &[]))
    };
    home.write("plain.toml", "version = 1\n");
    assert!(!check("plain.toml", &[]).contains("energy"), "nobody asks");
    home.write("rated.toml", "[machine]\nrated_w = 1500.0\n");
    let text = check("rated.toml", &[]);
    let line = text.lines().find(|line| line.contains(": energy: needs ")).expect(&text);
    assert!(
        line.contains(" Wh ± ")
            && line.ends_with("no sunmill answers here, and only one that runs reads the inverters")
    );
    assert!(text.contains("assumed: no run was measured yet: 1500 W, machine.rated_w"), "{text}");
    let json: Value = serde_json::from_str(&check("rated.toml", &["--json"])).unwrap();
    assert_eq!(
        (&json["energy"]["verdict"], json["energy"]["needs_wh"].as_f64() > Some(5.0)),
        (&"unknown".into(), true)
    );
    let roof =
        "[[bus]]\nname = \"b\"\nport = \"/dev/x\"\n[[inverter]]\nname = \"roof\"\nbus = \"b\"\nprofile = \"srne\"\n";
    home.write("roof.toml", roof);
    let text = check("roof.toml", &[]);
    assert!(text.contains("energy: what it needs is not known") && text.contains("machine.rated_w"), "{text}");
    home.write("bad.toml", "[machine]\nrated_w = -5\n");
    let text = check("bad.toml", &[]);
    assert!(text.contains("energy: not reckoned: ") && text.contains("from 1 to 100000 W"), "{text}");
}
