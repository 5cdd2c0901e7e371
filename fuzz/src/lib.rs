//! What the fuzzers run: each takes any bytes and must neither panic nor break what it promises.
//!
//! `cargo +nightly fuzz run session` and so on, from the top folder. The same functions run in the test suite over random bytes,
//! so that they cannot rot.

mod idle;

use std::time::Duration;

use serde_json::json;
use sunmill::attach::{Call, Code};
use sunmill::driver::machine::OrderKind;
use sunmill::grbl::session::{JogOrder, SessionConfig};
use sunmill::grbl::tables::Tables;
use sunmill::grbl::{Event, Line, Session, recording};
use sunmill::hub::arbiter;
use sunmill::model::command::{Realtime, TicketId};
use sunmill::model::desk::Query;
use sunmill::model::jog::JogVector;
use sunmill::model::latch::RealtimeSet;
use sunmill::model::people::ControlOrder;
use sunmill::model::{self, AxisVec, Command, Firmware, Time};
use sunmill::ui::input::decode::Decoder;

const FIRMWARES: [Option<Firmware>; 4] = [None, Some(Firmware::Grbl), Some(Firmware::FluidNc), Some(Firmware::GrblHal)];

/// A session that is told anything, in any pieces, by a link and by people: the first byte of each piece says what happens.
///
/// Each ticket that it took ends once, and nothing is sent on a closed link.
pub fn session(data: &[u8]) {
    let mut session = Session::new(SessionConfig::default(), Tables::load());
    let mut now = Time::from_millis(1);
    let (mut taken, mut ended, mut tickets) = (0_u32, 0_u32, 0_u64);
    session.handle_open(now);
    for piece in data.chunks(17) {
        let (what, bytes) = piece.split_first().map_or((0, piece), |(what, bytes)| (*what, bytes));
        now += Duration::from_millis(u64::from(what) * 7);
        tickets += 1;
        let ticket = TicketId(tickets);
        match what % 8 {
            0..=2 => session.handle_bytes(now, bytes),
            3 => {
                let text = String::from_utf8_lossy(bytes);
                if let Ok(line) = Line::new(&text, None) {
                    taken += u32::from(session.submit(now, line, ticket).is_ok());
                }
            }
            4 => {
                let vector = JogVector { direction: AxisVec::from_slice(&[1.0]), feed_mm_min: 500.0 };
                let order = JogOrder::Continue { vector, lease: Duration::from_millis(200) };
                taken += u32::from(session.jog(now, order, ticket).is_ok());
            }
            5 => {
                let keys = [Realtime::Stop, Realtime::SoftReset, Realtime::JogCancel, Realtime::CycleStart];
                let key = keys[usize::from(bytes.first().copied().unwrap_or(0)) % keys.len()];
                let mut set = RealtimeSet::default();
                set.insert(key);
                session.realtime(now, set);
            }
            6 => session.handle_timeout(now),
            _ => {
                session.handle_closed(now);
                assert_eq!(session.poll_transmit(now, &mut [0; 64], 64), 0, "nothing goes out on a closed link");
                session.handle_open(now);
            }
        }
        let mut out = [0; 64];
        let sent = session.poll_transmit(now, &mut out, 32);
        assert!(sent <= out.len());
        ended += outcomes(&mut session);
    }
    session.handle_closed(now);
    ended += outcomes(&mut session);
    assert_eq!(ended, taken, "each ticket ends once");
}

fn outcomes(session: &mut Session) -> u32 {
    std::iter::from_fn(|| session.poll_event()).filter(|event| matches!(event, Event::Outcome { .. })).count() as u32
}

/// Whatever becomes a line holds nothing that a controller acts on by itself.
pub fn line(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for firmware in FIRMWARES {
        let Ok(line) = Line::new(&text, firmware) else { continue };
        assert!(is_safe(&line), "{line}");
    }
}

/// Any bytes from a terminal, in two pieces; the bytes of a key cannot be lost or repeated for ever.
pub fn keys(data: &[u8]) {
    let mut decoder = Decoder::new(Duration::from_millis(50));
    let mut now = Time::from_millis(1);
    for piece in data.chunks(data.len().div_ceil(2).max(1)) {
        now += Duration::from_millis(20);
        decoder.feed(now, piece);
    }
    decoder.handle_timeout(now + Duration::from_secs(5));
    let events = std::iter::from_fn(|| decoder.poll()).take(2 * data.len() + 3).count();
    assert!(events <= 2 * data.len() + 2, "{events} events from {} bytes", data.len());
}

/// Lines that come in through the socket: each is a call that can be read again, or is answered with a reason; and what it asks of
/// the machine is decided, to lines that hold nothing that a controller acts on by itself.
pub fn messages(data: &[u8]) {
    let (snapshot, now) = idle::idle();
    for line in data.split(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let call = match Call::read(&text) {
            Ok(call) => call,
            Err((_, problem)) => {
                assert!(!problem.message.is_empty() && Code::ALL.contains(&problem.code));
                continue;
            }
        };
        let mut again = json!({"jsonrpc": "2.0", "method": call.method, "params": call.params});
        if let Some(id) = &call.id {
            again["id"] = id.clone();
        }
        // Numbers may be a little different, which is nothing to a reader.
        assert!(
            Call::read(&again.to_string())
                .is_ok_and(|read| read.method == call.method && read.id.is_some() == call.id.is_some())
        );
        let asked = |name: &str| call.params.get(name).cloned().unwrap_or_default();
        if let Ok(command) = serde_json::from_value::<Command>(asked("command")) {
            let _ = arbiter::describe(&command);
            for order in arbiter::decide(&command, &snapshot, now).unwrap_or_default() {
                if let OrderKind::Line(line) = order {
                    assert!(is_safe(&line), "{line} of {command:?}");
                }
            }
        }
        let _ = serde_json::from_value::<Realtime>(asked("realtime"));
        let _ = serde_json::from_value::<Query>(asked("query"));
        let _ = serde_json::from_value::<ControlOrder>(asked("order"));
    }
}

fn is_safe(line: &Line) -> bool {
    line.as_str().bytes().all(|byte| (0x20..0x7F).contains(&byte) && !b"!?~".contains(&byte))
}

/// Files that people write: the configuration and recordings.
pub fn texts(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = sunmill::config::parse("config.toml", &text);
    for record in recording::read(&text) {
        let _ = record;
    }
}
