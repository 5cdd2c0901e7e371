//! The things that bite a sender, one test each: where the firmwares differ, the simulated ones differ.

// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use sunmill::model::{AxisVec, Firmware, Time};
use sunmill::sim::{Fault, Machine, Options, Settings};

const ALL: [Firmware; 3] = [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal];

/// A machine on simulated time.
struct Bench {
    machine: Machine,
    now: Time,
}

impl Bench {
    /// Homed, unlocked, in the middle of its travel, with `Bf:` in the report.
    fn ready(firmware: Firmware) -> Self {
        let (axes, middle) = match firmware {
            Firmware::Grbl => (3, vec![-150.0, -100.0, -20.0]),
            Firmware::FluidNc => (4, vec![150.0, 100.0, -20.0, 0.0]),
            Firmware::GrblHal => (4, vec![-150.0, -100.0, -20.0, 0.0]),
        };
        let settings =
            Settings::defaults(firmware, axes).with(10, if firmware == Firmware::GrblHal { 511.0 } else { 3.0 });
        Self::with(Options {
            homed: true,
            settings: Some(settings),
            start: Some(AxisVec::from_slice(&middle)),
            ..Options::new(firmware)
        })
    }

    fn with(options: Options) -> Self {
        let mut bench = Self { machine: Machine::new(options), now: Time::ZERO };
        bench.wait(0);
        bench
    }

    /// Lets time pass; gives the lines said in it.
    fn wait(&mut self, millis: u64) -> Vec<String> {
        self.now += Duration::from_millis(millis);
        let mut out = Vec::new();
        self.machine.poll_output(self.now, &mut out);
        String::from_utf8_lossy(&out).lines().map(|l| l.trim_end().to_owned()).collect()
    }

    /// Sends bytes; gives the lines said within 2 ms.
    fn send(&mut self, bytes: impl AsRef<[u8]>) -> Vec<String> {
        self.machine.handle_bytes(self.now, bytes.as_ref());
        self.wait(2)
    }

    /// State word of a fresh report, empty where nothing answers.
    fn state(&mut self) -> String {
        let lines = self.send("?");
        let report = lines.iter().find(|l| l.starts_with('<')).cloned().unwrap_or_default();
        report.trim_start_matches('<').split('|').next().unwrap_or_default().to_owned()
    }

    fn x(&self) -> f64 {
        self.machine.position().as_slice()[0]
    }

    /// Waits until nothing moves any more.
    fn settle(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..10_000 {
            lines.extend(self.wait(10));
            if !self.machine.is_moving() {
                break;
            }
        }
        lines.extend(self.wait(700));
        lines
    }
}

fn oks(lines: &[String]) -> usize {
    lines.iter().filter(|l| *l == "ok").count()
}

fn has(lines: &[String], text: &str) -> bool {
    lines.iter().any(|l| l == text)
}

#[test]
fn lines_sent_in_a_hold_wait_and_run_in_a_burst_after_it() {
    for firmware in ALL {
        let mut bench = Bench::ready(firmware);
        bench.send("G91\nG1 X5 F600\n");
        bench.wait(200);
        bench.send("!");
        bench.wait(300);
        assert_eq!(bench.state(), "Hold:0", "{firmware}");
        assert_eq!(bench.send("$G\n$X\nG1X1\n"), [""; 0], "{firmware} is silent in a hold");
        bench.send("~");
        let after = bench.settle();
        let moved = (bench.x() - [-150.0, 150.0][usize::from(firmware == Firmware::FluidNc)]).abs();
        assert!((moved - 6.0).abs() < 1e-6, "{firmware}: the queued move ran too, {moved} {after:?}");
    }
}

#[test]
fn a_jog_cancel_with_lines_behind_it_starts_again_except_on_grblhal() {
    for firmware in ALL {
        let mut bench = Bench::ready(firmware);
        let count = if firmware == Firmware::GrblHal { 140 } else { 20 };
        let said = bench.send("$J=G91X0.5F300\n".repeat(count).into_bytes());
        // The planner is full; the rest waits, as far as the receive buffer holds it.
        let acked = oks(&said);
        let mut later = bench.send([0x85]);
        later.extend(bench.wait(150));
        let state = bench.state();
        later.extend(bench.settle());
        if firmware == Firmware::GrblHal {
            assert_eq!(state, "Idle", "the rest is thrown away");
            assert!(acked + oks(&later) < count, "and never acknowledged");
        } else {
            assert_eq!(state, "Jog", "{firmware} goes on with what it had not read yet");
            assert_eq!(acked + oks(&later), count, "{firmware}");
        }
    }
}

