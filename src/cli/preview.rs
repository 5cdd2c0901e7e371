//! `sunmill preview`: a program as a picture in text, and what it is.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use clap::{Args, ValueEnum};
use color_eyre::eyre::{WrapErr, eyre};

use super::exit::Failure;
use super::out;
use super::settings::Look;
use super::sim::Personality;
use crate::model::program::report::{Problem, Report};
use crate::model::program::toolpath::Toolpath;
use crate::model::quantity::number;
use crate::program::estimate::EstimateModel;
use crate::program::{Analysis, AnalysisConfig, Dialect};
use crate::ui::preview::{Dots, PreviewState, View};
use crate::ui::view::{Picture, preview_text};

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// Cells that a picture may have, across and down.
const SIZES: std::ops::RangeInclusive<i64> = 4..=1000;

/// Options of `sunmill preview`.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// The program
    pub file: std::path::PathBuf,

    /// From where
    #[arg(long, value_enum, default_value_t = Side::Xy)]
    pub view: Side,

    /// Columns of the picture
    #[arg(long, value_name = "N", default_value_t = 80, value_parser = clap::value_parser!(u16).range(SIZES))]
    pub width: u16,

    /// Lines of the picture
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u16).range(SIZES))]
    pub height: u16,

    /// For which firmware it is read
    #[arg(long, value_enum, default_value_t = Personality::Fluidnc)]
    pub firmware: Personality,

    /// How many axes the machine has, the first of X Y Z A B C U V W
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub axes: u8,
}

/// A side of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// From above
    Xy,
    /// From the front
    Xz,
    /// From the right
    Yz,
    /// From above the front left corner
    Iso,
}

impl From<Side> for View {
    fn from(side: Side) -> Self {
        match side {
            Side::Xy => Self::Xy,
            Side::Xz => Self::Xz,
            Side::Yz => Self::Yz,
            Side::Iso => Self::Isometric,
        }
    }
}

/// Prints the picture, size, time and what is wrong with the program. A program with mistakes is a picture all the same.
///
/// # Errors
/// The file cannot be read.
pub(super) fn run(args: &PreviewArgs, look: &Look) -> Result<(), Failure> {
    let firmware = args.firmware.into();
    let model = EstimateModel::default();
    let assumed = model.assumed.join("; ");
    let config = AnalysisConfig { dialect: Dialect::new(firmware, usize::from(args.axes)), model };
    let (report, path) = read(&args.file, config)?;
    let dots = match look {
        Look { blocks: true, .. } => Dots::HalfBlocks,
        Look { unicode: true, .. } => Dots::Braille,
        _ => Dots::Ascii,
    };
    let state = PreviewState::of(args.view.into());
    let picture = Picture { path: &path, state: &state, dots, progress_line: None, tool: None };
    let drawn = preview_text(&picture, args.width, args.height);
    let summary = summary(&report, &path, &args.file);
    Ok(out::data(&format!("{drawn}{summary}the time is for a machine of which nothing is known: {assumed}\n"))?)
}

fn read(file: &Path, config: AnalysisConfig) -> Result<(Report, Toolpath), Failure> {
    let why = || format!("cannot read {}", file.display());
    let mut source = File::open(file).wrap_err_with(why)?;
    if source.metadata().wrap_err_with(why)?.is_dir() {
        return Err(eyre!("{} is a folder: name a program in it", file.display()).into());
    }
    let mut analysis = Analysis::new(config);
    let mut chunk = vec![0; CHUNK];
    loop {
        match source.read(&mut chunk).wrap_err_with(why)? {
            0 => return Ok(analysis.finish()),
            count => analysis.feed(&chunk[..count]),
        }
    }
}

fn summary(report: &Report, path: &Toolpath, file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    let mut lines = vec![format!("{name}: {} lines, {} bytes", report.lines, report.bytes)];
    if !path.is_empty() {
        let size: Vec<String> = (0..3).map(|axis| round(f64::from(path.max[axis] - path.min[axis]))).collect();
        lines.push(format!("size: {} mm", size.join(" x ")));
    }
    let times = report.times;
    lines.push(format!(
        "time: {} (cutting {}, rapids {}, dwells {}); {} mm cut, {} mm of rapids",
        clock(times.total_s()),
        clock(times.cutting_s),
        clock(times.rapid_s),
        clock(times.dwell_s),
        round(report.cut_mm),
        round(report.rapid_mm)
    ));
    lines.push(format!("problems: {}, {}", many(report.errors, "error"), many(report.warnings, "warning")));
    lines.extend(report.problems.first().map(told));
    lines.join("\n") + "\n"
}

fn told(problem: &Problem) -> String {
    let place = if problem.line == 0 { "the program".to_owned() } else { format!("line {}", problem.line) };
    format!("first: {place}: {}: {}", problem.text, problem.remedy)
}

fn many(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Two decimals at most.
fn round(value: f64) -> String {
    number((value * 100.0).round() / 100.0)
}

/// `1:02:03`, or `2:03` below an hour.
fn clock(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_on_a_clock() {
        let told = [0.4, 59.6, 3599.0, 3661.0, 360_000.0].map(clock);
        assert_eq!(told, ["0:00", "1:00", "59:59", "1:01:01", "100:00:00"]);
    }

    #[test]
    fn a_summary_says_size_time_and_the_first_problem() {
        let config =
            AnalysisConfig { dialect: Dialect::new(crate::model::Firmware::Grbl, 3), model: EstimateModel::default() };
        let mut analysis = Analysis::new(config);
        analysis.feed(b"G21 G90 M3 S1000\nG0 X0 Y0 Z0\nG1 X20 Y10 F600\nM6\n");
        let (report, path) = analysis.finish();
        let text = summary(&report, &path, Path::new("some/folder/part.nc"));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("part.nc: 4 lines, "), "{text}");
        assert_eq!(lines[1], "size: 20 x 10 x 0 mm");
        assert!(lines[2].starts_with("time: 0:02 (cutting 0:02, rapids 0:00, dwells 0:00); 22.36 mm cut"), "{text}");
        assert!(lines[3].starts_with("problems: 1 error, "), "{text}");
        assert!(lines[4].starts_with("first: line 4: ") && lines[4].contains("M6"), "{text}");
    }
}
