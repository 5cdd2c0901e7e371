//! The wire log of a running machine, and what a replay makes of it.

use std::sync::Arc;
use std::time::Duration;

use sunmill::driver::{Clock, InProcess, Opener, Pace, WireLogConfig, wire_log};
use sunmill::grbl::replay::{Replay, Told};
use sunmill::grbl::session::SessionConfig;
use sunmill::grbl::tables::Tables;
use sunmill::grbl::{Event, recording};
use sunmill::hub;
use sunmill::model::hub::{LogEvent, News};
use sunmill::model::log::LogItem;
use sunmill::model::snapshot::LinkState;
use sunmill::model::{AxisVec, Command, Endpoint, Firmware, Outcome, StateKind};
use sunmill::sim::{Options, serve};
use tokio::time::timeout;

/// Runs a simulated machine through a few lines and gives the counters and the log.
async fn recorded(firmware: Firmware) -> (u64, u64, String) {
    let machine = move || {
        let start = Some(AxisVec::from_slice(&[-10.0, -10.0, -10.0, 0.0]));
        serve::in_process(Options { homed: true, start, ..Options::new(firmware) })
    };
    let opener = Opener {
        endpoint: Endpoint::Sim,
        baud: 115_200,
        pace: Pace::Auto,
        lock_dir: std::env::temp_dir(),
        in_process: Some(InProcess(Arc::new(machine))),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let config = WireLogConfig { folder: folder.path().to_owned(), file_bytes: 1 << 24, files: 1 };
    let (log, guard) = wire_log::start(config).expect("a wire log");
    let (port, task) = hub::start_keeping(
        SessionConfig::default(),
        Tables::load(),
        opener,
        Clock::start(),
        hub::Keeping { wire_log: Some(log), ..hub::Keeping::default() },
    );
    let mut hub = port.attach_screen();
    let run = async {
        while hub.snapshot().machine.state.map(|state| state.kind) != Some(StateKind::Idle)
            || hub.snapshot().machine.link.state != LinkState::Up
            || hub.snapshot().machine.modal.is_none()
        {
            hub.next().await.expect("the hub lives");
        }
        for text in ["G21", "G1 X", "G91 G1 X1 F600"] {
            let ticket = hub.submit(Command::Mdi(text.into())).expect("the queue has room");
            loop {
                if let News::Log(LogEvent::Entry(entry)) = hub.next().await.expect("the hub lives")
                    && matches!(&entry.what, LogItem::Outcome { ticket: id, .. } if *id == ticket)
                {
                    break;
                }
            }
        }
        // Counters are told once a second.
        let reports = hub.snapshot().machine.link.stats.reports;
        while hub.snapshot().machine.link.stats.reports < reports + 3 {
            hub.next().await.expect("the hub lives");
        }
    };
    timeout(Duration::from_secs(60), run).await.expect("the run ends");
    task.shutdown().await;
    let stats = hub.snapshot().machine.link.stats;
    assert!(stats.line_latency.count == 3 && stats.errors == 1 && stats.status_latency.count > 0, "{stats:?}");
    assert_eq!(stats.wire_log_lost, 0);
    drop(guard);
    let text = std::fs::read_to_string(folder.path().join("wire.log")).expect("the log");
    (stats.rx_bytes, stats.tx_bytes, text)
}

#[tokio::test(start_paused = true)]
async fn every_byte_is_in_the_log_and_a_replay_understands_it() {
    for firmware in [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal] {
        let (rx, tx, text) = recorded(firmware).await;
        let (mut received, mut sent) = (0, 0);
        let mut told = Vec::new();
        let mut replay = Replay::new(SessionConfig::default());
        for record in recording::read(&text) {
            let record = record.expect("a record");
            match &record.what {
                recording::What::Received(bytes) => received += bytes.len() as u64,
                recording::What::Sent(bytes) => sent += bytes.len() as u64,
                _ => {}
            }
            replay.play(&record, &mut |_, what| told.push(what));
        }
        assert!(received >= rx && sent >= tx && rx > 0, "{firmware}: {received} of {rx}, {sent} of {tx}");
        let notes: Vec<_> =
            told.iter().filter_map(|t| if let Told::Note(note) = t { Some(note) } else { None }).collect();
        assert!(notes.len() == 2, "{firmware}: opened and closed, and nothing in between: {notes:?}");
        let events = || told.iter().filter_map(|t| if let Told::Event(event) = t { Some(event) } else { None });
        assert!(events().any(|e| matches!(e, Event::Identified(who) if who.firmware == firmware)));
        assert!(!events().any(|e| matches!(e, Event::UnexpectedReply | Event::Garbage { .. })), "{firmware}");
        let outcomes: Vec<_> = events()
            .filter_map(|e| if let Event::Outcome { outcome, .. } = e { Some(outcome.clone()) } else { None })
            .collect();
        assert!(
            matches!(outcomes[..], [Outcome::Done, Outcome::Failed { .. }, Outcome::Done]),
            "{firmware}: {outcomes:?}"
        );
    }
}
