//! Rules over time, by hand and by chance.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::headroom::Headroom;
use super::look::View;
use super::setup::SpindleNeed;
use super::watch::Watch;
use crate::model::Time;
use crate::model::power::{
    Bus, BusState, Fault, FaultSource, GridState, Inverter, Power, Reading, Role, Unit, UnitState,
};
use crate::model::snapshot::Snapshot;
use crate::model::sun::{Action, Rule, Truth, WhenUnknown};

const SECOND: Duration = Duration::from_secs(1);

/// An inverter as a rule sees it, second by second.
struct Scene {
    snapshot: Snapshot,
    watch: Watch,
    now: Time,
    fired: u32,
}

impl Scene {
    fn new(when: &str) -> Self {
        let unit = Unit {
            known: Inverter { name: "roof".into(), ..Inverter::default() },
            bus: "rs485".into(),
            enabled: true,
            state: UnitState::Answers,
            capacity_kwh: Some(10.0),
            ..Unit::default()
        };
        let bus = Bus { name: "rs485".into(), state: BusState::Open, ..Bus::default() };
        let power = Power { inverters: vec![Arc::new(unit)], buses: vec![Arc::new(bus)], armed_until: None };
        let snapshot = Snapshot { power: Arc::new(power), ..Snapshot::default() };
        let rule = Rule {
            name: "r".into(),
            when: when.parse().unwrap(),
            action: Action::Park,
            inverter: None,
            unknown: WhenUnknown::Show,
        };
        let now = Time::from_millis(1_000_000);
        Self { snapshot, watch: Watch::new(rule, now), now, fired: 0 }
    }

    fn unit(&mut self, change: impl FnOnce(&mut Unit)) {
        change(Arc::make_mut(&mut Arc::make_mut(&mut self.snapshot.power).inverters[0]));
    }

    fn bus(&mut self, state: BusState) {
        Arc::make_mut(&mut Arc::make_mut(&mut self.snapshot.power).buses[0]).state = state;
    }

    /// A second passes, and this is read then.
    fn second(&mut self, read: impl FnOnce(&mut Unit, &dyn Fn(f64) -> Reading<f64>)) -> Truth {
        self.now += SECOND;
        let now = self.now;
        self.unit(|unit| read(unit, &|value| Reading::new(value, now, SECOND)));
        self.look()
    }

    fn soc(&mut self, percent: f64) -> Truth {
        self.second(|unit, reading| unit.known.battery.soc_percent = reading(percent))
    }

    fn grid(&mut self, state: GridState) -> Truth {
        self.second(|unit, reading| {
            unit.known.grid.state = state;
            unit.known.grid.voltage_v = reading(if state == GridState::Lost { 0.0 } else { 230.0 });
        })
    }

    /// A second passes, and nothing is read.
    fn nothing(&mut self) -> Truth {
        self.second(|_, _| {})
    }

    fn look(&mut self) -> Truth {
        let view =
            View { snapshot: &self.snapshot, inverter: Some("roof"), park: Duration::from_secs(60), now: self.now };
        self.fired += u32::from(self.watch.look(&view));
        self.watch.truth
    }
}

#[test]
fn one_sample_is_not_enough_and_looking_twice_is_not_a_second_one() {
    let mut scene = Scene::new("battery_soc < 20");
    assert_eq!(scene.soc(15.0), Truth::Unknown);
    assert_eq!(scene.look(), Truth::Unknown);
    assert_eq!((scene.soc(15.0), scene.fired), (Truth::True, 1));
    // A single other sample is a doubt, and no end.
    assert_eq!((scene.soc(25.0), scene.soc(15.0), scene.fired), (Truth::Unknown, Truth::True, 1));
}

#[test]
fn a_spindle_has_room_when_two_readings_in_a_row_say_so() {
    let mut scene = Scene::new("battery_soc < 20");
    let need = SpindleNeed { surge_w: 1000.0, rated_w: Some(3000.0), inverter: None };
    let mut headroom = Headroom::new(need);
    let mut has_room = |load_w: f64| {
        scene.second(|unit, reading| unit.known.flow.load_w = reading(load_w));
        let (snapshot, now) = (&scene.snapshot, scene.now);
        headroom.look(&View { snapshot, inverter: Some("roof"), park: SECOND, now });
        headroom.verdict.is_ok()
    };
    assert!(!has_room(500.0) && has_room(500.0));
    // A compressor: the gap between two of its strokes is no room.
    assert!(!has_room(2900.0) && !has_room(500.0) && !has_room(2900.0) && !has_room(500.0));
    assert!(has_room(600.0));
}

#[test]
fn it_has_to_hold_for_as_long_as_is_said_without_a_break() {
    let mut scene = Scene::new("battery_soc < 20 for 30s");
    for _ in 0..20 {
        scene.soc(15.0);
    }
    // Nobody knows for a moment: it begins anew.
    for _ in 0..5 {
        scene.nothing();
    }
    for _ in 0..31 {
        scene.soc(15.0);
    }
    assert_eq!(scene.fired, 0);
    scene.soc(15.0);
    assert_eq!((scene.watch.truth, scene.fired), (Truth::True, 1));
}

