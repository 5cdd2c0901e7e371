//! Settings against a device that obeys, refuses, forgets, or does not answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use sunmill::inverter::poller::{Event, Options, Poller};
use sunmill::inverter::profile::{Profile, shipped};
use sunmill::inverter::request::{Action, Exception, Failure, Reply, Request};
use sunmill::inverter::validate::{Change, check};
use sunmill::inverter::write::{Done, WriteSequence, Written};
use sunmill::inverter::{Block, Values, plan};
use sunmill::model::Time;
use sunmill::model::power::Table;

/// How the device takes writes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Obeys,
    Refuses(Exception),
    Forgets,
    /// Takes the write; the answer is lost.
    TakesSilently,
    /// The write is lost.
    MissesIt,
    /// Says "busy" so many times first.
    Busy(u8),
    /// Takes another value.
    Bends(u16),
}

struct Device {
    words: BTreeMap<u16, u16>,
    mood: Mood,
    writes: Vec<Action>,
}

impl Device {
    fn answer(&mut self, request: &Request) -> Result<Reply, Failure> {
        match &request.action {
            Action::Read { address, count, .. } => {
                let words = (*address..address + count).map(|at| self.words.get(&at).copied().unwrap_or(0));
                Ok(Reply::Words(words.collect()))
            }
            action => {
                self.writes.push(action.clone());
                let (address, values, reply) = match action {
                    Action::WriteSingle { address, value } => {
                        (*address, vec![*value], Reply::WroteSingle { address: *address, value: *value })
                    }
                    Action::WriteMultiple { address, values } => {
                        let count = values.len() as u16;
                        (*address, values.clone(), Reply::WroteMultiple { address: *address, count })
                    }
                    Action::Read { .. } => unreachable!(),
                };
                match &mut self.mood {
                    Mood::Refuses(exception) => return Err(Failure::Exception(*exception)),
                    Mood::Busy(times) if *times > 0 => {
                        *times -= 1;
                        return Err(Failure::Exception(Exception::BUSY));
                    }
                    Mood::MissesIt => return Err(Failure::Timeout),
                    Mood::Forgets => return Ok(reply),
                    Mood::Bends(to) => {
                        self.words.insert(address, *to);
                        return Ok(reply);
                    }
                    _ => {}
                }
                self.words.extend((address..).zip(values));
                if self.mood == Mood::TakesSilently { Err(Failure::Timeout) } else { Ok(reply) }
            }
        }
    }
}

/// What the poller would know of a device after reading all of it.
fn read_all(profile: &Arc<Profile>, device: &mut Device, now: Time) -> Values {
    let mut values = Values::new(profile.clone());
    let blocks: Vec<Block> = plan::plan(profile, profile.read, &plan::Learned::default(), |_| true);
    for block in blocks {
        if let Ok(Reply::Words(words)) = device.answer(&block.request(1)) {
            values.accept(&block, &words, now);
        }
    }
    values
}

/// Runs a sequence to its end.
fn finish(sequence: &mut WriteSequence, device: &mut Device) -> Vec<Done> {
    let mut now = Time::from_millis(1000);
    for _ in 0..1000 {
        if let Some(done) = sequence.finished() {
            return done.to_vec();
        }
        match sequence.next_request(now) {
            Some(request) => {
                now += Duration::from_millis(60);
                match device.answer(&request) {
                    Ok(reply) => sequence.handle_reply(now, &reply),
                    Err(failure) => sequence.handle_failure(now, &failure),
                }
            }
            None => now = sequence.poll_timeout().unwrap_or(now).max(now + Duration::from_millis(1)),
        }
    }
    panic!("no end");
}

fn changes(values: &Values, settings: &[(&str, &str)]) -> Vec<Change> {
    check(values, settings, true, Time::from_millis(1000)).expect("in order")
}

/// Sets these on a device with these words; what was written and what became of it.
fn set(name: &str, words: &[(u16, u16)], mood: Mood, settings: &[(&str, &str)]) -> (Vec<Action>, Vec<Written>) {
    let profile = Arc::new(shipped(name).expect(name).expect("in order"));
    let mut device = Device { words: words.iter().copied().collect(), mood, writes: Vec::new() };
    let values = read_all(&profile, &mut device, Time::from_millis(900));
    let units = vec![Some(1); 1 + profile.link.services.len()];
    let mut sequence = WriteSequence::new(&values, units, changes(&values, settings));
    let done = finish(&mut sequence, &mut device);
    (device.writes, done.into_iter().map(|done| done.written).collect())
}

const END_SOC: u16 = 8475;

#[test]
fn a_setting_is_written_once_and_read_back() {
    let (writes, written) = set("senergy", &[(END_SOC, 20)], Mood::Obeys, &[("capacity_of_discharger_end_eod_", "35")]);
    assert_eq!(writes, [Action::WriteSingle { address: END_SOC, value: 35 }]);
    assert_eq!(written, [Written::Taken]);
}

