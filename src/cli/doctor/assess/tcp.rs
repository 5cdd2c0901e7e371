//! What was seen of the port, judged. Pure.

use crate::cli::doctor::facts::{PortState, Tcp};
use crate::cli::doctor::finding::Finding;
use crate::model::time::utc;

const AREA: &str = "tcp";
/// What comes of a port that cannot be opened, by what is to serve it.
const CLOSED: &str = ": sunmill daemon does not start, and with a screen the port stays closed";
/// A certificate that ends sooner is a warning.
const SOON_S: u64 = 14 * 24 * 3600;

pub(super) fn tcp(tcp: &Tcp, hub_runs: bool) -> Vec<Finding> {
    let mut found = vec![port(tcp, hub_runs)];
    found.extend(tcp.certificate.as_ref().map(|certificate| self::certificate(certificate, tcp.now_s)));
    found.push(tokens(tcp));
    found
}

fn port(tcp: &Tcp, hub_runs: bool) -> Finding {
    let listen = &tcp.listen;
    match &tcp.port {
        PortState::Answers { well: true } => Finding::ok(AREA, format!("a sunmill answers on {listen}")),
        PortState::Answers { well: false } => {
            let said = format!("a sunmill answers on {listen}, but what runs the machine stands still in it");
            Finding::problem(AREA, said, "send `sunmill bugreport` to its makers, and start it anew")
        }
        PortState::Nobody if hub_runs => {
            let said = format!("a sunmill runs, but not on {listen}");
            Finding::warning(
                AREA,
                said,
                "start it anew if it is older than its configuration; its log says what else it can be",
            )
        }
        PortState::Nobody => Finding::ok(AREA, format!("nobody listens on {listen} now")),
        PortState::Strange => {
            let said = format!("another program answers on {listen}{CLOSED}");
            Finding::problem(AREA, said, "end it (`ss -ltnp` names it), or choose another port at attach.tcp.listen")
        }
    }
}

fn certificate(certificate: &Result<Option<u64>, String>, now_s: u64) -> Finding {
    let day = |unix_s: u64| utc(unix_s).chars().take(10).collect::<String>();
    match certificate {
        Err(why) => Finding::problem(AREA, why, "mend it; where it is not for you to read, ask with sudo"),
        Ok(Some(end)) if *end <= now_s => {
            Finding::problem(AREA, format!("the certificate ended on {}", day(*end)), "renew it: clients refuse it")
        }
        Ok(Some(end)) if *end - now_s < SOON_S => {
            let said = format!("the certificate ends on {}", day(*end));
            Finding::warning(AREA, said, "renew it; a sunmill that runs takes the new one within a minute")
        }
        Ok(Some(end)) => Finding::ok(AREA, format!("the certificate is valid until {}", day(*end))),
        Ok(None) => Finding::ok(AREA, "certificate and key fit; until when it is valid cannot be told"),
    }
}

fn tokens(tcp: &Tcp) -> Finding {
    match &tcp.tokens {
        Err(why) => Finding::problem(AREA, why, "mend it; where it is not for you to read, ask with sudo"),
        Ok((0, over)) => {
            let was = if *over > 0 { ", all that there are are over" } else { "" };
            let said = format!("no token is good{was} ({})", tcp.tokens_file);
            let remedy = "sunmill token add NAME --role ROLE makes one";
            match (tcp.loopback, tcp.without_token) {
                (false, _) => Finding::problem(AREA, said + CLOSED, remedy),
                (true, false) => Finding::warning(AREA, said + ", so nobody comes in", remedy),
                (true, true) => Finding::ok(AREA, said + "; who comes without one looks, or stops"),
            }
        }
        Ok((good, over)) => Finding::ok(AREA, format!("tokens: {good} good, {over} over ({})", tcp.tokens_file)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Level;

    fn well() -> Tcp {
        Tcp {
            listen: "10.0.0.5:7410".into(),
            loopback: false,
            port: PortState::Answers { well: true },
            certificate: Some(Ok(Some(2_000_000_000))),
            tokens: Ok((2, 0)),
            tokens_file: "/s/tokens.json".into(),
            without_token: false,
            now_s: 1_800_000_000,
        }
    }

    fn worst(facts: &Tcp) -> (Level, String) {
        let worst = tcp(facts, true).into_iter().max_by_key(|finding| finding.level).unwrap();
        (worst.level, format!("{} ({})", worst.what, worst.remedy.unwrap_or_default()))
    }

    #[test]
    fn all_is_well_where_all_is_there() {
        let found = tcp(&well(), true);
        assert_eq!((found.len(), worst(&well()).0), (3, Level::Ok));
        assert!(found[1].what.contains("2033-05-18"), "{found:?}");
    }

    #[test]
    fn what_is_in_the_way_is_named_with_its_remedy() {
        let of = |facts: Tcp| worst(&facts);
        let (level, what) = of(Tcp { certificate: Some(Ok(Some(1_799_999_999))), ..well() });
        assert!(level == Level::Problem && what.contains("ended on 2027-01-15") && what.contains("renew"), "{what}");
        let (level, what) = of(Tcp { certificate: Some(Ok(Some(1_800_086_400))), ..well() });
        assert!(level == Level::Warning && what.contains("ends on 2027-01-16"), "{what}");
        let (level, what) = of(Tcp { certificate: Some(Err("/k.pem: Permission denied".into())), ..well() });
        assert!(level == Level::Problem && what.contains("/k.pem") && what.contains("sudo"), "{what}");
        let (level, what) = of(Tcp { tokens: Ok((0, 1)), ..well() });
        assert!(
            level == Level::Problem && what.contains("stays closed") && what.contains("sunmill token add"),
            "{what}"
        );
        let (level, what) = of(Tcp { tokens: Ok((0, 0)), loopback: true, ..well() });
        assert!(level == Level::Warning && what.contains("nobody comes in"), "{what}");
        assert_eq!(of(Tcp { tokens: Ok((0, 0)), loopback: true, without_token: true, ..well() }).0, Level::Ok);
        let (level, what) = of(Tcp { port: PortState::Strange, ..well() });
        assert!(
            level == Level::Problem
                && what.contains("another program")
                && what.contains("daemon does not start")
                && what.contains("attach.tcp.listen"),
            "{what}"
        );
        let (level, what) = of(Tcp { port: PortState::Nobody, ..well() });
        assert!(level == Level::Warning && what.contains("start it anew"), "{what}");
        assert_eq!(of(Tcp { port: PortState::Answers { well: false }, ..well() }).0, Level::Problem);
        assert_eq!(tcp(&Tcp { port: PortState::Nobody, ..well() }, false)[0].level, Level::Ok);
    }
}
