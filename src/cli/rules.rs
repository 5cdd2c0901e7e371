//! `sunmill rules`: what the rules of a configuration mean, and what the battery will do.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use color_eyre::eyre::eyre;
use serde::Serialize;
use tokio::time::timeout;

use super::exit::{Code, Failure};
use super::out;
use super::own_profiles::{Known, Profiles};
use super::remote::{TakeArgs, gone, with_hub};
use super::settings::Settings;
use crate::config::{Config, Rule};
use crate::inverter::summary;
use crate::model::sun::{Action, Choice, Expr, Flag, Plan, WhenUnknown, Word};

/// A hub that has just started makes its plan within this.
const MADE: Duration = Duration::from_secs(90);

/// `sunmill rules …`
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Say what each rule of a configuration means; or its first mistake with file, line and column
    Check {
        /// The file; otherwise the one in force
        file: Option<PathBuf>,
        /// As a JSON array with an object for each rule
        #[arg(long)]
        json: bool,
    },
    /// Print how the rules of the sunmill that runs stand: what each sees, when it fired last, whether it is set aside
    List {
        /// As a JSON array with an object for each rule
        #[arg(long)]
        json: bool,
    },
    /// Set a rule aside for the program that runs, or the next one; --back lets it act again
    ///
    /// Until that program is over the rule shows and is told, and does nothing. Who did that stands in the audit.
    Aside {
        /// The rule, by name
        rule: String,
        /// Let it act again: what it would have done in the meantime it does now, if that still holds
        #[arg(long)]
        back: bool,
        /// Control
        #[command(flatten)]
        take: TakeArgs,
    },
    /// Print what the battery will do until tomorrow morning, and which time windows would be good
    ///
    /// Advice only: nothing of it is written to an inverter. It rests on the history of the last days, on a clear sky where [sun]
    /// says where the panels are, and on [[tariff]]. The exit code is 5 where there is too little to go by.
    Plan {
        /// As a JSON object
        #[arg(long)]
        json: bool,
    },
}

/// A rule as it was understood.
#[derive(Debug, Serialize)]
struct Told<'a> {
    name: &'a str,
    when: &'a str,
    understood: String,
    #[serde(rename = "do")]
    action: &'static str,
    inverter: Option<&'a str>,
    unknown: WhenUnknown,
    notes: Vec<String>,
}

/// What `check` prints.
///
/// # Errors
/// JSON cannot be written.
pub(super) fn checked(settings: &Settings, json: bool) -> Result<String, Failure> {
    let config = &settings.config;
    let profiles = Profiles::load(settings.profile_folder.as_deref());
    let told: Vec<Told<'_>> = config.rule.iter().map(|rule| told(config, &profiles, rule)).collect();
    if json {
        return Ok(serde_json::to_string_pretty(&told).map_err(color_eyre::Report::from)? + "\n");
    }
    if told.is_empty() {
        return Ok(format!("no rules in {}: [[rule]] names one\n", settings.source));
    }
    let mut text = String::new();
    for (rule, told) in config.rule.iter().zip(&told) {
        let _ = writeln!(text, "{}", told.name);
        let _ = writeln!(text, "  when     {}", told.understood);
        let _ = writeln!(text, "  does     {}: {}", told.action, rule.action.words());
        let _ = writeln!(text, "  unknown  {}", unknown(told.unknown));
        for note in &told.notes {
            let _ = writeln!(text, "  note     {note}");
        }
    }
    Ok(text)
}

/// Prints the plan of the sunmill that runs.
pub(super) fn plan(settings: &Settings, json: bool) -> Result<ExitCode, Failure> {
    with_hub(settings, async |attached| {
        let hub = &mut attached.hub;
        let made = async {
            loop {
                if let Some(made) = hub.snapshot().sun.plan.clone() {
                    return Ok::<_, Failure>(made);
                }
                hub.next().await.map_err(gone)?;
            }
        };
        let none =
            || Failure::new(Code::State, eyre!("there is no plan: no inverter is configured, or no history is kept"));
        let made = timeout(MADE, made).await.map_err(|_elapsed| none())??;
        let plan = made.map_err(|why| Failure::new(Code::State, eyre!("{why}")))?;
        let text = if json {
            serde_json::to_string_pretty(&*plan).map_err(color_eyre::Report::from)? + "\n"
        } else {
            in_words(&plan)
        };
        Ok(out::data(&text)?)
    })
}

