//! What outlives sunmill: killed in the middle of writing, read while it runs, and printed for people and programs.

mod common;

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::pty::Terminal;
use common::{Home, data_from, failure, stdout, sunmill};
use serde_json::Value;
use sunmill::model::audit::{Asker, AuditKind, AuditRow};
use sunmill::model::program::{Checkpoint, ContentHash, PastRun, RunEnd, RunId};
use sunmill::store::{AuditFilter, RunFilter, Store};

const CHILD: &str = "SUNMILL_TEST_STORE";
const UTC: &[(&str, &str)] = &[("TZ", "UTC")];
/// How the audit says that it is read from this disk.
const OWN: &str = "no sunmill answers: this is what lies in ";

/// Where the program looks for it.
fn file(home: &Home) -> PathBuf {
    home.path().join(".local/state/sunmill/sunmill.db")
}

fn run(id: u64, name: &str) -> PastRun {
    PastRun {
        id: RunId(id),
        name: name.to_owned(),
        path: format!("/gcode/{name}"),
        hash: Some(ContentHash([id as u8; 32])),
        who: "screen 1".to_owned(),
        started_ms: 1_772_357_400_000,
        ended_ms: None,
        end: None,
        first_line: 1,
        last_line: 0,
        lines: Some(1_000_000),
        pauses: 0,
        paused_for: Duration::ZERO,
        moving_for: Duration::ZERO,
        dry: false,
        energy: None,
        on_link_loss: None,
    }
}

fn row(kind: AuditKind, what: &str) -> AuditRow {
    let who = "screen 1".to_owned();
    AuditRow {
        at_ms: sunmill::store::now_ms(),
        kind,
        who,
        by: Asker {
            user: Some("pi".into()),
            uid: Some(1000),
            client: Some(1),
            program: Some("sunmill 0.1".into()),
            place: Some("tty1".into()),
        },
        what: what.to_owned(),
        outcome: "done".into(),
        took_ms: Some(3),
    }
}

/// Not a test: what [`killed_in_the_middle_of_writing_nothing_that_was_said_to_be_written_is_missing`] kills.
#[test]
#[ignore = "a child of another test"]
fn a_child_that_writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let (store, opened) = Store::open(Path::new(&path)).unwrap();
    let id = opened.next_run;
    store.run_started(run(id.0, "face.nc"));
    for line in 1..=1_000_000 {
        store.checkpoint(Checkpoint { run: id, acked_line: line, sent_line: line + 5, ..Checkpoint::default() });
        store.audit(row(AuditKind::Mdi, &line.to_string()));
        if line % 7 == 0 {
            store.flush().unwrap();
            let mut stdout = std::io::stdout().lock();
            writeln!(stdout, "\nwritten {line}").and_then(|()| stdout.flush()).unwrap();
        }
    }
}

#[test]
fn killed_in_the_middle_of_writing_nothing_that_was_said_to_be_written_is_missing() {
    let home = Home::new();
    // Each time it goes on in the file that the last one left behind.
    for (id, lines) in [(1, 3), (2, 40), (3, 150)] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_child_that_writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(CHILD, file(&home))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let written =
            output.lines().map_while(Result::ok).filter_map(|line| line.strip_prefix("written ")?.parse().ok());
        let last: u64 = written.take(lines).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();

        let (store, opened) = Store::open(&file(&home)).unwrap();
        assert_eq!(opened.notes, Vec::<String>::new());
        let (run, checkpoint) = opened.interrupted.expect("the run that was killed");
        assert!(checkpoint.acked_line >= last, "{} < {last}", checkpoint.acked_line);
        assert_eq!((run.id, run.last_line), (RunId(id), checkpoint.acked_line));
        assert!(matches!(run.end, Some(RunEnd::Interrupted(_))), "{run:?}");
        let rows = store.reader().audit(&AuditFilter::default(), 0, usize::MAX).unwrap();
        let newest: u64 = rows[0].what.parse().unwrap();
        assert!(newest >= last, "{newest} < {last}");
        let whole = rows.iter().take_while(|row| row.what != "1").count() as u64 + 1;
        assert_eq!(whole, newest, "none of its rows is missing, and none is there twice");
    }
}

