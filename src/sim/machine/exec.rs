//! G-code blocks to steps. A block is all or nothing: nothing changes when any word of it is wrong.

use std::time::Duration;

use crate::model::{Axis, AxisSet, AxisVec, Firmware};

use super::core::{Machine, State};
use super::gcode::{Block, Code, Flow, NonModal};
use super::lines::Step;
use super::modal::{Coolant, Modal, Motion, SpindleMode, TableOp};
use super::planner::{Feed, Move};
use super::probing::Probe;

impl Machine {
    /// Takes a line of G-code: its steps are queued, the last of them the reply.
    pub(super) fn gcode(&mut self, text: &str) -> Result<(), Code> {
        let mut block = Block::parse(text, self.firmware, self.axes)?;
        let mut next = self.modal.clone();
        let steps = self.compile(&mut block, &mut next)?;
        self.commit(next, steps);
        Ok(())
    }

    /// Takes the block of a `$J=`.
    pub(super) fn jog(&mut self, text: &str) -> Result<(), Code> {
        let mut block = Block::parse(text, self.firmware, self.axes)?;
        if block.not_for_jog {
            return Err(16);
        }
        let mut words = Modal { motion: Motion::Linear, ..self.modal.clone() };
        words.inches = block.inches.unwrap_or(words.inches);
        words.absolute = block.absolute.unwrap_or(words.absolute);
        let feed = block.take('F').filter(|&f| f > 0.0).ok_or(22_u16)?;
        let axis_words = block.axis_words(self.axes);
        // Without an axis word the target stays zero: all three firmwares then move toward machine zero.
        let mut target = AxisVec::zeros(self.axes);
        if !axis_words.is_empty() {
            let machine = block.non_modal == Some(NonModal::MachineCoordinates);
            target = self.target(&mut block, &words, axis_words, machine);
        }
        if block.has_unused() {
            return Err(36);
        }
        let target = self.jog_target(target)?;
        let mv = Move { target, feed: Some(Feed::PerMinute(feed * words.scale())), jog: true };
        self.modal.position = target;
        self.steps.push_back(Step::Move(mv));
        self.steps.push_back(Step::Reply(Ok(())));
        Ok(())
    }

    /// Beyond a soft limit a jog is refused (Grbl, grblHAL) or shortened (FluidNC, grblHAL with `$40=1`).
    fn jog_target(&self, target: AxisVec) -> Result<AxisVec, Code> {
        let clamps = self.firmware == Firmware::FluidNc || (self.firmware == Firmware::GrblHal && self.settings.on(40));
        let mut target = target;
        while let Some(axis) = self.beyond_limits(&target) {
            let (Some((low, high)), Some(value)) = (self.range(axis), target.get(axis)) else { break };
            if !clamps {
                return Err(15);
            }
            target.set(axis, value.clamp(low, high));
        }
        Ok(target)
    }

    fn commit(&mut self, next: Modal, steps: Vec<Step>) {
        let offsets = (self.modal.wcs, self.modal.g92, self.modal.tlo) != (next.wcs, next.g92, next.tlo);
        self.modal = next;
        if offsets {
            self.offsets_changed();
        }
        if self.state == State::Check {
            // Parsed only; a soft limit is noticed all the same.
            let kept = |s: &Step| matches!(s, Step::Reply(_) | Step::Alarm(_) | Step::SoftLimit);
            self.steps.extend(steps.into_iter().filter(kept));
        } else {
            self.steps.extend(steps);
        }
    }

    fn compile(&self, block: &mut Block, next: &mut Modal) -> Result<Vec<Step>, Code> {
        let axis_words = block.axis_words(self.axes);
        let commands = AxisCommand::of(block, axis_words)?;
        Self::take_modes(block, next);
        take_feed(block, next, commands)?;
        let mut steps = Vec::new();
        self.take_tool_and_spindle(block, next, &mut steps);
        self.take_tool_length(block, next, axis_words)?;
        self.take_non_modal(block, next, axis_words, &mut steps)?;
        if commands == AxisCommand::Motion {
            self.take_motion(block, next, axis_words, &mut steps)?;
        }
        if block.has_unused() {
            return Err(36);
        }
        match block.flow {
            Some(Flow::Pause) => steps.extend([Step::Sync, Step::Pause]),
            Some(Flow::End) => steps.extend([Step::Sync, Step::End]),
            Some(Flow::OptionalPause) | None => {}
        }
        self.place_reply(&mut steps);
        Ok(steps)
    }

