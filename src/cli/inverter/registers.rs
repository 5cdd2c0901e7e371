//! `sunmill inverter registers`: all that an inverter tells, register by register.

use std::sync::Arc;

use color_eyre::eyre::eyre;
use serde_json::{Value, json};

use super::args::RegistersArgs;
use super::attached::asked;
use super::held;
use super::visit::{Wanted, visit};
use crate::cli::exit::{Code, Failure};
use crate::cli::remote::with_hub;
use crate::cli::settings::Settings;
use crate::cli::{listing, out};
use crate::inverter::summary;
use crate::model::Time;
use crate::model::power::{Access, PowerAnswer, PowerQuery, RegisterRow};

pub(super) fn registers(settings: &Settings, args: &RegistersArgs) -> Result<String, Failure> {
    let (rows, now) = match &args.which.name {
        Some(name) if held::runs(settings) => of_hub(settings, name)?,
        _ => {
            let visit = visit(settings, &args.which, Wanted::Everything)?;
            if let Some(why) = &visit.unfinished {
                out::words(&format!("not all of it: {why}"));
            }
            (Arc::new(summary::registers(&visit.values)), visit.now)
        }
    };
    let rows: Vec<&RegisterRow> = rows.iter().filter(|row| is_wanted(row, args.search.as_deref())).collect();
    if args.json {
        return listing::json(&rows.iter().map(|row| told(row, now)).collect::<Vec<_>>());
    }
    Ok(text(&rows, now))
}

/// As the hub read them last, and its clock.
fn of_hub(settings: &Settings, name: &str) -> Result<(Arc<Vec<RegisterRow>>, Time), Failure> {
    let mut told = None;
    with_hub(settings, async |attached| {
        let hub = &mut attached.hub;
        held::heard(hub, name)?;
        let answer = asked(hub, PowerQuery::Registers { inverter: name.to_owned() }).await?;
        let PowerAnswer::Registers { rows, .. } = answer else {
            return Err(eyre!("the sunmill that runs answers something else").into());
        };
        let rows = rows.map_err(|why| Failure::new(Code::State, eyre!("{why}")))?;
        told = Some((rows, hub.snapshot().at));
        Ok(())
    })?;
    told.ok_or_else(|| eyre!("the sunmill that runs tells nothing").into())
}

fn is_wanted(row: &RegisterRow, search: Option<&str>) -> bool {
    let Some(search) = search else { return true };
    let search = search.to_lowercase();
    let texts = [row.id.as_str(), row.shown.as_deref().unwrap_or_default(), row.note.as_str()];
    texts.iter().any(|text| text.to_lowercase().contains(&search))
        || search.parse().is_ok_and(|address| row.addresses.contains(&address))
}

const fn access(access: Access) -> &'static str {
    match access {
        Access::ReadOnly => "ro",
        Access::ReadWrite => "rw",
        Access::WriteOnly => "wo",
    }
}

fn told(row: &RegisterRow, now: Time) -> Value {
    json!({
        "id": row.id,
        "table": row.table,
        "addresses": row.addresses,
        "raw": row.raw,
        "value": row.reading.value,
        "shown": row.shown,
        "quality": row.quality(now),
        "age_ms": row.reading.age(now).map(|age| age.as_millis() as u64),
        "access": row.access,
        "danger": row.access.writes().then_some(row.danger),
        "note": row.note,
    })
}

fn text(rows: &[&RegisterRow], now: Time) -> String {
    if rows.is_empty() {
        return "no register fits that\n".to_owned();
    }
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let raw: Vec<String> = row.raw.iter().map(ToString::to_string).collect();
            let shown = row.shown.clone().unwrap_or_else(|| row.quality(now).word().to_owned());
            let address = row.addresses.first().map_or_else(String::new, ToString::to_string);
            vec![
                address,
                row.table.word().to_owned(),
                access(row.access).to_owned(),
                row.id.clone(),
                shown,
                raw.join(" "),
            ]
        })
        .collect();
    listing::columns(&rows, &[0])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::power::{Danger, Reading, Table};

    fn row(id: &str, address: u16, shown: Option<&str>) -> RegisterRow {
        let reading = shown.map_or_else(Reading::default, |_| Reading::new(20.0, Time::ZERO, Duration::from_secs(5)));
        RegisterRow {
            id: id.into(),
            addresses: vec![address],
            table: Table::Holding,
            raw: vec![20],
            shown: shown.map(str::to_owned),
            reading,
            access: Access::ReadWrite,
            danger: Danger::Normal,
            note: "see the manual".into(),
        }
    }

    #[test]
    fn registers_are_found_and_told() {
        let rows = [row("battery_soc", 8192, Some("20 %")), row("end_soc", 8475, None)];
        let found = |search| rows.iter().filter(|row| is_wanted(row, search)).count();
        assert_eq!((found(None), found(Some("SOC")), found(Some("20 %")), found(Some("8475"))), (2, 2, 1, 1));
        assert_eq!((found(Some("manual")), found(Some("99"))), (2, 0));
        let shown = text(&rows.iter().collect::<Vec<_>>(), Time::ZERO);
        assert_eq!(shown, "8192  holding  rw  battery_soc  20 %     20\n8475  holding  rw  end_soc      unknown  20\n");
        let told = told(&rows[0], Time::from_millis(1500));
        assert_eq!((&told["quality"], &told["age_ms"], &told["value"]), (&json!("fresh"), &json!(1500), &json!(20.0)));
    }
}