fn in_words(plan: &Plan) -> String {
    let mut text = format!("{}, made at {}: {}\n\n", plan.inverter, plan.made, plan.summary());
    let _ =
        writeln!(text, "{:>6} {:>8} {:>8} {:>8} {:>8} {:>7}", "from", "sun W", "load W", "grid W", "spare W", "charge");
    for hour in &plan.hours {
        let _ = writeln!(
            text,
            "{:>6} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {:>5.0} %",
            hour.from.to_string(),
            hour.pv_w,
            hour.load_w,
            hour.grid_w,
            hour.spare_w,
            hour.soc_percent
        );
    }
    text.push('\n');
    for window in &plan.windows {
        let _ = writeln!(text, "advice   {}\n         because {}", window.words(), window.why);
    }
    if plan.windows.is_empty() {
        text.push_str("advice   no time window would make it better\n");
    } else {
        text.push_str("         nothing of this was written: the page of settings (tab Power, 4) does that\n");
    }
    for assumed in &plan.assumed {
        let _ = writeln!(text, "assumed  {assumed}");
    }
    text
}

/// What of a rule the family of its inverter never tells.
fn never_told(profiles: &Profiles, profile: &str, expr: &Expr) -> Vec<String> {
    // A SunSpec device says itself what it has, and one's own that is broken is said elsewhere.
    let Known::Profile(profile) = profiles.find(profile) else { return Vec::new() };
    let lacks = summary::lacks(&profile);
    let mut notes: Vec<String> = Vec::new();
    for word in expr.words() {
        let lacking: Vec<String> = match word {
            Word::Quantity(quantity) => {
                quantity.roles().iter().filter(|role| lacks.contains(role)).map(ToString::to_string).collect()
            }
            Word::Flag(flag) => {
                let tells = match flag {
                    Flag::InverterFault => summary::tells_faults(&profile, false),
                    Flag::InverterWarning => summary::tells_faults(&profile, true),
                    Flag::Overload => summary::tells_overload(&profile),
                    Flag::SpindleOn => true,
                };
                if tells { Vec::new() } else { vec![flag.name().to_owned()] }
            }
            Word::Choice(Choice::Grid) if !summary::tells_grid_loss(&profile) => {
                vec!["enough of a lost grid".to_owned()]
            }
            Word::Choice(_) => Vec::new(),
        };
        for role in lacking {
            let note = match word {
                Word::Quantity(quantity) if quantity.name() != role => {
                    format!(
                        "profile {} never tells {role}, which {} needs: it is never known",
                        profile.name,
                        quantity.name()
                    )
                }
                _ => format!("profile {} never tells {role}: it is never known", profile.name),
            };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}

fn told<'a>(config: &'a Config, profiles: &Profiles, rule: &'a Rule) -> Told<'a> {
    let expr = &rule.when.expr;
    let only = match config.inverter.as_slice() {
        [one] => Some(one.name.as_str()),
        _ => None,
    };
    let inverter = rule.inverter.as_deref().or(only).filter(|_| expr.needs_inverter());
    let mut notes = Vec::new();
    if expr.needs_inverter() && inverter.is_none() {
        notes.push("no [[inverter]] is configured: it reads the simulated one, or nothing".to_owned());
    }
    let capacity = config.inverter.iter().find(|known| Some(known.name.as_str()) == inverter);
    if expr.needs_capacity() && capacity.is_some_and(|known| known.capacity_kwh.is_none()) {
        notes.push("minutes_left is never known without capacity_kwh of that inverter".to_owned());
    }
    if let Some(known) = capacity {
        notes.extend(never_told(profiles, &known.profile, expr));
    }
    notes.extend(expr.senseless());
    if rule.action.acts() {
        notes.push("no program is started while it holds, unless the rule is set aside for it".to_owned());
    }
    if rule.action == Action::DelaySpindle {
        notes.push(
            "it holds back M3 and M4 of programs, typed lines and keys; a spindle that turns already goes on"
                .to_owned(),
        );
    }
    if rule.action == Action::Park && config.park.x.is_none() && config.park.y.is_none() {
        notes.push("[park] names no x and y: only Z goes up".to_owned());
    }
    Told {
        name: &rule.name,
        when: &rule.when.text,
        understood: expr.to_string(),
        action: rule.action.name(),
        inverter,
        unknown: rule.unknown,
        notes,
    }
}

const fn unknown(what: WhenUnknown) -> &'static str {
    match what {
        WhenUnknown::Show => "it shows; the machine is neither moved nor stopped",
        WhenUnknown::BlockStart => "no program is started; the machine is neither moved nor stopped",
    }
}

#[cfg(test)]
mod tests {
    use super::super::environment::Environment;
    use super::*;

    fn settings(text: &str) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, text).unwrap();
        let env = Environment { home: Some("/h".into()), ..Environment::default() };
        Settings::new(Some(file), None, None, &env).unwrap()
    }

    #[test]
    fn what_the_inverter_never_tells_and_what_makes_no_sense_is_said() {
        let with = |profile: &str, when: &str| {
            let text = EVENING.replace("srne", profile);
            let (inverter, _) = text.split_once("[[rule]]").unwrap();
            checked(&settings(&format!("{inverter}[[rule]]\nname = \"a\"\nwhen = \"{when}\"\n")), false).unwrap()
        };
        for (profile, when, note) in [
            ("senergy", "overload", "note     profile senergy_hybrid never tells overload: it is never known"),
            ("sungrow", "inverter_fault", "never tells inverter_fault"),
            ("solis", "load_percent > 110", "never tells load_percent"),
            ("solis", "spare_power < 500", "never tells rated_power, which spare_power needs"),
            ("senergy", "battery_soc < 150", "note     battery_soc < 150 % always holds"),
        ] {
            let text = with(profile, when);
            assert!(text.contains(note), "{text}\n  lacks {note}");
        }
        for (profile, when) in [("senergy", "load_percent > 110"), ("easun_smg", "overload"), ("sunspec", "overload")] {
            assert!(!with(profile, when).contains("note"), "{profile} {when}");
        }
    }

    const EVENING: &str = "[[bus]]\nname = \"b\"\nport = \"/dev/x\"\n[[inverter]]\nname = \"roof\"\nbus = \"b\"\n\
                           profile = \"srne\"\n[[rule]]\nname = \"evening\"\n\
                           when = \"grid = lost and minutes_left < park_time + 5min for 10s\"\ndo = \"park\"\n";

    #[test]
    fn a_rule_is_said_in_words_with_what_it_lacks() {
        let text = checked(&settings(EVENING), false).unwrap();
        for line in [
            "evening\n",
            "  when     all(grid = lost, minutes_left < park_time + 5 min for 10s)\n",
            "  does     park: hold, spindle stop",
            "  unknown  it shows; the machine is neither moved nor stopped\n",
            "  note     minutes_left is never known without capacity_kwh of that inverter\n",
            "  note     [park] names no x and y: only Z goes up\n",
        ] {
            assert!(text.contains(line), "{text}\n  lacks {line}");
        }
        assert!(checked(&settings(""), false).unwrap().starts_with("no rules in "));
    }

    #[test]
    fn scripts_get_the_same_as_json() {
        let json: serde_json::Value = serde_json::from_str(&checked(&settings(EVENING), true).unwrap()).unwrap();
        assert_eq!((json[0]["name"].as_str(), json[0]["do"].as_str()), (Some("evening"), Some("park")));
        assert_eq!((json[0]["inverter"].as_str(), json[0]["unknown"].as_str()), (Some("roof"), Some("show")));
        assert_eq!(json[0]["notes"].as_array().map(Vec::len), Some(3));
    }
}