    /// FluidNC says `ok` to a line beyond the soft limit before the alarm; Grbl is left owing it, grblHAL forgets it.
    fn place_reply(&self, steps: &mut Vec<Step>) {
        let reply = Step::Reply(Ok(()));
        match steps.iter().position(|s| matches!(s, Step::Alarm(_))) {
            Some(at) if self.firmware == Firmware::FluidNc => steps.insert(at, reply),
            _ if self.firmware == Firmware::GrblHal
                && steps.iter().any(|s| matches!(s, Step::SoftLimit | Step::ToolChange)) => {}
            _ => steps.push(reply),
        }
    }

    fn take_modes(block: &Block, next: &mut Modal) {
        next.plane = block.plane.unwrap_or(next.plane);
        next.inches = block.inches.unwrap_or(next.inches);
        next.absolute = block.absolute.unwrap_or(next.absolute);
        next.inverse_time = block.inverse_time.unwrap_or(next.inverse_time);
        next.wcs = block.wcs.unwrap_or(next.wcs);
        next.retract_to_r = block.retract_to_r.unwrap_or(next.retract_to_r);
        if let Some(motion) = block.motion {
            next.motion = motion;
        }
    }

    fn take_tool_and_spindle(&self, block: &mut Block, next: &mut Modal, steps: &mut Vec<Step>) {
        if let Some(speed) = block.take('S') {
            next.speed = speed;
        }
        let selected = block.take('T').map(|t| t as u32);
        if block.tool_change {
            steps.push(Step::Sync);
            match self.firmware {
                Firmware::GrblHal => steps.extend([Step::Reply(Ok(())), Step::ToolChange]),
                _ => steps.push(Step::Say(format!(
                    "[MSG:INFO: Current T:{} Selected T:{}]",
                    next.tool,
                    selected.unwrap_or(next.tool)
                ))),
            }
        }
        next.tool = selected.unwrap_or(next.tool);
        if let Some(mode) = block.spindle.filter(|&mode| mode != next.spindle) {
            steps.extend([Step::Sync, Step::Spindle(mode)]);
        }
        for &coolant in &block.coolant {
            let on = match coolant {
                Coolant::Mist => next.mist,
                Coolant::Flood => next.flood,
                Coolant::Off => !next.mist && !next.flood,
            };
            if !on {
                steps.extend([Step::Sync, Step::Coolant(coolant)]);
            }
        }
    }

    fn take_tool_length(&self, block: &mut Block, next: &mut Modal, axis_words: AxisSet) -> Result<(), Code> {
        match block.tool_length {
            Some(true) => {
                let only_z = axis_words == AxisSet::from_mask(1 << Axis::Z.index());
                if self.firmware == Firmware::Grbl && !only_z {
                    return Err(37);
                }
                let scale = next.scale();
                for axis in axis_words.iter() {
                    next.tlo.set(axis, block.take(axis.letter()).unwrap_or_default() * scale);
                }
            }
            Some(false) => next.tlo = AxisVec::zeros(self.axes),
            None => {}
        }
        Ok(())
    }

