//! The bodies of the fuzzers over random bytes and over what matters, so that they are alive and hold.

#[allow(unreachable_pub, reason = "it is a library of its own too")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use proptest::prelude::*;

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

proptest! {
    #[test]
    fn nothing_breaks_on_any_bytes(data in bytes()) {
        targets::session(&data);
        targets::line(&data);
        targets::keys(&data);
        targets::texts(&data);
    }
}
