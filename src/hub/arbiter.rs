//! What may be done now: a command becomes an order, or is refused with the reason.

use crate::driver::machine::OrderKind;
use crate::grbl::Line;
use crate::grbl::outputs::within_caps;
use crate::grbl::session::{JogOrder, SettingOrder};
use crate::hub::compose;
use crate::model::command::{Command, Refused};
use crate::model::jog::{MAX_LEASE, MIN_LEASE};
use crate::model::legal;
use crate::model::people::ControlOrder;
use crate::model::power::PowerOrder;
use crate::model::program::{ProgramOrder, Start};
use crate::model::settings;
use crate::model::snapshot::Snapshot;
use crate::model::sun::SunOrder;
use crate::model::time::Time;
use crate::model::work::{self, Frame, GoTo, Work};

/// Checks `command` against what is known and makes it ready to send: one order, or several that go one after the
/// other, each only when the one before was accepted.
///
/// # Errors
/// The reason, as a sentence fragment that says what to do first.
pub fn decide(command: &Command, snapshot: &Snapshot, now: Time) -> Result<Vec<OrderKind>, Refused> {
    legal::check(command, snapshot, now)?;
    let texts = match command {
        &Command::JogStep { distance, feed_mm_min } => {
            return Ok(vec![OrderKind::Jog(JogOrder::Step { distance, feed_mm_min })]);
        }
        &Command::JogContinue { vector, lease } => {
            let lease = lease.clamp(MIN_LEASE, MAX_LEASE);
            return Ok(vec![OrderKind::Jog(JogOrder::Continue { vector, lease })]);
        }
        Command::SetSetting { key, value } => {
            return set(key, value, snapshot).map(|order| vec![OrderKind::Set(order)]);
        }
        Command::ReadSettings => return Ok(vec![OrderKind::ListSettings]),
        Command::UsePort(endpoint) => return Ok(vec![OrderKind::UsePort(endpoint.clone())]),
        Command::BackupSettings | Command::CompareBackup { .. } | Command::RestoreSettings { .. } => {
            return Err(Refused::because("files are not the machine's business"));
        }
        Command::Program(_) => return Err(Refused::because("programs are the runner's business")),
        Command::Control(_) => return Err(Refused::because("control is not the machine's business")),
        Command::Power(_) => return Err(Refused::because("inverters are not the machine's business")),
        Command::Sun(_) => return Err(Refused::because("rules are not the machine's business")),
        Command::Mdi(text) => {
            within_caps(text, &snapshot.outputs)?;
            vec![text.clone()]
        }
        Command::Home(target) => vec![compose::home(*target)],
        Command::Unlock => vec!["$X".to_owned()],
        Command::SetWork { axes, value } => {
            vec![compose::set_work(*axes, *value, snapshot.machine.modal.as_ref())?]
        }
        Command::Work(_) | Command::GoTo(_) | Command::Switch(_) => work::compose(command, snapshot)?,
    };
    let firmware = snapshot.machine.identity.as_ref().map(|identity| identity.firmware);
    let line = |text: &String| Line::new(text, firmware).map_err(|error| Refused::because(error.to_string()));
    texts.iter().map(|text| line(text).map(OrderKind::Line)).collect()
}

/// Whether there is any use in trying it now, as far as that is known before it is tried.
///
/// # Errors
/// The reason.
pub fn may(command: &Command, snapshot: &Snapshot, now: Time) -> Result<(), Refused> {
    match command {
        Command::BackupSettings
        | Command::CompareBackup { .. }
        | Command::RestoreSettings { .. }
        | Command::Program(_)
        | Command::Control(_)
        | Command::Power(_)
        | Command::Sun(_) => legal::check(command, snapshot, now),
        _ => decide(command, snapshot, now).map(drop),
    }
}

/// The setting under the name that the controller gives it, with the value as it writes it.
fn set(key: &str, value: &str, snapshot: &Snapshot) -> Result<SettingOrder, Refused> {
    let row = snapshot.machine.settings.find(key);
    let row = row.ok_or_else(|| Refused::because(format!("the controller has listed no setting ${key}")))?;
    let value = settings::check(row, value).map_err(|why| Refused::because(why.to_string()))?;
    Ok(SettingOrder { key: row.key.clone(), value })
}

