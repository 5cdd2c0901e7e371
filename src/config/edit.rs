//! A configuration changed in one place, with its comments, order and spacing kept.

use std::fmt::Write as _;

use super::parse::{parse, port_span};
use crate::model::Endpoint;

/// A file that cannot be edited by sunmill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this file is written in a way that sunmill does not edit: set port = {port:?} in its section [machine] yourself"
)]
pub struct CannotEdit {
    port: String,
}

/// The text with `machine.port` set.
///
/// # Errors
/// The text has a mistake, or its section `[machine]` is written in an unusual way.
pub fn with_port(text: &str, port: &Endpoint) -> Result<String, CannotEdit> {
    let value = toml::Value::String(port.to_string()).to_string();
    let edited = match port_span(text) {
        Some(span) => format!("{}{value}{}", &text[..span.start], &text[span.end..]),
        None => with_line(text, &format!("port = {value}")),
    };
    // Whatever the way the file was written: what comes out says this and nothing else, or it is not written.
    let as_wanted = match (parse("", text), parse("", &edited)) {
        (Ok(mut before), Ok(after)) => {
            before.machine.port = Some(port.clone());
            before == after
        }
        _ => false,
    };
    if as_wanted { Ok(edited) } else { Err(CannotEdit { port: port.to_string() }) }
}

/// Puts a line into `[machine]`: where the sample explains it, else first, else in a new section at the end.
fn with_line(text: &str, new: &str) -> String {
    let mut out = String::with_capacity(text.len() + new.len() + 16);
    let mut place = None;
    let mut in_machine = false;
    for line in text.split_inclusive('\n') {
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push('\n');
        }
        if line.trim_start().starts_with('[') {
            in_machine = line.split('#').next().is_some_and(|header| header.trim() == "[machine]");
            if in_machine {
                place = Some(out.len());
            }
        } else if in_machine && line.starts_with("# port =") {
            place = Some(out.len());
        }
    }
    match place {
        Some(at) => out.insert_str(at, &format!("{new}\n")),
        None => {
            let gap = if out.is_empty() { "" } else { "\n" };
            let _ = write!(out, "{gap}[machine]\n{new}\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::schema::SAMPLE;
    use super::*;

    fn port() -> Endpoint {
        "/dev/serial/by-id/usb-\"x\"".parse().unwrap()
    }

    #[test]
    fn comments_and_everything_else_stay() {
        for (text, edited) in [
            ("", "[machine]\nport = '/dev/serial/by-id/usb-\"x\"'\n"),
            ("[machine]\nbaud = 9600 # slow", "[machine]\nport = '/dev/serial/by-id/usb-\"x\"'\nbaud = 9600 # slow\n"),
            (
                "# mine\n[machine] # here\nport = \"/dev/ttyUSB0\"  # the mill\n[ui]\n",
                "# mine\n[machine] # here\nport = '/dev/serial/by-id/usb-\"x\"'  # the mill\n[ui]\n",
            ),
            ("[ui]\nframe_ms = 20\n", "[ui]\nframe_ms = 20\n\n[machine]\nport = '/dev/serial/by-id/usb-\"x\"'\n"),
            ("machine = { port = \"sim\" }", "machine = { port = '/dev/serial/by-id/usb-\"x\"' }"),
        ] {
            assert_eq!(with_port(text, &port()).unwrap(), edited);
        }
    }

    #[test]
    fn the_sample_gets_it_where_it_explains_it() {
        let edited = with_port(SAMPLE, &port()).unwrap();
        let line = edited.lines().position(|line| line.starts_with("port = ")).unwrap();
        assert!(edited.lines().nth(line - 1).unwrap().starts_with("# port = "));
        assert_eq!(edited.lines().count(), SAMPLE.lines().count() + 1);
    }

    #[test]
    fn what_cannot_be_edited_is_left_alone_and_said() {
        for text in ["machine = { baud = 9600 }", "machine.baud = 9600", "[machine\n", "[nonsense]"] {
            let error = with_port(text, &port()).unwrap_err().to_string();
            assert!(error.contains("[machine]"), "{text}: {error}");
        }
    }
}