#[test]
fn an_equal_value_is_not_written() {
    let (writes, written) = set("senergy", &[(END_SOC, 20)], Mood::Obeys, &[("discharge_end_soc", "20")]);
    assert_eq!((writes.len(), written), (0, vec![Written::Unchanged]));
}

#[test]
fn every_way_of_failing_is_told_apart_and_nothing_is_sent_twice() {
    let settings = [("discharge_end_soc", "35")];
    for (mood, expected) in [
        (Mood::Refuses(Exception::VALUE), Written::Refused(Exception::VALUE)),
        (Mood::Forgets, Written::NotTaken),
        (Mood::TakesSilently, Written::Taken),
        (Mood::MissesIt, Written::NotTaken),
        (Mood::Bends(30), Written::Differs { found: "30 %".into() }),
    ] {
        let (writes, written) = set("senergy", &[(END_SOC, 20)], mood, &settings);
        assert_eq!((writes.len(), written), (1, vec![expected]), "{mood:?}");
    }
    // Only where the device says itself that it did nothing is it asked again.
    let (writes, written) = set("senergy", &[(END_SOC, 20)], Mood::Busy(2), &settings);
    assert_eq!((writes.len(), written), (3, vec![Written::Taken]));
    let (writes, written) = set("senergy", &[(END_SOC, 20)], Mood::Busy(9), &settings);
    assert_eq!((writes.len(), written), (4, vec![Written::Refused(Exception::BUSY)]));
}

#[test]
fn the_rest_of_a_set_is_left_alone_after_a_failure() {
    let settings = [("discharge_end_soc", "35"), ("charge_end_soc", "90"), ("work_mode", "Back-up mode")];
    let words = [(END_SOC, 20), (8473, 100), (8448, 0)];
    let (writes, written) = set("senergy", &words, Mood::Refuses(Exception::DEVICE), &settings);
    assert_eq!(writes.len(), 1);
    assert_eq!(written, [Written::Refused(Exception::DEVICE), Written::NotTried, Written::NotTried]);
    let (writes, written) = set("senergy", &words, Mood::Obeys, &settings);
    assert_eq!((writes.len(), written), (3, vec![Written::Taken; 3]));
}

#[test]
fn a_value_that_changed_meanwhile_is_another_question() {
    let profile = Arc::new(shipped("senergy").expect("one").expect("in order"));
    let mut device = Device { words: [(END_SOC, 20)].into(), mood: Mood::Obeys, writes: Vec::new() };
    let values = read_all(&profile, &mut device, Time::from_millis(900));
    let mut sequence = WriteSequence::new(&values, vec![Some(1)], changes(&values, &[("discharge_end_soc", "35")]));
    device.words.insert(END_SOC, 25);
    let done = finish(&mut sequence, &mut device);
    assert_eq!((done[0].before.as_deref(), device.writes.len()), (Some("25 %"), 0));
    assert_eq!(done[0].written, Written::ChangedMeanwhile { found: "25 %".into() });
}

#[test]
fn families_are_written_in_their_own_ways() {
    // Two words, high first, in one frame.
    let (writes, written) = set("senergy", &[], Mood::Obeys, &[("max_feed_in_power", "20000")]);
    assert_eq!(writes, [Action::WriteMultiple { address: 12_473, values: vec![0, 20_000] }]);
    assert_eq!(written, [Written::Taken]);
    // One register per frame, function 16, and the bits of neighbours kept.
    let (writes, written) = set("deye_sunsynk", &[(274, 0b0100_0001)], Mood::Obeys, &[("prog1_mode", "backup")]);
    assert_eq!(writes, [Action::WriteMultiple { address: 274, values: vec![0b0100_1001] }]);
    assert_eq!(written, [Written::Taken]);
    let (writes, written) = set("deye_sunsynk", &[], Mood::Obeys, &[("datetime", "2026-03-01 09:30:05")]);
    assert_eq!(writes.len(), 3);
    assert!(writes.iter().all(|write| matches!(write, Action::WriteMultiple { values, .. } if values.len() == 1)));
    assert_eq!(written, [Written::Taken]);
    // Start, priority, enable and end of a window are one frame, whichever of them change.
    let window = [("time1_start", "08:30"), ("time1_end", "16:00"), ("time1_priority", "grid"), ("time1_enable", "on")];
    let (writes, written) = set("growatt_mod", &[], Mood::Obeys, &window);
    assert_eq!(writes, [Action::WriteMultiple { address: 3038, values: vec![0xC81E, 0x1000] }]);
    assert_eq!(written, vec![Written::Taken; 4]);
    let (writes, _) = set("growatt_mod", &[(3038, 0xC81E), (3039, 0x1000)], Mood::Obeys, &window[1..2]);
    assert_eq!(writes.len(), 0);
}