    fn take_non_modal(
        &self,
        block: &mut Block,
        next: &mut Modal,
        axis_words: AxisSet,
        steps: &mut Vec<Step>,
    ) -> Result<(), Code> {
        match block.non_modal {
            Some(NonModal::Dwell) => {
                let seconds = block.take('P').ok_or(28_u16)?;
                let time = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
                // FluidNC `mc_dwell`: no time is no dwell, and waits for nothing.
                if self.firmware != Firmware::FluidNc || !time.is_zero() {
                    steps.extend([Step::Sync, Step::Dwell(time)]);
                }
            }
            Some(NonModal::SetTable) => self.set_table(block, next, axis_words, steps)?,
            Some(NonModal::GoHome(table)) => self.go_home(block, next, axis_words, table, steps),
            Some(NonModal::SetHome(table)) => steps.extend([Step::Sync, Step::SetHome(table)]),
            Some(NonModal::SetG92) => {
                if axis_words.is_empty() {
                    return Err(26);
                }
                let offset = self.settings.wcs[next.wcs].plus(&next.tlo);
                for axis in axis_words.iter() {
                    let value = self.word(block, next, axis);
                    let at = next.position.minus(&offset).get(axis).unwrap_or_default();
                    next.g92.set(axis, at - value);
                }
            }
            Some(NonModal::ClearG92) => next.g92 = AxisVec::zeros(self.axes),
            Some(NonModal::MachineCoordinates) if !matches!(next.motion, Motion::Rapid | Motion::Linear) => {
                return Err(30);
            }
            Some(NonModal::MachineCoordinates) | None => {}
        }
        Ok(())
    }

    /// G10 L2 / L20.
    fn set_table(
        &self,
        block: &mut Block,
        next: &Modal,
        axis_words: AxisSet,
        steps: &mut Vec<Step>,
    ) -> Result<(), Code> {
        if axis_words.is_empty() {
            return Err(26);
        }
        let (Some(l), Some(p)) = (block.take('L'), block.take('P')) else { return Err(28) };
        let count = if self.profile.extended_wcs { 9 } else { 6 };
        let index = match p as usize {
            0 => next.wcs,
            n if n <= count => n - 1,
            _ => return Err(29),
        };
        let mut offset = self.settings.wcs[index];
        for axis in axis_words.iter() {
            let value = self.word(block, next, axis);
            match l as u32 {
                2 => offset.set(axis, value),
                20 => {
                    let others = next.g92.plus(&next.tlo);
                    let here = next.position.minus(&others).get(axis).unwrap_or_default();
                    offset.set(axis, here - value);
                }
                _ => return Err(20),
            }
        }
        if self.firmware != Firmware::GrblHal {
            steps.push(Step::Sync);
        }
        steps.push(Step::SetWcs(index, offset));
        Ok(())
    }

    /// G28 / G30: through the given point, then to the stored one.
    fn go_home(&self, block: &mut Block, next: &mut Modal, axis_words: AxisSet, table: TableOp, steps: &mut Vec<Step>) {
        let stored = match table {
            TableOp::G28 => self.settings.g28,
            TableOp::G30 => self.settings.g30,
        };
        let mut end = stored;
        if !axis_words.is_empty() {
            let via = self.target(block, next, axis_words, false);
            self.push_move(steps, via, None);
            end = via;
            for axis in axis_words.iter() {
                end.set(axis, stored.get(axis).unwrap_or_default());
            }
        }
        self.push_move(steps, end, None);
        next.position = end;
    }

    fn take_motion(
        &self,
        block: &mut Block,
        next: &mut Modal,
        axis_words: AxisSet,
        steps: &mut Vec<Step>,
    ) -> Result<(), Code> {
        let machine = block.non_modal == Some(NonModal::MachineCoordinates);
        if next.motion == Motion::None {
            return if axis_words.is_empty() { Ok(()) } else { Err(31) };
        }
        let feed = match next.motion {
            Motion::Rapid => None,
            _ if next.inverse_time => Some(Feed::InverseTime(block.take('F').filter(|&f| f > 0.0).ok_or(22_u16)?)),
            _ if next.feed <= 0.0 => return Err(22),
            _ => Some(Feed::PerMinute(next.feed)),
        };
        if let (Motion::Drill(number), Some(feed)) = (next.motion, feed) {
            return self.drill(block, next, axis_words, steps, (number, feed));
        }
        let target = self.target(block, next, axis_words, machine);
        match next.motion {
            Motion::Rapid | Motion::Linear => {
                if axis_words.is_empty() {
                    return Ok(());
                }
                self.push_move(steps, target, feed);
            }
            Motion::Arc { clockwise } => {
                for point in self.arc(block, next, axis_words, target, clockwise)? {
                    self.push_move(steps, point, feed);
                    if steps.iter().any(|s| matches!(s, Step::Alarm(_) | Step::SoftLimit)) {
                        break;
                    }
                }
            }
            Motion::Probe(kind) => {
                if axis_words.is_empty() {
                    return Err(26);
                }
                if target.minus(&next.position).norm() < 1e-9 {
                    return Err(33);
                }
                let mv = Move { target, feed, jog: false };
                let (away, alarms) = (kind >= 4, kind % 2 == 0);
                steps.extend([Step::Sync, Step::Probe(Probe { mv, away, alarms, begun: false, found: None })]);
            }
            Motion::Drill(_) | Motion::None => {}
        }
        next.position = target;
        Ok(())
    }

