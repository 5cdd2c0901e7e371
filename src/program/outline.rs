//! The outline of a program in the air: where on the stock it will be, shown by the machine itself.
//!
//! A pure function gives lines; the runner runs them as it runs any program, after the same checks, when a person has
//! read and confirmed them. They stop the spindle, lift Z before anything moves across, and leave units,
//! distance mode and coordinate system as they were.

use crate::model::axes::Axis;
use crate::model::machine::ModalState;
use crate::model::program::report::{Frame, Reach, Report};
use crate::model::program::toolpath::Toolpath;
use crate::model::quantity::number;

/// What is driven round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape<'a> {
    /// The rectangle along X and Y that holds all of the program.
    Rectangle,
    /// The tightest shape without dents; of the path as it is kept for the picture.
    Hull(&'a Toolpath),
}

/// How high Z goes first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lift {
    /// To this machine position; the machine must be homed
    /// ([`safe_z_mm`](crate::model::work::safe_z_mm) gives it).
    Machine(f64),
    /// To this height over the work zero; not for where Z is higher already.
    Work(f64),
    /// It is high enough.
    Stays,
}

/// An outline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outline<'a> {
    /// What is driven round.
    pub shape: Shape<'a>,
    /// How high Z goes first.
    pub lift: Lift,
    /// How fast, mm/min.
    pub feed_mm_min: f64,
    /// What the controller has in force, to be put back at the end.
    pub modal: &'a ModalState,
}

/// Why there is no outline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoOutline {
    /// Nothing moves across.
    #[error("the program does not move in X or Y: there is nothing to drive round")]
    Nothing,
    /// Bounds that do not bound.
    #[error(
        "the program shifts its zero by itself or goes where nobody can know before (G10, G92, probing, expressions): \
         its outline is not known"
    )]
    Unsure,
    /// One outline would be wrong.
    #[error("the program uses several coordinate systems: each has an outline of its own, and there is no single one")]
    SeveralSystems,
    /// A feed that is none.
    #[error("an outline needs a feed above 0 mm/min")]
    Feed,
}

impl Outline<'_> {
    /// The lines to send.
    ///
    /// # Errors
    /// Why there is no outline.
    pub fn lines(&self, report: &Report) -> Result<Vec<String>, NoOutline> {
        if !(self.feed_mm_min.is_finite() && self.feed_mm_min > 0.0) {
            return Err(NoOutline::Feed);
        }
        let reach = only_work_frame(&report.reach)?;
        let corners = match self.shape {
            Shape::Rectangle => rectangle(reach),
            Shape::Hull(path) if path.partial => return Err(NoOutline::Unsure),
            Shape::Hull(path) => hull(path),
        };
        let (Some(first), true) = (corners.first(), corners.len() > 1) else { return Err(NoOutline::Nothing) };
        let system = match reach.frame {
            Frame::Work(n @ 1..=6) => format!(" G{}", 53 + n),
            Frame::Work(n) => format!(" G59.{}", n.saturating_sub(6)),
            Frame::Active | Frame::Machine => String::new(),
        };
        let mut lines = vec!["M5".to_owned(), format!("G21 G90 G94{system}")];
        match self.lift {
            Lift::Machine(z) => lines.push(format!("G53 G0 Z{}", number(z))),
            Lift::Work(z) => lines.push(format!("G0 Z{}", number(z))),
            Lift::Stays => {}
        }
        let feed = number(self.feed_mm_min);
        let go = |[x, y]: &[f64; 2]| format!("G1 X{} Y{} F{feed}", number(*x), number(*y));
        lines.extend(corners.iter().map(go));
        lines.push(go(first));
        lines.extend(self.restored(&system));
        Ok(lines)
    }

    /// The modal words that the outline has changed, as they were.
    fn restored(&self, system: &str) -> Option<String> {
        let changed = |word: &&str| matches!(*word, "G20" | "G91" | "G93" | "G95");
        let mut words: Vec<&str> = self.modal.words.iter().map(String::as_str).filter(changed).collect();
        words.extend(self.modal.wcs().filter(|wcs| !system.is_empty() && *wcs != system.trim()));
        (!words.is_empty()).then(|| words.join(" "))
    }
}

/// The one work coordinate system in which the program moves across.
fn only_work_frame(reach: &[Reach]) -> Result<&Reach, NoOutline> {
    let across = |reach: &&Reach| reach.axes.contains(Axis::X) || reach.axes.contains(Axis::Y);
    let mut work = reach.iter().filter(|reach| reach.frame != Frame::Machine).filter(across);
    let only = work.next().ok_or(NoOutline::Nothing)?;
    if work.next().is_some() {
        return Err(NoOutline::SeveralSystems);
    }
    if only.unsure { Err(NoOutline::Unsure) } else { Ok(only) }
}

/// Counter-clockwise from the lowest corner. An axis that is not commanded stays where it is, which nobody knows: the
/// rectangle is then none.
fn rectangle(reach: &Reach) -> Vec<[f64; 2]> {
    if !(reach.axes.contains(Axis::X) && reach.axes.contains(Axis::Y)) {
        return Vec::new();
    }
    let ([x0, y0], [x1, y1]) = ([reach.min[0], reach.min[1]], [reach.max[0], reach.max[1]]);
    vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
}

/// Convex hull of the strokes, counter-clockwise (Andrew's monotone chain).
fn hull(path: &Toolpath) -> Vec<[f64; 2]> {
    let Some(level) = path.level_for(0.1) else { return Vec::new() };
    let ends = level.strokes().flat_map(|stroke| [stroke.from, stroke.to]);
    let mut places: Vec<[f64; 2]> = ends.map(|[x, y, _]| [f64::from(x), f64::from(y)]).collect();
    places.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    places.dedup();
    if places.len() < 3 {
        return places;
    }
    let mut hull = half(places.iter());
    hull.pop();
    hull.extend(half(places.iter().rev()));
    hull.pop();
    hull
}