#[test]
fn a_command_is_never_sent_twice_either() {
    let (writes, written) = set("easun", &[], Mood::Obeys, &[("exit_fault", "exit")]);
    assert_eq!((writes.len(), written), (1, vec![Written::Taken]));
    let (writes, written) = set("easun", &[], Mood::MissesIt, &[("exit_fault", "exit")]);
    assert!(writes.len() == 1 && matches!(&written[0], Written::Unknown { why } if why.contains("no answer")));
}

fn poller_with(words: &[(u16, u16)]) -> (Poller, Device) {
    let profile = Arc::new(shipped("senergy").expect("one").expect("in order"));
    let serial = profile.registers[profile.serial().expect("one")].addresses.clone();
    let mut device = Device { words: words.iter().copied().collect(), mood: Mood::Obeys, writes: Vec::new() };
    device.words.extend(serial[..4].iter().map(|address| (*address, u16::from_be_bytes(*b"S7"))));
    (Poller::new(&profile, Options::default()), device)
}

fn turn(poller: &mut Poller, device: &mut Device, now: &mut Time, end: Time) -> Vec<Event> {
    let mut events = Vec::new();
    while *now < end {
        match poller.next_request(*now) {
            Some(request) => {
                *now += Duration::from_millis(50);
                match device.answer(&request) {
                    Ok(reply) => poller.handle_reply(*now, &reply),
                    Err(failure) => poller.handle_failure(*now, &failure),
                }
            }
            None => *now = poller.poll_timeout().unwrap_or(end).max(*now + Duration::from_micros(1)),
        }
        events.extend(std::iter::from_fn(|| poller.poll_event()).filter(|event| !matches!(event, Event::Read(_))));
    }
    events
}

#[test]
fn the_poller_writes_between_its_reads() {
    let (mut poller, mut device) = poller_with(&[(END_SOC, 20)]);
    let mut now = Time::ZERO;
    let change = |poller: &Poller, now| check(poller.values(), &[("discharge_end_soc", "35")], false, now).expect("ok");
    assert!(poller.write(change(&poller, now)).is_err_and(|why| why.contains("no connection")));
    poller.link_up(now);
    assert!(poller.write(change(&poller, now)).is_err_and(|why| why.contains("not known yet")));
    turn(&mut poller, &mut device, &mut now, Time::from_millis(5000));
    let set = change(&poller, now);
    assert_eq!(set[0].before_text, "20 %");
    assert_eq!(poller.write(set.clone()), Ok(()));
    assert!(poller.write(set).is_err_and(|why| why.contains("on its way")));
    let events = turn(&mut poller, &mut device, &mut now, Time::from_millis(9000));
    assert!(matches!(&events[..], [Event::Written(done)] if done[0].written == Written::Taken), "{events:?}");
    let soc = poller.values().profile().find("discharge_end_soc").expect("one");
    assert_eq!(poller.values().show(soc).as_deref(), Some("35 %"));
}

#[test]
fn what_was_read_back_is_known_as_soon_as_the_end_is_told() {
    let (mut poller, mut device) = poller_with(&[(END_SOC, 20)]);
    let mut now = Time::ZERO;
    poller.link_up(now);
    turn(&mut poller, &mut device, &mut now, Time::from_millis(5000));
    let set = check(poller.values(), &[("discharge_end_soc", "35")], false, now).expect("ok");
    poller.write(set).expect("begun");
    let soc = poller.values().profile().find("discharge_end_soc").expect("one");
    while !std::iter::from_fn(|| poller.poll_event()).any(|event| matches!(event, Event::Written(_))) {
        match poller.next_request(now) {
            Some(request) => {
                now += Duration::from_millis(50);
                poller.handle_reply(now, &device.answer(&request).expect("an answer"));
            }
            None => now = poller.poll_timeout().expect("something"),
        }
    }
    assert_eq!(poller.values().show(soc).as_deref(), Some("35 %"));
}

#[test]
fn a_write_whose_link_dies_is_unknown_and_is_not_repeated_when_it_is_back() {
    let (mut poller, mut device) = poller_with(&[(END_SOC, 20)]);
    let mut now = Time::ZERO;
    poller.link_up(now);
    turn(&mut poller, &mut device, &mut now, Time::from_millis(5000));
    let set = check(poller.values(), &[("discharge_end_soc", "35")], false, now).expect("ok");
    poller.write(set.clone()).expect("begun");
    // Read before, then the write goes out, is taken, and the cable comes off.
    loop {
        let Some(request) = poller.next_request(now) else {
            now = poller.poll_timeout().expect("something");
            continue;
        };
        let reply = device.answer(&request);
        now += Duration::from_millis(50);
        if request.is_write() {
            poller.link_down(now);
            break;
        }
        poller.handle_reply(now, &reply.expect("an answer"));
    }
    now += Duration::from_secs(5);
    poller.link_up(now);
    let end = now + Duration::from_secs(5);
    let events = turn(&mut poller, &mut device, &mut now, end);
    let written = events.iter().find_map(|event| match event {
        Event::Written(done) => Some(done[0].written.clone()),
        _ => None,
    });
    assert_eq!((written, device.writes.len()), (Some(Written::Taken), 1));
}