#[test]
fn a_jog_without_an_axis_word_goes_toward_machine_zero() {
    for firmware in [Firmware::Grbl, Firmware::FluidNc] {
        let mut bench = Bench::ready(firmware);
        let before = bench.x().abs();
        assert!(has(&bench.send("$J=G91 F600\n"), "ok"), "{firmware}");
        bench.wait(300);
        assert!(bench.x().abs() < before - 0.1, "{firmware}");
    }
    // grblHAL keeps the pull-off free: zero is beyond its soft limit.
    assert!(has(&Bench::ready(Firmware::GrblHal).send("$J=G91 F600\n"), "error:15"));
}

#[test]
fn a_hold_cancels_a_jog_but_grblhal_ignores_it() {
    for (firmware, expected) in [(Firmware::Grbl, "Idle"), (Firmware::FluidNc, "Idle"), (Firmware::GrblHal, "Jog")] {
        let mut bench = Bench::ready(firmware);
        bench.send("$J=G91X20F600\n");
        bench.wait(300);
        bench.send("!");
        bench.wait(300);
        assert_eq!(bench.state(), expected, "{firmware}");
    }
}

#[test]
fn grblhal_repeats_an_error_until_something_clears_it() {
    let mut bench = Bench::ready(Firmware::GrblHal);
    assert_eq!(bench.send("G1X\nG90\n(a)\n"), ["error:2", "error:2", "error:2"]);
    assert_eq!(bench.send("$G\nG90\n").last().map(String::as_str), Some("ok"));
    assert_eq!(bench.send("FOO\n\nG90\n"), ["error:2", "ok", "ok"]);
    for firmware in [Firmware::Grbl, Firmware::FluidNc] {
        let said = Bench::ready(firmware).send("G1X\nG90\n");
        assert_eq!(said.last().map(String::as_str), Some("ok"), "{firmware} forgets it");
    }
}

#[test]
fn five_queries_in_a_burst_are_one_answer_except_on_fluidnc() {
    for (firmware, answers) in [(Firmware::Grbl, 1), (Firmware::FluidNc, 5), (Firmware::GrblHal, 1)] {
        assert_eq!(Bench::ready(firmware).send("?????").len(), answers, "{firmware}");
    }
}

#[test]
fn override_steps_in_a_burst_collapse_on_grbl() {
    for (firmware, percent) in [(Firmware::Grbl, "110"), (Firmware::FluidNc, "150"), (Firmware::GrblHal, "150")] {
        let mut bench = Bench::ready(firmware);
        bench.send([0x91; 5]);
        let said = [bench.send("?"), bench.send("?")].concat();
        assert!(said.iter().any(|l| l.contains(&format!("|Ov:{percent},100,100"))), "{firmware}: {said:?}");
    }
}

#[test]
fn fluidnc_as_delivered_reports_no_buffers() {
    let mut bench = Bench::with(Options { homed: true, ..Options::new(Firmware::FluidNc) });
    assert!(!bench.send("?")[0].contains("Bf:"));
    assert!(has(&bench.send("$I\n"), "[OPT:MPHS]"));
    assert!(has(&bench.send("$10=7\n"), "error:80"));
    assert!(has(&bench.send("$110=5\n"), "error:162"), "the machine is set up in a file");
    assert_eq!(bench.send("$10=3\n"), ["ok"]);
    assert!(bench.send("?")[0].contains("|Bf:15,128|"));
}

#[test]
fn a_new_offset_is_reported_at_once_but_by_fluidnc_only_with_auto_report() {
    for (firmware, at_once) in [(Firmware::Grbl, true), (Firmware::FluidNc, false), (Firmware::GrblHal, true)] {
        let mut bench = Bench::ready(firmware);
        for _ in 0..4 {
            bench.send("?");
        }
        bench.send("G92X3\n");
        assert_eq!(bench.send("?")[0].contains("WCO:"), at_once, "{firmware}");
    }
    let mut bench = Bench::ready(Firmware::FluidNc);
    bench.send("$RI=200\n");
    let said = bench.send("G92X3\n");
    assert!(said.iter().any(|l| l.contains("WCO:147.000")) && said.iter().any(|l| l.starts_with("[G92:")), "{said:?}");
}

