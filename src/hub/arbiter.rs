//! What may be done now: a command becomes an order, or is refused with the reason.

use crate::driver::machine::OrderKind;
use crate::grbl::Line;
use crate::grbl::session::{JogOrder, SettingOrder};
use crate::hub::compose;
use crate::model::command::{Command, Refused};
use crate::model::jog::{MAX_LEASE, MIN_LEASE};
use crate::model::legal;
use crate::model::settings;
use crate::model::snapshot::Snapshot;
use crate::model::time::Time;

/// Checks `command` against what is known and makes it ready to send.
///
/// # Errors
/// The reason, as a sentence fragment that says what to do first.
pub fn decide(command: &Command, snapshot: &Snapshot, now: Time) -> Result<OrderKind, Refused> {
    legal::check(command, snapshot, now)?;
    let text = match command {
        &Command::JogStep { distance, feed_mm_min } => {
            return Ok(OrderKind::Jog(JogOrder::Step { distance, feed_mm_min }));
        }
        &Command::JogContinue { vector, lease } => {
            return Ok(OrderKind::Jog(JogOrder::Continue { vector, lease: lease.clamp(MIN_LEASE, MAX_LEASE) }));
        }
        Command::SetSetting { key, value } => return set(key, value, snapshot).map(OrderKind::Set),
        Command::ReadSettings => return Ok(OrderKind::ListSettings),
        Command::Mdi(text) => text.clone(),
        Command::Home(target) => compose::home(*target),
        Command::Unlock => "$X".to_owned(),
        Command::SetWork { axes, value } => compose::set_work(*axes, *value, snapshot.machine.modal.as_ref())?,
    };
    let firmware = snapshot.machine.identity.as_ref().map(|identity| identity.firmware);
    let line = Line::new(&text, firmware).map_err(|error| Refused::because(error.to_string()))?;
    Ok(OrderKind::Line(line))
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
        Command::SetWork { axes, value } => format!("set work {axes} to {}", compose::number(*value)),
    }
}
