//! The same hub over TCP: who is let in, and that all goes on as on the socket once somebody is.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{SinkExt, StreamExt};
use sunmill::attach::tokens::{Tokens, now_s};
use sunmill::attach::{Place, Remote, Secret, TcpError, TcpListening, TcpSetup, TlsFiles};
use sunmill::model::{MachineState, Role};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::*;

/// A hub that serves a port too.
pub(crate) struct Port {
    pub(crate) house: House,
    pub(crate) address: SocketAddr,
    pub(crate) healthy: Arc<AtomicBool>,
    tokens_file: PathBuf,
    tokens: Tokens,
}

impl Port {
    /// On any port of this computer, unless that is changed.
    pub(crate) async fn open(change: impl FnOnce(&mut TcpSetup)) -> Self {
        Self::of(House::open().await, change).await
    }

    pub(crate) async fn of(mut house: House, change: impl FnOnce(&mut TcpSetup)) -> Self {
        let tokens_file = house.folder.path().join("tokens.json");
        let mut setup = setup(&house);
        change(&mut setup);
        let listening = TcpListening::open(setup).await.expect("a port");
        let (address, healthy) = (listening.address(), Arc::new(AtomicBool::new(true)));
        let asked = Arc::clone(&healthy);
        house.server.open_tcp(listening, move || asked.load(Ordering::Relaxed));
        Self { house, address, healthy, tokens_file, tokens: Tokens::default() }
    }

    /// A new token, written as the command does.
    pub(crate) fn token(&mut self, name: &str, role: Role) -> String {
        let secret = self.tokens.add(name, role, None, now_s()).expect("a token");
        self.write_tokens();
        secret
    }

    fn revoke(&mut self, name: &str) {
        self.tokens.revoke(name).expect("a token");
        self.write_tokens();
    }