#[test]
fn a_value_that_is_too_old_is_unknown_with_its_age_and_fires_nothing() {
    let mut scene = Scene::new("battery_soc < 20");
    scene.soc(15.0);
    for _ in 0..3 {
        scene.nothing();
    }
    assert_eq!(scene.nothing(), Truth::Unknown);
    assert_eq!(scene.watch.seen[0].unknown.as_deref(), Some("4 s old"));
    assert_eq!(scene.fired, 0);
    // What is read then counts from its beginning.
    assert_eq!((scene.soc(15.0), scene.fired), (Truth::Unknown, 0));
}

#[test]
fn nothing_is_believed_of_an_inverter_that_is_silent_off_disturbed_or_another_one() {
    type Trouble = (&'static str, fn(&mut Scene));
    let trouble: [Trouble; 5] = [
        ("does not answer", |scene| {
            scene.unit(|unit| unit.state = UnitState::Silent { since: Time::ZERO, why: String::new() });
        }),
        ("switched off", |scene| scene.unit(|unit| unit.state = UnitState::Off)),
        ("being proved", |scene| scene.bus(BusState::Quiet { why: String::new() })),
        ("down", |scene| {
            scene.bus(BusState::Down { why: String::new(), attempt: 1, retry_at: Time::ZERO });
        }),
        ("which device", |scene| scene.unit(|unit| unit.to_confirm = Some("another".into()))),
    ];
    for (words, trouble) in trouble {
        let mut scene = Scene::new("any(battery_soc < 20, grid = lost, inverter_fault)");
        trouble(&mut scene);
        scene.unit(|unit| unit.known.grid.state = GridState::Lost);
        for _ in 0..100 {
            scene.soc(1.0);
        }
        assert_eq!((scene.watch.truth, scene.fired), (Truth::Unknown, 0), "{words}");
        let why = scene.watch.seen[0].unknown.clone().unwrap();
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn a_flapping_grid_fires_once() {
    let mut scene = Scene::new("grid = lost");
    for _ in 0..200 {
        scene.grid(GridState::Lost);
        scene.grid(GridState::Good);
    }
    assert_eq!(scene.fired, 1);
    // One that is gone for good after a quiet minute is another event.
    for _ in 0..61 {
        scene.grid(GridState::Good);
    }
    scene.grid(GridState::Lost);
    assert_eq!(scene.fired, 2);
}

#[test]
fn what_is_not_known_ends_no_event() {
    let mut scene = Scene::new("grid = lost");
    scene.grid(GridState::Lost);
    for _ in 0..300 {
        scene.grid(GridState::Unknown);
    }
    scene.grid(GridState::Lost);
    assert_eq!(scene.fired, 1);
}

#[test]
fn a_program_that_begins_after_an_event_is_watched_at_once() {
    let mut scene = Scene::new("grid = lost");
    scene.grid(GridState::Lost);
    scene.watch.begin_program();
    scene.grid(GridState::Lost);
    assert_eq!(scene.fired, 1, "it holds still: nothing new");
    scene.grid(GridState::Good);
    scene.watch.begin_program();
    scene.grid(GridState::Lost);
    assert_eq!(scene.fired, 2);
}

#[test]
fn minutes_are_compared_with_the_time_that_parking_takes() {
    let mut scene = Scene::new("minutes_left < park_time + 5min");
    let draw = |scene: &mut Scene, soc: f64| {
        scene.second(|unit, reading| {
            unit.known.battery.soc_percent = reading(soc);
            unit.known.battery.soc_min_percent = reading(20.0);
            unit.known.flow.battery_w = reading(3000.0);
        })
    };
    // 5 % of 10 kWh at 3 kW: ten minutes.
    draw(&mut scene, 25.0);
    assert_eq!(draw(&mut scene, 25.0), Truth::False);
    assert!(scene.watch.seen[0].shown.starts_with("10 min"), "{:?}", scene.watch.seen);
    // 2.9 %: 5.8 minutes, less than 1 + 5.
    draw(&mut scene, 22.9);
    assert_eq!((draw(&mut scene, 22.9), scene.fired), (Truth::True, 1));
    // Charging, it lasts for ever; without a capacity nobody knows.
    let mut charging = Scene::new("minutes_left < 5min");
    for _ in 0..3 {
        charging.second(|unit, reading| {
            unit.known.battery.soc_percent = reading(25.0);
            unit.known.flow.battery_w = reading(-500.0);
        });
    }
    assert_eq!(charging.watch.truth, Truth::False);
    charging.unit(|unit| unit.capacity_kwh = None);
    assert_eq!(charging.nothing(), Truth::Unknown);
}

#[test]
fn faults_are_as_old_as_the_registers_that_tell_them() {
    let mut scene = Scene::new("inverter_fault");
    let fault = |grid| {
        let (text, register) = ("Fan".to_owned(), "error_bits".to_owned());
        Fault { text, register, warning: false, overload: false, grid, since: Time::ZERO }
    };
    let read = |scene: &mut Scene, faults: Vec<Fault>| {
        scene.second(|unit, reading| {
            let says = reading(0.0).map(|_| !faults.is_empty());
            let register = "error_bits".to_owned();
            unit.known.fault_sources = vec![FaultSource { register, warning: false, overload: false, says }];
            unit.known.faults = faults;
        })
    };
    read(&mut scene, Vec::new());
    assert_eq!(read(&mut scene, Vec::new()), Truth::False);
    // All else is read, the register is refused: whether there is a fault is not known, and nothing of it is over.
    scene.unit(|unit| unit.known.fault_sources[0].says.quarantined = true);
    assert_eq!((scene.soc(50.0), scene.soc(50.0)), (Truth::Unknown, Truth::Unknown));
    assert_eq!(scene.watch.seen[0].unknown.as_deref(), Some("error_bits: quarantined"));
    read(&mut scene, vec![fault(false)]);
    assert_eq!((read(&mut scene, vec![fault(false)]), scene.fired), (Truth::True, 1));
    for _ in 0..4 {
        scene.soc(50.0);
    }
    assert_eq!(scene.watch.seen[0].unknown.as_deref(), Some("error_bits: 4 s old"));
    // A grid that is gone has its own word.
    read(&mut scene, vec![fault(true)]);
    assert_eq!((read(&mut scene, vec![fault(true)]), scene.fired), (Truth::False, 1));
}

#[test]
fn what_a_profile_never_tells_is_unknown_and_says_so() {
    let mut scene = Scene::new("any(overload, load_percent > 110)");
    scene.unit(|unit| {
        (unit.known.profile, unit.known.lacks) = ("senergy_hybrid".into(), vec![Role::LoadPercent]);
    });
    assert_eq!(scene.soc(50.0), Truth::Unknown);
    for seen in &scene.watch.seen {
        assert_eq!(seen.unknown.as_deref(), Some("profile senergy_hybrid never tells it"), "{seen:?}");
    }
}

/// What happens in a second.
#[derive(Clone, Copy, Debug)]
enum Beat {
    Nothing,
    Soc(u8),
    Silent,
    Answers,
    Disturbed,
    Open,
}

fn beat() -> impl Strategy<Value = Beat> {
    prop_oneof![
        3 => Just(Beat::Nothing),
        6 => (0..100_u8).prop_map(Beat::Soc),
        1 => Just(Beat::Silent),
        1 => Just(Beat::Answers),
        1 => Just(Beat::Disturbed),
        1 => Just(Beat::Open),
    ]
}

proptest! {
    /// A rule fires only on values that are young and believed, after two samples that say so, and not twice within a minute.
    #[test]
    fn a_firing_stands_on_fresh_values_and_there_is_one_for_an_event(
        beats in prop::collection::vec(beat(), 1..300),
        when in prop::sample::select(vec!["battery_soc < 50", "battery_soc < 50 for 3s", "not (battery_soc >= 50)"]),
    ) {
        let mut scene = Scene::new(when);
        let (mut low, mut last_fired) = (0, None::<Time>);
        for beat in beats {
            let before = scene.fired;
            match beat {
                Beat::Nothing => { scene.nothing(); }
                Beat::Soc(percent) => {
                    low = if percent < 50 { low + 1 } else { 0 };
                    scene.soc(f64::from(percent));
                }
                Beat::Silent => scene.unit(|unit| {
                    unit.state = UnitState::Silent { since: Time::ZERO, why: String::new() };
                }),
                Beat::Answers => scene.unit(|unit| unit.state = UnitState::Answers),
                Beat::Disturbed => scene.bus(BusState::Quiet { why: String::new() }),
                Beat::Open => scene.bus(BusState::Open),
            }
            let (unit, now) = (scene.snapshot.power.inverters[0].clone(), scene.now);
            if scene.fired > before {
                let young = unit.known.battery.soc_percent.fresh(now);
                prop_assert!(young.is_some(), "old: {:?}", unit.known.battery.soc_percent);
                prop_assert!(unit.state == UnitState::Answers && low >= 1);
                prop_assert!(last_fired.is_none_or(|then| now.since(then) >= Duration::from_secs(60)));
                last_fired = Some(now);
            }
            if unit.state != UnitState::Answers {
                prop_assert_eq!(scene.look(), Truth::Unknown);
            }
        }
    }

    /// Not known and false is false, not known or true is true, and the rest of it stays unknown.
    #[test]
    fn what_is_not_known_is_never_guessed(a in 0..3_usize, b in 0..3_usize) {
        let all = [Truth::True, Truth::False, Truth::Unknown];
        let (a, b) = (all[a], all[b]);
        prop_assert_eq!(a.and(b), b.and(a));
        prop_assert_eq!(a.or(b), a.negated().and(b.negated()).negated());
        if a == Truth::Unknown {
            prop_assert_ne!(a.and(b), Truth::True);
            prop_assert_ne!(a.or(b), Truth::False);
        }
    }
}