#[test]
fn a_write_is_given_up_when_the_link_stays_away_or_another_device_comes() {
    for exchanged in [false, true] {
        let (mut poller, mut device) = poller_with(&[(END_SOC, 20)]);
        let mut now = Time::ZERO;
        poller.link_up(now);
        turn(&mut poller, &mut device, &mut now, Time::from_millis(5000));
        poller.write(check(poller.values(), &[("discharge_end_soc", "35")], false, now).expect("ok")).expect("begun");
        while !poller.next_request(now).is_some_and(|request| request.is_write()) {
            poller.handle_reply(now, &Reply::Words(vec![20]));
            now += Duration::from_millis(60);
        }
        poller.link_down(now);
        if exchanged {
            let serial = poller.values().profile().serial().expect("one");
            let address = poller.values().profile().registers[serial].span().0;
            device.words.insert(address, u16::from_be_bytes(*b"XX"));
            poller.link_up(now);
        }
        let end = now + Duration::from_secs(65);
        let events = turn(&mut poller, &mut device, &mut now, end);
        let _ = poller.next_request(now);
        let events: Vec<Event> = events.into_iter().chain(std::iter::from_fn(|| poller.poll_event())).collect();
        let said = events
            .iter()
            .any(|event| matches!(event, Event::Written(done) if matches!(&done[0].written, Written::Unknown { .. })));
        assert!(said && device.writes.is_empty(), "{exchanged} {events:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever fails when: each frame goes out once (again only after "busy"), and "taken" is said only if it is so.
    #[test]
    fn no_write_is_sent_twice_and_taken_is_never_a_lie(failures in prop::collection::vec(0u8..9, 0..60)) {
        let profile = Arc::new(shipped("senergy").expect("one").expect("in order"));
        let mut device = Device { words: [(END_SOC, 20), (8473, 100)].into(), mood: Mood::Obeys, writes: Vec::new() };
        let values = read_all(&profile, &mut device, Time::from_millis(900));
        let set = changes(&values, &[("discharge_end_soc", "35"), ("charge_end_soc", "90")]);
        let mut sequence = WriteSequence::new(&values, vec![Some(1)], set);
        let (mut now, mut failures, mut busy) = (Time::from_millis(1000), failures.into_iter(), 0);
        let done = loop {
            if let Some(done) = sequence.finished() {
                break done.to_vec();
            }
            let Some(request) = sequence.next_request(now) else {
                now = sequence.poll_timeout().unwrap_or(now).max(now + Duration::from_millis(1));
                continue;
            };
            now += Duration::from_millis(60);
            let timeout = Failure::Timeout;
            match failures.next() {
                Some(0) => sequence.handle_failure(now, &timeout),
                Some(1) => {
                    let _ = device.answer(&request);
                    sequence.handle_failure(now, &Failure::Framing("noise".into()));
                }
                Some(2) => {
                    busy += usize::from(request.is_write());
                    sequence.handle_failure(now, &Failure::Exception(Exception::BUSY));
                }
                Some(3) => sequence.handle_failure(now, &Failure::Exception(Exception::DEVICE)),
                _ => match device.answer(&request) {
                    Ok(reply) => sequence.handle_reply(now, &reply),
                    Err(failure) => sequence.handle_failure(now, &failure),
                },
            }
        };
        prop_assert!(busy <= 8);
        for action in &device.writes {
            prop_assert_eq!(device.writes.iter().filter(|other| *other == action).count(), 1);
        }
        for done in &done {
            let address = if done.change.id == "discharge_end_soc" { END_SOC } else { 8473 };
            let says_new = device.words[&address] == if address == END_SOC { 35 } else { 90 };
            match &done.written {
                Written::Taken => prop_assert!(says_new),
                Written::NotTaken | Written::NotTried | Written::Refused(_) | Written::Unreadable { .. } => {
                    prop_assert!(!says_new, "{:?}", done.written);
                }
                _ => {}
            }
        }
        prop_assert_eq!(done.len(), 2);
    }
}

#[test]
fn the_tables_of_the_test_are_those_of_the_profile() {
    let profile = shipped("senergy").expect("one").expect("in order");
    let register = &profile.registers[profile.find("discharge_end_soc").expect("one")];
    assert_eq!((register.span(), register.table), ((END_SOC, END_SOC), Table::Holding));
}