#[test]
fn after_a_hard_limit_only_grbl_is_mute() {
    for (firmware, state) in [(Firmware::Grbl, ""), (Firmware::FluidNc, "Alarm"), (Firmware::GrblHal, "Alarm")] {
        let mut bench = Bench::ready(firmware);
        bench.send("G91\nG1 X20 F600\n");
        bench.wait(300);
        bench.machine.press_pin('X');
        assert!(has(&bench.wait(1), "ALARM:1"), "{firmware}");
        bench.wait(600);
        bench.machine.release_pin('X');
        assert_eq!(bench.state(), state, "{firmware}");
        let unlock = bench.send("$X\n");
        match firmware {
            Firmware::GrblHal => assert_eq!(unlock, ["error:79"]),
            _ => assert_eq!(unlock, [""; 0], "{firmware}"),
        }
        bench.send([0x18]);
        let after = bench.wait(700);
        // The $X that waited in FluidNC runs after the reset: the machine unlocks by itself, without an ok.
        let (end, unlocked) = if firmware == Firmware::FluidNc { ("Idle", true) } else { ("Alarm", false) };
        assert_eq!(has(&after, "[MSG:INFO: Caution: Unlocked]"), unlocked, "{firmware}");
        assert!(!has(&after, "ok"), "{firmware}: {after:?}");
        assert_eq!(bench.state(), end, "{firmware}");
    }
}

#[test]
fn fluidnc_says_ok_to_a_homing_cycle_that_failed() {
    for (firmware, ok) in [(Firmware::FluidNc, 1), (Firmware::GrblHal, 1), (Firmware::Grbl, 1)] {
        let mut bench = Bench::ready(firmware);
        // A switch that never opens again.
        bench.send("$H\n");
        bench.machine.press_pin('Z');
        let said = bench.settle();
        assert!(has(&said, "ALARM:8"), "{firmware}: {said:?}");
        assert_eq!(oks(&said), ok, "{firmware}");
        assert_eq!(bench.state(), "Alarm", "{firmware}");
    }
}

#[test]
fn fluidnc_lets_dollar_lines_wait_and_runs_them_after_a_reset() {
    let mut bench = Bench::ready(Firmware::FluidNc);
    bench.send("G91\nG1 X20 F600\n");
    assert_eq!(bench.send("$I\nG90\n"), [""; 0], "the line waits, and those behind it too");
    assert_eq!(oks(&bench.settle()), 2);
    bench.send("G91\nG1 X20 F600\n$H\n");
    bench.wait(200);
    assert!(has(&bench.send([0x18]), "ALARM:3"));
    bench.wait(600);
    assert_eq!(bench.state(), "Home", "it homes although it was reset");
    for firmware in [Firmware::Grbl, Firmware::GrblHal] {
        let mut bench = Bench::ready(firmware);
        bench.send("G91\nG1 X-20 F600\n");
        assert_eq!(bench.send("$H\n"), ["error:8"], "{firmware}");
        assert_eq!(bench.send("$G\n").last().map(String::as_str), Some("ok"), "{firmware}");
    }
}

#[test]
fn grblhal_listings_turn_a_jog_into_a_run_that_0x85_does_not_stop() {
    let mut bench = Bench::ready(Firmware::GrblHal);
    bench.send("$J=G91X20F600\n");
    bench.send("$EE\n");
    assert_eq!(bench.state(), "Run");
    bench.send([0x85]);
    bench.wait(300);
    assert_eq!(bench.state(), "Run");
    bench.send("!");
    bench.wait(300);
    assert!(["Hold:0", "Idle"].contains(&bench.state().as_str()));
}

#[test]
fn grblhal_empties_its_receive_buffer_on_0x85_in_any_state() {
    let mut bench = Bench::ready(Firmware::GrblHal);
    let said = bench.send("G91G1X0.1F600\n".repeat(150));
    bench.send([0x85]);
    let later = bench.settle();
    assert!(oks(&said) + oks(&later) < 150, "acks are lost");
    assert_eq!(bench.state(), "Idle");
}

