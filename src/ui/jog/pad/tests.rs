use super::*;
use crate::ui::jog::gesture::Direction;

const RIGHT: JogKey = JogKey { direction: Direction([1, 0, 0, 0]), scale: Scale::Normal, single: false };
const UP: JogKey = JogKey { direction: Direction([0, 1, 0, 0]), scale: Scale::Normal, single: false };

fn t(ms: u64) -> Time {
    Time::from_millis(10_000 + ms)
}

/// A pad in jog mode whose keys have been quiet for long enough.
fn pad() -> JogPad {
    let mut pad = JogPad::new(JogSettings::default());
    pad.enter(Time::from_millis(5000));
    pad
}

fn facts(at: Time, kind: KeyEventKind, releases: bool) -> KeyFacts {
    KeyFacts { at, kind, keys_in_batch: 1, batch: at.as_micros(), reports_release: releases }
}

/// What a pad does, in short: s step, c continue, x cancel, p prove, ! says.
fn short(acts: &[JogAct]) -> String {
    acts.iter()
        .map(|act| match act {
            JogAct::Step(..) => 's',
            JogAct::Continue(..) => 'c',
            JogAct::Cancel => 'x',
            JogAct::Prove => 'p',
            JogAct::Say(_) => '!',
        })
        .collect()
}

/// Serves every timer up to a moment.
fn until(pad: &mut JogPad, from: Time, end: Time) -> String {
    let mut out = String::new();
    let mut now = from;
    loop {
        let due = pad.poll_timeout();
        if due > end {
            return out;
        }
        now = now.max(due);
        let before = pad.clone();
        let (acts, idle) = pad.handle_timeout(now, 3);
        out.push_str(&short(&acts));
        if idle || *pad == before {
            return out;
        }
    }
}

/// Presses a key at these times without release reports, serving timers between; then waits two seconds.
fn typed(pad: &mut JogPad, key: JogKey, times: &[u64]) -> String {
    let mut out = String::new();
    let mut last = t(0);
    for &ms in times {
        out.push_str(&until(pad, last, t(ms)));
        out.push_str(&short(&pad.key(key, facts(t(ms), KeyEventKind::Press, false), 3)));
        last = t(ms);
    }
    out.push_str(&until(pad, last, last + Duration::from_secs(2)));
    out
}

fn repeats(first: u64, interval: u64, count: u64) -> Vec<u64> {
    (0..count).map(|n| first + n * interval).collect()
}

#[test]
fn gestures_without_release_reports() {
    for (what, times, acts) in [
        ("a tap", vec![0], "s"),
        ("three slow taps", vec![0, 300, 600], "sss"),
        ("taps as fast as a hand can", vec![0, 140, 280, 420], "ssss"),
        ("a bouncing key", vec![0, 20], "s"),
        (
            "held under X11: step, first repeat, then motion, cancelled when repeats end",
            [vec![0], repeats(660, 40, 6)].concat(),
            "sscccccx".trim_end_matches('c'),
        ),
        ("held on the Linux console", [vec![0], repeats(250, 92, 5)].concat(), "sscccx"),
    ] {
        let got = typed(&mut pad(), RIGHT, &times);
        let expected: String = if what.starts_with("held under X11") { "ssccccx".into() } else { acts.into() };
        assert_eq!(got, expected, "{what}");
    }
}

#[test]
fn the_lease_is_learned_from_the_repeats() {
    let mut pad = pad();
    assert_eq!(pad.lease(), Duration::from_millis(250));
    typed(&mut pad, RIGHT, &[vec![0], repeats(660, 40, 20)].concat());
    assert!(pad.lease_is_learned());
    assert_eq!(pad.lease(), Duration::from_millis(100));
    // And so is the initial delay: the first repeat of the next hold is no second step.
    let again = [vec![5000], repeats(5660, 40, 3)].concat();
    let got = typed(&mut pad, RIGHT, &again);
    assert!(got.starts_with("sc"), "{got}");
}

#[test]
fn a_hold_that_stops_repeating_is_cancelled_within_the_lease() {
    let mut pad = pad();
    for ms in [0, 660, 700, 740] {
        pad.key(RIGHT, facts(t(ms), KeyEventKind::Press, false), 3);
    }
    assert!(pad.moving().is_some());
    let due = pad.poll_timeout();
    assert!(due.since(t(740)) <= pad.lease());
    assert_eq!(short(&pad.handle_timeout(due, 3).0), "x");
    assert!(pad.moving().is_none());
}