    /// A move, or what happens when it would leave the soft limits.
    pub(super) fn push_move(&self, steps: &mut Vec<Step>, target: AxisVec, feed: Option<Feed>) {
        let Some(axis) = self.beyond_limits(&target) else {
            return steps.push(Step::Move(Move { target, feed, jog: false }));
        };
        if self.firmware == Firmware::FluidNc {
            let value = target.get(axis).unwrap_or_default();
            let text = format!("[MSG:INFO: Soft limit on {axis} target:{value:.3}]");
            steps.extend([Step::Say(text), Step::Sync, Step::Alarm(2)]);
        } else {
            steps.push(Step::SoftLimit);
        }
    }

    /// End point of a move, machine coordinates.
    pub(super) fn target(&self, block: &mut Block, modal: &Modal, axis_words: AxisSet, machine: bool) -> AxisVec {
        let mut target = modal.position;
        let offset = self.settings.wcs[modal.wcs].plus(&modal.g92).plus(&modal.tlo);
        for axis in axis_words.iter() {
            let value = self.word(block, modal, axis);
            let from = match (machine, modal.absolute) {
                (true, _) => 0.0,
                (false, true) => offset.get(axis).unwrap_or_default(),
                (false, false) => modal.position.get(axis).unwrap_or_default(),
            };
            target.set(axis, from + value);
        }
        target
    }

    /// An axis word in mm or degrees; inches do not apply to rotary axes.
    pub(super) fn word(&self, block: &mut Block, modal: &Modal, axis: Axis) -> f64 {
        let scale = if axis.is_rotary() && self.firmware != Firmware::Grbl { 1.0 } else { modal.scale() };
        block.take(axis.letter()).unwrap_or_default() * scale
    }

    /// Spindle speed in force, rpm.
    pub(super) fn spindle_rpm(&self) -> f64 {
        let rpm = self.modal.speed * f64::from(self.spindle_override) / 100.0;
        match self.modal.spindle {
            _ if self.spindle_stopped => 0.0,
            // FluidNC goes on showing the speed after M5.
            SpindleMode::Off if self.firmware != Firmware::FluidNc => 0.0,
            _ => rpm,
        }
    }
}

/// Which command the axis words of a block belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AxisCommand {
    None,
    Motion,
    Other,
}

impl AxisCommand {
    fn of(block: &Block, axis_words: AxisSet) -> Result<Self, Code> {
        let moves = block.motion.is_some_and(|m| m != Motion::None);
        let other = block.tool_length == Some(true)
            || matches!(block.non_modal, Some(NonModal::SetTable | NonModal::GoHome(_) | NonModal::SetG92));
        match (moves, other) {
            (true, true) => Err(24),
            (_, true) => Ok(Self::Other),
            (true, _) => Ok(Self::Motion),
            _ if axis_words.is_empty() => Ok(Self::None),
            _ => Ok(Self::Motion),
        }
    }
}

fn take_feed(block: &mut Block, next: &mut Modal, commands: AxisCommand) -> Result<(), Code> {
    if next.inverse_time {
        // In G93 each move brings its own F.
        if commands == AxisCommand::Motion && next.motion != Motion::Rapid && block.peek('F').is_none() {
            return Err(22);
        }
        if commands != AxisCommand::Motion || next.motion == Motion::Rapid {
            block.take('F');
        }
    } else if let Some(feed) = block.take('F') {
        next.feed = feed * next.scale();
    }
    Ok(())
}
