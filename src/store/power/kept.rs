//! Settings that people saved, and what is remembered of each inverter.

use rusqlite::{Connection, OptionalExtension, params};

use super::table;
use crate::model::power::Saved;

pub(in crate::store) fn save_setting(connection: &Connection, inverter: &str, saved: &Saved) -> rusqlite::Result<()> {
    let number = table::number_or_new(connection, inverter)?;
    connection
        .prepare("INSERT OR REPLACE INTO saved_settings (inverter, id, text, who, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![number, saved.id, saved.text, saved.who, saved.at_ms])
        .map(|_| ())
}

pub(in crate::store) fn forget_setting(connection: &Connection, inverter: &str, id: &str) -> rusqlite::Result<()> {
    connection
        .prepare("DELETE FROM saved_settings WHERE id = ?2 AND inverter = (SELECT id FROM inverters WHERE name = ?1)")?
        .execute([inverter, id])
        .map(|_| ())
}

/// In the order of their ids.
pub(in crate::store) fn saved(connection: &Connection, inverter: &str) -> rusqlite::Result<Vec<Saved>> {
    connection
        .prepare(
            "SELECT id, text, who, at_ms FROM saved_settings
             WHERE inverter = (SELECT id FROM inverters WHERE name = ?1) ORDER BY id",
        )?
        .query_map([inverter], |row| {
            Ok(Saved { id: row.get(0)?, text: row.get(1)?, who: row.get(2)?, at_ms: row.get(3)? })
        })?
        .collect()
}

/// An empty text is forgotten.
pub(in crate::store) fn remember(
    connection: &Connection,
    inverter: &str,
    key: &str,
    text: &str,
) -> rusqlite::Result<()> {
    let number = table::number_or_new(connection, inverter)?;
    if text.is_empty() {
        connection
            .prepare("DELETE FROM inverter_memory WHERE inverter = ?1 AND key = ?2")?
            .execute(params![number, key])?;
        return Ok(());
    }
    connection
        .prepare("INSERT OR REPLACE INTO inverter_memory (inverter, key, text) VALUES (?1, ?2, ?3)")?
        .execute(params![number, key, text])
        .map(|_| ())
}

pub(in crate::store) fn memory(connection: &Connection, inverter: &str, key: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare(
            "SELECT text FROM inverter_memory
             WHERE key = ?2 AND inverter = (SELECT id FROM inverters WHERE name = ?1)",
        )?
        .query_row([inverter, key], |row| row.get(0))
        .optional()
}
