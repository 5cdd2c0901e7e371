//! Hub, driver, session and simulated machine together, on simulated time.

mod common;

use std::time::Duration;

use common::shop::{FIRMWARES, Shop, middle, state};
use sunmill::model::command::VoidReason;
use sunmill::model::jog::JogVector;
use sunmill::model::log::LogItem;
use sunmill::model::snapshot::StopPhase;
use sunmill::model::{AxisVec, Command, Firmware, Outcome, Realtime, Snapshot, StateKind};

fn x(snapshot: &Snapshot) -> f64 {
    snapshot.machine.machine_position.map_or(f64::NAN, |position| position.as_slice()[0])
}

#[tokio::test(start_paused = true)]
async fn a_step_is_exact() {
    for firmware in FIRMWARES {
        let mut shop = Shop::open(firmware).await;
        let step = Command::JogStep { distance: AxisVec::from_slice(&[1.5]), feed_mm_min: 600.0 };
        let ticket = shop.submit(step);
        assert_eq!(shop.outcome(ticket).await, Outcome::Done, "{firmware}");
        shop.until("end of the step", |s| {
            (x(s) - middle(firmware) - 1.5).abs() < 0.01 && state(s) == Some(StateKind::Idle)
        })
        .await;
        shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_jog_that_nobody_renews_stops_by_itself() {
    for firmware in FIRMWARES {
        let mut shop = Shop::open(firmware).await;
        let vector = JogVector { direction: AxisVec::from_slice(&[1.0]), feed_mm_min: 1200.0 };
        let ticket = shop.submit(Command::JogContinue { vector, lease: Duration::from_millis(300) });
        shop.until("motion", |s| state(s) == Some(StateKind::Jog)).await;
        let stopped = shop.until("standstill", |s| state(s) == Some(StateKind::Idle) && s.machine.jog.is_none()).await;
        assert_eq!(shop.outcome(ticket).await, Outcome::Done, "{firmware}");
        let moved = x(&stopped) - middle(firmware);
        assert!(moved > 0.5 && moved < 20.0 * 0.6 + 2.0, "{firmware}: {moved} mm");
        shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_holds_a_run_and_voids_what_waits() {
    for firmware in FIRMWARES {
        let mut shop = Shop::open(firmware).await;
        let ticket = shop.submit(Command::Mdi("G91 G1 X40 F600".into()));
        assert_eq!(shop.outcome(ticket).await, Outcome::Done, "{firmware}");
        shop.until("run", |s| state(s) == Some(StateKind::Run)).await;
        let late = shop.submit(Command::Mdi("G1 X-1 F600".into()));
        shop.hub.realtime(Realtime::Stop);
        let stopped = shop
            .until("confirmed stop", |s| s.machine.stop.as_ref().is_some_and(|stop| stop.phase == StopPhase::Stopped))
            .await;
        assert_eq!(state(&stopped), Some(StateKind::Hold), "{firmware}");
        assert_eq!(
            shop.outcome(late).await,
            Outcome::Voided { why: VoidReason::Stop, sent: false },
            "{firmware}: a stop overtakes a queued line"
        );
        shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_in_mid_jog_answers_everything_and_is_quick() {
    let mut shop = Shop::open(Firmware::FluidNc).await;
    let vector = JogVector { direction: AxisVec::from_slice(&[1.0]), feed_mm_min: 1200.0 };
    let ticket = shop.submit(Command::JogContinue { vector, lease: Duration::from_millis(300) });
    shop.until("motion", |s| state(s) == Some(StateKind::Jog)).await;
    let Shop { mut hub, task, clock, log } = shop;
    let before = clock.now();
    task.shutdown().await;
    assert!(clock.now().since(before) < Duration::from_secs(1));
    let ended = |item: &LogItem| matches!(item, LogItem::Outcome { ticket: id, .. } if *id == ticket);
    let mut ends = log.iter().filter(|item| ended(item)).count();
    while let Ok(news) = hub.log().await {
        if let sunmill::model::hub::LogEvent::Entry(entry) = news
            && ended(&entry.what)
        {
            ends += 1;
        }
    }
    assert_eq!(ends, 1);
}
