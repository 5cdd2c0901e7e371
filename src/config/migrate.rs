//! Older formats of `config.toml`.
//!
//! A step lifts a parsed file from one version to the next. It works on the table, not on the text, so
//! that every value keeps its place for error messages. The file itself is never rewritten.

use toml::de::{DeTable, DeValue};

use super::schema::VERSION;

/// Lifts a file by one version.
pub(super) type Step = fn(&mut DeTable<'_>);

/// The step at index n lifts from version n + 1.
const STEPS: &[Step] = &[];

const _: () = assert!(STEPS.len() + 1 == VERSION as usize, "each version needs the step that leads to it");

/// Lifts `table` to [`VERSION`].
///
/// # Errors
/// What is wrong with the `version` key, without its place: the caller knows that.
pub(super) fn migrate(table: &mut DeTable<'_>) -> Result<(), String> {
    lift(table, STEPS)
}

fn lift(table: &mut DeTable<'_>, steps: &[Step]) -> Result<(), String> {
    let newest = steps.len() + 1;
    let Some(version) = table.get("version") else {
        return Ok(());
    };
    let DeValue::Integer(number) = version.get_ref() else {
        return Err(format!("version must be a whole number from 1 to {newest}"));
    };
    let found = usize::from_str_radix(number.as_str(), number.radix())
        .ok()
        .filter(|found| *found >= 1)
        .ok_or_else(|| format!("version is {number}, but must be a whole number from 1 to {newest}"))?;
    if found > newest {
        return Err(format!(
            "version {found} was written for a newer sunmill; this one reads up to version {newest}. \
             Update sunmill, or name another file with --config"
        ));
    }
    for step in &steps[found - 1..] {
        step(table);
    }
    // What is left is of the newest version, which is the default of the key.
    table.remove("version");
    Ok(())
}

#[cfg(test)]
mod tests {
    use toml::Spanned;

    use super::*;

    fn lifted<'i>(text: &'i str, steps: &[Step]) -> Result<DeTable<'i>, String> {
        let mut table = DeTable::parse(text).unwrap().into_inner();
        lift(&mut table, steps)?;
        Ok(table)
    }

    #[test]
    fn an_older_file_is_lifted_step_by_step() {
        fn rename(table: &mut DeTable<'_>) {
            let (key, value) = table.remove_entry("speed").unwrap();
            table.insert(Spanned::new(key.span(), "baud".into()), value);
        }
        fn drop_old(table: &mut DeTable<'_>) {
            table.remove("old");
        }
        let table = lifted("version = 1\nspeed = 9600\nold = 1", &[rename, drop_old]).unwrap();
        let keys: Vec<&str> = table.keys().map(|key| key.get_ref().as_ref()).collect();
        assert_eq!(keys, ["baud"]);

        let table = lifted("version = 2\nspeed = 9600\nold = 1", &[rename, drop_old]).unwrap();
        assert!(table.contains_key("speed") && !table.contains_key("old"));
    }

    #[test]
    fn a_newer_file_is_refused_in_words() {
        let error = lifted("version = 2", &[]).unwrap_err();
        assert!(error.contains("newer sunmill") && error.contains("up to version 1"), "{error}");
        for text in ["version = 0", "version = -1", "version = \"1\""] {
            let error = lifted(text, &[]).unwrap_err();
            assert!(error.contains("from 1 to 1"), "{error}");
        }
    }
}
