//! What the hub writes into the audit.

use super::*;
use crate::hub::audit::Audit;
use crate::model::audit::{AuditKind, AuditRow};
use crate::model::people::{PeopleNews, Person};
use crate::store::{AuditFilter, Store};

/// A hub over a store of its own.
struct Kept {
    bench: Bench,
    store: Store,
    folder: tempfile::TempDir,
}

impl Kept {
    fn up(state: StateKind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(&folder.path().join("sunmill.db")).unwrap();
        let mut bench = Bench::up(state);
        bench.keeper.audit = Audit::new(Some(store.clone()));
        Self { bench, store, folder }
    }

    /// Asks, and has the driver answer `after` that.
    async fn do_it(&mut self, command: Command, after: Duration, outcome: Outcome) {
        let ticket = self.bench.ask(command);
        let _ = self.bench.orders.try_recv();
        tokio::time::advance(after).await;
        self.bench.end(ticket, outcome);
    }

    /// All rows, oldest first.
    fn rows(&self) -> Vec<AuditRow> {
        self.store.flush().unwrap();
        let mut rows = self.store.reader().audit(&AuditFilter::default(), 0, 1000).unwrap();
        rows.reverse();
        rows
    }

    fn told(&self) -> Vec<(AuditKind, String, String)> {
        self.rows().into_iter().map(|row| (row.kind, row.what, row.outcome)).collect()
    }
}

fn told(kind: AuditKind, what: &str, outcome: &str) -> (AuditKind, String, String) {
    (kind, what.to_owned(), outcome.to_owned())
}

