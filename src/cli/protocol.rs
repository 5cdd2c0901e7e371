//! `sunmill protocol`: the page of the protocol, from the tables that the server answers by.

use std::fmt::Write as _;

use crate::attach::{Code, METHODS, Method, NOTIFICATIONS, PROTOCOL};

/// All of it, as Markdown.
pub(super) fn page() -> String {
    let mut text = format!(
        "# sunmill's protocol, version {PROTOCOL}\n\n\
         JSON-RPC 2.0 with params by name, one object a line of at most 1 MiB, on the hub's Unix socket. Unknown members are passed over. A request without an id gets no\n\
         answer. A client that takes nothing for 5 s is cut off; one that says nothing for 10 s can lose control to anybody.\n\n\
         ## Methods\n"
    );
    for method in METHODS {
        one(&mut text, method);
    }
    text += "\n## What the hub sends unasked\n";
    for method in NOTIFICATIONS {
        one(&mut text, method);
    }
    text += "\n## Errors\n\n";
    for code in Code::ALL {
        let _ = writeln!(text, "{:>7}  {}", code.number(), code.meaning());
    }
    text
}

fn one(text: &mut String, method: &Method) {
    let _ = writeln!(text, "\n### {}\n\n{}\nFor: {}.", method.name, method.about, method.who);
    for (title, fields) in [("takes", method.params), ("gives", method.result)] {
        if !fields.is_empty() {
            let _ = writeln!(text, "{title}");
        }
        for field in fields {
            let _ = writeln!(text, "  {:<12} {:<17} {}", field.name, field.kind, field.about);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_and_error_is_on_the_page() {
        let page = page();
        for method in METHODS {
            assert!(page.contains(&format!("### {}\n", method.name)));
            assert!(method.params.iter().all(|field| page.contains(field.about)), "{}", method.name);
        }
        assert!(page.contains("-32700  the line is not JSON") && page.contains("      5  the client's role"));
    }
}
