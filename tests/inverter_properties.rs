//! What holds for every profile, every plan and every device that answers badly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use sunmill::inverter::codec::{decode, encode};
use sunmill::inverter::plan::{Cut, Learned, plan};
use sunmill::inverter::poller::{Event, Options, Poller};
use sunmill::inverter::profile::{Limits, Profile, RegisterType, SHIPPED, shipped};
use sunmill::inverter::request::{Action, Exception, Failure, Reply, Request};
use sunmill::model::Time;
use sunmill::model::power::{PollClass, Quality, Table};

fn profile(index: usize) -> Arc<Profile> {
    let (name, _) = SHIPPED[index % SHIPPED.len()];
    Arc::new(shipped(name).expect(name).expect("in order"))
}

/// A device that answers by its table of words; what is not in it reads 0.
struct Device {
    words: BTreeMap<(u8, Table, u16), u16>,
    holes: BTreeSet<(Table, u16)>,
}

impl Device {
    fn of(profile: &Profile) -> Self {
        let mut device = Self { words: BTreeMap::new(), holes: BTreeSet::new() };
        if let Some(serial) = profile.serial() {
            let register = &profile.registers[serial];
            for (n, address) in register.addresses.iter().enumerate() {
                let word = if n < 3 { u16::from_be_bytes(*b"A1") } else { 0 };
                device.words.insert((profile.link.unit, register.table, *address), word);
            }
        }
        device
    }

    fn answer(&self, request: &Request) -> Result<Reply, Failure> {
        let Action::Read { table, address, count } = request.action else { panic!("{request}: nobody asked for that") };
        let addresses = address..address + count;
        if addresses.clone().any(|address| self.holes.contains(&(table, address))) {
            return Err(Failure::Exception(Exception::ADDRESS));
        }
        let word = |address| self.words.get(&(request.unit, table, address)).copied().unwrap_or(0);
        Ok(Reply::Words(addresses.map(word).collect()))
    }
}

