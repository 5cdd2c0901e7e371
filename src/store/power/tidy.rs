//! What is too old goes, each grain at its own age.

use rusqlite::Connection;

use super::table;
use crate::model::power::Grain;
use crate::store::options::StoreOptions;

pub(in crate::store) fn tidy(connection: &Connection, options: &StoreOptions, now_ms: i64) -> rusqlite::Result<()> {
    let ages = [
        (Grain::Raw, options.power_ticks_for),
        (Grain::Minute, options.power_minutes_for),
        (Grain::Quarter, options.power_quarters_for),
    ];
    for (grain, age) in ages {
        let oldest = now_ms - i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let sql = format!("DELETE FROM {} WHERE id < ?1", table::name(grain));
        connection.prepare(&sql)?.execute([table::key(oldest, 0)])?;
    }
    Ok(())
}
