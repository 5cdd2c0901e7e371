//! A machine that may be asked for anything. The arbiter's own tests begin with it too; each names its `model`.

use std::time::Duration;

use super::model::machine::{Identity, MachineState};
use super::model::snapshot::LinkState;
use super::model::{AxisVec, Firmware, Snapshot, StateKind, Time};

/// It stands still and has just said so.
pub(super) fn idle() -> (Snapshot, Time) {
    let now = Time::from_millis(1000);
    let mut snapshot = Snapshot::default();
    let machine = &mut snapshot.machine;
    machine.link.state = LinkState::Up;
    machine.state = Some(MachineState::plain(StateKind::Idle));
    machine.report_interval = Duration::from_millis(200);
    machine.reported_at = Some(now);
    machine.machine_position = Some(AxisVec::zeros(3));
    machine.identity = Some(Identity {
        firmware: Firmware::FluidNc,
        version: "v4".into(),
        name: None,
        options: String::new(),
        planner_blocks: None,
        rx_bytes: None,
        axes: Some(3),
    });
    (snapshot, now)
}
