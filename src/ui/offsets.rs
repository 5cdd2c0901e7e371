//! State of a tab: work coordinate systems and other offsets, and the form in which numbers for them are typed.

use super::editor::Editor;
use crate::model::quantity::{self, BadNumber};
use crate::model::snapshot::Machine;
use crate::model::work::{AxisValues, Frame, GoTo, Slot, Stored, Wcs, Work};
use crate::model::{Axis, Command, Units};

/// What the tab knows beside the snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offsets {
    /// The selected row.
    pub selected: usize,
    /// What is being typed, or was typed last; shown while [`Mode::Field`](super::state::Mode::Field) holds.
    pub form: Option<Form>,
}

/// What a form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A place to go to.
    GoTo(Frame),
    /// What the present position is to read.
    Set,
    /// The tool length.
    ToolLength,
}

/// A form: fields that may stay empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// What it is for.
    pub purpose: Purpose,
    /// The fields.
    pub fields: Vec<Field>,
    /// The one that is typed in.
    pub focus: usize,
    /// What is wrong with what was typed.
    pub error: Option<String>,
    /// The unit of bare numbers. It stays that of the form's opening: what was typed keeps its meaning.
    pub units: Units,
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The axis; `None`: the feed.
    pub axis: Option<Axis>,
    /// What is typed.
    pub text: Editor,
}

impl Field {
    /// Its label.
    pub fn label(&self, units: Units) -> String {
        self.axis.map_or_else(|| format!("feed {}", units.feed()), |axis| format!("{axis} {}", units.of(axis)))
    }
}

impl Form {
    /// An empty one for a machine with so many axes.
    pub fn new(purpose: Purpose, axis_count: usize, units: Units) -> Self {
        let field = |axis| Field { axis, text: Editor::default() };
        let axes = (0..axis_count).filter_map(Axis::from_index).map(Some);
        let fields = match purpose {
            Purpose::GoTo(_) => axes.chain([None]).map(field).collect(),
            Purpose::Set => axes.map(field).collect(),
            Purpose::ToolLength => vec![field(Some(Axis::Z))],
        };
        Self { purpose, fields, focus: 0, error: None, units }
    }

    /// Its heading.
    pub const fn title(&self) -> &'static str {
        match self.purpose {
            Purpose::GoTo(Frame::Work) => "Go to a point in work coordinates",
            Purpose::GoTo(Frame::Relative) => "Go by a distance from here",
            Purpose::GoTo(Frame::Machine) => "Go to a point in machine coordinates",
            Purpose::Set => "The present position shall read",
            Purpose::ToolLength => "Tool length offset",
        }
    }

    /// The field that is typed in.
    pub fn focused(&mut self) -> Option<&mut Field> {
        self.fields.get_mut(self.focus)
    }

    /// To another field, round and round.
    pub fn step(&mut self, by: isize) {
        let count = self.fields.len().max(1).cast_signed();
        self.focus = (self.focus.cast_signed() + by).rem_euclid(count).cast_unsigned();
    }

    /// To the next frame, where there is one.
    pub fn next_frame(&mut self) {
        if let Purpose::GoTo(frame) = &mut self.purpose {
            *frame = match frame {
                Frame::Work => Frame::Relative,
                Frame::Relative => Frame::Machine,
                Frame::Machine => Frame::Work,
            };
        }
    }

    /// The command that was typed.
    ///
    /// # Errors
    /// What is wrong, with the field's name; the field is the one to be mended.
    pub fn command(&mut self) -> Result<Command, String> {
        let mut values = AxisValues::new();
        let mut feed_mm_min = None;
        for at in 0..self.fields.len() {
            let field = &self.fields[at];
            let text = field.text.text();
            if text.trim().is_empty() {
                continue;
            }
            let parsed = match field.axis {
                Some(axis) => quantity::parse_on(axis, &text, self.units).map(|value| values.push((axis, value))),
                None => match quantity::parse_plain(&text) {
                    Ok(feed) if feed <= 0.0 => Err(BadNumber::Junk { text }),
                    other => other.map(|feed| feed_mm_min = Some(feed * self.units.mm())),
                },
            };
            if let Err(error) = parsed {
                let label = field.label(self.units);
                self.focus = at;
                return Err(format!("{label}: {error}"));
            }
        }
        match (self.purpose, values.as_slice()) {
            (_, []) => Err("type a number for at least one axis; empty fields stay as they are".to_owned()),
            (Purpose::GoTo(frame), _) => Ok(Command::GoTo(GoTo::Point { targets: values, frame, feed_mm_min })),
            (Purpose::Set, _) => Ok(Command::Work(Work::Set(values))),
            (Purpose::ToolLength, &[(_, mm), ..]) => Ok(Command::Work(Work::SetToolLength(mm))),
        }
    }
}

