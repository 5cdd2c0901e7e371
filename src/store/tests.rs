//! The store as its users see it.

mod damage;
mod power;
mod trouble;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::model::audit::{Asker, AuditAsk, AuditKind, AuditPage, AuditRow};
use crate::model::axes::{AxisSet, AxisVec};
use crate::model::program::ask::Kept;
use crate::model::program::report::{FileUnits, Frame, Times};
use crate::model::program::{Checkpoint, ContentHash, Drawn, Next, PastRun, Reach, Report, RunEnd, RunEnergy, RunId};

/// A folder with a store in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("state/sunmill.db")
    }

    fn open(&self) -> (Store, Opened) {
        Store::open(&self.file()).unwrap()
    }

    fn open_with(&self, options: StoreOptions) -> (Store, Opened) {
        Store::open_with(&self.file(), options).unwrap()
    }
}

fn run(id: u64, name: &str) -> PastRun {
    PastRun {
        id: RunId(id),
        name: name.to_owned(),
        path: format!("/gcode/{name}"),
        hash: Some(ContentHash([id as u8; 32])),
        who: "screen 1".to_owned(),
        started_ms: 1_767_322_000_000 + id.cast_signed() * 1_000_000,
        ended_ms: None,
        end: None,
        first_line: 1,
        last_line: 0,
        lines: Some(1000),
        pauses: 0,
        paused_for: Duration::ZERO,
        moving_for: Duration::ZERO,
        dry: false,
        energy: None,
        on_link_loss: None,
    }
}

fn ended(run: PastRun, end: RunEnd) -> PastRun {
    PastRun {
        ended_ms: Some(run.started_ms + 100_000),
        end: Some(end),
        last_line: 1000,
        pauses: 1,
        paused_for: Duration::from_secs(10),
        moving_for: Duration::from_millis(60_500),
        ..run
    }
}

fn at(run: u64, acked_line: u64) -> Checkpoint {
    Checkpoint {
        run: RunId(run),
        at_ms: 1_767_322_000_000 + run.cast_signed() * 1_000_000 + acked_line.cast_signed(),
        acked_line,
        sent_line: acked_line + 3,
        modal: ["G21", "G90", "M3", "F600", "S12000"].map(str::to_owned).to_vec(),
        tool: Some(2),
        work_offset: Some(AxisVec::from_slice(&[10.0, 20.5, -3.25])),
        work_offset_line: acked_line,
        systems: std::iter::once(("G55".to_owned(), AxisVec::from_slice(&[1.0, 2.0, 3.0]))).collect(),
        g92: Some(AxisVec::from_slice(&[0.1, 0.2, 0.3])),
        tool_length: Some(1.0 / 3.0),
        machine_position: Some(AxisVec::from_slice(&[11.0, 22.0, -1.0])),
        homed: true,
        hash: Some(ContentHash([9; 32])),
        lines: Some(1234),
        pauses: 2,
        paused_for: Duration::from_secs(4),
        moving_for: Duration::from_secs(30),
        energy: None,
        next: Some(Next { line: acked_line + 1, why: "the program waited".to_owned() }),
        skipped: vec![3],
    }
}

fn row(kind: AuditKind, what: &str) -> AuditRow {
    AuditRow {
        at_ms: now_ms(),
        kind,
        who: "screen 1".to_owned(),
        by: Asker { user: Some("pi".to_owned()), uid: Some(1000), client: Some(1), ..Asker::default() },
        what: what.to_owned(),
        outcome: "done".to_owned(),
        took_ms: Some(12),
    }
}

fn report(lines: u64) -> Report {
    Report {
        hash: ContentHash([7; 32]),
        bytes: 10,
        lines,
        blocks: lines,
        problems: Vec::new(),
        errors: 0,
        warnings: 0,
        reach: vec![Reach {
            frame: Frame::Active,
            axes: AxisSet::first(1),
            min: [0.0; 9],
            max: [25.4; 9],
            min_line: [1; 9],
            max_line: [2; 9],
            unsure: false,
        }],
        units: FileUnits::Mm,
        cut_mm: 1.0 / 3.0,
        rapid_mm: 2.0,
        times: Times { cutting_s: 1.5, ..Times::default() },
        spindle_on: Times { cutting_s: 1.0, ..Times::default() },
        feed_mm_min: Some((100.0, 600.0)),
        spindle_rpm: None,
        systems: vec![1],
        tools: vec![3],
        waits: Vec::new(),
        timeline: Arc::new(vec![(1, 0.5), (2, 1.5)]),
        course: Arc::new(vec![[1.5, 0.0, 0.0, 0.0, 0.0]]),
    }
}

