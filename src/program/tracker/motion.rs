//! Targets, straight moves, probing, and what must be so before anything moves.

use super::codes::Wanted;
use super::core::{Once, Sink, Tracker};
use super::turn::{AXIS_LETTERS, Turn};
use crate::model::program::report::Frame;
use crate::program::motion::{Motion, Plane, Point, Speed, Straight};
use crate::program::vocabulary::{FeedMode, MotionMode, NonModal, Spindle};

/// Taken where the program gives no feed, which is said: pictures and times need some number.
const FEED_WHERE_NONE_MM_MIN: f64 = 600.0;
/// A, B and C are in degrees, whatever the units are.
const ROTARY: u16 = 0b111_000;

impl Tracker {
    /// Motion, by a code in the block or by the mode in force.
    #[inline]
    pub(super) fn motion_of(&mut self, turn: &mut Turn<'_, impl Sink>, wanted: &Wanted, axes: u16) {
        let mode = self.motion_mode();
        if axes == 0
            && (wanted.motion.is_none() || matches!(mode, MotionMode::Rapid | MotionMode::Linear | MotionMode::None))
        {
            return;
        }
        let machine = wanted.non_modal == Some(NonModal::MachineCoordinates);
        if machine && !matches!(mode, MotionMode::Rapid | MotionMode::Linear | MotionMode::Probe(_)) {
            turn.error("g53-mode", "G53 works only with G0 and G1", "write G0 or G1 beside it");
            return;
        }
        turn.take_axes();
        self.ready_to_move(turn, mode);
        match mode {
            MotionMode::Rapid | MotionMode::Linear | MotionMode::SpindleSynchronized => {
                let speed = if mode == MotionMode::Rapid { Speed::Rapid } else { self.speed(turn) };
                if mode == MotionMode::SpindleSynchronized {
                    turn.take(b'K');
                }
                // Changed where it stays: such a move is two hundred bytes, and there are millions of them.
                let mut motion = Motion::Straight(self.stay(axes, machine, speed));
                if let Motion::Straight(straight) = &mut motion {
                    self.aim(turn, straight);
                }
                turn.motion(&motion);
            }
            MotionMode::ArcCw | MotionMode::ArcCcw => self.arc(turn, axes, mode == MotionMode::ArcCw),
            MotionMode::CubicSpline | MotionMode::QuadraticSpline => self.spline(turn, axes, wanted),
            MotionMode::Probe(_) => self.probe(turn, axes, machine),
            MotionMode::Drill(cycle) => self.drill(turn, axes, cycle),
            MotionMode::Threading => {
                turn.take_all();
                self.lose_position();
                turn.motion(&Motion::Unknown);
            }
            MotionMode::None => turn.error(
                "axis-without-motion",
                "after G80 there is no motion that could use these axis words",
                "write G0 or G1 in front of them",
            ),
        }
    }

    pub(super) fn set_motion(&mut self, motion: MotionMode) {
        if self.modal.motion != Some(motion) {
            self.cycle.begin();
        }
        self.modal.motion = Some(motion);
    }

    #[inline]
    fn ready_to_move(&mut self, turn: &mut Turn<'_, impl Sink>, mode: MotionMode) {
        self.moved = true;
        if self.ended.is_some() || self.modal.units.is_none() {
            self.said_before_moving(turn);
        }
        if !self.cut && mode.cuts() {
            self.first_cut(turn);
        }
    }

    #[cold]
    fn said_before_moving(&mut self, turn: &mut Turn<'_, impl Sink>) {
        if self.ended.is_some() && self.first(Once::AfterEnd) {
            turn.warn(
                "after-end",
                "this comes after the end of the program (M2 or M30) and is carried out all the same",
                "remove what comes after the end, or the end",
            );
        }
        if self.modal.units.is_none() && self.first(Once::UnitsUnnamed) {
            let taken = if self.dialect.starts_in_inches { "inches" } else { "mm" };
            let text = format!("the program names no units (G20 or G21) before it moves; the controller takes {taken}");
            turn.warn("units-unnamed", &text, "write G21 (mm) or G20 (inches) at the head of the program");
        }
    }

    #[cold]
    fn first_cut(&mut self, turn: &mut Turn<'_, impl Sink>) {
        self.cut = true;
        let on = matches!(self.modal.spindle, Some(Spindle::Clockwise | Spindle::CounterClockwise));
        if !on && self.first(Once::SpindleOff) {
            let (text, remedy) = if self.dialect.laser {
                ("the first cut comes before the laser is switched on", "write M4 S… in front of it")
            } else {
                ("the first cut comes before the spindle is started", "write M3 S… in front of it, or start it by hand")
            };
            turn.warn("spindle-off", text, remedy);
        }
    }

    /// How fast a move at feed is.
    #[inline]
    pub(super) fn speed(&mut self, turn: &mut Turn<'_, impl Sink>) -> Speed {
        let mode = self.modal.feed_mode;
        let feed = if mode == Some(FeedMode::InverseTime) { turn.block.value(b'F') } else { self.modal.feed_mm };
        match (feed, mode) {
            (Some(feed), Some(FeedMode::InverseTime)) if feed > 0.0 => Speed::Seconds(60.0 / feed),
            (Some(feed), Some(FeedMode::PerRevolution)) if feed > 0.0 => Speed::MmRev(feed),
            (Some(feed), _) if feed > 0.0 => Speed::MmMin(feed),
            _ => self.no_feed(turn, feed.is_some()),
        }
    }

