//! `sunmill history export`: how power went, for other programs.

use std::io::{self, BufWriter, ErrorKind, Write};

use clap::{Args, Subcommand, ValueEnum};
use color_eyre::eyre::{WrapErr, eyre};
use jiff::Zoned;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::exit::Failure;
use super::settings::Settings;
use super::when::{When, rfc3339};
use super::{out, store};
use crate::model::power::Grain;
use crate::store::{PowerRow, Reader, power_value_names, power_values};

/// `sunmill history …`
#[derive(Debug, Subcommand)]
pub enum HistoryCommand {
    /// Print how power went, oldest first, as CSV or as an object a line
    ///
    /// Times are UTC. Powers are in watts: battery + is discharging, grid + is importing. What is not known is empty (CSV)
    /// or null. Longer times tell means, for how many seconds the powers are known (known_s), and energies in kWh.
    Export(ExportArgs),
}

/// Options of `sunmill history export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Of this inverter only
    #[arg(long, value_name = "NAME")]
    pub inverter: Option<String>,
    /// Then or later: a date, a date and time, or how long ago (2h, 3d)
    #[arg(long, value_name = "WHEN")]
    pub from: Option<When>,
    /// Before then
    #[arg(long, value_name = "WHEN")]
    pub until: Option<When>,
    /// How finely: raw is every few seconds and kept for the shortest time
    #[arg(long, value_enum, default_value_t)]
    pub grain: GrainName,
    #[command(flatten)]
    pub form: Form,
}

/// How it is printed.
#[derive(Clone, Copy, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Form {
    /// As CSV with a line of names
    #[arg(long)]
    pub csv: bool,
    /// As JSON, an object a line
    #[arg(long)]
    pub jsonl: bool,
}

/// A grain by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum GrainName {
    /// Every few seconds.
    Raw,
    /// Minutes.
    #[default]
    Minute,
    /// Quarters of an hour.
    Quarter,
    /// Days.
    Day,
}

impl From<GrainName> for Grain {
    fn from(name: GrainName) -> Self {
        match name {
            GrainName::Raw => Self::Raw,
            GrainName::Minute => Self::Minute,
            GrainName::Quarter => Self::Quarter,
            GrainName::Day => Self::Day,
        }
    }
}

/// Names of what longer times tell besides.
const LONGER: [&str; 7] = ["known_s", "pv_kwh", "load_kwh", "import_kwh", "export_kwh", "charge_kwh", "discharge_kwh"];

/// Prints it, a few rows at a time.
pub(super) fn export(settings: &Settings, args: &ExportArgs) -> Result<(), Failure> {
    let now = Zoned::now();
    let from = args.from.map_or(Ok(0), |when| when.unix_ms(&now))?;
    let until = args.until.map_or(Ok(i64::MAX), |when| when.unix_ms(&now))?;
    let reader = store::reader(settings);
    if let (Some(name), Some(reader)) = (&args.inverter, &reader) {
        let known = reader.inverters()?;
        if !known.contains(name) {
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(eyre!("there is no history of an inverter {name:?}; there is of {known}").into());
        }
    }
    let mut to = BufWriter::new(out::stream());
    let written = write(&mut to, reader.as_ref(), args, (from, until))?.and_then(|()| to.flush());
    match written {
        // Whoever read it has enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other.wrap_err("cannot write the history")?),
    }
}

/// The outer result is about reading, the inner one about writing.
fn write(
    to: &mut impl Write,
    reader: Option<&Reader>,
    args: &ExportArgs,
    span: (i64, i64),
) -> Result<io::Result<()>, Failure> {
    let longer = args.grain != GrainName::Raw;
    let mut sink = if args.form.csv { Sink::Csv(Box::new(csv::Writer::from_writer(to))) } else { Sink::Lines(to) };
    let mut written = sink.names(longer);
    let Some(reader) = reader.filter(|_| written.is_ok()) else { return Ok(written.and_then(|()| sink.flush())) };
    reader.each_sample(args.inverter.as_deref(), span.0, span.1, args.grain.into(), &mut |row| {
        written = sink.row(&row, longer);
        written.is_ok()
    })?;
    Ok(written.and_then(|()| sink.flush()))
}

/// Where rows go.
enum Sink<'a, W: Write> {
    Csv(Box<csv::Writer<&'a mut W>>),
    Lines(&'a mut W),
}

impl<W: Write> Sink<'_, W> {
    fn names(&mut self, longer: bool) -> io::Result<()> {
        let Self::Csv(csv) = self else { return Ok(()) };
        let more = LONGER.iter().filter(|_| longer);
        csv.write_record(["at", "inverter"].iter().chain(&power_value_names()).chain(more)).map_err(io_error)
    }

    fn row(&mut self, row: &PowerRow, longer: bool) -> io::Result<()> {
        match self {
            Self::Csv(csv) => csv.write_record(cells(row, longer)).map_err(io_error),
            Self::Lines(to) => writeln!(to, "{}", serde_json::to_string(&Object(row, longer))?),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Csv(csv) => csv.flush(),
            Self::Lines(to) => to.flush(),
        }
    }
}