fn whats(store: &Store) -> Vec<String> {
    let rows = store.reader().audit(&AuditFilter::default(), 0, 10_000).unwrap();
    rows.into_iter().map(|row| row.what).collect()
}

#[test]
fn runs_are_kept_as_they_were_given() {
    let place = Place::new();
    let (store, opened) = place.open();
    assert_eq!(opened, Opened::default());
    let ends = [
        RunEnd::Done,
        RunEnd::Stopped("by screen 1".into()),
        RunEnd::Failed("error:20".into()),
        RunEnd::Interrupted("power".into()),
    ];
    let mut all = Vec::new();
    for (id, end) in (1..).zip(ends) {
        let run = run(id, ["face.nc", "pocket.nc"][id as usize % 2]);
        store.run_started(run.clone());
        let run = ended(run, end);
        store.run_ended(run.clone());
        all.insert(0, run);
    }
    store.run_started(run(5, "face.nc"));
    store.flush().unwrap();
    all.insert(0, run(5, "face.nc"));
    let reader = store.reader();
    let runs = |filter: RunFilter, skip, count| reader.runs(&filter, skip, count).unwrap();
    assert_eq!(runs(RunFilter::default(), 0, 100), all);
    assert_eq!(runs(RunFilter::default(), 1, 2), all[1..3]);
    let face = RunFilter { name: Some("face.nc".into()), ..RunFilter::default() };
    assert_eq!(runs(face, 0, 9).iter().map(|run| run.id.0).collect::<Vec<_>>(), [5, 4, 2]);
    let late = RunFilter { since_ms: Some(all[1].started_ms), ..RunFilter::default() };
    assert_eq!(runs(late, 0, 9).len(), 2);
    store.close();
    let (_, opened) = place.open();
    assert_eq!(opened.next_run, RunId(6));
}

#[test]
fn a_run_without_an_end_is_interrupted_at_its_last_checkpoint() {
    let place = Place::new();
    let (store, _) = place.open();
    store.run_started(run(1, "face.nc"));
    store.checkpoint(at(1, 40));
    store.checkpoint(at(1, 41));
    store.close();
    let (store, opened) = place.open();
    let (run, checkpoint) = opened.interrupted.clone().unwrap();
    assert_eq!(checkpoint, at(1, 41));
    assert!(matches!(&run.end, Some(RunEnd::Interrupted(why)) if why.contains("computer")), "{run:?}");
    assert_eq!((run.last_line, run.ended_ms, run.pauses), (41, Some(at(1, 41).at_ms), 2));
    assert_eq!((run.lines, run.hash), (Some(1234), Some(ContentHash([9; 32]))));
    assert_eq!(store.reader().interrupted().unwrap(), opened.interrupted);
    assert_eq!(store.reader().runs(&RunFilter::default(), 0, 9).unwrap(), [run]);

    store.close();
    let (store, again) = place.open();
    assert_eq!(again, opened, "offered until it is forgotten");
    store.forget_interrupted(RunId(1));
    store.checkpoint(at(1, 42));
    store.close();
    assert_eq!(place.open().1, Opened { next_run: RunId(2), ..Opened::default() });
}

#[test]
fn without_a_checkpoint_nothing_is_offered_but_the_history_knows() {
    let place = Place::new();
    let (store, _) = place.open();
    store.run_started(run(1, "face.nc"));
    drop(store);
    let (store, opened) = place.open();
    assert_eq!(opened.interrupted, None);
    let runs = store.reader().runs(&RunFilter::default(), 0, 9).unwrap();
    assert!(matches!(runs[0].end, Some(RunEnd::Interrupted(_))) && runs[0].ended_ms == Some(runs[0].started_ms));
}