    #[cold]
    fn no_feed(&mut self, turn: &mut Turn<'_, impl Sink>, zero: bool) -> Speed {
        if turn.refused {
            // Something worse was said of this line.
        } else if zero {
            if self.first(Once::FeedZero) {
                turn.error("feed-zero", "a move at feed 0", "write F with a feed above 0");
            }
        } else if self.first(Once::FeedMissing) {
            let text = if self.modal.feed_mode == Some(FeedMode::InverseTime) {
                "a move at feed without F, which each line needs in G93"
            } else {
                "a move at feed before any feed was given"
            };
            turn.error("feed-missing", text, "write F with the feed in this line or before it");
        }
        Speed::MmMin(FEED_WHERE_NONE_MM_MIN)
    }

    /// The move to where the axis words say; the position is there afterwards.
    pub(super) fn straight(
        &mut self,
        turn: &mut Turn<'_, impl Sink>,
        axes: u16,
        machine: bool,
        speed: Speed,
    ) -> Straight {
        let mut straight = self.stay(axes, machine, speed);
        self.aim(turn, &mut straight);
        straight
    }

    /// A move that ends where it begins.
    #[inline]
    fn stay(&self, axes: u16, machine: bool, speed: Speed) -> Straight {
        let place = &self.modal.place;
        let (from, known, frame) = if machine {
            (place.machine, place.machine_known, Frame::Machine)
        } else {
            (place.work, place.known, self.modal.frame())
        };
        Straight { from, known, to: from, axes, named: axes, frame, speed }
    }

    /// Ends the move where the axis words say; the position is there afterwards.
    #[inline]
    fn aim(&mut self, turn: &mut Turn<'_, impl Sink>, straight: &mut Straight) {
        if straight.frame == Frame::Machine {
            self.aim_in_machine(turn, straight);
            return;
        }
        let (scale, relative) = (self.scale(), self.is_relative());
        let place = &mut self.modal.place;
        let (axes, known) = (straight.named, straight.known);
        let mut rest = axes;
        let mut from_nowhere = false;
        while rest != 0 {
            let axis = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let value = turn.block.value(AXIS_LETTERS[axis]).unwrap_or_default();
            let value = if ROTARY & (1 << axis) == 0 { value * scale } else { value };
            if relative {
                from_nowhere |= value != 0.0 && known & (1 << axis) == 0;
                straight.to[axis] += value;
                place.machine[axis] += value;
            } else {
                straight.to[axis] = value;
            }
            place.work[axis] = straight.to[axis];
        }
        if relative {
            straight.named &= known;
        } else {
            place.known |= axes;
            place.machine_known &= !axes;
        }
        if from_nowhere {
            self.lost(turn);
        }
    }

    fn aim_in_machine(&mut self, turn: &mut Turn<'_, impl Sink>, straight: &mut Straight) {
        if self.is_relative() && self.first(Once::MachineZeroRelative) {
            turn.warn(
                "g53-relative",
                "G53 counts from machine zero even in relative mode (G91)",
                "write G90 in front of it, so that nobody reads it otherwise",
            );
        }
        let (scale, axes) = (self.scale(), straight.named);
        let place = &mut self.modal.place;
        for axis in (0..AXIS_LETTERS.len()).filter(|axis| axes & (1 << axis) != 0) {
            let value = turn.block.value(AXIS_LETTERS[axis]).unwrap_or_default();
            straight.to[axis] = if ROTARY & (1 << axis) == 0 { value * scale } else { value };
        }
        place.machine = straight.to;
        place.machine_known |= axes;
        place.known &= !axes;
    }

    /// A relative move from nobody knows where.
    #[cold]
    fn lost(&mut self, turn: &mut Turn<'_, impl Sink>) {
        if self.first(Once::Lost) {
            turn.warn(
                "relative-start",
                "the program goes by relative moves (G91) from where the machine happens to stand, so how far it goes is not known",
                "write an absolute move (G90) to a known place first",
            );
            turn.motion(&Motion::Unknown);
        }
    }

    /// Nobody knows where the machine is.
    pub(super) const fn lose_position(&mut self) {
        self.modal.place.known = 0;
        self.modal.place.machine_known = 0;
    }

    fn probe(&mut self, turn: &mut Turn<'_, impl Sink>, axes: u16, machine: bool) {
        if axes == 0 {
            turn.error("axis-missing-for-probe", "a probe move needs an axis word", "write where it may go at most");
            return;
        }
        let speed = self.speed(turn);
        turn.take(b'P');
        let straight = self.straight(turn, axes, machine, speed);
        turn.motion(&Motion::Probe(straight));
        // It stops wherever the probe trips.
        self.modal.place.known &= !axes;
        self.modal.place.machine_known &= !axes;
    }

    /// A move to a target computed here, in work coordinates.
    pub(super) fn emit(&mut self, turn: &mut Turn<'_, impl Sink>, to: Point, named: u16, speed: Speed) {
        let place = &mut self.modal.place;
        let known_after = place.known & named;
        let axes = (0..to.len()).fold(0, |axes, axis| axes | u16::from(to[axis] != place.work[axis]) << axis);
        let straight = Straight {
            from: place.work,
            known: place.known,
            to,
            axes,
            named: known_after,
            frame: self.modal.frame(),
            speed,
        };
        let place = &mut self.modal.place;
        place.work = to;
        place.machine_known &= !named;
        turn.motion(&Motion::Straight(straight));
    }

    /// The plane in force.
    pub(super) fn plane(&self) -> Plane {
        self.modal.plane.unwrap_or_default()
    }
}