#[test]
fn another_key_stops_and_does_nothing_else() {
    let mut held = pad();
    for ms in [0, 660, 700, 740] {
        held.key(RIGHT, facts(t(ms), KeyEventKind::Press, false), 3);
    }
    let mut other = held.clone();
    assert_eq!(short(&held.key(UP, facts(t(760), KeyEventKind::Press, false), 3)), "x");
    // Its repeats do not move either, until the keys have been quiet.
    for ms in [800, 840, 1000, 1100] {
        assert_eq!(short(&held.key(UP, facts(t(ms), KeyEventKind::Press, false), 3)), "", "{ms}");
    }
    assert_eq!(short(&held.key(UP, facts(t(1500), KeyEventKind::Press, false), 3)), "s");
    assert!(other.other_key(t(760)));
    assert!(!other.other_key(t(770)));
}

#[test]
fn a_stale_burst_moves_nothing_and_needs_a_fresh_press() {
    let burst = |ms| KeyFacts { keys_in_batch: 20, batch: 7, ..facts(t(ms), KeyEventKind::Press, false) };
    // In a hold, after a stall.
    let mut held = pad();
    for ms in [0, 660, 700, 740] {
        held.key(RIGHT, facts(t(ms), KeyEventKind::Press, false), 3);
    }
    let mut acts = until(&mut held, t(740), t(1700));
    for _ in 0..20 {
        acts.push_str(&short(&held.key(RIGHT, burst(1700), 3)));
    }
    assert_eq!(acts, "x!");
    assert_eq!(short(&held.key(RIGHT, facts(t(1740), KeyEventKind::Press, false), 3)), "");
    assert_eq!(short(&held.key(RIGHT, facts(t(2100), KeyEventKind::Press, false), 3)), "s");
    // The same when the loop itself stalled and no timer was served.
    let mut stalled = pad();
    for ms in [0, 660, 700, 740] {
        stalled.key(RIGHT, facts(t(ms), KeyEventKind::Press, false), 3);
    }
    let acts: String = (0..20).map(|_| short(&stalled.key(RIGHT, burst(1700), 3))).collect();
    assert_eq!(acts, "x");
    // Out of the blue.
    let acts: String = (0..20).map(|_| short(&pad().key(RIGHT, burst(0), 3))).collect();
    assert!(!acts.contains(['s', 'c']), "{acts}");
}

#[test]
fn a_burst_within_the_lease_is_one_renewal() {
    let mut pad = pad();
    for ms in [0, 660, 700, 740] {
        pad.key(RIGHT, facts(t(ms), KeyEventKind::Press, false), 3);
    }
    let burst = KeyFacts { keys_in_batch: 4, batch: 7, ..facts(t(900), KeyEventKind::Press, false) };
    let acts: String = (0..4).map(|_| short(&pad.key(RIGHT, burst, 3))).collect();
    assert_eq!(acts, "c");
}

#[test]
fn the_first_key_after_entering_needs_quiet() {
    let mut pad = pad();
    pad.enter(t(0));
    assert_eq!(short(&pad.key(RIGHT, facts(t(100), KeyEventKind::Press, false), 3)), "");
    assert_eq!(short(&pad.key(RIGHT, facts(t(300), KeyEventKind::Press, false), 3)), "", "100 was not quiet");
    assert_eq!(short(&pad.key(RIGHT, facts(t(600), KeyEventKind::Press, false), 3)), "s");
}

#[test]
fn releases_end_motion_at_once() {
    use KeyEventKind::{Press, Release, Repeat};
    // Tap: one step, however long the delay before the release within 200 ms.
    let mut tapped = pad();
    tapped.can_prove = true;
    assert_eq!(short(&tapped.key(RIGHT, facts(t(0), Press, true), 3)), "s");
    assert_eq!(until(&mut tapped, t(0), t(150)), "");
    assert_eq!(short(&tapped.key(RIGHT, facts(t(150), Release, true), 3)), "");
    assert_eq!(until(&mut tapped, t(150), t(3000)), "");
    // Held past 200 ms with a terminal that proves to be alive.
    let mut held = pad();
    held.can_prove = true;
    held.key(RIGHT, facts(t(0), Press, true), 3);
    assert_eq!(until(&mut held, t(0), t(210)), "cp");
    held.proved();
    assert_eq!(short(&held.key(RIGHT, facts(t(260), Release, true), 3)), "x");
    // Without proof only repeats can start it.
    let mut unproved = pad();
    unproved.key(RIGHT, facts(t(0), Press, true), 3);
    assert_eq!(until(&mut unproved, t(0), t(500)), "");
    assert_eq!(short(&unproved.key(RIGHT, facts(t(500), Repeat, true), 3)), "c");
    assert_eq!(until(&mut unproved, t(500), t(1500)), "x");
}

