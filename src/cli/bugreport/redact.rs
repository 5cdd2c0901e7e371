//! Takes secrets out of texts. Pure.
//!
//! Three times over: what a configuration has under a name that speaks of a secret; the same words wherever else they come up;
//! and in every line what follows such a name (`$Sta/Password=…`), or stands before the host of an address.

use toml::Value;

/// What stands in the place of a secret.
const REMOVED: &str = "[removed]";
/// Names that speak of a secret wherever they stand.
const WORDS: [&str; 7] = ["password", "passwd", "passphrase", "secret", "token", "credential", "psk"];
/// Names that speak of secrets and are none: who may come in without a token, and the file in which their hashes are.
const NONE: [&str; 2] = ["without_token", "tokens"];
/// A secret shorter than this is only removed where it stands: it would be found in other words.
const SHORTEST: usize = 5;

/// A configuration without its secrets, and what they were. `None`: it is no TOML.
pub(super) fn config(text: &str) -> Option<(String, Vec<String>)> {
    let mut table: toml::Table = text.parse().ok()?;
    let mut found = Vec::new();
    for (name, value) in &mut table {
        // The names there are those of actions.
        if name != "keys" {
            walk(value, is_secret(name), &mut found);
        }
    }
    Some((toml::to_string(&table).ok()?, found))
}

/// Every text in the lines of a broken configuration that speak of a secret.
pub(super) fn of_broken(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| is_secret(line));
    let quoted = lines.flat_map(|line| line.split(['"', '\'']).skip(1).step_by(2));
    quoted.map(str::to_owned).collect()
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.contains(word)) || name == "key" || name.ends_with("_key") || name.ends_with("-key")
}

fn walk(value: &mut Value, secret: bool, found: &mut Vec<String>) {
    match value {
        Value::Table(table) => {
            table.iter_mut().for_each(|(name, value)| {
                let known = value.is_str() && NONE.contains(&name.as_str());
                walk(value, secret || is_secret(name) && !known, found);
            });
        }
        Value::Array(values) => values.iter_mut().for_each(|value| walk(value, secret, found)),
        Value::Boolean(_) => {}
        value if secret => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            found.push(text);
            *value = Value::String(REMOVED.to_owned());
        }
        _ => {}
    }
}

/// A text without these secrets, and without what its lines say after a name of a secret.
pub(super) fn text(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST) {
        text = text.replace(secret.as_str(), REMOVED);
    }
    text.lines().map(|one| address(&line(one)) + "\n").collect()
}

/// What follows `password=` and the like goes, to the end of the line.
fn line(line: &str) -> String {
    let small = line.to_ascii_lowercase();
    let cut = WORDS.iter().flat_map(|word| small.match_indices(word)).filter_map(|(begin, word)| {
        let after = begin + word.len();
        let gap = line[after..].chars().take_while(|c| c.is_alphanumeric() || "_-\"' ]".contains(*c));
        let at = after + gap.map(char::len_utf8).sum::<usize>();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let from = small[..begin].rfind(|c| !is_name(c)).map_or(0, |before| before + 1);
        let to = small[after..].find(|c| !is_name(c)).map_or(small.len(), |length| after + length);
        (line[at..].starts_with(['=', ':']) && !NONE.contains(&small.get(from..to)?)).then_some(at + 1)
    });
    match cut.min() {
        Some(at) if !line[at..].trim().is_empty() => format!("{} {REMOVED}", &line[..at]),
        _ => line.to_owned(),
    }
}

/// `scheme://user:word@host` without user and word.
fn address(line: &str) -> String {
    let Some((before, rest)) = line.split_once("://") else { return line.to_owned() };
    let end = rest.find(|c: char| c.is_whitespace() || "\"'/<>".contains(c)).unwrap_or(rest.len());
    let (authority, after) = rest.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{REMOVED}@{host}"),
        None => authority.to_owned(),
    };
    format!("{before}://{authority}{}", address(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_a_secret_is_removed_and_the_rest_stays() {
        let written = "# token = \"in a remark\"\n[machine]\nport = \"sim\"\n[keys]\nhome = \"F5\"\n\
                       [attach.tcp]\nlisten = \"127.0.0.1:7125\"\nwithout_token = \"stop\"\napi_key = \"abcdef\"\n\
                       [[attach.tcp.tokens]]\nname = \"shop\"\nhash = \"0123456789\"\nexpires = 2027-01-01\nold = true\n\
                       [mqtt]\nPassword = 12345678\nbroker = \"mqtt://u:pw@host:1883/x\"\n";
        let (shown, found) = config(written).unwrap();
        for gone in ["remark", "abcdef", "shop", "0123456789", "12345678", "2027"] {
            assert!(!shown.contains(gone), "{gone}: {shown}");
        }
        for kept in [
            "port = \"sim\"",
            "home = \"F5\"",
            "127.0.0.1:7125",
            "without_token = \"stop\"",
            "api_key = \"[removed]\"",
            "old = true",
        ] {
            assert!(shown.contains(kept), "{kept}: {shown}");
        }
        assert!(found.contains(&"abcdef".to_owned()) && found.contains(&"12345678".to_owned()));
        assert!(!text(&shown, &found).contains("u:pw"), "{shown}");
        assert_eq!(config("[machine"), None);
        assert_eq!(of_broken("[machine\ntoken = \"hush-hush\"\nport = \"sim\""), ["hush-hush"]);
    }

    #[test]
    fn lines_lose_what_follows_a_name_of_a_secret() {
        for (written, left) in [
            ("12.5 > $Sta/Password=hush\\n", "12.5 > $Sta/Password= [removed]"),
            ("auth_token: hush more", "auth_token: [removed]"),
            ("{\"Token\": \"hush\"}", "{\"Token\": [removed]"),
            ("the token is new", "the token is new"),
            ("tokens = \"/var/lib/sunmill/tokens.json\"", "tokens = \"/var/lib/sunmill/tokens.json\""),
            ("tokens: 2 good; token: hush", "tokens: 2 good; token: [removed]"),
            ("without_token = \"observe\"", "without_token = \"observe\""),
            ("my-tokens = hush", "my-tokens = [removed]"),
            ("Sta/Password=", "Sta/Password="),
            ("a http://me:hush@mill/x and ws://b:hush@c", "a http://[removed]@mill/x and ws://[removed]@c"),
            ("mail a@b about tcp://mill:23", "mail a@b about tcp://mill:23"),
            ("Schlüssel secret=ü", "Schlüssel secret= [removed]"),
        ] {
            assert_eq!(text(written, &[]), format!("{left}\n"));
        }
        assert_eq!(
            text("it was hush-hush, or hush", &["hush-hush".into(), "hush".into()]),
            "it was [removed], or hush\n"
        );
    }
}