const MS: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn each_command_is_a_row_with_its_end_whoever_ended_it() {
    let mut kept = Kept::up(StateKind::Idle);
    let failed = Outcome::Failed { code: 20, text: "unknown word".into() };
    kept.do_it(mdi("G0 X1"), 12 * MS, Outcome::Done).await;
    kept.do_it(mdi("G97"), MS, failed).await;
    kept.do_it(mdi("G0 X1 (don't!)\n"), MS, Outcome::Done).await;
    kept.do_it(
        Command::SetWork { axes: [Axis::X].into_iter().collect(), value: 0.0 },
        MS,
        Outcome::Voided { why: VoidReason::LinkLost, sent: true },
    )
    .await;
    kept.bench.ask(Command::Home(HomeTarget::All));
    kept.bench.keeper.finish();
    let rows = kept.rows();
    assert_eq!((rows[0].who.as_str(), rows[0].took_ms), ("screen 1", Some(12)));
    assert!(rows[2].outcome.starts_with("not sent: "), "{rows:?}");
    let mut rows = kept.told();
    rows.remove(2);
    assert_eq!(
        rows,
        [
            told(AuditKind::Mdi, "G0 X1", "done"),
            told(AuditKind::Mdi, "G97", "error 20: unknown word"),
            told(AuditKind::Offset, "set work X to 0", "ended by a lost link; it may have acted"),
            told(AuditKind::Command, "$H", "dropped by the end of sunmill, not sent"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_command_is_in_the_audit_before_it_is_answered_and_once_after() {
    use crate::model::audit::{ASKED, NEVER_ANSWERED};

    let mut kept = Kept::up(StateKind::Idle);
    let ticket = kept.bench.ask(mdi("G0 X1"));
    kept.bench.ask(Command::Home(HomeTarget::All));
    assert_eq!(kept.told(), [told(AuditKind::Mdi, "G0 X1", ASKED), told(AuditKind::Command, "$H", ASKED)]);
    kept.bench.end(ticket, Outcome::Done);
    assert_eq!(kept.told()[0], told(AuditKind::Mdi, "G0 X1", "done"));
    // As after `kill -9`: another process finds the file.
    let copy = tempfile::tempdir().unwrap();
    for name in ["sunmill.db", "sunmill.db-wal"] {
        let _ = std::fs::copy(kept.folder.path().join(name), copy.path().join(name));
    }
    let (store, _) = Store::open(&copy.path().join("sunmill.db")).unwrap();
    let rows = store.reader().audit(&AuditFilter::default(), 0, 10).unwrap();
    let outcomes: Vec<_> = rows.iter().map(|row| row.outcome.as_str()).collect();
    assert_eq!(outcomes, [NEVER_ANSWERED, "done"]);
}

#[tokio::test(start_paused = true)]
async fn realtime_keys_are_of_who_pressed_them() {
    use crate::model::command::{ClientId, Origin, OverrideStep};

    let mut kept = Kept::up(StateKind::Run);
    let at = kept.bench.clock.now();
    let (screen, script) = (Origin::Screen(ClientId(2)), Origin::Script(ClientId(3)));
    kept.bench.tell(EventKind::Asked(vec![
        (Realtime::FeedHold, screen),
        (Realtime::FeedOverride(OverrideStep::Reset), script),
    ]));
    kept.bench.session(grbl::Event::Stop(Stop { asked: Realtime::FeedHold, at, phase: StopPhase::Sent }));
    kept.bench.session(grbl::Event::SentRealtime(Realtime::FeedOverride(OverrideStep::FineMinus)));
    kept.bench.session(grbl::Event::Stop(Stop { asked: Realtime::FeedHold, at, phase: StopPhase::Confirmed }));
    // One that the session sends by itself, after a line that was refused.
    let later = at + MS;
    for phase in [StopPhase::Sent, StopPhase::Confirmed] {
        kept.bench.session(grbl::Event::Stop(Stop { asked: Realtime::FeedHold, at: later, phase }));
    }
    let rows: Vec<_> = kept.rows().into_iter().map(|row| (row.who, row.what)).collect();
    assert_eq!(
        rows,
        [
            ("script 3".to_owned(), "feed override -1 %".to_owned()),
            ("screen 2".to_owned(), "feed hold".to_owned()),
            ("sunmill".to_owned(), "feed hold".to_owned()),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_jog_gesture_is_one_row() {
    let mut kept = Kept::up(StateKind::Idle);
    for _ in 0..3 {
        kept.do_it(step(), 100 * MS, Outcome::Done).await;
    }
    let vector = JogVector { direction: AxisVec::from_slice(&[0.0, -1.0]), feed_mm_min: 900.0 };
    for _ in 0..40 {
        let again = Command::JogContinue { vector, lease: Duration::from_millis(200) };
        kept.do_it(again, 30 * MS, Outcome::Done).await;
    }
    assert_eq!(kept.rows().len(), 1, "the second gesture is not over");
    tokio::time::advance(Duration::from_secs(3)).await;
    kept.bench.session(grbl::Event::Status(Box::new(report(StateKind::Idle))));
    kept.do_it(step(), 100 * MS, VOID).await;
    kept.do_it(mdi("G0 X1"), MS, Outcome::Done).await;
    assert_eq!(
        kept.told(),
        [
            told(AuditKind::Jog, "jog X+1 at 600 mm/min (3 times)", "done"),
            told(AuditKind::Jog, "keep jogging Y-", "done"),
            told(AuditKind::Jog, "jog X+1 at 600 mm/min", "dropped by a stop, not sent"),
            told(AuditKind::Mdi, "G0 X1", "done"),
        ]
    );
    let took: Vec<_> = kept.rows().iter().map(|row| row.took_ms).collect();
    assert_eq!(took, [Some(300), Some(1200), Some(100), Some(1)]);
}

#[tokio::test(start_paused = true)]
async fn stops_are_rows_that_say_whether_the_machine_obeyed() {
    let mut kept = Kept::up(StateKind::Run);
    let at = kept.bench.clock.now();
    let mut stop = |asked, phase| kept.bench.session(grbl::Event::Stop(Stop { asked, at, phase }));
    stop(Realtime::FeedHold, StopPhase::Sent);
    stop(Realtime::FeedHold, StopPhase::Confirmed);
    stop(Realtime::FeedHold, StopPhase::Stopped);
    stop(Realtime::Stop, StopPhase::NotNeeded("the machine stands".into()));
    stop(Realtime::SoftReset, StopPhase::Sent);
    stop(Realtime::SoftReset, StopPhase::NotConfirmed);
    stop(Realtime::SoftReset, StopPhase::Stopped);
    stop(Realtime::JogCancel, StopPhase::Sent);
    stop(Realtime::JogCancel, StopPhase::Stopped);
    stop(Realtime::StopProgram, StopPhase::Sent);
    kept.bench.tell(EventKind::Link(LinkState::Down { why: "unplugged".into(), attempt: 1, retry_at: at }));
    let realtime = |what, outcome| told(AuditKind::Realtime, what, outcome);
    assert_eq!(
        kept.told(),
        [
            realtime("feed hold", "seen to obey"),
            realtime("stop", "not needed: the machine stands"),
            realtime("soft reset", "NOT confirmed"),
            realtime("soft reset", "seen to stand still"),
            realtime("stop program", "NOT confirmed: the link is down"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_two_steps_is_that_of_who_asked_for_it() {
    let mut kept = Kept::up(StateKind::Hold);
    let asker = Origin::Script(ClientId(3));
    kept.bench.tell(EventKind::Asked(vec![(Realtime::StopProgram, asker.clone())]));
    let first = kept.bench.clock.now();
    let mut stop = |at, phase| kept.bench.session(grbl::Event::Stop(Stop { asked: Realtime::StopProgram, at, phase }));
    stop(first, StopPhase::Sent);
    let second = first + Duration::from_millis(1);
    stop(second, StopPhase::Sent);
    stop(second, StopPhase::Stopped);
    // One that nobody asks for is sunmill's own.
    let own = second + Duration::from_millis(1);
    stop(own, StopPhase::Sent);
    stop(own, StopPhase::Stopped);
    let whose: Vec<_> = kept.rows().iter().map(|row| row.who.clone()).collect();
    assert_eq!(whose, [asker.to_string(), Origin::Hub.to_string()]);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_run_is_a_row_of_who_stopped_it() {
    use crate::model::program::{PastRun, RunEnd, RunId};

    let mut kept = Kept::up(StateKind::Run);
    let past = |end| PastRun {
        id: RunId(1),
        name: "slow.nc".into(),
        path: "/g/slow.nc".into(),
        hash: None,
        who: "screen 2".into(),
        started_ms: 1000,
        ended_ms: Some(8000),
        end: Some(end),
        first_line: 1,
        last_line: 12,
        lines: Some(40),
        pauses: 0,
        paused_for: Duration::ZERO,
        moving_for: Duration::ZERO,
        dry: false,
        energy: None,
        on_link_loss: None,
    };
    let person = Person { id: ClientId(3), user: "pi".into(), uid: Some(1000), ..Person::default() };
    kept.bench.keeper.take_people(PeopleNews::Named(person));
    assert!(kept.bench.keeper.snapshot.people.clients.is_empty(), "who only stops is attached to nothing");
    kept.bench.tell(EventKind::Asked(vec![(Realtime::StopProgram, Origin::Script(ClientId(3)))]));
    kept.bench.keeper.audit_run_end(&past(RunEnd::Stopped("stopped by a person".into())));
    kept.bench.keeper.audit_run_end(&past(RunEnd::Failed("the link was lost".into())));
    let rows = kept.rows();
    let end = "end of slow.nc at line 12, begun by screen 2";
    assert_eq!(
        kept.told(),
        [
            told(AuditKind::Run, end, "stopped: stopped by a person"),
            told(AuditKind::Run, end, "failed: the link was lost"),
        ]
    );
    assert!(rows[0].who.contains("pi (uid 1000)") && rows[0].by.uid == Some(1000), "{rows:?}");
    assert_eq!((rows[0].took_ms, rows[1].who.as_str()), (Some(7000), "sunmill"));
}

/// Ruling 17: who is in control is in the audit, however that came about.
#[tokio::test(start_paused = true)]
async fn control_that_comes_and_goes_without_an_order_is_a_row() {
    use crate::model::people::STALE_AFTER;

    let mut kept = Kept::up(StateKind::Idle);
    let person = Person { id: ClientId(2), user: "pi".into(), from: "pts/3".into(), ..Person::default() };
    kept.bench.keeper.take_people(PeopleNews::Came(person));
    kept.bench.ask_as(Origin::Script(ClientId(2)), step());
    tokio::time::advance(STALE_AFTER).await;
    kept.bench.keeper.age_control();
    kept.bench.keeper.take_people(PeopleNews::Heard(ClientId(2)));
    kept.bench.keeper.take_people(PeopleNews::Gone(ClientId(2)));
    let rows: Vec<_> = kept.rows().into_iter().filter(|row| row.kind == AuditKind::Lease).collect();
    let told: Vec<_> = rows.iter().map(|row| (row.what.as_str(), row.outcome.as_str())).collect();
    assert_eq!(
        told,
        [
            ("is in control", "the first to ask for something: jog X+1 at 600 mm/min"),
            ("anybody may take control", "not heard of for 10 s"),
            ("keeps control", "heard of again"),
            ("gives control back", "it has left"),
        ]
    );
    assert!(rows.iter().all(|row| row.who.contains("pi at pts/3")), "{rows:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_another_follows_at_once_has_a_row_of_its_own() {
    let mut kept = Kept::up(StateKind::Run);
    let (one, two) = (Origin::Screen(ClientId(2)), Origin::Script(ClientId(3)));
    let start = kept.bench.clock.now();
    let stop = |kept: &mut Kept, asked, ms: u32, phase| {
        kept.bench.session(grbl::Event::Stop(Stop { asked, at: start + MS * ms, phase }));
    };
    // One after the other: the first is not seen through any more.
    kept.bench.tell(EventKind::Asked(vec![(Realtime::Stop, one.clone())]));
    stop(&mut kept, Realtime::Stop, 1, StopPhase::Sent);
    kept.bench.tell(EventKind::Asked(vec![(Realtime::StopProgram, two.clone())]));
    stop(&mut kept, Realtime::StopProgram, 2, StopPhase::Sent);
    stop(&mut kept, Realtime::StopProgram, 2, StopPhase::Stopped);
    // The second has nothing left to do.
    kept.bench.tell(EventKind::Asked(vec![(Realtime::FeedHold, one.clone())]));
    stop(&mut kept, Realtime::FeedHold, 3, StopPhase::Sent);
    kept.bench.tell(EventKind::Asked(vec![(Realtime::Stop, two.clone())]));
    stop(&mut kept, Realtime::Stop, 4, StopPhase::NotNeeded("it is on hold".into()));
    // The same twice, by two people.
    for (ms, who) in [(5, &one), (6, &two)] {
        kept.bench.tell(EventKind::Asked(vec![(Realtime::FeedHold, who.clone())]));
        stop(&mut kept, Realtime::FeedHold, ms, StopPhase::Sent);
    }
    stop(&mut kept, Realtime::FeedHold, 6, StopPhase::Confirmed);
    // In one moment: only the stronger one is carried out.
    kept.bench.tell(EventKind::Asked(vec![(Realtime::Stop, one.clone()), (Realtime::StopProgram, two.clone())]));
    stop(&mut kept, Realtime::StopProgram, 7, StopPhase::Sent);
    stop(&mut kept, Realtime::StopProgram, 7, StopPhase::Stopped);
    // A door is one beside it, begun in the same turn.
    kept.bench.tell(EventKind::Asked(vec![(Realtime::Stop, one.clone()), (Realtime::SafetyDoor, two.clone())]));
    stop(&mut kept, Realtime::Stop, 8, StopPhase::Sent);
    stop(&mut kept, Realtime::SafetyDoor, 8, StopPhase::Sent);
    stop(&mut kept, Realtime::SafetyDoor, 8, StopPhase::Stopped);
    let rows: Vec<_> = kept.rows().into_iter().map(|row| (row.who, row.what, row.outcome)).collect();
    let row = |who: &Origin, what: &str, outcome: &str| (who.to_string(), what.to_owned(), outcome.to_owned());
    assert_eq!(
        rows,
        [
            row(&one, "stop", "overtaken by the stop program that followed"),
            row(&two, "stop program", "seen to stand still"),
            row(&one, "feed hold", "overtaken by the stop that followed"),
            row(&two, "stop", "not needed: it is on hold"),
            row(&one, "feed hold", "overtaken by the feed hold that followed"),
            row(&two, "feed hold", "seen to obey"),
            row(&one, "stop", "overtaken by the stop program of the same moment"),
            row(&two, "stop program", "seen to stand still"),
            row(&one, "stop", "overtaken by the safety door that followed"),
            row(&two, "safety door", "seen to stand still"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn alarms_restarts_and_other_keys_are_rows() {
    use crate::model::command::OverrideStep;

    let mut kept = Kept::up(StateKind::Run);
    for _ in 0..2 {
        kept.bench.session(grbl::Event::SentRealtime(Realtime::FeedOverride(OverrideStep::CoarsePlus)));
    }
    kept.bench.session(grbl::Event::SentRealtime(Realtime::CycleStart));
    let info = AlarmInfo {
        code: 1,
        name: "hard_limit".into(),
        meaning: "Hard limit.".into(),
        remedy: "Home.".into(),
        needs_soft_reset: true,
        position_lost: Some(true),
    };
    kept.bench.session(grbl::Event::Alarm { info: Some(info.clone()), needs_reset: true });
    kept.bench.session(grbl::Event::Alarm { info: Some(info), needs_reset: true });
    kept.bench.session(grbl::Event::Reset { cause: ResetCause::ByItself, banner: "Grbl 1.1h".into() });
    kept.bench.session(grbl::Event::Reset { cause: ResetCause::Asked, banner: "Grbl 1.1h".into() });
    assert_eq!(
        kept.told(),
        [
            told(AuditKind::Realtime, "feed override +10 % (2 times)", "sent"),
            told(AuditKind::Realtime, "resume", "sent"),
            told(AuditKind::Alarm, "ALARM:1 Hard limit.", ""),
            told(AuditKind::Note, "the controller restarted by itself (Grbl 1.1h)", ""),
        ]
    );
}

#[tokio::test]
async fn what_is_wrong_with_the_store_is_in_the_snapshot_while_it_lasts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sunmill.db");
    let (store, _) = Store::open(&file).unwrap();
    let mut bench = Bench::up(StateKind::Idle);
    let mut news = Some(store.trouble());
    store.close();
    // A store that was closed has no more news, and the hub does not spin for that.
    let waited = tokio::time::timeout(Duration::ZERO, crate::hub::audit::store_news(&mut news)).await;
    assert!(waited.is_err());
    let rev = bench.keeper.snapshot.rev;
    bench.keeper.take_store_trouble(Some("the disk is full".into()));
    bench.keeper.publish();
    let shown = bench.snapshots.borrow_and_update().clone();
    assert_eq!(shown.programs.store_trouble.as_deref(), Some("the disk is full"));
    assert!(shown.rev > rev);
    bench.keeper.take_store_trouble(None);
    bench.keeper.publish();
    assert_eq!(bench.snapshots.borrow().programs.store_trouble, None);
}
