//! Work coordinates end to end: hub, driver, session and simulated machine on simulated time.

mod common;

use common::shop::{FIRMWARES, Shop, idle, refused};
use sunmill::model::work::{Frame, GoTo, Stored, Wcs, Work, newest_to_undo, safe_z_mm};
use sunmill::model::{Axis, AxisSet, AxisVec, Command, Firmware, HomeTarget, Snapshot};

/// The simulator is homed, but nobody believes that who has not seen it.
async fn homed(firmware: Firmware) -> Shop {
    let mut shop = Shop::open(firmware).await;
    shop.done(Command::Home(HomeTarget::All)).await;
    shop.until("a homed machine", |s| idle(s) && s.machine.homed.contains_all(AxisSet::first(3))).await;
    shop
}

fn reads(snapshot: &Snapshot, axis: Axis, wanted: f64) -> bool {
    let value = snapshot.machine.work_position.and_then(|position| position.get(axis));
    value.is_some_and(|value| (value - wanted).abs() < 0.01)
}

#[tokio::test(start_paused = true)]
async fn zero_undo_and_a_move_out_of_travel() {
    for firmware in FIRMWARES {
        let mut shop = homed(firmware).await;
        let there = if firmware == Firmware::FluidNc { 40.0 } else { -40.0 };
        let targets = vec![(Axis::X, there), (Axis::Y, there)];
        let go = GoTo::Point { targets, frame: Frame::Machine, feed_mm_min: None };
        shop.done(Command::GoTo(go)).await;
        shop.until("arrival", |s| idle(s) && reads(s, Axis::X, there)).await;

        shop.done(Command::SetWork { axes: [Axis::X].into_iter().collect(), value: 0.0 }).await;
        let zeroed = shop.until("X zero", |s| reads(s, Axis::X, 0.0) && s.offset_history.len() == 1).await;
        assert!(reads(&zeroed, Axis::Y, there), "{firmware}: Y is as it was");
        let change = newest_to_undo(&zeroed.offset_history).expect("a change").clone();
        assert_eq!((change.slot.name(), change.what.as_str()), ("G54", "set work X to 0"), "{firmware}");
        assert!((change.largest() - 40.0).abs() < 0.01, "{firmware}: {change:?}");

        shop.done(Command::Work(Work::Undo(change.id))).await;
        let undone = shop.until("X as before", |s| reads(s, Axis::X, there) && s.offset_history.len() == 2).await;
        assert_eq!(undone.offset_history[1].undoes, Some(change.id));
        assert_eq!(newest_to_undo(&undone.offset_history), None, "{firmware}");

        let far = GoTo::Point { targets: vec![(Axis::X, 5000.0)], frame: Frame::Work, feed_mm_min: None };
        let sent = shop.sent().len();
        let why = refused(&shop.ask(Command::GoTo(far)).await);
        assert!(why.contains("X 5000") && why.contains("outside"), "{why}");
        assert_eq!(shop.sent().len(), sent, "{firmware}: nothing went out");
        shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_offset_is_refreshed_after_its_change() {
    for firmware in FIRMWARES {
        let mut shop = homed(firmware).await;
        let g55 = Wcs::from_name("G55").expect("a name");
        let x = |s: &Snapshot| s.machine.machine_position.map_or(f64::NAN, |position| position.as_slice()[0]);
        let here = x(&shop.hub.snapshot());

        shop.done(Command::Work(Work::Set(vec![(Axis::X, 8.0), (Axis::Y, 2.0)]))).await;
        shop.until("G54 set", |s| reads(s, Axis::X, 8.0) && reads(s, Axis::Y, 2.0)).await;
        shop.done(Command::Work(Work::Half([Axis::X].into_iter().collect()))).await;
        shop.until("X halved", |s| reads(s, Axis::X, 4.0)).await;
        shop.done(Command::Work(Work::Select(g55))).await;
        shop.until("G55 active", |s| {
            s.machine.modal.as_ref().and_then(|m| m.wcs()) == Some("G55") && reads(s, Axis::X, here)
        })
        .await;
        shop.done(Command::Work(Work::SetToolLength(3.0))).await;
        let tool = |s: &Snapshot| s.machine.offsets.get("TLO").map(AxisVec::norm);
        shop.until("a tool length", |s| tool(s) == Some(3.0)).await;
        shop.done(Command::Work(Work::ClearToolLength)).await;
        shop.until("no tool length", |s| tool(s) == Some(0.0)).await;
        shop.done(Command::Work(Work::Store(Stored::G30))).await;
        shop.until("G30 stored", |s| {
            s.machine.offsets.get("G30").is_some_and(|g30| (g30.as_slice()[0] - here).abs() < 0.01)
        })
        .await;
        shop.done(Command::Mdi("G92 X7".into())).await;
        shop.until("G92", |s| reads(s, Axis::X, 7.0)).await;
        shop.done(Command::Work(Work::ClearG92)).await;
        let end = shop.until("no G92", |s| reads(s, Axis::X, here)).await;
        let slots: Vec<_> = end.offset_history.iter().map(|change| change.slot.name()).collect();
        assert!(slots.ends_with(&["G92", "G92"]), "{firmware}: {slots:?}");
        shop.task.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn work_zero_is_reached_by_way_of_a_safe_height() {
    for firmware in FIRMWARES {
        let mut shop = homed(firmware).await;
        let y = if firmware == Firmware::FluidNc { 30.0 } else { -30.0 };
        let targets = vec![(Axis::Y, y), (Axis::Z, -20.0)];
        shop.done(Command::GoTo(GoTo::Point { targets, frame: Frame::Machine, feed_mm_min: None })).await;
        shop.until("arrival", |s| idle(s) && reads(s, Axis::Z, -20.0) && reads(s, Axis::Y, y)).await;
        let machine = &shop.hub.snapshot().machine;
        let lift_to_mm = safe_z_mm(machine).expect("homed");
        assert_eq!(lift_to_mm, Some(-5.0), "{firmware}");
        shop.log.clear();
        let axes = AxisSet::first(2);
        let one = if firmware == Firmware::FluidNc { -1.0 } else { 1.0 };
        shop.done(Command::Work(Work::Set(vec![(Axis::X, one), (Axis::Y, one)]))).await;
        shop.until("offsets", |s| reads(s, Axis::Y, one) && s.offset_history.len() == 1).await;
        shop.done(Command::GoTo(GoTo::WorkZero { axes, lift_to_mm })).await;
        shop.until("work zero", |s| idle(s) && reads(s, Axis::X, 0.0) && reads(s, Axis::Y, 0.0)).await;
        assert_eq!(shop.sent()[1..], ["G53 G21 G0 Z-5", "G90 G21 G0 X0 Y0"], "{firmware}");
        assert!(reads(&shop.hub.snapshot(), Axis::Z, -5.0), "{firmware}: Z stays up");
        shop.task.shutdown().await;
    }
}