/// Whether a jog cancel voids it too.
pub const fn is_jog(command: &Command) -> bool {
    matches!(command, Command::JogStep { .. } | Command::JogContinue { .. })
}

/// What was asked, in a few words for the log.
pub fn describe(command: &Command) -> String {
    match command {
        Command::Mdi(text) => text.trim().to_owned(),
        Command::JogStep { distance, feed_mm_min } => {
            let words: Vec<_> = distance
                .iter()
                .filter(|(_, d)| *d != 0.0)
                .map(|(axis, d)| format!("{axis}{}{}", if d > 0.0 { "+" } else { "" }, compose::number(d)))
                .collect();
            format!("jog {} at {} mm/min", words.join(" "), compose::number(*feed_mm_min))
        }
        Command::JogContinue { vector, .. } => {
            let words: Vec<_> = vector
                .direction
                .iter()
                .filter(|(_, d)| *d != 0.0)
                .map(|(axis, d)| format!("{axis}{}", if d > 0.0 { '+' } else { '-' }))
                .collect();
            format!("keep jogging {}", words.join(" "))
        }
        Command::Home(target) => compose::home(*target),
        Command::Unlock => "$X".to_owned(),
        Command::SetSetting { key, value } => format!("${key}={value}"),
        Command::ReadSettings => "read the settings".to_owned(),
        Command::BackupSettings => "back up the settings".to_owned(),
        Command::CompareBackup { name, with } => {
            format!("compare {name} with {}", with.as_deref().unwrap_or("the machine"))
        }
        Command::RestoreSettings { name, .. } => format!("restore {name}"),
        Command::SetWork { axes, value } => format!("set work {axes} to {}", compose::number(*value)),
        Command::Work(order) => describe_work(order),
        Command::GoTo(go_to) => describe_go_to(go_to),
        Command::Switch(switch) => work::of_switch(*switch),
        Command::Program(order) => describe_program(order),
        Command::Power(order) => describe_power(order),
        Command::Sun(order) => describe_sun(order),
        Command::Control(ControlOrder::Acquire) => "acquire control".to_owned(),
        Command::Control(ControlOrder::Take { reason }) if reason.is_empty() => "take control".to_owned(),
        Command::Control(ControlOrder::Take { reason }) => format!("take control: {reason}"),
        Command::Control(ControlOrder::Release) => "release control".to_owned(),
        Command::UsePort(endpoint) => format!("use the port {endpoint}"),
    }
}

fn describe_work(order: &Work) -> String {
    match order {
        Work::Select(wcs) => format!("select {}", wcs.name()),
        Work::Set(values) => format!("set work{}", words(values)),
        Work::Half(axes) => format!("halve work {axes}"),
        Work::Store(stored) => format!("store {} here", stored.name()),
        Work::ClearG92 => "clear G92".to_owned(),
        Work::SetToolLength(mm) => format!("set tool length {}", compose::number(*mm)),
        Work::ClearToolLength => "clear tool length".to_owned(),
        Work::Undo(id) => format!("undo change {id}"),
    }
}

fn describe_sun(order: &SunOrder) -> String {
    match order {
        SunOrder::Park => "park".to_owned(),
        SunOrder::SetAside { rule } => format!("set rule {rule:?} aside for this program"),
        SunOrder::TakeBack { rule } => format!("let rule {rule:?} act again"),
        SunOrder::StartWhenSun(run) => {
            let path = &run.path;
            format!("start {} when the sun allows", path.file_name().unwrap_or(path.as_os_str()).display())
        }
        SunOrder::CancelStart => "cancel the start when the sun allows".to_owned(),
        SunOrder::CancelStartOf { path } => {
            format!("do not start {} when the sun allows", path.file_name().unwrap_or(path.as_os_str()).display())
        }
        SunOrder::SpindleGo { .. } => "start the spindle although power is short".to_owned(),
        SunOrder::SpindleDrop => "drop the spindle start that waits for power".to_owned(),
        SunOrder::Dismiss => "put away what rules and parking have told".to_owned(),
    }
}