#[test]
fn a_terminal_that_falls_silent_stops_the_jog() {
    let mut pad = pad();
    pad.can_prove = true;
    pad.key(RIGHT, facts(t(0), KeyEventKind::Press, true), 3);
    let acts = until(&mut pad, t(0), t(1000));
    assert!(acts.starts_with("cp") && acts.ends_with("x!"), "{acts}");
    assert!(pad.moving().is_none());
    // The key is still down and repeats: nothing moves before a fresh press.
    assert_eq!(short(&pad.key(RIGHT, facts(t(1040), KeyEventKind::Repeat, true), 3)), "");
}

#[test]
fn while_it_answers_a_held_key_keeps_moving() {
    let mut pad = pad();
    pad.can_prove = true;
    pad.key(RIGHT, facts(t(0), KeyEventKind::Press, true), 3);
    let mut acts = String::new();
    for ms in (200..=1000).step_by(20) {
        acts.push_str(&until(&mut pad, t(ms - 20), t(ms)));
        pad.proved();
    }
    assert!(!acts.contains('x') && acts.matches('c').count() > 5 && acts.matches('p').count() > 5, "{acts}");
}

#[test]
fn steps_and_vectors() {
    let mut pad = pad();
    let key = |direction, scale| JogKey { direction: Direction(direction), scale, single: false };
    let step = |pad: &JogPad, key, axes| pad.step(key, axes);
    for (key, axes, distance, feed) in [
        (RIGHT, 3, vec![1.0, 0.0, 0.0], 1000.0),
        (key([0, 0, -1, 0], Scale::Normal), 3, vec![0.0, 0.0, -1.0], 800.0),
        (key([-1, 1, 0, 0], Scale::Coarse), 3, vec![-10.0, 10.0, 0.0], 1000.0),
        (key([1, 0, 0, 0], Scale::Fine), 2, vec![0.1, 0.0], 1000.0),
        (key([0, 0, 0, 1], Scale::Normal), 4, vec![0.0, 0.0, 0.0, 1.0], 1000.0),
    ] {
        assert_eq!(step(&pad, key, axes), Ok(JogAct::Step(AxisVec::from_slice(&distance), feed)));
    }
    assert_eq!(step(&pad, key([0, 0, 0, 1], Scale::Normal), 3), Err("this machine has no A axis".into()));
    pad.preset_step(3);
    pad.scale_step(1);
    pad.scale_step(1);
    assert!((pad.step_mm() - 100.0).abs() < 1e-9, "{}", pad.step_mm());
    pad.preset_step(0);
    pad.scale_step(-1);
    pad.scale_step(-1);
    assert!((pad.step_mm() - 0.001).abs() < 1e-9, "{}", pad.step_mm());
    pad.next_step(1);
    assert!((pad.step_mm() - 0.1).abs() < 1e-9, "{}", pad.step_mm());
    pad.next_feed(-99);
    assert_eq!(pad.feed_mm_min(), 100.0);
}

#[test]
fn an_inverted_axis_swaps_its_keys() {
    let settings = JogSettings {
        invert: [false, true, false, false, false, false, false, false, false],
        ..JogSettings::default()
    };
    let pad = JogPad::new(settings);
    assert_eq!(pad.vector(UP, 3).unwrap().direction, AxisVec::from_slice(&[0.0, -1.0, 0.0]));
}

#[test]
fn single_steps_do_not_become_motion() {
    let ctrl = JogKey { single: true, ..RIGHT };
    assert_eq!(typed(&mut pad(), ctrl, &[vec![0], repeats(660, 40, 10)].concat()), "ss");
    let mut off = pad();
    off.continuous = false;
    assert_eq!(typed(&mut off, RIGHT, &[vec![0], repeats(660, 40, 10)].concat()), "ss");
}

#[test]
fn an_idle_pad_says_so() {
    let mut pad = pad();
    pad.key(RIGHT, facts(t(0), KeyEventKind::Press, false), 3);
    assert_eq!(pad.poll_timeout(), t(60_000));
    assert!(!pad.handle_timeout(t(59_999), 3).1);
    assert!(pad.handle_timeout(t(60_000), 3).1);
}