/// Runs a poller on a device for so long; a frame takes `frame`. Tells how often each class was read.
fn run(poller: &mut Poller, device: &Device, from: Time, length: Duration, frame: Duration) -> (Time, Vec<Request>) {
    let (mut now, mut asked) = (from, Vec::new());
    while now < from + length {
        match poller.next_request(now) {
            Some(request) => {
                now += frame;
                match device.answer(&request) {
                    Ok(reply) => poller.handle_reply(now, &reply),
                    Err(failure) => poller.handle_failure(now, &failure),
                }
                asked.push(request);
            }
            None => match poller.poll_timeout() {
                // It says when to come again, and never a time at which it has nothing to say for ever.
                Some(at) => now = at.max(now + Duration::from_micros(1)),
                None => break,
            },
        }
        while poller.poll_event().is_some() {}
    }
    (now, asked)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_has_every_word_once_and_keeps_to_its_limits(
        which in 0..SHIPPED.len(),
        max in 10u16..=125,
        gap in 0u16..60,
        wanted in any::<u64>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let profile = profile(which);
        // No read can be shorter than the longest register.
        let longest = profile.registers.iter().map(|r| r.addresses.len()).max().unwrap_or(1) as u16;
        let limits = Limits { max: max.max(longest), gap };
        let chosen = |id: usize| wanted >> (id % 64) & 1 == 1;
        let mut learned = Learned::default();
        for cut in &cuts {
            let register = &profile.registers[cut.index(profile.registers.len())];
            learned.cuts.insert(Cut { service: register.service, table: register.table, address: register.span().0 });
        }
        let blocks = plan(&profile, limits, &learned, chosen);
        let mut read = BTreeSet::new();
        for block in &blocks {
            prop_assert!(block.count() >= 1 && block.count() <= limits.max);
            let mut end = u32::from(block.address());
            for item in &block.items {
                prop_assert!(u32::from(item.address) <= end + u32::from(limits.gap));
                end = end.max(u32::from(item.address) + u32::from(item.count));
                for word in 0..usize::from(item.count) {
                    prop_assert!(read.insert((item.register, item.word + word)), "twice");
                }
            }
            for cut in &learned.cuts {
                let inside = cut.service == block.service && cut.table == block.table
                    && cut.address > block.address() && u32::from(cut.address) < end;
                let first_of_item = block.items.iter().any(|item| item.address == cut.address);
                prop_assert!(!(inside && first_of_item), "{cut:?} is crossed by {block:?}");
            }
        }
        for (id, register) in profile.registers.iter().enumerate() {
            for word in 0..register.addresses.len() {
                let expected = chosen(id) && register.access.reads();
                prop_assert_eq!(read.contains(&(id, word)), expected, "{} word {}", register.id, word);
            }
        }
    }

    #[test]
    fn what_is_decoded_encodes_to_the_same_words(
        which in 0..SHIPPED.len(),
        register in any::<prop::sample::Index>(),
        words in prop::collection::vec(any::<u16>(), 8),
    ) {
        let profile = profile(which);
        let register = &profile.registers[register.index(profile.registers.len())];
        let words = &words[..register.addresses.len().min(8)];
        prop_assume!(words.len() == register.addresses.len());
        if let Ok(value) = decode(&profile, register, words, None) {
            let lossy = matches!(register.kind, RegisterType::Text(_) | RegisterType::Codes(_) | RegisterType::ScaleFactor)
                || register.form == sunmill::inverter::profile::Form::Version;
            // A time in decimal with bits outside of it, such as 0x1FFF, does not decode; what does has one form.
            if !lossy {
                prop_assert_eq!(encode(&profile, register, &value, words, None), Some(words.to_vec()), "{}", register.id);
            }
        }
    }

    #[test]
    fn random_failures_never_make_a_value_younger_than_its_answer(
        which in 0..SHIPPED.len(),
        failures in prop::collection::vec(0u8..12, 1..400),
    ) {
        let profile = profile(which);
        let device = Device::of(&profile);
        let mut poller = Poller::new(&profile, Options::default());
        let mut now = Time::from_millis(10);
        poller.link_up(now);
        let mut answered: BTreeMap<usize, Time> = BTreeMap::new();
        let mut last_answer = Time::ZERO;
        for what in failures {
            let Some(request) = poller.next_request(now) else {
                match poller.poll_timeout() {
                    Some(at) => now = at.max(now + Duration::from_millis(1)),
                    None => poller.link_up(now),
                }
                continue;
            };
            now += Duration::from_millis(60);
            match what {
                0 => poller.handle_failure(now, &Failure::Timeout),
                1 => poller.handle_failure(now, &Failure::Framing("noise".into())),
                2 => poller.handle_failure(now, &Failure::Closed("unplugged".into())),
                3 => poller.handle_failure(now, &Failure::Exception(Exception::ADDRESS)),
                4 => poller.handle_failure(now, &Failure::Exception(Exception::BUSY)),
                5 => poller.handle_failure(now, &Failure::Exception(Exception::GATEWAY_TARGET)),
                6 => {
                    let reply = Reply::Words(vec![0; 3]);
                    // Of the right length it is an answer as good as any.
                    last_answer = if request.check(&reply).is_ok() { now } else { last_answer };
                    poller.handle_reply(now, &reply);
                }
                _ => {
                    if let Ok(reply) = device.answer(&request) {
                        poller.handle_reply(now, &reply);
                        last_answer = now;
                    }
                }
            }
            while let Some(event) = poller.poll_event() {
                if let Event::Read(registers) = event {
                    answered.extend(registers.into_iter().map(|register| (register, now)));
                }
            }
            for id in 0..profile.registers.len() {
                let reading = poller.values().reading(id);
                prop_assert!(reading.at.is_none_or(|at| at <= last_answer));
                if Some(id) != profile.serial() {
                    prop_assert!(reading.at <= answered.get(&id).copied(), "{}", profile.registers[id].id);
                }
                if reading.quality(now + Duration::from_secs(100_000)) == Quality::Fresh {
                    prop_assert!(reading.period.is_none(), "{} never ages", profile.registers[id].id);
                }
            }
        }
    }
}

#[test]
fn no_class_starves_however_slow_the_link_is() {
    for (index, (name, _)) in SHIPPED.iter().enumerate() {
        let profile = profile(index);
        let device = Device::of(&profile);
        let services = profile.link.services.iter().enumerate().map(|(n, s)| (s.name.clone(), 50 + n as u8)).collect();
        let mut poller = Poller::new(&profile, Options { services, baud: Some(9600), ..Options::default() });
        poller.link_up(Time::ZERO);
        if matches!(poller.identity(), sunmill::inverter::Identity::Unverifiable { .. }) {
            poller.confirm_identity();
        }
        let (now, _) = run(&mut poller, &device, Time::ZERO, Duration::from_secs(2400), Duration::from_millis(900));
        for (id, register) in profile.registers.iter().enumerate() {
            let reading = poller.values().reading(id);
            let wanted = register.access.reads() && register.poll != PollClass::Never;
            assert_eq!(
                poller.values().slot(id).words.len(),
                if wanted { register.addresses.len() } else { 0 },
                "{name} {}",
                register.id
            );
            if wanted && register.poll != PollClass::Once {
                let age = now.since(poller.values().slot(id).at.unwrap_or(Time::ZERO));
                assert!(age < Duration::from_secs(1200), "{name} {}: {age:?} old, {reading:?}", register.id);
            }
        }
    }
}