#[test]
fn what_was_taken_up_is_not_offered_again() {
    let place = Place::new();
    let (store, _) = place.open();
    let stopped = || RunEnd::Stopped("by screen 1".into());
    let leave = |run: PastRun, end: RunEnd| {
        store.run_started(run.clone());
        store.checkpoint(at(run.id.0, 900));
        store.run_ended(ended(run, end));
        store.flush().unwrap();
    };
    let offered = || store.reader().interrupted().unwrap().map(|(run, _)| run.id.0);
    leave(run(1, "other.nc"), stopped());
    leave(run(2, "face.nc"), stopped());
    leave(run(3, "face.nc"), stopped());
    // A rehearsal takes no real one's place.
    leave(PastRun { dry: true, first_line: 500, ..run(4, "face.nc") }, RunEnd::Done);
    store.supersede(RunId(4));
    store.flush().unwrap();
    assert_eq!(offered(), Some(3));
    leave(run(5, "face.nc"), RunEnd::Done);
    store.supersede(RunId(5));
    store.flush().unwrap();
    assert_eq!(offered(), Some(1), "neither of the file that is done; another is not done for that");
    // As in a store of before that was written down.
    leave(run(6, "face.nc"), stopped());
    leave(PastRun { first_line: 850, ..run(7, "face.nc") }, RunEnd::Done);
    assert_eq!(offered(), Some(1));
    leave(run(8, "other.nc"), stopped());
    store.forget_interrupted(RunId(8));
    store.flush().unwrap();
    assert_eq!(offered(), None, "a forgotten one brings up none from before it");
}

#[test]
fn a_stopped_run_can_be_taken_up_and_one_that_is_done_cannot() {
    let place = Place::new();
    let (store, _) = place.open();
    for (id, end) in [(1, RunEnd::Stopped("by screen 1".into())), (2, RunEnd::Done)] {
        store.run_started(run(id, "face.nc"));
        store.checkpoint(at(id, 900));
        store.run_ended(ended(run(id, "face.nc"), end));
        // One that was under way when the end was told.
        store.checkpoint(at(id, 901));
        store.flush().unwrap();
    }
    let (run, checkpoint) = store.reader().interrupted().unwrap().unwrap();
    assert_eq!((run.id, checkpoint.acked_line), (RunId(1), 901));
}

#[test]
fn what_was_known_at_the_start_is_not_forgotten_at_the_end() {
    let place = Place::new();
    let (store, _) = place.open();
    store.run_started(run(1, "face.nc"));
    store.run_ended(PastRun { hash: None, lines: None, ..ended(run(1, "face.nc"), RunEnd::Done) });
    store.flush().unwrap();
    let runs = store.reader().runs(&RunFilter::default(), 0, 9).unwrap();
    assert_eq!(runs, [ended(run(1, "face.nc"), RunEnd::Done)]);
}

