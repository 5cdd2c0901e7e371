//! `sunmill doctor`.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::assess::assess;
use super::finding::{Finding, Level};
use super::gather::gather;
use crate::cli::environment::Environment;
use crate::cli::exit::Failure;
use crate::cli::settings::{BadSettings, Settings};
use crate::cli::{listing, out};

/// Options of `sunmill doctor`.
#[derive(Clone, Copy, Debug, Args)]
pub struct DoctorArgs {
    /// As one JSON document
    #[arg(long)]
    json: bool,
}

/// Looks, judges and prints. The exit code is 1 where there is a problem.
pub(in crate::cli) fn run(
    settings: Result<Settings, BadSettings>,
    environment: &Environment,
    args: DoctorArgs,
) -> Result<ExitCode, Failure> {
    let found = findings(settings, environment);
    let count = |level| found.iter().filter(|finding| finding.level == level).count();
    let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
    if args.json {
        out::data(&listing::json(&json!({"problems": problems, "warnings": warnings, "findings": found}))?)?;
    } else {
        out::data(&text(&found))?;
    }
    Ok(if problems > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// All findings on this computer.
pub(in crate::cli) fn findings(settings: Result<Settings, BadSettings>, environment: &Environment) -> Vec<Finding> {
    assess(&gather(settings, environment))
}

/// For people: a line for each finding, its remedy below, the sum at the end.
pub(in crate::cli) fn text(found: &[Finding]) -> String {
    let plain = |text: &str| text.replace(char::is_control, " ");
    let mut text = String::new();
    for finding in found {
        let _ = writeln!(text, "{:<9}{:<9} {}", finding.level, finding.area, plain(&finding.what));
        if let Some(remedy) = &finding.remedy {
            let _ = writeln!(text, "{:19}-> {}", "", plain(remedy));
        }
    }
    let count = |level, one: &str| match found.iter().filter(|finding| finding.level == level).count() {
        0 => format!("no {one}s"),
        1 => format!("1 {one}"),
        many => format!("{many} {one}s"),
    };
    let _ = writeln!(text, "\n{}, {}", count(Level::Problem, "problem"), count(Level::Warning, "warning"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_is_a_line_with_its_remedy_below() {
        let found = [
            Finding::ok("clock", "it is set"),
            Finding::warning("socket", "left\u{1b}[2J behind", "nothing"),
            Finding::problem("port", "gone", "plug it in"),
        ];
        assert_eq!(
            text(&found),
            "ok       clock     it is set\n\
             warning  socket    left [2J behind\n                   -> nothing\n\
             PROBLEM  port      gone\n                   -> plug it in\n\
             \n1 problem, 1 warning\n"
        );
    }
}