#[test]
fn a_reset_in_motion_loses_position_and_one_after_a_hold_keeps_it() {
    for firmware in ALL {
        let mut bench = Bench::ready(firmware);
        bench.send("G91\nG1 X20 F600\n");
        bench.wait(300);
        assert!(has(&bench.send([0x18]), "ALARM:3"), "{firmware}");
        bench.wait(700);
        assert_eq!(bench.state(), "Alarm", "{firmware}");

        let mut bench = Bench::ready(firmware);
        bench.send("G91\nG1 X20 F600\n");
        bench.wait(300);
        bench.send("!");
        bench.wait(300);
        let at = bench.x();
        let said = [bench.send([0x18]), bench.wait(700)].concat();
        assert!(!said.iter().any(|l| l.starts_with("ALARM")), "{firmware}: {said:?}");
        assert_eq!(bench.state(), "Idle", "{firmware}");
        assert_eq!(bench.x(), at, "{firmware}");
    }
}

#[test]
fn g92_survives_a_reset_only_on_grblhal() {
    for (firmware, kept) in [(Firmware::Grbl, false), (Firmware::FluidNc, false), (Firmware::GrblHal, true)] {
        let mut bench = Bench::ready(firmware);
        bench.send("G92X0\n");
        bench.send([0x18]);
        bench.wait(100);
        let zero = bench.send("$#\n").iter().any(|l| l.starts_with("[G92:0.000"));
        assert_eq!(zero, !kept, "{firmware}");
    }
}

#[test]
fn soft_limits_stop_a_program_as_each_firmware_does() {
    for firmware in ALL {
        let mut bench = Bench::ready(firmware);
        let said = bench.send("G90 G1 X999 F600\n");
        assert!(has(&said, "ALARM:2"), "{firmware}: {said:?}");
        assert_eq!(has(&said, "ok"), firmware == Firmware::FluidNc, "{firmware}");
        bench.wait(600);
        let reset = [bench.send([0x18]), bench.wait(700)].concat();
        assert_eq!(has(&reset, "ok"), firmware == Firmware::Grbl, "{firmware} owes one: {reset:?}");
        assert_eq!(bench.state(), if firmware == Firmware::FluidNc { "Idle" } else { "Alarm" }, "{firmware}");
    }
}

#[test]
fn a_jog_beyond_a_soft_limit_is_shortened_by_fluidnc_and_refused_by_the_others() {
    for firmware in ALL {
        let mut bench = Bench::ready(firmware);
        let said = bench.send("$J=G91X9999F3000\n");
        if firmware == Firmware::FluidNc {
            assert_eq!(said, ["ok"]);
            bench.settle();
            assert_eq!(bench.x(), 300.0);
        } else {
            assert_eq!(said, ["error:15"], "{firmware}");
        }
    }
}

#[test]
fn a_quote_resets_fluidnc_and_an_accent_eats_the_next_stop() {
    let mut bench = Bench::ready(Firmware::FluidNc);
    assert!(bench.send("(\u{2018}\n").iter().any(|l| l.starts_with("Grbl 4.0")));
    bench.send("G91\nG1X50F600\n");
    bench.send(b"(caf\xE9)\n");
    bench.send("!");
    bench.wait(300);
    assert_eq!(bench.state(), "Run", "the hold was swallowed");
    bench.send("!");
    bench.wait(300);
    assert_eq!(bench.state(), "Hold:0");
}

#[test]
fn check_mode_ends_with_a_reset_and_without_an_ok_on_fluidnc() {
    for firmware in ALL {
        let mut bench = Bench::ready(firmware);
        bench.send("$C\n");
        assert_eq!(bench.state(), "Check", "{firmware}");
        let at = bench.x();
        assert_eq!(bench.send("G91\nG0X5\n$J=G91X1F10\n")[..3], ["ok", "ok", "error:8"], "{firmware}");
        let end = [bench.send("$C\n"), bench.wait(700)].concat();
        assert!(end.iter().any(|l| l.starts_with("Grbl")), "{firmware}");
        assert_eq!(has(&end, "ok"), firmware != Firmware::FluidNc, "{firmware}");
        assert_eq!((bench.state().as_str(), bench.x()), ("Idle", at), "{firmware}");
    }
}

