//! Many clients, and bad ones: heaps of requests, a client that reads nothing, one that asks without end, damaged lines.

use futures_util::future::join_all;

use super::*;

/// How many states come to each of these in a second, by the time that five take.
async fn states_of(watchers: &mut [Hub]) -> f64 {
    let start = std::time::Instant::now();
    let each = watchers.iter_mut().map(async |watcher| {
        for _ in 0..5 {
            timeout(LONG, watcher.changed()).await.expect("a state").expect("the hub lives");
        }
    });
    join_all(each).await;
    5.0 / start.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout, reason = "the figures are said to who reads along")]
async fn fifty_clients_one_of_them_stuck_get_each_answer_once_and_in_order() {
    let house = House::open().await;
    // It asks for everything and reads nothing.
    let mut stuck = house.raw().await;
    stuck.hello().await;
    stuck.say(r#"{"jsonrpc":"2.0","id":2,"method":"subscribe","params":{"max_hz":20,"events":true}}"#).await;
    let mut watchers = Vec::new();
    for _ in 0..29 {
        watchers.push(house.screen().await.hub);
    }
    let alone = states_of(&mut watchers).await;
    let mut askers = Vec::new();
    for n in 0..20 {
        let mut raw = house.raw().await;
        raw.hello().await;
        askers.push(tokio::spawn(async move {
            let mut answered = 0;
            for id in 0..50 {
                let answer = raw.ask(100 + id, "command", json!({"command": {"Mdi": "G4 P0"}})).await;
                assert!(answer["result"]["outcome"] != Value::Null || answer["error"] != Value::Null, "{n}: {answer}");
                answered += 1;
            }
            answered
        }));
    }
    let answers = async {
        let mut answered = 0;
        for asker in askers {
            answered += timeout(LONG, asker).await.expect("in time").expect("no panic");
        }
        answered
    };
    let (answered, beside) = tokio::join!(answers, states_of(&mut watchers));
    assert_eq!(answered, 1000);
    println!("states in a second to each of 29 that watch: {alone:.1} in quiet, {beside:.1} beside 1,000 commands");
    let rev = house.shop.hub.snapshot().rev;
    for watcher in &mut watchers {
        until(watcher, "news", |s| s.rev >= rev).await;
    }
    drop(stuck);
    house.shop.task.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_and_never_reads_is_cut_and_leaves_no_trace() {
    let mut house = House::open().await;
    let mut raw = house.raw().await;
    raw.hello().await;
    house.shop.until("the client", |s| s.people.clients.len() == 1).await;
    let flood =
        async { while raw.write.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n").await.is_ok() {} };
    timeout(LONG, flood).await.expect("it is cut");
    house.shop.until("nobody", |s| s.people.clients.is_empty()).await;
    house.shop.done(Command::Mdi("G4 P0".into())).await;
    house.shop.task.shutdown().await;
}

/// Log entries that find no room are counted, shown to the others, and told to the client when it reads again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_slow_client_loses_is_counted_and_told() {
    let mut house = House::open().await;
    let mut raw = house.raw().await;
    raw.hello().await;
    raw.ask(2, "subscribe", json!({"events": true, "wire": true, "max_hz": 1})).await;
    let lost = |s: &Snapshot| s.people.clients.iter().map(|person| person.fares.dropped).sum::<u64>();
    for _ in 0..2000 {
        if lost(&house.shop.hub.snapshot()) > 0 {
            break;
        }
        let asked: Vec<TicketId> = (0..16).map(|_| house.shop.submit(Command::Mdi("G4 P0".into()))).collect();
        for ticket in asked {
            house.shop.outcome(ticket).await;
        }
        house.shop.log.clear();
    }
    assert!(lost(&house.shop.hub.snapshot()) > 0, "a client that reads nothing loses nothing");
    loop {
        let message = raw.next().await.expect("it is not cut: it reads again");
        if message["method"] == "gap" {
            assert!(message["params"]["count"].as_u64().is_some_and(|count| count > 0), "{message}");
            break;
        }
        if raw.lines.get_ref().buffer().is_empty() {
            // There has to be an entry before which the gap is told.
            house.shop.done(Command::Mdi("G4 P0".into())).await;
        }
    }
    house.shop.task.shutdown().await;
}

/// One asks without end, as fast as it can be written; the others are answered and told all the same, whatever it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout, reason = "the figures are said to who reads along")]
async fn a_flood_of_one_client_takes_nothing_from_the_others() {
    let house = House::open().await;
    let Raw { mut lines, mut write } = house.raw().await;
    let floods = tokio::spawn(async move {
        let hello = r#"{"jsonrpc":"2.0","id":0,"method":"hello","params":{"protocol":1,"client":"flood"}}"#;
        let ask = format!("{}\n", json!({"jsonrpc": "2.0", "id": 7, "method": "ping"}));
        let heap = ask.repeat(1000);
        write.write_all(format!("{hello}\n").as_bytes()).await.expect("written");
        while write.write_all(heap.as_bytes()).await.is_ok() {}
    });
    let reads = tokio::spawn(async move {
        let mut answers = 0_u64;
        while let Ok(Some(_)) = lines.next_line().await {
            answers += 1;
        }
        answers
    });
    let (mut other, mut screen) = (house.raw().await, house.screen().await.hub);
    other.hello().await;
    let start = std::time::Instant::now();
    for id in 2..102 {
        assert!(other.ask(id, "ping", json!({})).await["result"]["now_us"].is_number());
    }
    let pings = start.elapsed() / 100;
    for _ in 0..10 {
        timeout(LONG, screen.changed()).await.expect("news").expect("the hub lives");
    }
    println!("beside a flood: a ping and its answer take {pings:?}, ten states {:?}", start.elapsed());
    floods.abort();
    let _ = floods.await;
    println!("the flood was answered {} times", timeout(LONG, reads).await.expect("its end").expect("no panic"));
    house.shop.task.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heap_of_requests_in_one_write_is_answered_in_order_and_a_line_without_end_is_cut() {
    const MANY: u64 = 100_000;
    let mut house = House::open().await;
    let Raw { mut lines, mut write } = house.raw().await;
    let writes = tokio::spawn(async move {
        let ask = |id: u64| json!({"jsonrpc": "2.0", "id": id, "method": "ping"}).to_string() + "\n";
        let hello = r#"{"jsonrpc":"2.0","id":0,"method":"hello","params":{"protocol":1,"client":"heap"}}"#;
        let heap: String = std::iter::once(format!("{hello}\n")).chain((1..=MANY).map(ask)).collect();
        write.write_all(heap.as_bytes()).await.expect("all of it is taken");
        write
    });
    for id in 0..=MANY {
        let line = lines.next_line().await.expect("read").expect("an answer");
        assert!(line.contains(&format!("\"id\":{id},")), "{line}");
    }
    let mut write = writes.await.expect("written");
    let junk = vec![b'x'; 1024 * 1024];
    let mut taken = 0;
    while taken < 100 && write.write_all(&junk).await.is_ok() {
        taken += 1;
    }
    assert!(taken < 100, "100 MB without an end are not taken");
    house.shop.done(Command::Mdi("G4 P0".into())).await;
    house.shop.task.shutdown().await;
}

/// Lines that are nearly right: a byte changed, cut out, doubled. The connection answers or is cut; the hub goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_damaged_lines_disturbs_nobody() {
    let mut house = House::open().await;
    let before = house.shop.hub.snapshot().machine.machine_position;
    let whole = [
        r#"{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":1,"client":"x"}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"subscribe","params":{"max_hz":20,"events":true}}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"command","params":{"command":{"Mdi":"G4 P0"}}}"#,
        r#"{"jsonrpc":"2.0","id":4,"method":"events.since","params":{"id":7,"most":3}}"#,
        r#"{"jsonrpc":"2.0","id":5,"method":"ask","params":{"query":{"Program":{"List":null}}}}"#,
        r#"{"jsonrpc":"2.0","id":6,"method":"ping","params":{"rtt_us":1000}}"#,
    ];
    // The same bytes in every run.
    let mut seed = 12_345_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for _ in 0..40 {
        let Raw { mut lines, mut write } = house.raw().await;
        let reads = tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        for n in 0..25 {
            let mut line = whole[if n == 0 { 0 } else { next(whole.len()) }].as_bytes().to_vec();
            let at = next(line.len());
            match if n == 0 { 9 } else { next(5) } {
                0 => line[at] = next(256) as u8,
                1 => drop(line.remove(at)),
                2 => line.insert(at, line[at]),
                3 => line.truncate(at),
                _ => {}
            }
            line.push(b'\n');
            if write.write_all(&line).await.is_err() {
                break;
            }
        }
        drop(write);
        reads.await.expect("answers, to the end");
    }
    // The last one may have been in control, until it is heard that it has left.
    house.shop.until("nobody", |s| s.people.clients.is_empty()).await;
    house.shop.done(Command::Mdi("G4 P0".into())).await;
    assert_eq!(house.shop.hub.snapshot().machine.machine_position, before);
    house.shop.task.shutdown().await;
}