/// Lower half of the hull of sorted places; of reversed ones the upper half.
fn half<'a>(places: impl Iterator<Item = &'a [f64; 2]>) -> Vec<[f64; 2]> {
    let mut chain: Vec<[f64; 2]> = Vec::new();
    for place in places {
        while let [.., a, b] = chain[..] {
            let turn = (b[0] - a[0]) * (place[1] - a[1]) - (b[1] - a[1]) * (place[0] - a[0]);
            if turn > 0.0 {
                break;
            }
            chain.pop();
        }
        chain.push(*place);
    }
    chain
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::AxisSet;
    use crate::model::program::report::{ContentHash, FileUnits, Times};
    use crate::model::program::toolpath::{Corner, Level, Reached};

    fn reach(frame: Frame, axes: usize) -> Reach {
        let mut reach = Reach {
            frame,
            axes: AxisSet::first(axes),
            min: [0.0; 9],
            max: [0.0; 9],
            min_line: [1; 9],
            max_line: [1; 9],
            unsure: false,
        };
        reach.min[..3].copy_from_slice(&[-10.0, 0.5, -3.0]);
        reach.max[..3].copy_from_slice(&[30.25, 20.0, 5.0]);
        reach
    }

    fn report(reach: Vec<Reach>) -> Report {
        Report {
            hash: ContentHash([0; 32]),
            bytes: 0,
            lines: 0,
            blocks: 0,
            problems: Vec::new(),
            errors: 0,
            warnings: 0,
            reach,
            units: FileUnits::Mm,
            cut_mm: 0.0,
            rapid_mm: 0.0,
            times: Times::default(),
            spindle_on: Times::default(),
            feed_mm_min: None,
            spindle_rpm: None,
            systems: Vec::new(),
            tools: Vec::new(),
            waits: Vec::new(),
            timeline: Arc::new(Vec::new()),
            course: Arc::default(),
        }
    }

    fn modal(words: &str) -> ModalState {
        ModalState { words: words.split(' ').map(str::to_owned).collect() }
    }

    fn lines(reach: Vec<Reach>, shape: Shape<'_>, words: &str) -> Result<Vec<String>, NoOutline> {
        let modal = modal(words);
        Outline { shape, lift: Lift::Machine(-5.0), feed_mm_min: 1500.0, modal: &modal }.lines(&report(reach))
    }

    #[test]
    fn a_rectangle_is_driven_round_at_a_safe_height_and_nothing_stays_changed() {
        let told = lines(vec![reach(Frame::Work(2), 3)], Shape::Rectangle, "G0 G54 G17 G20 G91 G94 M3").unwrap();
        assert_eq!(
            told,
            [
                "M5",
                "G21 G90 G94 G55",
                "G53 G0 Z-5",
                "G1 X-10 Y0.5 F1500",
                "G1 X30.25 Y0.5 F1500",
                "G1 X30.25 Y20 F1500",
                "G1 X-10 Y20 F1500",
                "G1 X-10 Y0.5 F1500",
                "G20 G91 G54",
            ]
        );
        let told = lines(vec![reach(Frame::Active, 3)], Shape::Rectangle, "G0 G55 G17 G21 G90 G94").unwrap();
        assert_eq!((told[1].as_str(), told.len()), ("G21 G90 G94", 8));
    }

    #[test]
    fn a_hull_has_no_dents_and_no_corner_that_is_not_needed() {
        let places = [[0.0, 0.0], [10.0, 0.0], [5.0, 0.0], [10.0, 10.0], [6.0, 5.0], [0.0, 10.0]];
        let corner = |[x, y]: [f32; 2]| Corner::new([x, y, 0.0], 1, Reached::Cut);
        let corners = places.map(corner).to_vec();
        let mut path = Toolpath { levels: vec![Level { corners, tolerance_mm: 0.001 }], ..Toolpath::default() };
        let told = lines(vec![reach(Frame::Active, 2)], Shape::Hull(&path), "G21").unwrap();
        let moves: Vec<_> = told.iter().filter(|line| line.starts_with("G1")).map(|line| &line[3..]).collect();
        assert_eq!(moves, ["X0 Y0 F1500", "X10 Y0 F1500", "X10 Y10 F1500", "X0 Y10 F1500", "X0 Y0 F1500"]);
        path.partial = true;
        assert_eq!(lines(vec![reach(Frame::Active, 2)], Shape::Hull(&path), "G21"), Err(NoOutline::Unsure));
    }

    #[test]
    fn what_has_no_outline_says_why() {
        let unsure = Reach { unsure: true, ..reach(Frame::Active, 3) };
        for (reach, why) in [
            (vec![], NoOutline::Nothing),
            (vec![reach(Frame::Machine, 3)], NoOutline::Nothing),
            (vec![reach(Frame::Active, 1)], NoOutline::Nothing),
            (vec![reach(Frame::Work(1), 3), reach(Frame::Work(2), 3)], NoOutline::SeveralSystems),
            (vec![unsure], NoOutline::Unsure),
        ] {
            assert_eq!(lines(reach, Shape::Rectangle, "G21"), Err(why));
        }
        let modal = modal("G21");
        for feed_mm_min in [0.0, -1.0, f64::NAN] {
            let outline = Outline { shape: Shape::Rectangle, lift: Lift::Stays, feed_mm_min, modal: &modal };
            assert_eq!(outline.lines(&report(vec![reach(Frame::Active, 3)])), Err(NoOutline::Feed));
        }
    }
}