#[test]
fn sleep_needs_a_reset_and_an_unlock() {
    for firmware in [Firmware::Grbl, Firmware::FluidNc] {
        let mut bench = Bench::ready(firmware);
        bench.send("$SLP\n");
        assert_eq!(bench.state(), "Sleep", "{firmware}");
        assert_eq!(bench.send("G0X1\n~"), [""; 0], "{firmware}");
        bench.send([0x18]);
        bench.wait(700);
        assert_eq!(bench.state(), "Alarm", "{firmware}");
    }
    assert_eq!(Bench::ready(Firmware::GrblHal).send("$SLP\n"), ["error:3"]);
}

#[test]
fn the_door_stops_with_a_ramp_and_resumes_only_when_closed() {
    for firmware in [Firmware::Grbl, Firmware::FluidNc] {
        let mut bench = Bench::ready(firmware);
        bench.send("G91\nG1X20F1200\n");
        bench.wait(300);
        bench.machine.open_door();
        assert_eq!(bench.state(), "Door:2", "{firmware}");
        bench.wait(300);
        assert_eq!(bench.state(), "Door:1", "{firmware}");
        bench.send("~");
        assert_eq!(bench.state(), "Door:1", "{firmware}");
        bench.machine.release_pin('D');
        assert_eq!(bench.state(), "Door:0", "{firmware}");
        bench.send("~");
        bench.settle();
        assert_eq!(bench.state(), "Idle", "{firmware}");
    }
}

#[test]
fn a_probe_finds_the_plate_or_alarms() {
    for firmware in ALL {
        let mut bench = Bench::ready(firmware);
        bench.machine.set_probe_contact_at(Some(-30.0));
        bench.send("G91\nG38.2 Z-30 F300\n");
        let said = bench.settle();
        let found = said.iter().find(|l| l.starts_with("[PRB:")).cloned().unwrap_or_default();
        assert!(found.ends_with(":1]") && found.contains(",-30.0"), "{firmware}: {said:?}");
        assert!(has(&bench.send("G38.2 Z-1 F100\n"), "ALARM:4"), "{firmware}: still in contact");

        let mut bench = Bench::ready(firmware);
        bench.machine.set_probe_contact_at(None);
        bench.send("G91\nG38.2 Z-3 F300\n");
        let said = bench.settle();
        assert!(has(&said, "ALARM:5") && oks(&said) == 1, "{firmware}: {said:?}");
    }
}

#[test]
fn homing_finds_the_switches_wherever_the_machine_stood() {
    for firmware in ALL {
        let mut bench = Bench::with(Options::new(firmware));
        assert_eq!(bench.state(), "Alarm", "{firmware} wants to be homed");
        assert!(has(&bench.send("G0X1\n"), "error:9"), "{firmware}");
        bench.send("$H\n");
        assert_eq!(bench.state(), "Home", "{firmware}");
        let said = bench.settle();
        assert_eq!(oks(&said), 1, "{firmware}: {said:?}");
        let home = if firmware == Firmware::FluidNc { 0.0 } else { -1.0 };
        assert_eq!(bench.machine.position().as_slice()[..3], [home; 3], "{firmware}");
        assert_eq!(bench.state(), "Idle", "{firmware}");
    }
}

#[test]
fn a_reset_or_the_door_during_homing_fails_it() {
    for firmware in ALL {
        let mut bench = Bench::with(Options::new(firmware));
        bench.send("$H\n");
        bench.wait(300);
        bench.send("!");
        assert_eq!(bench.state(), "Home", "{firmware}: a hold does not stop it");
        assert!(has(&bench.send([0x18]), "ALARM:6"), "{firmware}");
        bench.wait(700);
        assert_eq!(bench.state(), "Alarm", "{firmware}");
        bench.send("$H\n");
        bench.wait(300);
        assert!(has(&bench.send([0x84]), "ALARM:7"), "{firmware}");
    }
}

#[test]
fn too_much_at_once_is_lost_on_grbl_and_counted() {
    let mut bench = Bench::ready(Firmware::Grbl);
    let lines = "G91G1X0.001F1\n".repeat(60);
    let said = bench.send(lines.as_bytes());
    assert!(bench.machine.counters().rx_overflows > 0);
    assert!(oks(&said) < 30);
    let mut bench = Bench::ready(Firmware::FluidNc);
    bench.send(lines.as_bytes());
    assert_eq!(bench.machine.counters().rx_overflows, 0);
}

