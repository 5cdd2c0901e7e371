//! `sunmill protocol`: the page of the protocol, from the tables that the server answers by.

use std::fmt::Write as _;

use crate::attach::{Code, METHODS, Method, NOTIFICATIONS, PROTOCOL};

const TCP: &str = "\
## Over TCP

With [attach.tcp] in config.toml the same messages go over WebSocket (RFC 6455) at ws://host:port/ws, or wss:// where a certificate
is configured: each message is one object in one text message of at most 1 MiB; binary messages end the connection. The hub pings every 10 s
and cuts off who answers nothing for 30 s. A request names this hub as its Host by an address or a name of it (else 421), and
no Origin but one of attach.tcp.origins (else 403); programs send none.

A token (sunmill token add) gives the role. It goes as a header, never into the address:
  Authorization: Bearer TOKEN
A script in a page, which can set no header, names the subprotocols \"sunmill\" and \"sunmill.token.TOKEN\"; the answer names \"sunmill\".
A token that is missing, wrong, over or revoked gets 401; one that is revoked meanwhile is cut off within a second (close code 1008).

For monitors, by GET, one request a connection:
  /healthz       for everybody: 200 ok, or 503 not ok where a loop of the machine or the hub stands still
  /status.json   observe: {\"now_us\", \"state\"}, as the result of ping and status
  /metrics       observe: OpenMetrics 1.0 in base units; what is not known or is too old is left out
";

/// All of it, as Markdown.
pub(super) fn page() -> String {
    let mut text = format!(
        "# sunmill's protocol, version {PROTOCOL}\n\n\
         JSON-RPC 2.0 with params by name, one object a line of at most 1 MiB, on the hub's Unix socket, or over TCP (see below). Unknown members are passed over. A request without an id gets no\n\
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
    text + "\n" + TCP
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