/// A history with one of each.
fn history(home: &Home) -> Store {
    let (store, _) = Store::open(&file(home)).expect("a store");
    let ends = [RunEnd::Done, RunEnd::Stopped("by screen 1".into()), RunEnd::Failed("ALARM:1".into())];
    for (id, end) in (1..).zip(ends) {
        let run = PastRun {
            ended_ms: Some(1_772_357_400_000 + 3_723_500),
            end: Some(end),
            last_line: 500,
            pauses: 1,
            paused_for: Duration::from_millis(60_500),
            moving_for: Duration::from_secs(1800),
            dry: id == 1,
            ..run(id, if id == 3 { "drill, big.nc" } else { "face.nc" })
        };
        store.run_ended(run);
    }
    store.audit(row(AuditKind::Setting, "$110=500"));
    store.audit(AuditRow { took_ms: None, ..row(AuditKind::Mdi, "G0 X1 \u{1b}[2J") });
    store.flush().expect("all is written");
    store
}

#[test]
fn the_history_is_printed_for_people_and_programs_also_while_it_is_written() {
    let home = Home::new();
    let store = history(&home);
    let text = stdout(&sunmill(&home, &["programs", "history"], UTC));
    assert_eq!(
        text,
        "2026-03-01 09:30:00  drill, big.nc  failed      1:01:03  line 500 of 1000000  ALARM:1\n\
         2026-03-01 09:30:00  face.nc        stopped     1:01:03  line 500 of 1000000  by screen 1\n\
         2026-03-01 09:30:00  face.nc        done (dry)  1:01:03  line 500 of 1000000\n"
    );
    let named = stdout(&sunmill(&home, &["programs", "history", "--name", "face.nc", "--json"], &[]));
    let rows: Value = serde_json::from_str(&named).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!(rows[0]["result"], "stopped");
    assert_eq!(rows[0]["why"], "by screen 1");
    assert_eq!(rows[0]["started"], "2026-03-01T09:30:00Z");
    assert_eq!(rows[0]["running_s"], 3663.0);
    assert_eq!(rows[0]["hash"], "02".repeat(32));
    let csv = stdout(&sunmill(&home, &["programs", "history", "--csv", "--last", "1"], &[]));
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].split(',').count(), 22);
    assert!(lines[1].starts_with("3,\"drill, big.nc\",\"/gcode/drill, big.nc\",0303"), "{csv}");
    assert!(lines[1].ends_with(
        ",2026-03-01T09:30:00Z,2026-03-01T10:32:03Z,failed,ALARM:1,1,500,1000000,1,60.5,3663.0,1800.0,false,,,,,"
    ));
    assert_eq!(stdout(&sunmill(&home, &["programs", "history", "--since", "2026-03-02"], UTC)).lines().count(), 1);
    store.close();
}

#[test]
fn statistics_tell_the_machines_hours_without_dry_runs() {
    let home = Home::new();
    history(&home).close();
    let text = stdout(&sunmill(&home, &["programs", "statistics"], UTC));
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1], ["all", "2", "0", "2:02:06", "1:00:00", "0.00", "1"], "{text}");
    let json: Value =
        serde_json::from_str(&stdout(&sunmill(&home, &["programs", "statistics", "--json"], &[]))).unwrap();
    assert_eq!((&json["machine"]["runs"], &json["dry"]["done"]), (&2.into(), &1.into()));
    let face = json["programs"].as_array().unwrap().iter().find(|program| program["name"] == "face.nc").unwrap();
    assert_eq!((&face["machine"]["moving_s"], &face["dry"]["runs"]), (&1800.0.into(), &1.into()));
    let csv = stdout(&sunmill(&home, &["programs", "statistics", "--csv"], &[]));
    assert!(csv.starts_with(
        "name,last,runs,done,running_s,moving_s,dry_runs,dry_done,dry_running_s,dry_moving_s,\
         energy_kwh,dry_energy_kwh\n"
    ));
    assert!(csv.contains("\nface.nc,2026-03-01T09:30:00Z,1,0,3663.0,1800.0,1,1,3663.0,1800.0,0.0,0.0\n"), "{csv}");
}