#[test]
fn the_extra_keys_move_the_axis_that_was_chosen() {
    let settings = JogSettings { invert: std::array::from_fn(|axis| axis == 6), ..JogSettings::default() };
    let mut pad = JogPad::new(settings);
    let extra = JogKey { direction: Direction([0, 0, 0, 1]), scale: Scale::Normal, single: false };
    assert!(pad.next_extra(4).is_err(), "four axes leave no choice");
    let mut seen = Vec::new();
    for _ in 0..6 {
        let direction = pad.vector(extra, 9).unwrap().direction;
        seen.extend(direction.iter().filter(|(_, d)| *d != 0.0).map(|(axis, d)| (axis.letter(), d)));
        pad.next_extra(9).unwrap();
    }
    assert_eq!(seen, [('A', 1.0), ('B', 1.0), ('C', 1.0), ('U', -1.0), ('V', 1.0), ('W', 1.0)]);
    assert_eq!(pad.extra(), Axis::A, "round and round");
    // A linear axis takes the step in mm, a rotary one that in degrees.
    for _ in 0..3 {
        pad.next_extra(9).unwrap();
    }
    pad.preset_step(0);
    let JogAct::Step(distance, feed) = pad.step(extra, 9).unwrap() else { panic!() };
    assert_eq!((distance.get(pad.extra()), feed), (Some(-0.01), 1000.0));
}

#[test]
fn a_latched_jog_goes_on_until_any_key_and_not_without_proof() {
    use crate::ui::testing;
    let machine = testing::idle().machine;
    let press = |ms| facts(t(ms), KeyEventKind::Press, true);
    let mut pad = pad();
    assert!(pad.arm_latch(t(0)).unwrap_err().contains("tmux"));
    pad.can_prove = true;
    pad.arm_latch(t(0)).unwrap();
    assert!(pad.moving().is_none() && pad.latch().is_armed(t(0)));
    assert_eq!(short(&pad.latch_key(RIGHT, press(100), &machine)), "cp");
    assert!(pad.moving().is_some());
    // Letting go of the key that started it does nothing; any other press ends it and does nothing else.
    assert_eq!(short(&pad.key(RIGHT, facts(t(180), KeyEventKind::Release, true), 3)), "");
    let mut other = pad.clone();
    let mut left = pad.clone();
    assert_eq!(short(&pad.key(UP, press(300), 3)), "x");
    assert_eq!(short(&pad.key(UP, press(350), 3)), "", "not before the keys were quiet");
    assert!(other.other_key(t(300)) && !other.other_key(t(310)));
    assert!(left.block(t(300)) && left.moving().is_none());
}

#[test]
fn a_latch_starts_on_one_quiet_press_only() {
    let machine = crate::ui::testing::idle().machine;
    let armed = || {
        let mut pad = pad();
        pad.can_prove = true;
        pad.arm_latch(t(0)).unwrap();
        pad
    };
    let press = facts(t(100), KeyEventKind::Press, true);
    for (what, facts) in [
        ("a repeat", KeyFacts { kind: KeyEventKind::Repeat, ..press }),
        ("a burst", KeyFacts { keys_in_batch: 3, ..press }),
    ] {
        let mut pad = armed();
        assert_eq!(short(&pad.latch_key(RIGHT, facts, &machine)), "", "{what}");
        assert!(pad.moving().is_none() && !pad.latch().is_armed(t(100)), "{what}");
    }
    let mut busy = armed();
    busy.enter(t(50));
    assert_eq!(short(&busy.latch_key(RIGHT, press, &machine)), "", "keys that were not quiet");
    let extra = JogKey { direction: Direction([0, 0, 0, 1]), ..RIGHT };
    assert_eq!(short(&armed().latch_key(extra, press, &machine)), "!", "no such axis");
    let mut disarmed = armed();
    assert!(!disarmed.other_key(t(50)) && !disarmed.latch().is_armed(t(60)));
}

#[test]
fn a_latched_jog_ends_by_itself_and_the_keys_must_be_quiet_then() {
    let machine = crate::ui::testing::idle().machine;
    let mut pad = pad();
    pad.can_prove = true;
    pad.arm_latch(t(0)).unwrap();
    pad.latch_key(RIGHT, facts(t(100), KeyEventKind::Press, true), &machine);
    let acts = until(&mut pad, t(100), t(1000));
    assert!(acts.ends_with("x!") && acts.matches('x').count() == 1, "nobody answered: {acts}");
    assert!(pad.moving().is_none());
    assert_eq!(short(&pad.key(RIGHT, facts(t(400), KeyEventKind::Press, true), 3)), "");
}
