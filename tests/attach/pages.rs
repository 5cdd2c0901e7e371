//! The pages for monitors on the hub's port.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use sunmill::model::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::tcp::Port;
use super::*;

/// An answer: status, head in small letters, body.
struct Page {
    status: u16,
    head: String,
    body: String,
}

impl Port {
    /// Says this, and hears all that comes.
    async fn say(&self, text: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("a port");
        // Who is refused early is not listened to any more.
        let _ = stream.write_all(text.as_bytes()).await;
        let mut said = Vec::new();
        let _ = timeout(LONG, stream.read_to_end(&mut said)).await.expect("an end");
        String::from_utf8_lossy(&said).into_owned()
    }

    async fn request(&self, line: &str, headers: &str) -> Page {
        let said = self.say(&format!("{line} HTTP/1.1\r\n{headers}\r\n")).await;
        let (head, body) = said.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{line}: {said:?}"));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        Page { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    async fn get(&self, path: &str, token: &str) -> Page {
        self.request(&format!("GET {path}"), &format!("Host: localhost\r\nAuthorization: Bearer {token}\r\n")).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_for_everybody_and_the_rest_for_who_may_look() {
    let mut port = Port::open(|_| {}).await;
    let token = port.token("monitor", Role::Observe);
    let bare = "Host: 127.0.0.1\r\n";
    let page = port.request("GET /healthz", bare).await;
    assert_eq!((page.status, page.body.as_str()), (200, "ok\n"));
    assert!(page.head.contains("cache-control: no-store") && page.head.contains("connection: close"), "{}", page.head);
    port.healthy.store(false, Ordering::Relaxed);
    let page = port.request("GET /healthz", bare).await;
    assert_eq!((page.status, page.body.as_str()), (503, "not ok\n"));
    for path in ["/status.json", "/metrics", "/ws"] {
        let page = port.request(&format!("GET {path}"), bare).await;
        assert!([401, 426].contains(&page.status), "{path}: {}", page.status);
        assert!(page.status != 401 || page.head.contains("www-authenticate: bearer"), "{}", page.head);
    }
    let page = port.get("/status.json", &token).await;
    let status: Value = serde_json::from_str(&page.body).expect("JSON");
    assert!(page.status == 200 && page.head.contains("content-type: application/json"), "{}", page.head);
    assert!(status["now_us"].as_u64() >= status["state"]["at"].as_u64() && status["state"]["machine"].is_object());
    let page = port.request("HEAD /status.json", &format!("{bare}Authorization: Bearer {token}\r\n")).await;
    assert_eq!((page.status, page.body.as_str()), (200, ""));
    port.house.shop.task.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_wrong_are_refused_in_words_and_disturb_nobody() {
    let mut port = Port::open(|_| {}).await;
    let token = port.token("monitor", Role::Admin);
    let with = |more: &str| format!("Host: localhost\r\nAuthorization: Bearer {token}\r\n{more}");
    for (line, headers, status, words) in [
        ("GET /", with(""), 404, "/metrics"),
        ("GET /status.json/..", with(""), 404, "/ws"),
        ("POST /status.json", with(""), 405, "only GET"),
        ("DELETE /ws", with(""), 405, "only GET"),
        ("GET /ws", with(""), 426, "WebSocket"),
        (
            "GET /ws",
            with("Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
            426,
            "WebSocket",
        ),
        ("GET /ws", with("Connection: upgrade\r\nUpgrade: h2c\r\n"), 426, "WebSocket"),
        ("GET /metrics?token=abc", "Host: localhost\r\n".to_owned(), 400, "Authorization: Bearer"),
        ("GET /metrics", format!("Host: evil.example\r\nAuthorization: Bearer {token}\r\n"), 421, "attach.tcp.hosts"),
        ("GET /metrics", format!("Authorization: Bearer {token}\r\n"), 400, "Host"),
        ("GET /metrics", with("Origin: https://evil.example\r\n"), 403, "attach.tcp.origins"),
        ("GET /healthz", "Host: localhost\r\nOrigin: null\r\n".to_owned(), 403, "attach.tcp.origins"),
    ] {
        let page = port.request(line, &headers).await;
        assert_eq!(page.status, status, "{line} {headers}: {}", page.body);
        assert!(page.body.contains(words), "{line}: {}", page.body);
        assert!(page.head.contains("connection: close") || page.status == 426, "{}", page.head);
    }
    // No HTTP, or too much of it.
    for junk in ["\0\0\0\0\r\n\r\n", "hello\r\n\r\n", "\u{16}\u{3}\u{1}", "GET  HTTP/9\r\n\r\n"] {
        let said = port.say(&format!("{junk}\n\n")).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{junk:?}: {said}");
    }
    let said =
        port.say(&format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(100_000))).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    port.house.shop.done(Command::Mdi("G4 P0".into())).await;
    port.house.shop.task.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_numbers_are_openmetrics_to_the_letter() {
    let mut port = Port::open(|_| {}).await;
    let token = port.token("prometheus", Role::Observe);
    let mut raw = port.house.raw().await;
    raw.hello().await;
    port.house
        .shop
        .until("a client, and the link's counters", |s| s.people.clients.len() == 1 && s.machine.link.stats.reports > 0)
        .await;
    let page = port.get("/metrics", &token).await;
    assert_eq!(page.status, 200);
    let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(page.head.contains(kind), "{}", page.head);
    let samples = strictly(&page.body);
    let value = |series: &str| samples.get(series).copied();
    assert_eq!(value("sunmill_cnc_up{machine=\"main\"}"), Some(1.0));
    assert_eq!(value("sunmill_cnc_state{machine=\"main\",state=\"idle\"}"), Some(1.0));
    assert_eq!(value("sunmill_cnc_state{machine=\"main\",state=\"run\"}"), Some(0.0));
    assert_eq!(value("sunmill_clients{kind=\"script\"}"), Some(1.0));
    assert_eq!(value("sunmill_client_dropped_updates_total"), Some(0.0));
    assert!(value("sunmill_cnc_reports_total{machine=\"main\"}") > Some(0.0), "{samples:?}");
    assert!(!page.body.contains("sunmill_battery") && !page.body.contains("NaN"), "{}", page.body);
    drop(raw);
    port.house.shop.task.shutdown().await;
}

/// Reads a page by the rules of OpenMetrics 1.0, as far as gauges, counters and infos go. Gives the values by their series.
fn strictly(page: &str) -> BTreeMap<String, f64> {
    let body = page.strip_suffix("# EOF\n").expect("the page ends with # EOF");
    let mut family: Option<(String, String, String)> = None;
    let mut families = BTreeSet::new();
    let mut samples = BTreeMap::new();
    for line in body.lines() {
        if let Some(meta) = line.strip_prefix("# ") {
            let mut words = meta.splitn(3, ' ');
            let (kind, name, text) = (words.next(), words.next().expect("a name"), words.next().expect("a text"));
            if family.as_ref().is_none_or(|(known, ..)| known != name) {
                assert!(families.insert(name.to_owned()), "{name} comes twice");
                family = Some((name.to_owned(), String::new(), String::new()));
            }
            let (_, its_type, its_unit) = family.as_mut().expect("a family");
            match kind {
                Some("TYPE") => {
                    assert!(its_type.is_empty() && ["gauge", "counter", "info"].contains(&text), "{line}");
                    text.clone_into(its_type);
                }
                Some("UNIT") => {
                    assert!(name.ends_with(&format!("_{text}")), "{line}");
                    text.clone_into(its_unit);
                }
                Some("HELP") => assert!(!text.contains('\n') && text.chars().all(|c| c != '"'), "{line}"),
                _ => panic!("{line}"),
            }
            continue;
        }
        let (series, number) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line:?}"));
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').unwrap_or_else(|| panic!("{line}"))),
            None => (series, ""),
        };
        let (known, its_type, _) = family.as_ref().unwrap_or_else(|| panic!("{line} belongs to nothing"));
        let ending = match its_type.as_str() {
            "counter" => "_total",
            "info" => "_info",
            "gauge" => "",
            _ => panic!("{line} has no type"),
        };
        assert_eq!(name, format!("{known}{ending}"), "{line}");
        assert!(name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_'), "{line}");
        for label in labels.split("\",").filter(|label| !label.is_empty()) {
            let (key, value) = label.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            assert!(!key.is_empty() && key.bytes().all(|c| c.is_ascii_lowercase() || c == b'_'), "{line}");
            assert!(!value.trim_end_matches('"').contains('"'), "{line}");
        }
        let value: f64 = number.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(value.is_finite() && (its_type != "counter" || value >= 0.0), "{line}");
        assert!(samples.insert(series.to_owned(), value).is_none(), "{line} comes twice");
    }
    samples
}
