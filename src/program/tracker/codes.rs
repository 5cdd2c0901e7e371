//! Which codes stand in a block, whether they may stand together, and whether the controller has them.

use super::core::{Sink, Tracker};
use super::turn::Turn;
use crate::model::Firmware;
use crate::program::block::Code;
use crate::program::dialect::Support;
use crate::program::motion::Plane;
use crate::program::vocabulary::{
    Distance, FeedMode, G, Group, MotionMode, NonModal, Return, Spindle, ToolLength, Units, m_group, number_of,
};

/// Codes that are spoken of once each.
const MOST_CONDITIONS: usize = 32;

/// What the codes of a block ask for.
#[derive(Default)]
pub(super) struct Wanted {
    /// Bits of [`Group`].
    pub(super) groups: u32,
    pub(super) motion: Option<MotionMode>,
    pub(super) non_modal: Option<NonModal>,
    pub(super) plane: Option<Plane>,
    pub(super) units: Option<Units>,
    pub(super) distance: Option<Distance>,
    pub(super) arc_distance: Option<Distance>,
    pub(super) feed_mode: Option<FeedMode>,
    pub(super) tool_length: Option<ToolLength>,
    pub(super) retract: Option<Return>,
    pub(super) system: Option<u8>,
    pub(super) path_control: Option<Code>,
    pub(super) constant_surface_speed: Option<bool>,
    pub(super) diameter: Option<bool>,
    pub(super) scaling: Option<bool>,
    pub(super) spindle: Option<Spindle>,
    pub(super) coolant: Option<Code>,
    pub(super) tool_change: Option<Code>,
    pub(super) stop: Option<Code>,
    pub(super) io: Option<Code>,
    pub(super) overrides: Option<Code>,
}

impl Wanted {
    fn take_g(&mut self, g: G) {
        match g {
            G::NonModal(action) => self.non_modal = Some(action),
            G::Motion(mode) => self.motion = Some(mode),
            G::Plane(plane) => self.plane = Some(plane),
            G::Distance(distance) => self.distance = Some(distance),
            G::ArcDistance(distance) => self.arc_distance = Some(distance),
            G::FeedMode(mode) => self.feed_mode = Some(mode),
            G::Units(units) => self.units = Some(units),
            G::CutterRadius(_) => {}
            G::ToolLength(length) => self.tool_length = Some(length),
            G::Return(to) => self.retract = Some(to),
            G::Scaling(on) => self.scaling = Some(on),
            G::System(system) => self.system = Some(system),
            G::PathControl(code) => self.path_control = Some(code),
            G::ConstantSurfaceSpeed(on) => self.constant_surface_speed = Some(on),
            G::Diameter(on) => self.diameter = Some(on),
        }
    }

    fn take_m(&mut self, code: Code) {
        match m_group(code) {
            Group::Spindle => {
                self.spindle = Some(match code {
                    30 => Spindle::Clockwise,
                    40 => Spindle::CounterClockwise,
                    _ => Spindle::Off,
                });
            }
            Group::Coolant => self.coolant = Some(code),
            Group::ToolChange => self.tool_change = Some(code),
            Group::Stop => self.stop = Some(code),
            Group::Io => self.io = Some(code),
            Group::Override => self.overrides = Some(code),
            _ => {}
        }
    }
}

impl Tracker {
    /// Reads the codes of a block. A code that the controller refuses is said and then taken for what it means elsewhere,
    /// so that one such code does not make a hundred other messages.
    #[inline]
    pub(super) fn codes(&mut self, turn: &mut Turn<'_, impl Sink>) -> Wanted {
        let mut wanted = Wanted::default();
        // Nearly all lines: every controller has these.
        if let ([code @ (0 | 10)], []) = (turn.block.g(), turn.block.m()) {
            wanted.groups = Group::Motion.bit();
            wanted.motion = Some(if *code == 0 { MotionMode::Rapid } else { MotionMode::Linear });
            return wanted;
        }
        for &code in turn.block.g() {
            if let Some(g) = G::of(code) {
                Self::claim(&mut wanted, g.group(), turn);
                wanted.take_g(g);
            }
            match self.dialect.g(code) {
                Support::Yes => {}
                support => self.unsupported('G', code, support, turn),
            }
        }
        for &code in turn.block.m() {
            Self::claim(&mut wanted, m_group(code), turn);
            wanted.take_m(code);
            match self.dialect.m(code) {
                Support::Yes => {}
                support => self.unsupported('M', code, support, turn),
            }
        }
        wanted
    }

    #[inline]
    fn claim(wanted: &mut Wanted, group: Group, turn: &mut Turn<'_, impl Sink>) {
        if wanted.groups & group.bit() != 0 && group != Group::User {
            let text = format!("two codes of one modal group ({})", group.name());
            turn.error("modal-group", &text, "leave one of them, or write two lines");
        }
        wanted.groups |= group.bit();
    }

    #[cold]
    fn unsupported(&mut self, letter: char, code: Code, support: Support, turn: &mut Turn<'_, impl Sink>) {
        let firmware = self.dialect.firmware;
        let word = format!("{letter}{}", number_of(code));
        if matches!((letter, code), ('M', 60)) {
            // Said where tools are changed.
            return;
        }
        if let Support::Depends(on) = support {
            if letter == 'M' && code >= 1000 {
                turn.take_all();
            }
            if self.conditions.len() < MOST_CONDITIONS && !self.conditions.contains(&(letter, code)) {
                self.conditions.push((letter, code));
                let text = format!("{word} works only with {on}");
                turn.warn("depends", &text, "make sure that this controller has it; else it refuses the line");
            }
            return;
        }
        let remedy = match (letter, code) {
            ('G', 640 | 611) => "remove it: this controller always blends as exactly as it can",
            ('G', 410 | 420) => "let the CAM program compensate for the cutter radius",
            ('G', 950 | 330 | 760) => "let the CAM program use mm per minute (G94)",
            ('G', 730 | 810..=890) => "let the CAM program write drilling cycles as single moves",
            ('G', 430 | 432) => "use G43.1 Z…, or remove it and set the tool length at the machine",
            ('G', 901) => "let the CAM program write arc centres relative to the start (G91.1)",
            ('M', 70) if firmware == Firmware::Grbl => "remove it: this Grbl was built without mist coolant",
            _ => "remove it, or choose another post-processor",
        };
        let known =
            if letter == 'G' && G::of(code).is_none() { " and no other controller of its kind either" } else { "" };
        turn.error("unsupported", &format!("{firmware} does not know {word}{known}"), remedy);
    }
}
