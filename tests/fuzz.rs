//! The bodies of the fuzzers over random bytes and over what matters, so that they are alive and hold.

#[allow(unreachable_pub, reason = "it is a library of its own too")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use sunmill::model::command::HomeTarget;
use sunmill::model::jog::JogVector;
use sunmill::model::people::ControlOrder;
use sunmill::model::program::ProgramOrder;
use sunmill::model::work::Work;
use sunmill::model::{Axis, AxisVec, Command};

/// Random bytes with pieces that mean something mixed in.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..8),
        prop::sample::select(vec![
            "ok\r\n",
            "error:9\r\n",
            "ALARM:1\r\n",
            "<Idle|MPos:0,0,0|FS:0,0>\r\n",
            "<Run|MPos:1,2,3>\r\n",
            "$J=",
            "$H",
            "Grbl 1.1h ['$' for help]\r\n",
            "[VER:4.0 FluidNC v4.0.5:]\r\n",
            "\x1b[",
            "\x1b[97;1:3u",
            "\x1b[200~",
            "\x1b",
            "[machine]\n",
            "port = \"sim\"\n",
            "0.5 > ?\n",
            "0.6 < <Idle>\\x0\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Calls of the socket, whole and with bytes changed, cut out or put in.
fn calls() -> impl Strategy<Value = Vec<u8>> {
    let command = |command: Command| {
        let call = json!({"jsonrpc": "2.0", "id": 7, "method": "command", "params": {"command": command}});
        call.to_string().into_bytes()
    };
    let vector = JogVector { direction: AxisVec::from_slice(&[1.0, -1.0]), feed_mm_min: 600.0 };
    let axes = [Axis::X, Axis::Z].into_iter().collect();
    let mut whole = [
        Command::Mdi("G1 X1.5 F600".into()),
        Command::JogStep { distance: AxisVec::from_slice(&[1.5, 0.0, -1e300]), feed_mm_min: 600.0 },
        Command::JogContinue { vector, lease: Duration::from_millis(250) },
        Command::Home(HomeTarget::One(Axis::X)),
        Command::SetWork { axes, value: 12.5 },
        Command::SetSetting { key: "110".into(), value: "500".into() },
        Command::Work(Work::Set(vec![(Axis::Y, 1e-9)])),
        Command::Program(ProgramOrder::Enqueue("a.nc".into())),
        Command::Control(ControlOrder::Take { reason: "\u{0}".into() }),
    ]
    .map(command)
    .to_vec();
    whole.extend(
        [
            r#"{"jsonrpc":"2.0","id":null,"method":"hello","params":{"protocol":1,"client":"x"}}"#,
            r#"{"jsonrpc":"2.0","method":"realtime","params":{"realtime":{"FeedOverride":"FinePlus"}}}"#,
            r#"{"jsonrpc":"2.0","id":"a","method":"ask","params":{"query":{"Program":{"List":null}}}}"#,
            r#"{"jsonrpc":"2.0","id":1e9,"method":"subscribe","params":{"max_hz":1e400}}"#,
        ]
        .map(|line| line.as_bytes().to_vec()),
    );
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..4);
    let line = (prop::sample::select(whole), damage).prop_map(|(mut line, damage)| {
        for (at, byte, how) in damage {
            let at = at.index(line.len());
            match how {
                0 => line[at] = byte,
                1 => line.insert(at, byte),
                2 if line.len() > 1 => drop(line.remove(at)),
                _ => line.insert(at, b"0123456789-+.eE"[usize::from(byte) % 15]),
            }
        }
        line
    });
    prop::collection::vec(line, 1..4).prop_map(|lines| lines.join(&b'\n'))
}

proptest! {
    #[test]
    fn no_call_breaks_the_socket_and_what_is_sent_is_safe(data in calls()) {
        targets::messages(&data);
    }

    #[test]
    fn nothing_breaks_on_any_bytes(data in bytes()) {
        targets::messages(&data);
        targets::session(&data);
        targets::line(&data);
        targets::keys(&data);
        targets::texts(&data);
    }
}

/// Found by the above: an axis that no machine has ended the hub.
#[test]
fn axes_that_no_machine_has_are_no_command() {
    let refused = |command: &str| serde_json::from_str::<Command>(command).is_err();
    assert!(!refused(r#"{"Home":{"One":8}}"#) && refused(r#"{"Home":{"One":9}}"#) && refused(r#"{"Home":{"One":21}}"#));
    assert!(!refused(r#"{"SetWork":{"axes":511,"value":0}}"#) && refused(r#"{"SetWork":{"axes":512,"value":0}}"#));
    let step = |len: u8| {
        format!(r#"{{"JogStep":{{"distance":{{"values":[1,0,0,0,0,0,0,0,0],"len":{len}}},"feed_mm_min":1.0}}}}"#)
    };
    assert!(!refused(&step(9)) && refused(&step(10)) && refused(&step(255)));
}
