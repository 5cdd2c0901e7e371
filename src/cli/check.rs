//! `sunmill check FILE`: what is wrong with a program, without a machine and without a screen.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use color_eyre::eyre::{WrapErr, eyre};
use serde_json::{Value, json};

use super::args::CheckArgs;
use super::exit::Failure;
use super::settings::{BadSettings, Settings};
use super::{energy, out};
use crate::model::axes::{Axis, AxisVec};
use crate::model::machine::{Firmware, Limits};
use crate::model::program::{Frame, Problem, Report, Severity};
use crate::model::quantity::number;
use crate::model::settings::Backup;
use crate::program::estimate::EstimateModel;
use crate::program::{Analysis, AnalysisConfig, Dialect};

/// Bytes that are read at a time.
const PIECE: usize = 256 * 1024;

/// For which machine a program is checked.
#[derive(Debug)]
struct Target {
    firmware: Firmware,
    axes: usize,
    limits: Limits,
}

/// Checks the file and prints what was found. The exit code is 1 where it must not run.
pub(super) fn run(args: &CheckArgs, settings: &Result<Settings, BadSettings>) -> Result<ExitCode, Failure> {
    let target = Target::new(args)?;
    let model = EstimateModel::of(Some(&target.limits), None, None);
    let assumed = model.assumed.clone();
    // sunmill itself asks for the tool at M6.
    let dialect = Dialect { asks_for_tools: true, ..Dialect::new(target.firmware, target.axes) };
    let mut report = read(&args.file, AnalysisConfig { dialect, model })?;
    target.hold_against_travel(&mut report);
    // A configuration with a mistake is no reason not to check a program.
    let energy = match settings {
        Ok(settings) => energy::outlook(settings, &report),
        Err(why) => Some(Err(format!("not reckoned: {why}"))),
    };
    let text = if args.json {
        as_json(&args.file, &report, (target.firmware, target.axes), &assumed, energy.as_ref())?
    } else {
        as_text(&args.file, &report, (target.firmware, target.axes), energy.as_ref())
    };
    out::data(&text)?;
    Ok(if report.errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is wrong with a program on a machine of which nothing is known, and what was taken for it.
pub(super) fn without_machine(file: &Path) -> Result<(Report, Firmware, usize, Vec<String>), Failure> {
    let (firmware, axes) = (Firmware::FluidNc, 3);
    let model = EstimateModel::default();
    let assumed = model.assumed.clone();
    let dialect = Dialect { asks_for_tools: true, ..Dialect::new(firmware, axes) };
    Ok((read(file, AnalysisConfig { dialect, model })?, firmware, axes, assumed))
}

fn read(path: &Path, config: AnalysisConfig) -> Result<Report, Failure> {
    let named = || format!("{} cannot be read", path.display());
    let mut file = File::open(path).wrap_err_with(named)?;
    if file.metadata().wrap_err_with(named)?.is_dir() {
        return Err(eyre!("{} is a folder; name a program in it", path.display()).into());
    }
    let mut analysis = Analysis::new(config);
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(analysis.finish().0),
            Ok(read) => analysis.feed(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).wrap_err_with(named).map_err(Failure::from),
        }
    }
}

