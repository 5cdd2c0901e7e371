//! The registers as text, for a file.

use super::words;
use crate::model::Time;
use crate::model::power::RegisterRow;

/// Addresses of a register, decimal and hexadecimal.
pub fn addresses(row: &RegisterRow) -> (String, String) {
    let decimal: Vec<String> = row.addresses.iter().map(ToString::to_string).collect();
    let hex: Vec<String> = row.addresses.iter().map(|at| format!("{at:04x}")).collect();
    (decimal.join(","), hex.join(","))
}

/// The words as they came, in hexadecimal.
pub fn raw(row: &RegisterRow) -> String {
    row.raw.iter().map(|word| format!("{word:04x}")).collect::<Vec<_>>().join(" ")
}

/// All of them, a line each, with tabs between the columns.
pub fn register_table(rows: &[RegisterRow], now: Time) -> String {
    let mut text = "table\taddress\thex\tid\traw\tvalue\tquality\tage\tnote\n".to_owned();
    for row in rows {
        let (decimal, hex) = addresses(row);
        let quality = row.quality(now).word();
        let age = row.reading.age(now).map_or(String::new(), words::span);
        let shown = row.shown.as_deref().unwrap_or_default();
        let note = row.note.replace(['\t', '\n'], " ");
        let columns = [row.table.word(), &decimal, &hex, &row.id, &raw(row), shown, quality, &age, &note];
        text.push_str(&columns.join("\t"));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::{NOW, power as scene};

    #[test]
    fn every_register_is_a_line_with_its_age_and_none_is_0() {
        let text = register_table(&scene::registers(), NOW);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[2], "holding\t4150,4151\t1036,1037\tpv_power\t0000 0906\t2310 W\tstale\t20 s\t");
        assert_eq!(lines[4], "holding\t4500\t1194\tbms_cycles\t\t\tquarantined\t\t");
    }
}
