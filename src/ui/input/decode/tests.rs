use proptest::prelude::*;

use super::*;

const LOCAL: Duration = Duration::from_millis(25);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Feeds pieces with gaps between them, serving time-outs on the way, and waits at the end.
fn run(pieces: &[(&[u8], Duration)]) -> Vec<Input> {
    let mut decoder = Decoder::new(LOCAL);
    let mut now = Time::from_millis(1000);
    let mut out = Vec::new();
    for (bytes, gap_after) in pieces {
        decoder.feed(now, bytes);
        let next = now + *gap_after;
        while let Some(due) = decoder.poll_timeout().filter(|due| *due <= next) {
            decoder.handle_timeout(due);
        }
        now = next;
        while let Some(event) = decoder.poll() {
            out.push(event.what);
        }
    }
    out
}

fn whole(bytes: &[u8]) -> Vec<Input> {
    run(&[(bytes, Duration::from_secs(1))])
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Input {
    Input::Key(KeyEvent::new(code, modifiers))
}

fn kind(code: KeyCode, modifiers: KeyModifiers, kind: KeyEventKind) -> Input {
    Input::Key(KeyEvent { code, modifiers, kind, state: KeyEventState::NONE })
}

fn keypad(code: KeyCode) -> Input {
    Input::Key(KeyEvent {
        code,
        modifiers: KeyModifiers::NONE,
        kind: KeyEventKind::Press,
        state: KeyEventState::KEYPAD,
    })
}

/// Every sequence that a terminal sends by default or when asked as we ask it, and what it means.
fn sequences() -> Vec<(&'static [u8], Input)> {
    use KeyCode::{BackTab, Char, Delete, Down, End, Enter, Esc, F, Home, Insert, Left, PageDown, PageUp, Right, Up};
    const NONE: KeyModifiers = KeyModifiers::NONE;
    const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
    const ALT: KeyModifiers = KeyModifiers::ALT;
    const CTRL: KeyModifiers = KeyModifiers::CONTROL;
    vec![
        (b"\x1b[A", key(Up, NONE)),
        (b"\x1b[B", key(Down, NONE)),
        (b"\x1b[C", key(Right, NONE)),
        (b"\x1b[D", key(Left, NONE)),
        (b"\x1bOA", key(Up, NONE)),
        (b"\x1b[H", key(Home, NONE)),
        (b"\x1b[F", key(End, NONE)),
        (b"\x1bOH", key(Home, NONE)),
        (b"\x1b[1~", key(Home, NONE)),
        (b"\x1b[2~", key(Insert, NONE)),
        (b"\x1b[3~", key(Delete, NONE)),
        (b"\x1b[4~", key(End, NONE)),
        (b"\x1b[5~", key(PageUp, NONE)),
        (b"\x1b[6~", key(PageDown, NONE)),
        (b"\x1b[7~", key(Home, NONE)),
        (b"\x1b[8~", key(End, NONE)),
        (b"\x1bOP", key(F(1), NONE)),
        (b"\x1bOR", key(F(3), NONE)),
        (b"\x1bO5P", key(F(1), CTRL)),
        (b"\x1b[11~", key(F(1), NONE)),
        (b"\x1b[15~", key(F(5), NONE)),
        (b"\x1b[17~", key(F(6), NONE)),
        (b"\x1b[21~", key(F(10), NONE)),
        (b"\x1b[24~", key(F(12), NONE)),
        (b"\x1b[[A", key(F(1), NONE)),
        (b"\x1b[[E", key(F(5), NONE)),
        (b"\x1b[1;2A", key(Up, SHIFT)),
        (b"\x1b[1;3C", key(Right, ALT)),
        (b"\x1b[1;5D", key(Left, CTRL)),
        (b"\x1b[5;2~", key(PageUp, SHIFT)),
        (b"\x1b[1;5P", key(F(1), CTRL)),
        (b"\x1b[Z", key(BackTab, NONE)),
        // rxvt
        (b"\x1b[a", key(Up, SHIFT)),
        (b"\x1bOa", key(Up, CTRL)),
        (b"\x1b[5$", key(PageUp, SHIFT)),
        (b"\x1b[5^", key(PageUp, CTRL)),
        (b"\x1b[5@", key(PageUp, SHIFT | CTRL)),
        (b"\x1b\x1b[A", key(Up, ALT)),
        // application keypad
        (b"\x1bOq", keypad(Char('1'))),
        (b"\x1bOk", keypad(Char('+'))),
        (b"\x1bOM", keypad(Enter)),
        // kitty
        (b"\x1b[104u", key(Char('h'), NONE)),
        (b"\x1b[104;1:2;104u", kind(Char('h'), NONE, KeyEventKind::Repeat)),
        (b"\x1b[104;1:3u", kind(Char('h'), NONE, KeyEventKind::Release)),
        (b"\x1b[104:72;2;72u", key(Char('H'), NONE)),
        (b"\x1b[104;2u", key(Char('H'), NONE)),
        (b"\x1b[49:33;2;33u", key(Char('!'), NONE)),
        (b"\x1b[113;1;64u", key(Char('@'), NONE)),
        (b"\x1b[120;5u", key(Char('x'), CTRL)),
        (b"\x1b[32;5u", key(Char(' '), CTRL)),
        (b"\x1b[27u", key(Esc, NONE)),
        (b"\x1b[13u", key(Enter, NONE)),
        (b"\x1b[104;129u", key(Char('h'), NONE)),
        (b"\x1b[1;1:2C", kind(Right, NONE, KeyEventKind::Repeat)),
        (b"\x1b[1;1:3C", kind(Right, NONE, KeyEventKind::Release)),
        (b"\x1b[5;1:3~", kind(PageUp, NONE, KeyEventKind::Release)),
        (b"\x1b[57400u", keypad(Char('1'))),
        (b"\x1b[57421u", keypad(PageUp)),
        // replies
        (b"\x1b[I", Input::FocusGained),
        (b"\x1b[O", Input::FocusLost),
        (b"\x1b[0n", Input::TerminalOk),
        (b"\x1b[?31u", Input::KittyFlags(31)),
        (b"\x1b[200~G0 X1\r\ny~!q\x1b[201~", Input::Paste("G0 X1\ny~!q".into())),
    ]
}

/// Sequences with no meaning here; they are swallowed whole.
const UNKNOWN: &[&[u8]] = &[
    b"\x1b[57441u",
    b"\x1b[49;2u",
    b"\x1b[99~",
    b"\x1b[?2026;1$y",
    b"\x1b[?62;22c",
    b"\x1b[>1;10;0c",
    b"\x1b[<0;10;20M",
    b"\x1b[24;80R",
    b"\x1bOz",
];

#[test]
fn whole_sequences_have_their_meaning() {
    for (bytes, meaning) in sequences() {
        assert_eq!(whole(bytes), [meaning], "{}", bytes.escape_ascii());
    }
    for bytes in UNKNOWN {
        assert_eq!(whole(bytes), [], "{}", bytes.escape_ascii());
    }
}

/// The heart of the matter: whatever the split and however late the tail, nothing comes out that was not typed.
#[test]
fn a_sequence_split_anywhere_is_never_another_key() {
    let gaps = [0, 1, 24, 25, 26, 99, 101, 300, 1000, 10_000].map(ms);
    let all = sequences().into_iter().map(|(bytes, meaning)| (bytes, Some(meaning)));
    for (bytes, meaning) in all.chain(UNKNOWN.iter().map(|bytes| (*bytes, None))) {
        for at in 1..bytes.len() {
            for gap in gaps {
                let got = run(&[(&bytes[..at], gap), (&bytes[at..], ms(5000))]);
                check(bytes, meaning.as_ref(), &got, &format!("split at {at}, {gap:?}"));
            }
        }
        for gap in gaps {
            let pieces: Vec<_> = bytes.chunks(1).map(|byte| (byte, gap)).collect();
            check(bytes, meaning.as_ref(), &run(&pieces), &format!("byte by byte, {gap:?}"));
        }
    }
}

/// Only the meaning itself, or Esc where the tail came too late to belong to it (Alt is lost then).
fn check(bytes: &[u8], meaning: Option<&Input>, got: &[Input], how: &str) {
    for input in got {
        let is_meaning = Some(input) == meaning;
        let is_esc = matches!(input, Input::EscPending) || *input == key(KeyCode::Esc, KeyModifiers::NONE);
        let without_alt = match (input, meaning) {
            (Input::Key(got), Some(Input::Key(meant))) => {
                got.code == meant.code && got.modifiers == meant.modifiers - KeyModifiers::ALT
            }
            _ => false,
        };
        assert!(is_meaning || is_esc || without_alt, "{} {how}: {got:?}", bytes.escape_ascii());
    }
}

#[test]
fn a_split_within_the_wait_is_joined() {
    for gap in [0, 1, 10, 24] {
        let got = run(&[(b"\x1b", ms(gap)), (b"[A", ms(1000))]);
        assert_eq!(got, [Input::EscPending, key(KeyCode::Up, KeyModifiers::NONE)], "{gap} ms");
    }
}

#[test]
fn a_lone_esc_cancels_at_once_and_is_the_key_after_the_wait() {
    let mut decoder = Decoder::new(LOCAL);
    let at = Time::from_millis(10);
    decoder.feed(at, b"\x1b");
    assert_eq!(decoder.poll().map(|event| event.what), Some(Input::EscPending));
    assert_eq!(decoder.poll_timeout(), Some(at + LOCAL));
    decoder.handle_timeout(at + ms(24));
    assert_eq!(decoder.poll(), None);
    decoder.handle_timeout(at + LOCAL);
    assert_eq!(decoder.poll().map(|event| event.what), Some(key(KeyCode::Esc, KeyModifiers::NONE)));
    assert_eq!(decoder.poll_timeout(), None);
}

#[test]
fn stop_keys_end_an_open_sequence_and_count() {
    let space = key(KeyCode::Char(' '), KeyModifiers::NONE);
    let ctrl_space = key(KeyCode::Char(' '), KeyModifiers::CONTROL);
    for open in [&b"\x1b["[..], b"\x1b[1;", b"\x1bO", b"\x1b[["] {
        for (stop, meaning) in [(&b" "[..], &space), (b"\0", &ctrl_space)] {
            let got = run(&[(open, ms(3000)), (stop, ms(1000))]);
            assert_eq!(got.last(), Some(meaning), "{} {}", open.escape_ascii(), stop.escape_ascii());
        }
    }
    // A paste whose end never comes.
    assert_eq!(whole(b"\x1b[200~text\0"), [ctrl_space]);
}

#[test]
fn alt_and_utf8() {
    assert_eq!(whole(b"\x1bh"), [key(KeyCode::Char('h'), KeyModifiers::ALT)]);
    assert_eq!(whole(b"\x1b]"), [key(KeyCode::Char(']'), KeyModifiers::ALT)]);
    assert_eq!(
        run(&[(b"\xc3", ms(500)), (b"\xa9x", ms(500))]),
        [key(KeyCode::Char('é'), KeyModifiers::NONE), key(KeyCode::Char('x'), KeyModifiers::NONE)]
    );
    // A cut character does not take the next key with it.
    assert_eq!(whole(b"\xe2\x82q"), [key(KeyCode::Char('q'), KeyModifiers::NONE)]);
    assert_eq!(whole(b"\xff\x80q"), [key(KeyCode::Char('q'), KeyModifiers::NONE)]);
}

#[test]
fn strings_that_nobody_asked_for_are_swallowed() {
    assert_eq!(whole(b"\x1b]11;rgb:0000/0000/0000\x07q"), [key(KeyCode::Char('q'), KeyModifiers::NONE)]);
    assert_eq!(whole(b"\x1bP1$r0m\x1b\\q"), [key(KeyCode::Char('q'), KeyModifiers::NONE)]);
    let q = key(KeyCode::Char('q'), KeyModifiers::NONE);
    let space = key(KeyCode::Char(' '), KeyModifiers::NONE);
    assert_eq!(
        run(&[(b"\x1b]0;title ~ H", ms(2000)), (b"HH\x07q", ms(200))]),
        std::slice::from_ref(&q),
        "a late tail is no command"
    );
    assert_eq!(
        run(&[(b"\x1b]11;never ended", ms(3100)), (b"q", ms(200))]),
        [q],
        "it does not hold the keyboard for ever"
    );
    assert_eq!(run(&[(b"\x1b]11;never ended", ms(200)), (b" ", ms(200))]), [space], "and never the stop key");
}

#[test]
fn batches_tell_how_many_keys_they_held() {
    let mut decoder = Decoder::new(LOCAL);
    decoder.feed(Time::from_millis(1), b"\x1b[C\x1b[C\x1b[1;1:3C\x1b[C");
    let events: Vec<_> = std::iter::from_fn(|| decoder.poll()).collect();
    assert!(events.iter().all(|event| event.keys_in_batch == 3 && event.batch == 1), "{events:?}");
    decoder.feed(Time::from_millis(2), b"x");
    assert_eq!(decoder.poll().map(|event| (event.keys_in_batch, event.batch)), Some((1, 2)));
}

#[test]
fn a_huge_paste_is_dropped_whole() {
    let mut bytes = b"\x1b[200~".to_vec();
    bytes.extend(std::iter::repeat_n(b'~', 200_000));
    bytes.extend(b"\x1b[201~q");
    assert_eq!(whole(&bytes), [Input::PasteTooLong, key(KeyCode::Char('q'), KeyModifiers::NONE)]);
}

proptest! {
    /// Any bytes in any pieces: no panic, no unbounded memory, and Ctrl+Space is always heard.
    #[test]
    fn garbage_never_takes_the_stop_key_away(
        pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), 0_u64..400), 0..20),
    ) {
        let mut decoder = Decoder::new(LOCAL);
        let mut now = Time::ZERO;
        for (bytes, gap) in &pieces {
            decoder.feed(now, bytes);
            now += ms(*gap);
            decoder.handle_timeout(now);
        }
        while decoder.poll().is_some() {}
        decoder.feed(now + ms(200), b"\0");
        decoder.handle_timeout(now + ms(1000));
        let heard = std::iter::from_fn(|| decoder.poll()).any(|event| {
            matches!(event.what, Input::Key(key) if key.code == KeyCode::Char(' ')
                && key.modifiers.contains(KeyModifiers::CONTROL))
        });
        prop_assert!(heard);
    }

    /// How bytes are grouped into reads makes no difference to the keys, as long as they come in time.
    #[test]
    fn grouping_makes_no_difference(cuts in prop::collection::vec(1_usize..6, 1..60)) {
        let stream: Vec<u8> = sequences().into_iter().flat_map(|(bytes, _)| bytes.to_vec()).collect();
        let expected: Vec<Input> = sequences().into_iter().map(|(_, meaning)| meaning).collect();
        let mut decoder = Decoder::new(LOCAL);
        let mut rest = &stream[..];
        let mut cuts = cuts.iter().cycle();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            decoder.feed(Time::ZERO, piece);
            rest = after;
        }
        let got: Vec<Input> = std::iter::from_fn(|| decoder.poll())
            .map(|event| event.what)
            .filter(|what| *what != Input::EscPending)
            .collect();
        prop_assert_eq!(got, expected);
    }
}