fn describe_power(order: &PowerOrder) -> String {
    match order {
        PowerOrder::Set { inverter, settings } => {
            let words: Vec<_> = settings.iter().map(|wanted| format!("{}={}", wanted.id, wanted.text)).collect();
            format!("{inverter}: set {}", words.join(", "))
        }
        PowerOrder::Arm => "arm dangerous inverter settings".to_owned(),
        PowerOrder::Disarm => "disarm dangerous inverter settings".to_owned(),
        PowerOrder::ConfirmIdentity { inverter } => format!("{inverter}: confirm the device that answers"),
        PowerOrder::ReadSettings { inverter } => format!("{inverter}: read the settings"),
        PowerOrder::Enable { inverter, on } => format!("{inverter}: switch polling {}", if *on { "on" } else { "off" }),
        PowerOrder::Reconnect { bus } => format!("{bus}: try to connect now"),
        PowerOrder::ForgetSaved { inverter, id } => format!("{inverter}: forget what was saved of {id}"),
    }
}

fn describe_program(order: &ProgramOrder) -> String {
    let name = |path: &std::path::Path| path.file_name().unwrap_or(path.as_os_str()).display().to_string();
    match order {
        ProgramOrder::Run(run) => match &run.start {
            Start::Beginning => format!("run {}", name(&run.path)),
            Start::Line { line, .. } => format!("run {} from line {line}", name(&run.path)),
            Start::Outline { .. } => format!("drive round the outline of {}", name(&run.path)),
        },
        ProgramOrder::PauseAtLineEnd => "pause the program at the end of a line".to_owned(),
        ProgramOrder::Resume => "resume the program".to_owned(),
        ProgramOrder::SkipLine => "skip the refused line".to_owned(),
        ProgramOrder::StepAside => "stop the program where it waits, to jog and zero".to_owned(),
        ProgramOrder::Forget(id) => format!("forget the interrupted run {}", id.0),
        ProgramOrder::Enqueue(path) => format!("queue {}", name(path)),
        ProgramOrder::Unqueue(place) => format!("take place {} out of the queue", place + 1),
    }
}

fn describe_go_to(go_to: &GoTo) -> String {
    match go_to {
        GoTo::Point { targets, frame, .. } => {
            let frame = match frame {
                Frame::Work => "go to",
                Frame::Relative => "go by",
                Frame::Machine => "go to machine",
            };
            format!("{frame}{}", words(targets))
        }
        GoTo::WorkZero { axes, .. } => format!("go to work zero {axes}"),
        GoTo::Stored { stored, .. } => format!("go to {}", stored.name()),
    }
}

fn words(values: &[(crate::model::Axis, f64)]) -> String {
    values.iter().fold(String::new(), |text, (axis, value)| text + " " + &axis.to_string() + &compose::number(*value))
}

#[cfg(test)]
use crate::model;
#[cfg(test)]
#[path = "../../fuzz/src/idle.rs"]
mod idle;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::outputs::{Output, OutputOrder, OutputPin};
    use crate::model::work::Switch;

    fn with_fan() -> (Snapshot, Time) {
        let fan = Output { name: "fan".into(), pin: OutputPin::Analog(0), max: 60.0 };
        let (snapshot, now) = idle::idle();
        (Snapshot { outputs: Arc::new(vec![fan]), ..snapshot }, now)
    }

    #[test]
    fn an_output_is_one_line_and_its_cap_holds_for_typed_lines_too() {
        let (snapshot, now) = with_fan();
        let ask = |command: &Command| decide(command, &snapshot, now).map_err(|why| why.0);
        let fan = |value| Command::Switch(Switch::Output(OutputOrder { pin: OutputPin::Analog(0), value }));
        let orders = ask(&fan(60.0)).unwrap();
        assert!(matches!(&orders[..], [OrderKind::Line(line)] if line.as_str() == "M68 E0 Q60"), "{orders:?}");
        assert!(ask(&fan(61.0)).unwrap_err().contains("0 to 60"));
        let typed = |text: &str| ask(&Command::Mdi(text.to_owned()));
        assert!(typed("M68 E0 Q60").is_ok() && typed("M68 E1 Q99").is_ok());
        for line in ["M68 E0 Q61", "m67e0q99", "M68 E0 Q[30*3]"] {
            assert!(typed(line).unwrap_err().contains("fan takes"), "{line}");
        }
    }
}