#[test]
fn the_audit_is_printed_for_people_and_programs() {
    let home = Home::new();
    history(&home).close();
    let text = data_from(&sunmill(&home, &["audit"], UTC), OWN);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("screen 1  mdi      G0 X1 ·[2J        done"), "{text:?}");
    assert!(lines[1].ends_with("screen 1  setting  $110=500    3 ms  done"), "{text:?}");
    let json = data_from(&sunmill(&home, &["audit", "--json", "--kind", "setting", "--since", "1h"], &[]), OWN);
    let rows: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (rows.as_array().unwrap().len(), &rows[0]["what"], &rows[0]["took_ms"]),
        (1, &"$110=500".into(), &3.into())
    );
    let by = ["user", "uid", "client", "program", "place"].map(|name| rows[0][name].to_string());
    assert_eq!(by, ["\"pi\"", "1000", "1", "\"sunmill 0.1\"", "\"tty1\""]);
    let csv = data_from(&sunmill(&home, &["audit", "--csv", "--until", "2026-01-01"], &[]), OWN);
    assert_eq!(csv, "at,kind,who,what,outcome,took_ms,user,uid,client,program,place\n");
    let words = failure(&sunmill(&home, &["audit", "--kind", "job"], &[]), 2);
    assert!(words.contains("\"job\" is none of jog, mdi"), "{words}");
    let words = failure(&sunmill(&home, &["audit", "--since", "yesterday"], &[]), 2);
    assert!(words.contains("how long ago (2h, 3d)"), "{words}");
}

#[test]
fn where_nothing_has_been_kept_yet_that_is_no_failure_and_nothing_is_made() {
    let home = Home::new();
    assert_eq!(stdout(&sunmill(&home, &["programs", "history"], &[])), "no such program has run yet\n");
    assert_eq!(stdout(&sunmill(&home, &["programs", "history", "--json"], &[])), "[]\n");
    assert_eq!(data_from(&sunmill(&home, &["audit", "--json"], &[]), "nothing has been kept in "), "[]\n");
    assert!(stdout(&sunmill(&home, &["programs", "statistics"], &[])).contains("\nall     0     0  0:00:00"));
    assert!(!file(&home).exists());
    home.write(
        ".local/state/sunmill/sunmill.db",
        "this is a letter and not a database; it goes on for a while, for a hundred bytes and more",
    );
    let words = failure(&sunmill(&home, &["audit"], &[]), 1);
    assert!(words.contains("sunmill.db") && words.contains("damaged"), "{words}");
}

#[test]
fn what_is_typed_at_the_screen_is_in_the_audit_while_it_is_open_and_after() {
    let mut terminal = Terminal::sunmill(Home::new(), &[], (24, 80), &[]);
    terminal.wait_until("the simulated machine, alive", |screen| screen.contents().contains("IDLE"));
    terminal.send("m");
    terminal.rest();
    terminal.send("G0 X51");
    terminal.rest();
    terminal.send("\r");
    terminal.wait_for(" X         51.000      51.000 mm");
    let audit = |terminal: &Terminal| {
        let json = data_from(&sunmill(&terminal.home, &["audit", "--json", "--kind", "mdi"], &[]), OWN);
        serde_json::from_str::<Value>(&json).unwrap()
    };
    let rows = audit(&terminal);
    assert_eq!(
        (&rows[0]["who"], &rows[0]["what"], &rows[0]["outcome"]),
        (&"screen 1".into(), &"G0 X51".into(), &"done".into())
    );
    terminal.send("\x1b");
    terminal.rest();
    terminal.send("q");
    assert!(terminal.exit_status().success());
    assert_eq!(audit(&terminal), rows);
}

#[test]
fn a_store_that_cannot_be_used_is_said_and_the_screen_runs() {
    let home = Home::new();
    let (store, _) = Store::open(&file(&home)).unwrap();
    let mut terminal = Terminal::sunmill(home, &[], (24, 120), &[]);
    terminal.wait_for("in use by another sunmill");
    terminal.wait_until("the simulated machine, alive", |screen| screen.contents().contains("IDLE"));
    terminal.send("q");
    assert!(terminal.exit_status().success());
    assert_eq!(store.reader().runs(&RunFilter::default(), 0, 1).unwrap(), []);
}
