//! `sunmill programs show` and `check`: what is known of one program.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::exit::Failure;
use crate::cli::settings::Settings;
use crate::cli::{check, energy, out};
use crate::model::program::Report;
use crate::model::program::ask::Details;
use crate::model::program::{Frame, Severity};
use crate::model::quantity::number;
use crate::model::snapshot::Snapshot;
use crate::model::{Firmware, Time};
use crate::ui::programs::{facts, words};

/// Options of `sunmill programs show` and `check`.
#[derive(Clone, Debug, Args)]
pub struct FileArgs {
    /// The program, below one of `[programs] folders`
    pub file: PathBuf,
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}

impl FileArgs {
    /// Where it is, for a sunmill that was started in another folder.
    pub(super) fn path(&self) -> Result<PathBuf, Failure> {
        Ok(std::path::absolute(&self.file)?)
    }
}

/// What is printed, and whether that is a verdict against the program.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) text: String,
    pub(super) must_not_run: bool,
}

impl From<String> for Told {
    fn from(text: String) -> Self {
        Self { text, must_not_run: false }
    }
}

/// What a check found, and for which machine.
#[derive(Debug)]
pub(super) struct Checked {
    /// With what the machine as it stands adds to the problems.
    report: Report,
    firmware: Firmware,
    axes: usize,
    /// What was not known of the machine.
    assumed: Vec<String>,
    /// What it will need, and what carries it.
    energy: Option<energy::Told>,
}

/// Without a machine.
pub(super) fn read(settings: &Settings, args: &FileArgs) -> Result<Checked, Failure> {
    out::words("no sunmill runs: this is for a machine of which nothing is known; sunmill check has options for one");
    let (report, firmware, axes, assumed) = check::without_machine(&args.file)?;
    let energy = energy::outlook(settings, &report);
    Ok(Checked { report, firmware, axes, assumed, energy })
}

impl Checked {
    /// For the machine of this hub.
    pub(super) fn here(details: &Details, snapshot: &Snapshot, now: Time) -> Self {
        let machine = &snapshot.machine;
        let report = Report {
            errors: facts::count(details, Severity::Error),
            warnings: facts::count(details, Severity::Warning),
            problems: details.problems.clone(),
            ..(*details.report).clone()
        };
        Self {
            report,
            firmware: machine.identity.as_ref().map_or(Firmware::FluidNc, |identity| identity.firmware),
            axes: machine.axis_count(),
            assumed: Vec::new(),
            energy: energy::of_snapshot(snapshot, now, &details.report),
        }
    }

    /// The problems, and whether it may run.
    pub(super) fn checked(&self, args: &FileArgs) -> Result<Told, Failure> {
        let text = if args.json { self.json(&args.file)? } else { self.text(&args.file) };
        Ok(Told { text, must_not_run: self.report.errors > 0 })
    }

    /// All that is known.
    pub(super) fn shown(&self, args: &FileArgs) -> Result<String, Failure> {
        if args.json { self.json(&args.file) } else { Ok(self.facts(&args.file)) }
    }

    fn text(&self, file: &Path) -> String {
        check::as_text(file, &self.report, (self.firmware, self.axes), self.energy.as_ref())
    }

    fn json(&self, file: &Path) -> Result<String, Failure> {
        check::as_json(file, &self.report, (self.firmware, self.axes), &self.assumed, self.energy.as_ref())
    }

    fn facts(&self, file: &Path) -> String {
        let report = &self.report;
        let mut text = String::new();
        let mut row = |name: &str, what: String| {
            let _ = writeln!(text, "{name:<9} {what}");
        };
        row("file", file.display().to_string());
        row("size", format!("{}, {}", check::counted(report.lines, "line", "lines"), words::size(report.bytes)));
        let (cutting, rapid) = (words::span(report.times.cutting_s), words::span(report.times.rapid_s));
        row("time", format!("{} (cutting {cutting}, rapids {rapid})", check::duration(report.times.total_s())));
        row("way", format!("{} mm cut, {} mm of rapids", round(report.cut_mm), round(report.rapid_mm)));
        row("units", words::units(report.units).to_owned());
        for reach in &report.reach {
            let unsure = if reach.unsure { " (and where nobody can know)" } else { "" };
            row(&frame(reach.frame), words::reach(reach).join(", ") + unsure);
        }
        if let Some(range) = report.feed_mm_min {
            row("feeds", format!("{} mm/min", span(range)));
        }
        if let Some(range) = report.spindle_rpm {
            row("spindle", format!("{} rpm", span(range)));
        }
        if !report.tools.is_empty() {
            row("tools", report.tools.iter().map(|tool| format!("T{tool}")).collect::<Vec<_>>().join(" "));
        }
        for wait in &report.waits {
            row("waits", format!("line {}: {}", wait.line, words::wait(wait.what)));
        }
        let (errors, warnings) = (report.errors, report.warnings);
        let counted = [check::counted(errors, "error", "errors"), check::counted(warnings, "warning", "warnings")];
        row("problems", counted.join(", "));
        text + &self.text(file)
    }
}

fn frame(frame: Frame) -> String {
    match frame {
        Frame::Active => "reach".to_owned(),
        Frame::Work(_) => words::frame(frame),
        Frame::Machine => "G53".to_owned(),
    }
}

fn round(value: f64) -> String {
    number((value * 100.0).round() / 100.0)
}

fn span((low, high): (f64, f64)) -> String {
    if low == high { round(low) } else { format!("{} to {}", round(low), round(high)) }
}