#[test]
fn an_end_is_not_taken_back() {
    let place = Place::new();
    let (store, _) = place.open();
    let done = ended(run(1, "face.nc"), RunEnd::Done);
    store.run_ended(done.clone());
    store.run_started(run(1, "face.nc"));
    store.flush().unwrap();
    assert_eq!(store.reader().runs(&RunFilter::default(), 0, 9).unwrap(), [done]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is given in whatever order, with or without the thread coming by in between: what is kept is the furthest.
    #[test]
    fn a_position_never_goes_back(lines in prop::collection::vec((1_u64..50, any::<bool>()), 1..40)) {
        let place = Place::new();
        let (store, _) = place.open();
        store.run_started(run(1, "face.nc"));
        let mut furthest = 0;
        for (line, flush) in lines {
            store.checkpoint(at(1, line));
            furthest = furthest.max(line);
            if flush {
                store.flush().unwrap();
                prop_assert_eq!(kept_checkpoint(&place), Some(at(1, furthest)));
            }
        }
    }
}

/// The one in the file, while the run has no end yet.
fn kept_checkpoint(place: &Place) -> Option<Checkpoint> {
    let connection = rusqlite::Connection::open(place.file()).unwrap();
    let state: String = connection.query_one("SELECT state FROM checkpoints", [], |row| row.get(0)).ok()?;
    serde_json::from_str(&state).ok()
}

#[test]
fn sums_are_by_program_and_dry_runs_apart_and_outlive_their_runs() {
    let place = Place::new();
    let (store, _) = place.open();
    for (id, name, dry, end) in [
        (1, "face.nc", false, RunEnd::Done),
        (2, "face.nc", false, RunEnd::Failed("alarm".into())),
        (3, "face.nc", true, RunEnd::Done),
        (4, "drill.nc", false, RunEnd::Done),
    ] {
        store.run_ended(PastRun { dry, ..ended(run(id, name), end) });
    }
    store.run_started(run(5, "face.nc"));
    store.flush().unwrap();
    let totals = store.reader().statistics().unwrap();
    assert_eq!((totals.machine.runs, totals.machine.done, totals.dry.runs), (3, 2, 1), "the open one is not counted");
    assert_eq!((totals.machine.running_s, totals.machine.moving_s), (3.0 * 90.0, 3.0 * 60.5));
    let names: Vec<&str> = totals.programs.iter().map(|program| program.name.as_str()).collect();
    assert_eq!(names, ["drill.nc", "face.nc"], "the last one used first");
    let face = &totals.programs[1];
    assert_eq!((face.machine.runs, face.machine.done, face.dry.runs, face.dry.moving_s), (2, 1, 1, 60.5));
    store.close();

    // The runs are of January 2026; the clock of whoever tests stands later.
    let brief = StoreOptions { history_days: 1, ..StoreOptions::default() };
    for _ in 0..2 {
        let (store, _) = place.open_with(brief.clone());
        store.run_started(run(6, "face.nc"));
        store.close();
    }
    let (store, opened) = place.open_with(brief);
    assert_eq!(opened.next_run, RunId(7));
    store.flush().unwrap();
    assert_eq!(store.reader().runs(&RunFilter::default(), 0, 9).unwrap().len(), 1, "only the newest is left");
    let after = store.reader().statistics().unwrap();
    assert_eq!((after.machine.runs, after.machine.done, after.dry), (5, 2, totals.dry));
    assert_eq!(after.machine.moving_s, totals.machine.moving_s);
}

/// So many Wh, half of them from the sun.
fn energy(wh: f64) -> RunEnergy {
    let half = wh / 2.0;
    let mut energy = RunEnergy { base_w: Some(300.0), sun_wh: half, grid_wh: half, ..RunEnergy::default() };
    energy.phases[0] = Drawn { seconds: 600.0, wh };
    energy
}

#[test]
fn what_a_run_drew_is_kept_with_it_and_added_up_also_when_the_run_is_too_old() {
    let place = Place::new();
    let (store, _) = place.open();
    let third = energy(1000.0 / 3.0);
    for (id, dry, energy) in [(1, false, Some(energy(500.0))), (2, true, Some(energy(70.0))), (3, false, None)] {
        store.run_ended(PastRun { dry, energy, ..ended(run(id, "face.nc"), RunEnd::Done) });
    }
    // Killed in the middle of it: the last position knows.
    store.run_started(run(4, "face.nc"));
    store.checkpoint(Checkpoint { energy: Some(third), ..at(4, 10) });
    store.flush().unwrap();
    store.close();
    let (store, _) = place.open();
    store.flush().unwrap();
    let reader = store.reader();
    let runs = reader.runs(&RunFilter::default(), 0, 9).unwrap();
    let energies: Vec<_> = runs.iter().map(|run| run.energy).collect();
    assert_eq!(energies, [Some(third), None, Some(energy(70.0)), Some(energy(500.0))]);
    assert_eq!(reader.run_energies(9).unwrap(), [third, energy(500.0)], "dry runs teach nothing");
    assert_eq!(reader.run_energies(1).unwrap(), [third]);
    let sums = |store: &Store| {
        let totals = store.reader().statistics().unwrap();
        [totals.machine.energy_kwh, totals.dry.energy_kwh].map(|kwh| (kwh * 1e6).round() / 1e6)
    };
    assert_eq!(sums(&store), [0.833_333, 0.07]);
    store.close();
    // Those that teach what the machine draws outlive the others.
    let (store, _) = place.open_with(StoreOptions { history_days: 1, ..StoreOptions::default() });
    store.flush().unwrap();
    let left: Vec<u64> = store.reader().runs(&RunFilter::default(), 0, 9).unwrap().iter().map(|run| run.id.0).collect();
    assert_eq!((left, sums(&store)), (vec![4, 1], [0.833_333, 0.07]));
}

#[test]
fn reports_are_given_back_and_bounded() {
    let place = Place::new();
    let few = StoreOptions { analyses: 3, ..StoreOptions::default() };
    let (store, _) = place.open_with(few);
    for lines in 0..5 {
        store.keep_report(&format!("key {lines}"), &report(lines));
        store.flush().unwrap();
    }
    let kept = (0..5).filter(|lines| store.report(&format!("key {lines}")).unwrap() == Some(report(*lines))).count();
    assert_eq!(kept, 3);
    let told = store.reader().kept_reports().unwrap();
    assert!(told.reports == 3 && told.bytes > 3 * 100, "{told:?}");
    let mut wide = report(9);
    wide.reach[0].max[8] = f64::INFINITY;
    wide.reach[0].min[8] = f64::NEG_INFINITY;
    store.keep_report("wide", &wide);
    store.flush().unwrap();
    let back = store.report("wide").unwrap().expect("numbers that JSON does not have");
    assert_eq!((back.lines, back.reach[0].max[0], back.reach[0].max[8]), (9, 25.4, 0.0));
    store.clean_reports();
    store.flush().unwrap();
    assert_eq!(store.report("wide").unwrap(), None);
    assert_eq!(store.reader().kept_reports().unwrap(), Kept::default());
    store.close();

    let (store, _) = place.open();
    store.keep_report("a", &report(1));
    store.close();
    let (store, _) = place.open_with(StoreOptions { analyses_for: Duration::ZERO, ..StoreOptions::default() });
    // Later than when it was kept.
    let then = now_ms();
    while now_ms() <= then {
        std::hint::spin_loop();
    }
    store.keep_report("b", &report(1));
    store.flush().unwrap();
    assert_eq!(store.reader().report("a").unwrap(), None);
}

#[test]
fn pages_of_the_audit_join_whatever_is_written_between_them() {
    let place = Place::new();
    let (store, _) = place.open();
    let many = AuditPage::MOST + 50;
    for n in 0..many {
        store.audit(row(AuditKind::Mdi, &n.to_string()));
    }
    store.audit(row(AuditKind::Alarm, "ALARM:1"));
    store.flush().unwrap();
    let mut ask = AuditAsk { kind: Some(AuditKind::Mdi), count: 10_000, ..AuditAsk::default() };
    let first = store.reader().audit_page(&ask).unwrap();
    assert_eq!(first.rows.len(), AuditPage::MOST, "a page is bounded, whatever is asked for");
    store.audit(row(AuditKind::Mdi, "later"));
    store.flush().unwrap();
    (ask.before, ask.count) = (first.before, 0);
    let second = store.reader().audit_page(&ask).unwrap();
    assert_eq!(second.before, None);
    let whats: Vec<String> = first.rows.into_iter().chain(second.rows).map(|row| row.what).collect();
    assert_eq!(whats, (0..many).rev().map(|n| n.to_string()).collect::<Vec<_>>());
    let exact = AuditAsk { kind: Some(AuditKind::Alarm), count: 1, ..AuditAsk::default() };
    assert_eq!(store.reader().audit_page(&exact).unwrap().before, None, "there are no more");
}

#[test]
fn the_audit_is_read_newest_first_and_by_kind_and_time() {
    let place = Place::new();
    let (store, _) = place.open();
    for (at_ms, kind, what) in [(now_ms(), AuditKind::Mdi, "G0 X1"), (now_ms() + 10, AuditKind::Setting, "$110=500")] {
        store.audit(AuditRow { at_ms, ..row(kind, what) });
    }
    let jog = row(AuditKind::Jog, "jog X+1");
    store.audit(AuditRow { at_ms: now_ms() + 20, took_ms: None, ..jog });
    store.flush().unwrap();
    assert_eq!(whats(&store), ["jog X+1", "$110=500", "G0 X1"]);
    let read = |filter: AuditFilter, skip| store.reader().audit(&filter, skip, 10).unwrap();
    let settings = read(AuditFilter { kind: Some(AuditKind::Setting), ..AuditFilter::default() }, 0);
    assert_eq!((settings.len(), settings[0].outcome.as_str(), settings[0].took_ms), (1, "done", Some(12)));
    let middle = settings[0].at_ms;
    let since = AuditFilter { since_ms: Some(middle), ..AuditFilter::default() };
    assert_eq!(read(since, 0).len(), 2);
    let until = AuditFilter { until_ms: Some(middle), ..AuditFilter::default() };
    assert_eq!(read(until, 0).len(), 1);
    assert_eq!(read(AuditFilter::default(), 2).len(), 1);
    store.audit(AuditRow { at_ms: 5, ..row(AuditKind::Alarm, "long ago") });
    store.close();
    let (store, _) = place.open();
    store.flush().unwrap();
    assert_eq!(whats(&store).len(), 3, "older than a year");
}