    fn write_tokens(&self) {
        use std::os::unix::fs::PermissionsExt;
        let new = self.tokens_file.with_extension("new");
        std::fs::write(&new, self.tokens.to_text()).expect("written");
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600)).expect("a mode");
        std::fs::rename(new, &self.tokens_file).expect("renamed");
    }

    /// Connects with these headers.
    async fn enter(&self, headers: &[(&'static str, &str)]) -> Result<(Ws, String), Error> {
        let stream = TcpStream::connect(self.address).await.expect("a port");
        let mut request = format!("ws://{}/ws", self.address).into_client_request().expect("a request");
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().expect("a header"));
        }
        let (socket, answer) = client_async(request, stream).await?;
        let protocol = answer.headers().get("sec-websocket-protocol");
        Ok((Ws { socket }, protocol.map_or_else(String::new, |name| name.to_str().expect("text").to_owned())))
    }

    /// Connects by a token.
    async fn ws(&self, token: &str) -> Ws {
        let (mut ws, _) = self.enter(&[("authorization", &format!("Bearer {token}"))]).await.expect("let in");
        let answer = ws.ask(1, "hello", json!({"protocol": 1, "client": "ws"})).await;
        assert_eq!(answer["result"]["protocol"], 1, "{answer}");
        ws
    }

    async fn refused(&self, headers: &[(&'static str, &str)]) -> (u16, String) {
        match self.enter(headers).await {
            Err(Error::Http(answer)) => {
                let words = answer.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
                (answer.status().as_u16(), words.into_owned())
            }
            other => panic!("{:?}", other.map(|_| "let in")),
        }
    }

    async fn end(mut self) {
        self.house.shop.until("nobody", |s| s.people.clients.is_empty()).await;
        self.house.shop.done(Command::Mdi("G4 P0".into())).await;
        self.house.shop.task.shutdown().await;
    }
}

pub(crate) fn setup(house: &House) -> TcpSetup {
    TcpSetup {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        tls: None,
        tokens: house.folder.path().join("tokens.json"),
        without_token: None,
        origins: vec!["https://panel.example".into()],
        hosts: Vec::new(),
        own_name: None,
    }
}

/// A client over WebSocket.
struct Ws {
    socket: WebSocketStream<TcpStream>,
}

impl Ws {
    async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("said");
    }

    /// The next message that is text. `None`: it is over.
    async fn next(&mut self) -> Option<Value> {
        loop {
            match timeout(LONG, self.socket.next()).await.expect("a message")? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(text.as_str()).expect("JSON")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    async fn ask(&mut self, id: u64, method: &str, params: Value) -> Value {
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()).await;
        loop {
            let message = self.next().await.expect("an answer");
            if message["id"] == json!(id) {
                return message;
            }
        }
    }
}

fn jog() -> Value {
    let vector = JogVector { direction: AxisVec::from_slice(&[1.0]), feed_mm_min: 600.0 };
    json!({"command": Command::JogContinue { vector, lease: Duration::from_millis(300) }})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_a_token_does_what_its_role_allows_and_is_known_by_it() {
    let mut port = Port::open(|_| {}).await;
    let (observer, operator) = (port.token("wall", Role::Observe), port.token("pendant", Role::Operate));
    let mut wall = port.ws(&observer).await;
    let mut pendant = port.ws(&operator).await;
    let people = port.house.shop.until("both", |s| s.people.clients.len() == 2).await.people.clone();
    assert_eq!(people.clients[0].user, "wall (token)");
    assert_eq!((people.clients[0].role, people.clients[1].role), (Role::Observe, Role::Operate));
    assert!(people.clients[1].from.starts_with("127.0.0.1:") && people.clients[1].uid.is_none(), "{people:?}");

    let answer = wall.ask(2, "command", json!({"command": {"Mdi": "G4 P0"}})).await;
    assert_eq!(answer["error"]["code"], 5, "{answer}");
    let answer = pendant.ask(2, "command", json!({"command": {"Mdi": "G91 G1 X30 F600"}})).await;
    assert_eq!(answer["result"]["outcome"], "Done", "{answer}");
    port.house.shop.until("run", |s| state(s) == Some(StateKind::Run)).await;
    // Whoever may attach may stop, and before anything else: no hello, no control.
    let (mut stranger, _) = port.enter(&[("authorization", &format!("Bearer {observer}"))]).await.expect("let in");
    let answer = stranger.ask(1, "stop", json!({})).await;
    assert_eq!(answer["result"], json!({}), "{answer}");
    port.house.shop.until("hold", |s| s.machine.state.is_some_and(MachineState::is_standstill)).await;
    let answer = pendant.ask(3, "realtime", json!({"realtime": "CycleStart"})).await;
    assert_eq!(answer["result"], json!({}));
    port.house.shop.until("run again", |s| state(s) == Some(StateKind::Run)).await;
    wall.ask(3, "realtime", json!({"realtime": "Stop"})).await;
    port.house.shop.until("hold again", |s| state(s) == Some(StateKind::Hold)).await;
    wall.ask(4, "stop_program", json!({})).await;
    port.house.shop.until("idle", |s| state(s) == Some(StateKind::Idle)).await;
    drop((wall, pendant, stranger));
    port.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jog_ends_when_its_client_closes_or_is_cut_off() {
    let mut port = Port::open(|_| {}).await;
    let operator = port.token("pendant", Role::Operate);
    for closes in [true, false] {
        let mut ws = port.ws(&operator).await;
        let answer = ws.ask(2, "submit", jog()).await;
        assert!(answer["result"]["ticket"].is_number(), "{answer}");
        port.house.shop.until("jog", |s| state(s) == Some(StateKind::Jog)).await;
        if closes {
            ws.socket.close(None).await.expect("closed");
        }
        drop(ws);
        port.house.shop.until("standstill", |s| state(s) == Some(StateKind::Idle) && s.machine.jog.is_none()).await;
        port.house.shop.until("nobody", |s| s.people.clients.is_empty() && s.people.control.is_none()).await;
    }
    port.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_revoked_cuts_who_is_here_by_it_and_nobody_else() {
    let mut port = Port::open(|_| {}).await;
    let (bad, good) = (port.token("lost-phone", Role::Operate), port.token("pendant", Role::Operate));
    let (mut phone, mut pendant) = (port.ws(&bad).await, port.ws(&good).await);
    let answer = phone.ask(2, "submit", jog()).await;
    assert!(answer["result"]["ticket"].is_number(), "{answer}");
    port.revoke("lost-phone");
    let close = loop {
        let message = timeout(LONG, phone.socket.next()).await.expect("the end").expect("a reason").expect("a reason");
        if let Message::Close(close) = message {
            break close.expect("a reason");
        }
    };
    assert_eq!((close.code, close.reason.as_str()), (CloseCode::Policy, "this token is not valid any more"));
    port.house
        .shop
        .until("the other one, in control of nothing", |s| {
            s.people.clients.len() == 1 && s.people.control.is_none() && s.machine.jog.is_none()
        })
        .await;
    assert_eq!(port.refused(&[("authorization", &format!("Bearer {bad}"))]).await.0, 401);
    assert!(pendant.ask(2, "ping", json!({})).await["result"]["now_us"].is_number());
    drop((phone, pendant));
    port.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_let_in_is_told_why_and_wrong_tokens_are_announced_once() {
    let mut port = Port::open(|_| {}).await;
    let token = port.token("panel", Role::Stop);
    let bearer = format!("Bearer {token}");
    let (status, why) = port.refused(&[]).await;
    assert!(status == 401 && why.contains("sunmill token add"), "{status} {why}");
    for wrong in ["Bearer x", "Bearer", "Basic dTpw", &bearer[..bearer.len() - 1], &format!("{bearer}0")] {
        let (status, why) = port.refused(&[("authorization", wrong)]).await;
        assert!(status == 401 && why.contains("not valid"), "{wrong}: {status} {why}");
    }
    let (status, why) = port.refused(&[("authorization", &bearer), ("origin", "https://evil.example")]).await;
    assert!(status == 403 && why.contains("attach.tcp.origins"), "{status} {why}");
    port.house.shop.done(Command::Mdi("G4 P0".into())).await;
    let told =
        |item: &&LogItem| matches!(item, LogItem::Note { text, .. } if text.contains("a token that is not valid"));
    assert_eq!(port.house.shop.log.iter().filter(told).count(), 1, "five tries in a moment are told once");
    // As a page does it: the browser names the page, and the token goes where a script can put it.
    let offered = format!("sunmill, sunmill.token.{token}");
    let page = [("origin", "https://panel.example"), ("sec-websocket-protocol", offered.as_str())];
    let (mut panel, protocol) = port.enter(&page).await.expect("let in");
    assert_eq!(protocol, "sunmill");
    assert_eq!(panel.ask(1, "hello", json!({"protocol": 1, "client": "page"})).await["result"]["role"], "stop");
    drop(panel);
    port.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_is_only_what_the_configuration_says() {
    let port = Port::open(|setup| setup.without_token = Some(Role::Stop)).await;
    let (mut ws, _) = port.enter(&[]).await.expect("let in");
    let answer = ws.ask(1, "hello", json!({"protocol": 1, "client": "script"})).await;
    assert_eq!(answer["result"]["role"], "stop", "{answer}");
    let answer = ws.ask(2, "submit", jog()).await;
    assert_eq!(answer["error"]["code"], 5, "{answer}");
    // A wrong token is not taken for none.
    assert_eq!(port.refused(&[("authorization", "Bearer x")]).await.0, 401);
    drop(ws);
    port.end().await;
    // Where others than the configuration's reader set it up: still nobody operates without one.
    let port = Port::open(|setup| setup.without_token = Some(Role::Admin)).await;
    assert_eq!(port.refused(&[]).await.0, 401);
    port.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_every_kind_are_taken_or_end_the_connection_and_disturb_nobody() {
    let mut port = Port::open(|_| {}).await;
    let token = port.token("panel", Role::Operate);
    let mut ws = port.ws(&token).await;
    // A message in pieces, with a ping between them.
    let said = json!({"jsonrpc": "2.0", "id": 7, "method": "ping"}).to_string();
    let (first, rest) = said.split_at(10);
    let piece = |text: &str, code, last| {
        let header = FrameHeader { is_final: last, opcode: OpCode::Data(code), ..FrameHeader::default() };
        Message::Frame(Frame::from_payload(header, text.to_owned().into_bytes().into()))
    };
    ws.socket.send(piece(first, Data::Text, false)).await.expect("sent");
    ws.socket.send(Message::Ping("still there?".into())).await.expect("sent");
    ws.socket.send(piece(rest, Data::Continue, true)).await.expect("sent");
    let mut ponged = false;
    loop {
        match timeout(LONG, ws.socket.next()).await.expect("a message").expect("a message").expect("a message") {
            Message::Pong(what) => ponged = what == "still there?",
            Message::Text(text) if text.contains("\"id\":7") => break,
            _ => {}
        }
    }
    assert!(ponged, "the ping is answered too");
    // Lines within a message are no messages of their own: it is one JSON text, or none.
    let answer = ws.ask(8, "ping\n", json!({})).await;
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    ws.say("{}\n{}").await;
    assert_eq!(ws.next().await.expect("an answer")["error"]["code"], -32700);

    ws.socket.send(Message::binary(&b"\x00\xff"[..])).await.expect("sent");
    assert_eq!(ws.next().await.expect("why")["error"]["code"], -32700);
    assert_eq!(ws.next().await, None, "it is cut");

    let mut ws = port.ws(&token).await;
    let long = json!({"jsonrpc": "2.0", "id": 1, "method": "x".repeat(1024 * 1024)}).to_string();
    let _ = ws.socket.send(Message::text(long)).await;
    let ended = async {
        while let Some(answer) = ws.next().await {
            assert_eq!(answer["error"]["code"], -32600, "{answer}");
        }
    };
    timeout(LONG, ended).await.expect("it is cut");

    // Bytes that are no frames at all.
    let Ws { socket } = port.ws(&token).await;
    let mut stream = socket.into_inner();
    stream.write_all(&[0xff; 4096]).await.expect("sent");
    let mut rest = Vec::new();
    let _ = timeout(LONG, stream.read_to_end(&mut rest)).await.expect("it is cut");
    port.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_link_that_has_died_or_a_client_that_takes_nothing_holds_no_place_for_ever() {
    let mut port = Port::open(|_| {}).await;
    let token = port.token("pendant", Role::Operate);
    // It neither reads nor writes any more, and nothing tells that its computer is gone.
    let silent = port.ws(&token).await;
    port.house.shop.until("a client", |s| s.people.clients.len() == 1).await;
    port.house.shop.until("nobody", |s| s.people.clients.is_empty()).await;
    drop(silent);
    // It asks and asks, and takes none of the answers.
    let mut stuck = port.ws(&token).await;
    let ask = json!({"jsonrpc": "2.0", "id": 1, "method": "status"}).to_string();
    let flood = async { while stuck.socket.send(Message::text(ask.clone())).await.is_ok() {} };
    timeout(LONG, flood).await.expect("it is cut");
    port.end().await;
}

#[tokio::test(start_paused = true)]
async fn half_a_request_and_silence_does_not_hold_a_place_either() {
    let mut port = Port::open(|_| {}).await;
    for said in ["", "GET /ws HT", "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Slow: "] {
        let mut stream = TcpStream::connect(port.address).await.expect("a port");
        stream.write_all(said.as_bytes()).await.expect("said");
        let mut rest = Vec::new();
        timeout(LONG, stream.read_to_end(&mut rest)).await.expect("it is cut").expect("the end");
    }
    // Let in, and never says who it is.
    let token = port.token("mute", Role::Observe);
    let (mut mute, _) = port.enter(&[("authorization", &format!("Bearer {token}"))]).await.expect("let in");
    assert_eq!(mute.next().await, None);
    port.end().await;
}

/// Clients in all places, then silent ones in those for stops.
#[tokio::test(start_paused = true)]
async fn more_clients_than_there_are_places_are_told_so_and_a_stop_is_heard_all_the_same() {
    let mut port = Port::open(|_| {}).await;
    let token = port.token("crowd", Role::Observe);
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let screen = moving(&mut port.house).await;
    let mut crowd = Vec::new();
    for _ in 0..64 {
        crowd.push(port.ws(&token).await);
    }
    let (mut late, _) = port.enter(&headers).await.expect("let in for a stop");
    let answer = late.ask(1, "hold", json!({})).await;
    assert_eq!(answer["result"], json!({}), "{answer}");
    port.house.shop.until("hold", |s| state(s) == Some(StateKind::Hold)).await;
    let mut silent = Vec::new();
    for _ in 1..8 {
        silent.push(port.enter(&headers).await.expect("let in for a stop").0);
    }
    let (status, why) = port.refused(&headers).await;
    assert!(status == 503 && why.contains("64 clients"), "{status} {why}");
    // Who says nothing holds none of these for long, and what does is told why it is not heard.
    let said = silent[0].next().await.expect("why");
    assert!(said["error"]["message"].as_str().is_some_and(|why| why.contains("64 clients")), "{said}");
    assert_eq!(silent[0].next().await, None, "it is cut");
    let (mut late, _) = port.enter(&headers).await.expect("let in for a stop");
    let answer = late.ask(1, "hello", json!({"protocol": 1, "client": "late"})).await;
    assert!(answer["error"]["message"].as_str().is_some_and(|why| why.contains("only what stops")), "{answer}");
    let answer = late.ask(2, "stop_program", json!({})).await;
    assert_eq!(answer["result"], json!({}), "{answer}");
    port.house.shop.until("the end of it", |s| state(s) == Some(StateKind::Idle)).await;
    // The socket has places of its own.
    let mut raw = port.house.raw().await;
    raw.hello().await;
    drop((raw, crowd, silent, late, screen));
    port.end().await;
}

/// From one address. Each new one makes the oldest give way, and none of those who are let in.
#[tokio::test(start_paused = true)]
async fn connections_that_show_nothing_keep_nobody_out() {
    let mut port = Port::open(|_| {}).await;
    let token = port.token("pendant", Role::Operate);
    let mut first = port.ws(&token).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(port.address).await.expect("a port"));
    }
    let mut late = port.ws(&token).await;
    assert!(late.ask(2, "ping", json!({})).await["result"]["now_us"].is_number());
    let mut rest = Vec::new();
    timeout(Duration::from_secs(1), silent[0].read_to_end(&mut rest)).await.expect("it gave way").expect("the end");
    assert!(first.ask(2, "ping", json!({})).await["result"]["now_us"].is_number());
    drop((first, late, silent));
    port.end().await;
}

/// Half of the places are for who has a token.
#[tokio::test(start_paused = true)]
async fn programs_without_a_token_do_not_keep_out_who_has_one() {
    let mut port = Port::open(|setup| setup.without_token = Some(Role::Stop)).await;
    let token = port.token("pendant", Role::Operate);
    let mut crowd = Vec::new();
    for id in 0..32 {
        let (mut ws, _) = port.enter(&[]).await.expect("let in");
        let answer = ws.ask(id, "hello", json!({"protocol": 1, "client": "crowd"})).await;
        assert_eq!(answer["result"]["protocol"], 1, "{answer}");
        crowd.push(ws);
    }
    let (mut more, _) = port.enter(&[]).await.expect("let in for a stop");
    assert!(more.next().await.is_some_and(|said| said["error"]["code"] == 1));
    let pendant = port.ws(&token).await;
    drop((crowd, more, pendant));
    port.end().await;
}

/// A certificate for this computer, made for this test alone.
fn certificate(house: &House) -> TlsFiles {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into(), "127.0.0.1".into()]).expect("a certificate");
    let files = TlsFiles { certificate: house.folder.path().join("c.pem"), key: house.folder.path().join("k.pem") };
    std::fs::write(&files.certificate, made.cert.pem()).expect("written");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("written");
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_screen_attaches_over_tls_and_trusts_only_whom_it_should() {
    let house = House::open().await;
    let tls = certificate(&house);
    let end = tls.valid_until_s().expect("files that fit").expect("an end");
    assert!(end > now_s(), "{end}");
    let ca = tls.certificate.clone();
    let mut port = Port::of(house, |setup| setup.tls = Some(tls)).await;
    let token = port.token("laptop", Role::Operate);
    let remote = |token: &str, ca: Option<PathBuf>| {
        let url = format!("wss://localhost:{}", port.address.port());
        Place::Remote(Remote { url, token: Some(Secret::new(token)), ca })
    };
    let me = || Me { program: "test".into(), from: "there".into(), screen: true, max_hz: Some(20.0) };
    let mut screen = connect(&remote(&token, Some(ca.clone())), me()).await.expect("a hub").hub;
    let ticket = screen.submit(Command::Mdi("G91 G1 X30 F600".into())).expect("room");
    assert_eq!(outcome(&mut screen, ticket).await, Outcome::Done);
    until(&mut screen, "run", |s| state(s) == Some(StateKind::Run)).await;
    screen.realtime(Realtime::Stop);
    until(&mut screen, "hold", |s| state(s) == Some(StateKind::Hold)).await;
    screen.realtime(Realtime::StopProgram);
    until(&mut screen, "idle", |s| state(s) == Some(StateKind::Idle)).await;
    assert!(screen.snapshot().people.clients[0].words().starts_with("laptop (token) at there, 127.0.0.1:"));

    let why = connect(&remote("x", Some(ca)), me()).await.unwrap_err().to_string();
    assert!(why.contains("not valid"), "{why}");
    let why = connect(&remote(&token, None), me()).await.unwrap_err().to_string();
    assert!(why.contains("TLS") && why.contains("--ca"), "{why}");
    let mut plain = TcpStream::connect(port.address).await.expect("a port");
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("said");
    let mut answer = String::new();
    timeout(LONG, plain.read_to_string(&mut answer)).await.expect("an answer").expect("text");
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("this port speaks TLS"), "{answer}");
    drop(screen);
    port.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_must_not_or_cannot_be_opened_is_not() {
    let house = House::open().await;
    let tls = certificate(&house);
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let base = setup(&house);
    let refused = async |setup: TcpSetup| TcpListening::open(setup).await.err().expect("refused");
    let why = refused(TcpSetup { listen: everywhere, ..base.clone() }).await;
    assert!(matches!(why, TcpError::Bare(_)) && why.to_string().contains("TLS"), "{why}");
    let why = refused(TcpSetup { listen: everywhere, tls: Some(tls.clone()), ..base.clone() }).await;
    assert!(matches!(why, TcpError::NoToken { .. }) && why.to_string().contains("sunmill token add"), "{why}");
    let swapped = TlsFiles { certificate: tls.key.clone(), key: tls.certificate.clone() };
    let why = refused(TcpSetup { tls: Some(swapped), ..base.clone() }).await;
    assert!(why.to_string().contains("k.pem: there is no certificate in it"), "{why}");
    let other = rcgen::KeyPair::generate().expect("a key");
    std::fs::write(&tls.key, other.serialize_pem()).expect("written");
    let why = refused(TcpSetup { tls: Some(tls.clone()), ..base.clone() }).await;
    assert!(why.to_string().contains("do not work together"), "{why}");
    std::fs::remove_file(&tls.key).expect("removed");
    let why = refused(TcpSetup { tls: Some(tls), ..base.clone() }).await;
    assert!(why.to_string().contains("k.pem: No such file"), "{why}");
    let first = TcpListening::open(base.clone()).await.expect("a port");
    let why = refused(TcpSetup { listen: first.address(), ..base.clone() }).await;
    assert!(matches!(why, TcpError::Taken(_)) && why.to_string().contains("attach.tcp.listen"), "{why}");
    std::fs::write(&base.tokens, "{").expect("written");
    assert!(matches!(refused(base).await, TcpError::Tokens(_)));
    house.shop.task.shutdown().await;
}