/// The rows of the table, in order.
pub fn rows(machine: &Machine) -> Vec<Slot> {
    let firmware = machine.identity.as_ref().map(|identity| identity.firmware);
    let stored = [Slot::Stored(Stored::G28), Slot::Stored(Stored::G30), Slot::G92, Slot::Tlo];
    Wcs::all(firmware).map(Slot::Wcs).chain(stored).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(purpose: Purpose, texts: &[&str]) -> Result<Command, String> {
        typed_in(Units::Mm, purpose, texts)
    }

    fn typed_in(units: Units, purpose: Purpose, texts: &[&str]) -> Result<Command, String> {
        let mut form = Form::new(purpose, 3, units);
        for (field, text) in form.fields.iter_mut().zip(texts) {
            field.text.insert(text);
        }
        form.command()
    }

    #[test]
    fn blank_means_do_not_move() {
        let frame = Frame::Work;
        let point = |targets: &[(Axis, f64)], feed_mm_min| {
            Ok(Command::GoTo(GoTo::Point { targets: targets.to_vec(), frame, feed_mm_min }))
        };
        assert_eq!(typed(Purpose::GoTo(frame), &["", "12,5", " "]), point(&[(Axis::Y, 12.5)], None));
        assert_eq!(typed(Purpose::GoTo(frame), &["1in", "", "", "600"]), point(&[(Axis::X, 25.4)], Some(600.0)));
        assert!(typed(Purpose::GoTo(frame), &["", "", "", "600"]).unwrap_err().contains("at least one axis"));
    }

    #[test]
    fn where_inches_are_shown_bare_numbers_are_inches() {
        let point = |x, feed_mm_min| {
            Ok(Command::GoTo(GoTo::Point { targets: vec![(Axis::X, x)], frame: Frame::Work, feed_mm_min }))
        };
        let go = Purpose::GoTo(Frame::Work);
        assert_eq!(typed_in(Units::Inch, go, &["2", "", "", "10"]), point(50.8, Some(254.0)));
        assert_eq!(typed_in(Units::Inch, go, &["2mm"]), point(2.0, None));
        let mut form = Form::new(go, 3, Units::Inch);
        form.fields[0].text.insert("x");
        assert!(form.command().unwrap_err().starts_with("X in: "), "the field says its unit");
    }

    #[test]
    fn a_mistake_is_named_with_its_field_and_is_the_one_to_mend() {
        let mut form = Form::new(Purpose::Set, 3, Units::Mm);
        form.fields[0].text.insert("1");
        form.fields[2].text.insert("abc");
        assert!(form.command().unwrap_err().starts_with("Z mm: \"abc\" is not a number"));
        assert_eq!(form.focus, 2);
        assert!(typed(Purpose::GoTo(Frame::Work), &["1", "", "", "-5"]).unwrap_err().starts_with("feed"));
    }

    #[test]
    fn fields_and_frames_go_round() {
        let mut form = Form::new(Purpose::GoTo(Frame::Work), 3, Units::Mm);
        form.step(-1);
        assert_eq!(form.focus, 3);
        form.step(1);
        assert_eq!(form.focus, 0);
        for frame in [Frame::Relative, Frame::Machine, Frame::Work] {
            form.next_frame();
            assert_eq!(form.purpose, Purpose::GoTo(frame));
        }
    }
}
