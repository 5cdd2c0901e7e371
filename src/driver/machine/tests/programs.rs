//! Programs through the task.

use super::super::feed::Feed;
use super::*;
use crate::grbl::event::ProgramEvent;
use crate::grbl::session::{ProgramItem, ProgramLine};

fn program_line(number: u64, text: &str) -> ProgramItem {
    ProgramItem::Line(ProgramLine { number, line: Line::new(text, None).unwrap(), asks: false })
}

#[tokio::test(start_paused = true)]
async fn a_program_streams_in_order_and_a_hold_goes_before_all_that_waits() {
    let (mut bench, _connections, mut bytes) = Bench::up(Pace::Off).await;
    let (feeder, feed) = Feed::new();
    let lines = (1..=200).map(|number| program_line(number, &format!("G1 X{number}")));
    feeder.send(lines.collect()).await.unwrap();
    bench.order(OrderKind::Program(feed)).await;
    assert_eq!(bench.outcome().await.1, Outcome::Done);
    until(&mut bytes, b'X').await;
    // The feeder stays silent, as one that waits for a slow disk does: a hold does not wait for it.
    let sent = until(&mut bytes, b'2').await;
    assert!(sent.starts_with(b"1\n"), "{sent:?}");
    bench.latch.set(Realtime::FeedHold);
    until(&mut bytes, b'!').await;
    drop(feeder);
    bench.handle.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_task_holds_a_program() {
    let (mut bench, _connections, mut bytes) = Bench::up(Pace::Off).await;
    let (feeder, feed) = Feed::new();
    feeder.send(vec![program_line(1, "G1 X1")]).await.unwrap();
    bench.order(OrderKind::Program(feed)).await;
    assert_eq!(bench.outcome().await.1, Outcome::Done);
    until(&mut bytes, b'X').await;
    bench.handle.shutdown().await;
    until(&mut bytes, b'!').await;
}

#[tokio::test(start_paused = true)]
async fn a_feeder_that_dies_in_the_middle_holds_the_machine() {
    let (mut bench, _connections, mut bytes) = Bench::up(Pace::Off).await;
    let (feeder, feed) = Feed::new();
    feeder.send(vec![program_line(1, "G1 X1")]).await.unwrap();
    bench.order(OrderKind::Program(feed)).await;
    until(&mut bytes, b'X').await;
    drop(feeder);
    until(&mut bytes, b'!').await;
    let why = bench
        .next(|event| match &event.what {
            EventKind::Session(grbl::Event::Program(ProgramEvent::Broken { why })) => Some(why.clone()),
            _ => None,
        })
        .await;
    assert!(why.contains("Stop the program"), "{why}");
    bench.handle.shutdown().await;
}