#[test]
fn holes_are_found_and_everything_else_is_still_read() {
    let profile = profile(5);
    assert_eq!(profile.name, "senergy_hybrid");
    let mut device = Device::of(&profile);
    // A register that this firmware lacks, and a gap that cannot be read along.
    device.holes = [(Table::Holding, 4920), (Table::Holding, 4103)].into();
    let mut poller = Poller::new(&profile, Options::default());
    poller.link_up(Time::ZERO);
    let frame = Duration::from_millis(60);
    let (now, asked) = run(&mut poller, &device, Time::ZERO, Duration::from_secs(120), frame);
    let missing = profile.find("grid_frequency").expect("a register");
    let quality = |poller: &Poller, id, now| poller.values().quality(id, now);
    assert_eq!(quality(&poller, missing, now), Quality::Quarantined);
    for (id, register) in profile.registers.iter().enumerate().filter(|(id, _)| *id != missing) {
        let words = poller.values().slot(id).words.len();
        assert_eq!(words, register.addresses.len(), "{}", register.id);
    }
    assert_eq!(poller.learned().refused.iter().collect::<Vec<_>>(), ["grid_frequency"]);
    let refused = asked.iter().filter(|request| device.answer(request).is_err()).count();
    assert!(refused < 20, "{refused} questions refused");

    // Once found they are not asked again, not even after a restart with what was learned.
    let learned = poller.learned().clone();
    let mut poller = Poller::new(&profile, Options { learned, ..Options::default() });
    poller.link_up(now);
    let (now, asked) = run(&mut poller, &device, now, Duration::from_secs(100), frame);
    assert_eq!(asked.iter().filter(|request| device.answer(request).is_err()).count(), 0);

    // Until five minutes are over: a firmware that has it now gets it back.
    device.holes.clear();
    let (now, _) = run(&mut poller, &device, now, Duration::from_secs(310), frame);
    assert_ne!(quality(&poller, missing, now), Quality::Quarantined);
    assert!(poller.learned().refused.is_empty());
}

#[test]
fn a_device_that_falls_silent_is_lost_and_asked_less_and_less() {
    let profile = profile(5);
    let device = Device::of(&profile);
    let mut poller = Poller::new(&profile, Options::default());
    poller.link_up(Time::ZERO);
    let (mut now, _) = run(&mut poller, &device, Time::ZERO, Duration::from_secs(10), Duration::from_millis(60));
    let soc = profile.find("battery_soc").expect("a register");
    assert_eq!(poller.values().quality(soc, now), Quality::Fresh);
    let mut asked = 0;
    let silence = now;
    while now < silence + Duration::from_secs(300) {
        if poller.next_request(now).is_some() {
            asked += 1;
            now += Duration::from_millis(1500);
            poller.handle_failure(now, &Failure::Timeout);
        } else {
            now = poller.poll_timeout().expect("it is still tried").max(now + Duration::from_millis(1));
        }
    }
    assert_eq!(poller.values().quality(soc, now), Quality::Lost);
    assert!((8..25).contains(&asked), "{asked} questions in five minutes");
    assert!(poller.write_refusal().is_some());
    // The serial number comes first when it is back.
    let (now, back) = run(&mut poller, &device, now, Duration::from_secs(40), Duration::from_millis(60));
    let serial = &profile.registers[profile.serial().expect("one")];
    assert!(matches!(back[0].action, Action::Read { address, .. } if address == serial.span().0));
    assert_eq!(poller.values().quality(soc, now), Quality::Fresh);
    assert_eq!(poller.write_refusal(), None);
}

#[test]
fn a_late_answer_to_another_question_is_not_believed() {
    let profile = profile(5);
    let device = Device::of(&profile);
    let mut poller = Poller::new(&profile, Options::default());
    poller.link_up(Time::ZERO);
    let (now, _) = run(&mut poller, &device, Time::ZERO, Duration::from_secs(10), Duration::from_millis(60));
    let mut now = now;
    let request = loop {
        match poller.next_request(now) {
            Some(request) => break request,
            None => now = poller.poll_timeout().expect("something is due"),
        }
    };
    poller.handle_failure(now, &Failure::Timeout);
    let late = device.answer(&request).expect("an answer");
    now += Duration::from_millis(100);
    // The canary: its answer is the late one. Wrong length or wrong words, it brings no value.
    let canary = poller.next_request(now).expect("the serial number");
    assert_ne!(canary, request);
    poller.handle_reply(now, &late);
    assert!(std::iter::from_fn(|| poller.poll_event()).all(|event| !matches!(event, Event::Read(_))));
    now += Duration::from_millis(100);
    let again = poller.next_request(now).expect("the serial number again");
    assert_eq!(again, canary);
    let same_length = Reply::Words(vec![7; 8]);
    poller.handle_reply(now, &same_length);
    let events: Vec<Event> = std::iter::from_fn(|| poller.poll_event()).collect();
    assert_eq!(events, [Event::OutOfStep]);
}