#[test]
fn a_sender_that_is_late_is_noticed() {
    let mut bench = Bench::ready(Firmware::FluidNc);
    bench.send("G91\nG1X1F600\n");
    bench.wait(300);
    bench.send("G1X1\n");
    assert_eq!(bench.machine.counters().starved, 1);
    bench.send("G1X1\nG4P0.1\nG1X1\n");
    bench.settle();
    assert_eq!(bench.machine.counters().starved, 1, "a dwell drains the planner on purpose");
}

#[test]
fn busy_fluidnc_can_be_slow_to_look_at_realtime_bytes() {
    let mut options = Options { homed: true, ..Options::new(Firmware::FluidNc) };
    options.busy_latency = Duration::from_millis(100);
    let mut bench = Bench::with(options);
    bench.send("$J=G91X1F300\n".repeat(20));
    assert_eq!(bench.send("?"), [""; 0]);
    assert!(bench.wait(100)[0].starts_with("<Jog"));
}

#[test]
fn faults_do_what_they_say() {
    let mut bench = Bench::ready(Firmware::FluidNc);
    bench.machine.trigger(Fault::Reset);
    let boot = bench.wait(1);
    assert!(has(&boot, "ALARM:14"), "{boot:?}");
    assert_eq!(bench.x(), 0.0, "it does not know where it is");
    bench.machine.trigger(Fault::Garbage);
    let mut noise = Vec::new();
    bench.machine.poll_output(bench.now, &mut noise);
    assert!(String::from_utf8(noise).is_err());
    bench.machine.trigger(Fault::Drop);
    assert!(bench.machine.take_drop() && !bench.machine.take_drop());
    bench.machine.trigger(Fault::Silence);
    assert_eq!(bench.send("?\n$G\n"), [""; 0]);
}

#[test]
fn arcs_end_where_they_should_and_bad_ones_are_refused() {
    for firmware in ALL {
        let mut bench = Bench::ready(firmware);
        let at = bench.x();
        let said = [bench.send("G91 G17\nG2 X10 Y0 I5 J0 F3000\n"), bench.settle()].concat();
        assert_eq!(oks(&said), 2, "{firmware}");
        assert_eq!(bench.x(), at + 10.0, "{firmware}");
        for (line, code) in [("G2X1\n", "error:35"), ("G2X1Y1R0.1\n", "error:34"), ("G2Z1I1\n", "error:32")] {
            assert!(has(&bench.send(line), code), "{firmware} {line}");
            bench.send("\n");
        }
    }
}

#[test]
fn a_rotary_axis_turns_without_end() {
    let mut bench = Bench::ready(Firmware::FluidNc);
    assert_eq!(bench.send("$J=G91 A3600 F3600\n"), ["ok"]);
    bench.wait(5000);
    assert!(bench.machine.position().as_slice()[3] > 250.0);
}

#[test]
fn any_chunking_of_the_same_bytes_gives_the_same_answers() {
    let script = b"$I\nG91\nG1X1F600\n?$J=G91X1F100\n!~G4P0.01\n$#\n(comment)\nG999\n";
    for firmware in ALL {
        let whole = {
            let mut bench = Bench::ready(firmware);
            [bench.send(script), bench.settle()].concat()
        };
        for size in 1..20 {
            let mut bench = Bench::ready(firmware);
            for chunk in script.chunks(size) {
                bench.machine.handle_bytes(bench.now, chunk);
            }
            let parts = bench.settle();
            let words = |lines: &[String]| lines.iter().filter(|l| !l.starts_with('<')).cloned().collect::<Vec<_>>();
            assert_eq!(words(&parts), words(&whole), "{firmware}, {size} bytes at a time");
        }
    }
}

#[test]
fn nothing_is_left_due_in_the_past() {
    // The spindle of a grblHAL machine is coming back after the door when a limit switch closes.
    let mut bench = Bench::ready(Firmware::GrblHal);
    bench.send("G91\nG1X20F600\n");
    bench.wait(300);
    bench.send([0x84]);
    bench.wait(300);
    bench.send("~");
    bench.machine.press_pin('X');
    bench.wait(60_000);
    assert_eq!(bench.machine.poll_timeout(), None);
    let mut bench = Bench::ready(Firmware::FluidNc);
    bench.send("$RI=50\nG91\nG1X20F600\n");
    bench.machine.trigger(Fault::Silence);
    bench.wait(60_000);
    assert_eq!(bench.machine.poll_timeout(), None);
}
