//! Listings for programs: one JSON document, or CSV.

use color_eyre::eyre::WrapErr;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::exit::Failure;

pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(value).wrap_err("cannot be written as JSON")?;
    text.push('\n');
    Ok(text)
}

/// A line for each row after one with `names`, which stands there also where there are no rows.
pub(super) fn csv<T: Serialize>(names: &[&str], rows: &[T]) -> Result<String, Failure> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(names).wrap_err("cannot be written as CSV")?;
    for row in rows {
        writer.serialize(row).wrap_err("cannot be written as CSV")?;
    }
    let bytes = writer.into_inner().wrap_err("cannot be written as CSV")?;
    Ok(String::from_utf8(bytes).wrap_err("cannot be written as CSV")?)
}

/// A text in columns, each as wide as its widest cell; those in `right` stand to the right. What a terminal would act on is
/// shown as a dot.
pub(super) fn columns(rows: &[Vec<String>], right: &[usize]) -> String {
    let plain = |cell: &String| cell.replace(char::is_control, "·");
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(plain).collect()).collect();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows.iter().map(Vec::len).max().unwrap_or(0)).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let fill = " ".repeat(width - cell.width());
            let [before, after] = if right.contains(&column) { [fill.as_str(), ""] } else { ["", fill.as_str()] };
            let gap = if column == 0 { "" } else { "  " };
            line.extend([gap, before, cell, after]);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The beginning of a text that is longer than so many letters, with a mark that says so.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['\u{2026}']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_quotes_what_it_must_and_names_its_columns() {
        assert_eq!(csv(&["a", "b"], &[("x,\"y\"", 1.5)]).unwrap(), "a,b\n\"x,\"\"y\"\"\",1.5\n");
        assert_eq!(csv::<(u8,)>(&["a"], &[]).unwrap(), "a\n");
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows =
            [["name", "n", ""], ["über", "12", "e\u{1b}d"], ["面", "3", ""]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(columns(&rows, &[1]), "name   n\nüber  12  e·d\n面     3\n");
    }
}