impl Target {
    fn new(args: &CheckArgs) -> Result<Self, Failure> {
        let backup = match &args.backup {
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
                let backup: Backup =
                    toml::from_str(&text).wrap_err_with(|| format!("{} is not a settings backup", path.display()))?;
                Some(backup)
            }
            None => None,
        };
        let of_backup = backup.as_ref().and_then(|backup| {
            let known = [Firmware::Grbl, Firmware::FluidNc, Firmware::GrblHal];
            known.into_iter().find(|firmware| firmware.to_string() == backup.firmware)
        });
        let firmware = args.firmware.map(Firmware::from).or(of_backup).unwrap_or(Firmware::FluidNc);
        let axes = args.axes.map(usize::from).or(backup.as_ref().map(|backup| backup.axes)).unwrap_or(3);
        let limits = backup.as_ref().map(|backup| limits(backup, axes)).unwrap_or_default();
        Ok(Self { firmware, axes, limits })
    }

    /// What needs more room than the machine has cannot run, wherever the work zero is.
    fn hold_against_travel(&self, report: &mut Report) {
        let mut problems = Vec::new();
        for reach in report.reach.iter().filter(|reach| reach.frame != Frame::Machine && !reach.unsure) {
            for axis in reach.axes.iter() {
                let at = axis.index();
                let (needs, has) = (reach.max[at] - reach.min[at], self.limits.travel_mm.get(axis));
                if let Some(has) = has.filter(|has| *has > 0.0 && needs > *has) {
                    let unit = axis.unit();
                    problems.push(Problem {
                        severity: Severity::Error,
                        line: reach.max_line[at],
                        kind: "larger-than-travel".to_owned(),
                        text: format!(
                            "it needs {} {unit} of {axis}, and the machine has {}",
                            number(needs),
                            number(has)
                        ),
                        remedy: "make it smaller, turn it, or use a larger machine".to_owned(),
                    });
                }
            }
        }
        report.errors += problems.len() as u64;
        report.problems.splice(0..0, problems);
    }
}

/// Rates, accelerations and travel of a backup: by number, or by FluidNC's names.
fn limits(backup: &Backup, axes: usize) -> Limits {
    let of = |base: usize, name: &str| {
        let value = |axis: Axis| {
            let letter = axis.letter().to_ascii_lowercase();
            let keys = [(base + axis.index()).to_string(), format!("/axes/{letter}/{name}")];
            keys.iter().find_map(|key| backup.settings.get(key)?.trim().parse::<f64>().ok()).unwrap_or_default()
        };
        let values: Vec<f64> = (0..axes).filter_map(Axis::from_index).map(value).collect();
        AxisVec::from_slice(&values)
    };
    Limits {
        max_rate_mm_min: of(110, "max_rate_mm_per_min"),
        acceleration_mm_s2: of(120, "acceleration_mm_per_sec2"),
        travel_mm: of(130, "max_travel_mm"),
        ..Limits::default()
    }
}

pub(super) const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// A line for each problem, and what comes of them.
pub(super) fn as_text(
    file: &Path,
    report: &Report,
    (firmware, axes): (Firmware, usize),
    energy: Option<&energy::Told>,
) -> String {
    let file = file.display();
    let mut text = String::new();
    for problem in &report.problems {
        let line = if problem.line == 0 { String::new() } else { format!(":{}", problem.line) };
        let _ = writeln!(text, "{file}{line}: {}: {} ({})", word(problem.severity), problem.text, problem.remedy);
    }
    let shown = |severity| report.problems.iter().filter(|problem| problem.severity == severity).count() as u64;
    for (severity, all) in [(Severity::Error, report.errors), (Severity::Warning, report.warnings)] {
        let more = all.saturating_sub(shown(severity));
        if more > 0 {
            let _ = writeln!(text, "{file}: {}: and {more} more of them", word(severity));
        }
    }
    let verdict = if report.errors == 0 { "may run" } else { "must not run" };
    let _ = writeln!(
        text,
        "{file}: {verdict} on {} with {}: {}, about {}, {}, {}",
        firmware,
        counted(axes as u64, "axis", "axes"),
        counted(report.lines, "line", "lines"),
        duration(report.times.total_s()),
        counted(report.errors, "error", "errors"),
        counted(report.warnings, "warning", "warnings")
    );
    for line in energy.map(energy::text).unwrap_or_default().lines() {
        let _ = writeln!(text, "{file}: {line}");
    }
    text
}

pub(super) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Longer than that nothing is cut; numbers of a nonsensical length help nobody.
const MOST_HOURS: u64 = 100_000;

pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    if whole / 3600 > MOST_HOURS {
        return format!("more than {MOST_HOURS} h");
    }
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// The report as it is, with what it was made for; the hash as text, and without the points of the time line and its stretches.
pub(super) fn as_json(
    file: &Path,
    report: &Report,
    (firmware, axes): (Firmware, usize),
    assumed: &[String],
    energy: Option<&energy::Told>,
) -> Result<String, Failure> {
    let mut value = serde_json::to_value(report).wrap_err("cannot write the report as JSON")?;
    if let Value::Object(fields) = &mut value {
        fields.remove("timeline");
        fields.remove("course");
        fields.insert("hash".to_owned(), json!(report.hash.to_string()));
        fields.insert("file".to_owned(), json!(file.display().to_string()));
        fields.insert("may_run".to_owned(), json!(report.errors == 0));
        fields.insert("firmware".to_owned(), json!(firmware.to_string()));
        fields.insert("axes".to_owned(), json!(axes));
        fields.insert("total_s".to_owned(), json!(report.times.total_s()));
        fields.insert("assumed".to_owned(), json!(assumed));
        fields.insert("energy".to_owned(), json!(energy.map(energy::as_json)));
    }
    let mut text = serde_json::to_string_pretty(&value).wrap_err("cannot write the report as JSON")?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_length_is_nonsense() {
        assert_eq!(duration(3_725.0), "1 h 2 min");
        assert_eq!(duration(1e19), "more than 100000 h");
    }

    fn checked(text: &str, backup: Option<&str>) -> (Report, Target) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.nc");
        std::fs::write(&file, text).unwrap();
        let backup = backup.map(|text| {
            let path = folder.path().join("mill.toml");
            std::fs::write(&path, text).unwrap();
            path
        });
        let args = CheckArgs { file: file.clone(), json: false, firmware: None, axes: None, backup };
        let target = Target::new(&args).unwrap();
        let dialect = Dialect::new(target.firmware, target.axes);
        let mut report = read(&file, AnalysisConfig { dialect, model: EstimateModel::default() }).unwrap();
        target.hold_against_travel(&mut report);
        (report, target)
    }

    const BACKUP: &str = "made_at = \"20260102-030405\"\nfirmware = \"Grbl\"\nversion = \"1.1h\"\nmachine = \"\"\naxes = 3\n\
                          [settings]\n110 = \"3000\"\n120 = \"200\"\n130 = \"300\"\n131 = \"200\"\n132 = \"80\"\n";

    #[test]
    fn a_backup_says_what_the_machine_is() {
        let (report, target) = checked("G21 G90\nG0 X-10\nG0 X299\n", Some(BACKUP));
        assert_eq!((target.firmware, target.axes), (Firmware::Grbl, 3));
        assert_eq!(target.limits.max_rate_mm_min.get(Axis::X), Some(3000.0));
        let large = report.problems.iter().find(|problem| problem.kind == "larger-than-travel").unwrap();
        assert!(large.line == 3 && large.text.contains("309") && large.text.contains("300"), "{large:?}");
        let (report, _) = checked("G21 G90\nG0 X0\nG0 X299\n", Some(BACKUP));
        assert!(report.problems.iter().all(|problem| problem.kind != "larger-than-travel"));
    }

    #[test]
    fn fluidncs_names_are_known_too() {
        let backup = "made_at = \"\"\nfirmware = \"FluidNC\"\nversion = \"\"\nmachine = \"\"\naxes = 3\n\
                      [settings]\n\"/axes/y/max_travel_mm\" = \"200.000\"\n";
        let (_, target) = checked("", Some(backup));
        assert_eq!((target.firmware, target.limits.travel_mm.get(Axis::Y)), (Firmware::FluidNc, Some(200.0)));
    }

    #[test]
    fn times_are_said_as_a_person_says_them() {
        for (seconds, said) in [(0.4, "0 s"), (59.6, "1 min 0 s"), (125.0, "2 min 5 s"), (7384.0, "2 h 3 min")] {
            assert_eq!(duration(seconds), said);
        }
    }
}