/// As it came: who has gone is to be told from a full disk.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// What a longer time tells besides: its name and its value.
fn longer_values(row: &PowerRow) -> [Option<f64>; LONGER.len()] {
    let mut values = [None; LONGER.len()];
    values[0] = row.known_ms.map(|ms| ms as f64 / 1000.0);
    for (value, kwh) in values[1..].iter_mut().zip(row.energies) {
        *value = kwh.map(|kwh| (kwh * 1e6).round() / 1e6);
    }
    values
}

fn cells(row: &PowerRow, longer: bool) -> Vec<String> {
    fn cell<T: ToString>(value: Option<T>) -> String {
        value.map_or_else(String::new, |value| value.to_string())
    }
    let mut cells = vec![rfc3339(row.sample.at_ms), row.inverter.clone()];
    cells.extend(power_values(&row.sample).map(cell));
    if longer {
        cells.extend(longer_values(row).map(cell));
    }
    cells
}

/// A row as an object, its values in the order of the columns.
struct Object<'a>(&'a PowerRow, bool);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(row, longer) = self;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("at", &rfc3339(row.sample.at_ms))?;
        object.serialize_entry("inverter", &row.inverter)?;
        for (name, value) in power_value_names().iter().zip(power_values(&row.sample)) {
            object.serialize_entry(name, &value)?;
        }
        if *longer {
            for (name, value) in LONGER.iter().zip(longer_values(row)) {
                object.serialize_entry(name, &value)?;
            }
        }
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::power::Sample;
    use crate::store::Store;

    const HOUR: i64 = 3_600_000;

    fn kept(folder: &std::path::Path) -> (Store, i64) {
        let (store, _) = Store::open(&folder.join("sunmill.db")).unwrap();
        let from = crate::store::now_ms() / HOUR * HOUR - 2 * HOUR;
        for at_ms in (from..from + 3 * 60_000).step_by(5000) {
            let sample = Sample { at_ms, pv_w: Some(1200.0), battery_v: Some(52.31), ..Sample::default() };
            store.power_sample("roof, east", sample);
        }
        store.flush().unwrap();
        (store, from)
    }

    fn exported(store: &Store, grain: GrainName, csv: bool) -> String {
        let args = ExportArgs { inverter: None, from: None, until: None, grain, form: Form { csv, jsonl: !csv } };
        let mut text = Vec::new();
        write(&mut text, Some(&store.reader()), &args, (0, i64::MAX)).unwrap().unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn rows_are_told_with_their_names_and_nothing_is_made_a_zero() {
        let folder = tempfile::tempdir().unwrap();
        let (store, from) = kept(folder.path());
        let at = rfc3339(from);
        let minutes = exported(&store, GrainName::Minute, true);
        let lines: Vec<&str> = minutes.lines().collect();
        assert!(lines[0].starts_with("at,inverter,pv_w,") && lines[0].ends_with(",discharge_kwh"), "{}", lines[0]);
        assert_eq!(lines[1], format!("{at},\"roof, east\",1200,,,,,52.31,,,,,,60,0.02,,,,,"));
        assert_eq!(lines.len(), 3, "two minutes are over");
        let raw = exported(&store, GrainName::Raw, false);
        let first: serde_json::Value = serde_json::from_str(raw.lines().next().unwrap()).unwrap();
        assert_eq!((first["at"].as_str(), first["battery_v"].as_f64()), (Some(at.as_str()), Some(52.31)));
        assert_eq!((raw.lines().count(), first.get("known_s"), &first["grid_w"]), (36, None, &serde_json::Value::Null));
    }

    #[test]
    fn where_nothing_was_kept_there_are_names_only() {
        let form = Form { csv: true, jsonl: false };
        let args = ExportArgs { inverter: None, from: None, until: None, grain: GrainName::Raw, form };
        let mut text = Vec::new();
        write(&mut text, None, &args, (0, 1)).unwrap().unwrap();
        assert_eq!(String::from_utf8(text).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_reader_that_has_gone_ends_it() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(ErrorKind::BrokenPipe.into())
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = kept(folder.path());
        for csv in [true, false] {
            let form = Form { csv, jsonl: !csv };
            let args = ExportArgs { inverter: None, from: None, until: None, grain: GrainName::Raw, form };
            let written = write(&mut Gone, Some(&store.reader()), &args, (0, i64::MAX)).unwrap();
            assert_eq!(written.unwrap_err().kind(), ErrorKind::BrokenPipe);
        }
    }
}
