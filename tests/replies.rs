//! What each line of the scenes is understood as, and who the scenes' controllers are taken for.

mod common;

use std::fmt::Write;

use common::scene;
use sunmill::grbl::identify::IdentityBuilder;
use sunmill::grbl::recording::What;
use sunmill::grbl::reply::{self, Reply};
use sunmill::grbl::{Line, realtime};
use sunmill::model::Firmware;

fn replies(name: &str) -> (Firmware, Vec<(Vec<u8>, Reply)>) {
    let (firmware, steps) = scene::load(name);
    let received = steps.into_iter().filter_map(|step| match step.what {
        What::Received(bytes) => {
            let line = bytes.strip_suffix(b"\r\n").unwrap_or(&bytes).to_owned();
            Some((reply::parse(&line, Some(firmware)), line))
        }
        _ => None,
    });
    (firmware, received.map(|(reply, line)| (line, reply)).collect())
}

/// A status report without the fields that it left out.
fn shown(reply: &Reply) -> String {
    let text = format!("{reply:?}");
    let mut rest = text.as_str();
    let mut out = String::new();
    while let Some((field, tail)) = rest.split_once(", ") {
        if !field.ends_with(": None") {
            out.push_str(field);
            out.push_str(", ");
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[test]
fn every_line_of_the_scenes_is_understood() {
    for name in scene::names() {
        let (_, replies) = replies(&name);
        let mut out = String::new();
        for (line, reply) in replies {
            writeln!(out, "{}\n    {}", line.escape_ascii(), shown(&reply)).unwrap();
        }
        insta::assert_snapshot!(name, out);
    }
}

#[test]
fn the_scenes_hold_every_kind_of_reply() {
    let all: Vec<Reply> = scene::names().iter().flat_map(|name| replies(name).1).map(|(_, reply)| reply).collect();
    for kind in [
        "Ok", "Error", "Alarm", "Status", "Banner", "Message", "Modal", "Offset", "Probe", "Info", "Echo", "Json",
        "Setting", "Startup", "Empty", "Text", "Garbage",
    ] {
        assert!(all.iter().any(|reply| format!("{reply:?}").starts_with(kind)), "no scene holds {kind}");
    }
}

#[test]
fn every_controller_is_known_by_its_answers() {
    for (name, firmware, axes, rx) in [
        ("grbl-open", Firmware::Grbl, None, Some(128)),
        ("grblhal-open", Firmware::GrblHal, Some(4), Some(1024)),
        ("fluidnc-open", Firmware::FluidNc, None, None),
    ] {
        let mut builder = IdentityBuilder::default();
        for (_, reply) in replies(name).1 {
            builder.fold(&reply);
        }
        let identity = builder.finish().expect(name);
        assert_eq!((identity.firmware, identity.axes, identity.rx_bytes), (firmware, axes, rx), "{name}");
    }
}

#[test]
fn whatever_the_scenes_send_is_a_line_or_a_realtime_byte() {
    let known = [
        realtime::STATUS,
        realtime::FEED_HOLD,
        realtime::CYCLE_START,
        realtime::SOFT_RESET,
        realtime::JOG_CANCEL,
        0x87,
    ];
    for name in scene::names() {
        let (firmware, steps) = scene::load(&name);
        for step in steps {
            let What::Sent(bytes) = step.what else { continue };
            let Some(text) = bytes.strip_suffix(b"\n") else {
                assert!(bytes.iter().all(|b| known.contains(b)), "{name}: {}", bytes.escape_ascii());
                continue;
            };
            let text = std::str::from_utf8(text).expect("ASCII");
            assert_eq!(Line::new(text, Some(firmware)).expect(text).as_str(), text, "{name}");
        }
    }
}
