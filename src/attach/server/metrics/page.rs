//! The page.

use std::fmt;

use super::book::{Book, plain};
use super::{machine, power};
use crate::attach::server::counted::Counted;
use crate::model::{Snapshot, Time};

/// What kind of text it is.
pub(in crate::attach::server) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All that is known now.
///
/// # Errors
/// It cannot be written.
pub(in crate::attach::server) fn page(snapshot: &Snapshot, now: Time, counted: &Counted) -> Result<String, fmt::Error> {
    let mut book = Book::new();
    book.info("build", "The sunmill that answers", vec![("version", env!("CARGO_PKG_VERSION").to_owned())]);
    people(&mut book, snapshot, counted);
    machine::put(&mut book, snapshot, now, counted);
    power::put(&mut book, &snapshot.power, now);
    book.text()
}

fn people(book: &mut Book, snapshot: &Snapshot, counted: &Counted) {
    let kinds = [("screen", true), ("script", false)];
    let count = |screen: bool| snapshot.people.clients.iter().filter(|person| person.screen == screen).count();
    book.gauge(
        &plain("clients", "Clients that are attached"),
        kinds.map(|(kind, screen)| (vec![("kind", kind.to_owned())], Some(count(screen) as f64))),
    );
    book.counter(
        &plain("client_dropped_updates", "Log entries that slow clients lost"),
        [(Vec::new(), Some(counted.dropped() as f64))],
    );
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::model::machine::{MachineState, StateKind};
    use crate::model::power::{Energy, EnergyRow, Flow, Inverter, Power, Reading, Unit, UnitState};
    use crate::model::program::{PastRun, Run, RunEnd, RunEnergy, RunId, RunState};
    use crate::model::snapshot::LinkState;
    use crate::model::sun::Sun;

    /// Lines of the page that begin like this.
    fn lines(page: &str, name: &str) -> Vec<String> {
        page.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
    }

    fn machine() -> Snapshot {
        let mut snapshot = Snapshot::default();
        let machine = &mut snapshot.machine;
        machine.link.state = LinkState::Up;
        machine.state = Some(MachineState::plain(StateKind::Run));
        machine.reported_at = Some(Time::from_millis(1000));
        machine.report_interval = Duration::from_millis(100);
        machine.feed_mm_min = Some(600.0);
        machine.spindle_rpm = Some(12_000.0);
        snapshot
    }

    #[test]
    fn units_are_base_units_and_the_page_ends_as_it_must() {
        let page = page(&machine(), Time::from_millis(1100), &Counted::default()).unwrap();
        assert!(page.ends_with("# EOF\n"), "{page}");
        assert_eq!(lines(&page, "sunmill_cnc_up{"), ["sunmill_cnc_up{machine=\"main\"} 1.0"]);
        let feed = lines(&page, "sunmill_cnc_feed_meters_per_second{");
        assert_eq!(feed, ["sunmill_cnc_feed_meters_per_second{machine=\"main\"} 0.01"]);
        assert!(page.contains("sunmill_cnc_spindle_revolutions_per_second{machine=\"main\"} 200.0"), "{page}");
        assert!(page.contains("sunmill_cnc_state{machine=\"main\",state=\"run\"} 1.0"), "{page}");
        assert!(page.contains("sunmill_cnc_state{machine=\"main\",state=\"idle\"} 0.0"), "{page}");
        assert!(page.contains("sunmill_build_info{version="), "{page}");
        assert!(page.contains("# UNIT sunmill_cnc_feed_meters_per_second meters_per_second\n"), "{page}");
    }

    #[test]
    fn what_is_not_known_or_is_too_old_is_not_there() {
        let late = page(&machine(), Time::from_millis(9000), &Counted::default()).unwrap();
        for name in ["sunmill_cnc_state", "sunmill_cnc_feed", "sunmill_cnc_spindle"] {
            assert_eq!(lines(&late, name), Vec::<String>::new(), "{name}");
        }
        assert_eq!(
            lines(&late, "sunmill_cnc_status_age_seconds{"),
            ["sunmill_cnc_status_age_seconds{machine=\"main\"} 8.0"]
        );
        let nothing = page(&Snapshot::default(), Time::from_millis(9000), &Counted::default()).unwrap();
        assert_eq!(lines(&nothing, "sunmill_cnc_up{"), ["sunmill_cnc_up{machine=\"main\"} 0.0"]);
        assert!(!nothing.contains("sunmill_cnc_status_age") && !nothing.contains("sunmill_inverter"), "{nothing}");
    }

    #[test]
    fn inverters_tell_what_is_fresh_in_watts_and_joules() {
        let second = Duration::from_secs(1);
        let reading = |value| Reading::new(value, Time::from_millis(1000), second);
        let flow = Flow { pv_w: reading(1500.0), grid_w: reading(-200.0), ..Flow::default() };
        let total = EnergyRow { pv: reading(2.0), ..EnergyRow::default() };
        let energy = Energy { total, ..Energy::default() };
        let known = Inverter { name: "a \"roof\"".into(), flow, energy, ..Inverter::default() };
        let unit = Unit { known, enabled: true, state: UnitState::Answers, ..Unit::default() };
        let power = Power { inverters: vec![Arc::new(unit)], ..Power::default() };
        let snapshot = Snapshot { power: Arc::new(power), ..Snapshot::default() };
        let fresh = page(&snapshot, Time::from_millis(2000), &Counted::default()).unwrap();
        let of = "{inverter=\"a \\\"roof\\\"\"}";
        assert!(fresh.contains(&format!("sunmill_inverter_up{of} 1.0")), "{fresh}");
        assert!(fresh.contains(&format!("sunmill_inverter_pv_power_watts{of} 1500.0")), "{fresh}");
        assert!(fresh.contains(&format!("sunmill_grid_power_watts{of} -200.0")), "{fresh}");
        assert!(
            fresh.contains("sunmill_inverter_energy_joules_total{inverter=\"a \\\"roof\\\"\",kind=\"pv\"} 7200000.0")
        );
        assert!(!fresh.contains("load_power") && !fresh.contains("charge_ratio"), "{fresh}");
        let stale = page(&snapshot, Time::from_millis(6000), &Counted::default()).unwrap();
        assert!(stale.contains(&format!("sunmill_inverter_up{of} 1.0")));
        assert!(!stale.contains("pv_power") && !stale.contains("grid_power"), "{stale}");
        assert!(!stale.contains("inverter_energy_joules"), "{stale}");
    }

    #[test]
    fn a_program_tells_how_it_stands_and_what_it_has_drawn() {
        let mut snapshot = machine();
        let mut run = Run::new(RunId(1), "/g/part.nc".into(), 1, Time::from_millis(100));
        (run.state, run.acked_line, run.lines) = (RunState::Running, 7, Some(20));
        snapshot.programs.run = Some(run);
        snapshot.machine.link.stats.lines_sent = 12;
        let counts = &mut snapshot.programs.counts;
        counts.started = 3;
        let ended = |how, sun_wh| PastRun {
            id: RunId(1),
            name: "part.nc".into(),
            path: "/g/part.nc".into(),
            hash: None,
            who: "screen 1".into(),
            started_ms: 0,
            ended_ms: Some(60_000),
            end: Some(how),
            first_line: 1,
            last_line: 20,
            lines: Some(20),
            pauses: 0,
            paused_for: Duration::ZERO,
            moving_for: Duration::ZERO,
            dry: false,
            energy: Some(RunEnergy { sun_wh, grid_wh: -0.2, ..RunEnergy::default() }),
            on_link_loss: None,
        };
        counts.end(&ended(RunEnd::Done, 0.75), Duration::from_secs(40));
        counts.end(&ended(RunEnd::Stopped("Ctrl+X".into()), 0.25), Duration::from_secs(20));
        let measured = RunEnergy { sun_wh: 2.0, ..RunEnergy::default() };
        snapshot.sun = Arc::new(Sun { drawn: Some(measured), ..Sun::default() });
        let text = page(&snapshot, Time::from_millis(1100), &Counted::default()).unwrap();
        for line in [
            "sunmill_job_state{machine=\"main\",state=\"running\"} 1.0",
            "sunmill_job_elapsed_seconds{machine=\"main\"} 1.0",
            "sunmill_job_run_seconds_total{machine=\"main\"} 61.0",
            "sunmill_job_acked_line{machine=\"main\"} 7.0",
            "sunmill_job_lines{machine=\"main\"} 20.0",
            "sunmill_job_drawn_joules{machine=\"main\",source=\"solar\"} 7200.0",
            "sunmill_job_energy_joules_total{machine=\"main\",source=\"solar\"} 3600.0",
            "sunmill_job_energy_joules_total{machine=\"main\",source=\"grid\"} 0.0",
            "sunmill_job_starts_total{machine=\"main\"} 3.0",
            "sunmill_job_runs_total{machine=\"main\",result=\"done\"} 1.0",
            "sunmill_job_runs_total{machine=\"main\",result=\"stopped\"} 1.0",
            "sunmill_job_runs_total{machine=\"main\",result=\"failed\"} 0.0",
            "sunmill_cnc_lines_sent_total{machine=\"main\"} 12.0",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert!(!text.contains("job_remaining"), "nobody has estimated it: {text}");
    }

    #[test]
    fn counters_are_those_of_the_whole_time() {
        let counted = Counted::default();
        counted.drop_entries(3);
        counted.drop_entries(4);
        counted.alarm(1);
        counted.alarm(1);
        let page = page(&machine(), Time::from_millis(1100), &counted).unwrap();
        assert!(page.contains("sunmill_client_dropped_updates_total 7.0"), "{page}");
        assert!(page.contains("sunmill_cnc_alarms_total{machine=\"main\",code=\"1\"} 2.0"), "{page}");
    }
}
