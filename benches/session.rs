//! Lines per second through a session over a pseudo-terminal, against a bare loop that only writes and counts.
//!
//! Both talk to the same machine, which says `ok` to every line at once. Nothing is paced: what is measured
//! is sunmill's own cost per line. Most of the time goes into switching between the two ends, and how long that takes
//! changes from one second to the next; so the loops take turns, and the medians are compared.

mod support;

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sunmill::grbl::event::Event;
use sunmill::grbl::line::Line;
use sunmill::grbl::session::{Session, SessionConfig};
use sunmill::grbl::tables::Tables;
use sunmill::model::snapshot::LinkState;
use sunmill::model::{Firmware, TicketId, Time};
use support::{NO_BUDGET, cable, title, value};

const LINES: u64 = 20_000;
/// Turns of each loop.
const TURNS: usize = 7;
/// What Grbl is known to hold.
const WINDOW: usize = 127;
/// A line of a program, about as long as the average one.
const LINE: &str = "G1X12.345Y67.890";
/// Bytes handed over at a time.
const BUFFER: usize = 4096;
/// Ends a run whose session never comes up.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> io::Result<()> {
    title("Streaming, unpaced");
    let (mut by_line, mut by_window, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        by_line.push(bare(1)?);
        by_window.push(bare(usize::MAX)?);
        sessions.push(session()?);
    }
    let [by_line, by_window, session] = [by_line, by_window, sessions].map(median);
    value("bare loop, a write for each line", by_line, "lines/s", NO_BUDGET);
    value("bare loop, a write for all that fits", by_window, "lines/s", NO_BUDGET);
    value("session", session, "lines/s", NO_BUDGET);
    value("session / bare loop by line", session / by_line, "", ">= 0.8");
    value("session / bare loop by window", session / by_window, "", NO_BUDGET);
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

/// `burst`: most lines of one write.
fn bare(burst: usize) -> io::Result<f64> {
    let cable = cable()?;
    let machine = std::thread::spawn(move || machine(cable.machine));
    let mut computer = cable.computer;
    let line = format!("{LINE}\n");
    let (mut sent, mut answered, mut buffer) = (0, 0, [0; 4096]);
    let start = Instant::now();
    while answered < LINES {
        loop {
            let room = WINDOW / line.len() - (sent - answered) as usize;
            let count = room.min(burst).min((LINES - sent) as usize);
            if count == 0 {
                break;
            }
            computer.write_all(line.repeat(count).as_bytes())?;
            sent += count as u64;
        }
        let count = computer.read(&mut buffer)?;
        answered += buffer[..count].split(|byte| *byte == b'\n').count() as u64 - 1;
    }
    let rate = LINES as f64 / start.elapsed().as_secs_f64();
    drop(computer);
    let _ = machine.join();
    Ok(rate)
}

fn session() -> io::Result<f64> {
    let cable = cable()?;
    let machine = std::thread::spawn(move || machine(cable.machine));
    let mut computer = cable.computer;
    let begin = Instant::now();
    let now = || Time::from_micros(begin.elapsed().as_micros() as u64);
    let config = SessionConfig {
        rx_bytes: None,
        network: false,
        paced: false,
        idle_interval: Duration::from_millis(200),
        moving_interval: Duration::from_millis(100),
    };
    let mut session = Session::new(config, Tables::load());
    let line = Line::new(LINE, Some(Firmware::Grbl)).map_err(io::Error::other)?;
    session.handle_open(now());
    let (mut up, mut sent, mut answered) = (None, 0, 0);
    let (mut out, mut buffer) = ([0; BUFFER], [0; BUFFER]);
    while answered < LINES {
        if up.is_none() && begin.elapsed() > PATIENCE {
            return Err(io::Error::other("the session did not come up"));
        }
        while up.is_some() && sent < LINES && session.room(now()) > LINE.len() {
            session.submit(now(), line.clone(), TicketId(sent + 1)).map_err(io::Error::other)?;
            sent += 1;
        }
        loop {
            let count = session.poll_transmit(now(), &mut out, BUFFER);
            if count == 0 {
                break;
            }
            computer.write_all(&out[..count])?;
        }
        let wait = session.poll_timeout().map_or(PATIENCE, |due| due.since(now()));
        if readable(&computer, wait)? {
            let count = computer.read(&mut buffer)?;
            session.handle_bytes(now(), &buffer[..count]);
        } else {
            session.handle_timeout(now());
        }
        while let Some(event) = session.poll_event() {
            match event {
                Event::Link(LinkState::Up) => up = up.or(Some(Instant::now())),
                Event::Outcome { .. } => answered += 1,
                _ => {}
            }
        }
    }
    let rate = up.map_or(0.0, |up| LINES as f64 / up.elapsed().as_secs_f64());
    drop(computer);
    let _ = machine.join();
    Ok(rate)
}

fn readable(tty: impl AsFd, wait: Duration) -> io::Result<bool> {
    let timeout = Timespec { tv_sec: wait.as_secs().cast_signed(), tv_nsec: wait.subsec_nanos().into() };
    Ok(poll(&mut [PollFd::new(&tty, PollFlags::IN)], Some(&timeout))? > 0)
}

/// A Grbl that has nothing to do: `ok` to every line, a report to every `?`. Ends when the cable is pulled.
fn machine(mut cable: std::fs::File) -> io::Result<()> {
    let (mut buffer, mut line, mut answer) = ([0; 4096], Vec::new(), Vec::new());
    loop {
        let count = cable.read(&mut buffer)?;
        for byte in &buffer[..count] {
            match byte {
                b'?' => answer.extend_from_slice(b"<Idle|MPos:0.000,0.000,0.000|FS:0,0|WCO:0.000,0.000,0.000>\r\n"),
                b'\n' => {
                    if line == b"$I" {
                        answer.extend_from_slice(b"[VER:1.1h.20190830:]\r\n[OPT:V,15,128]\r\n");
                    }
                    answer.extend_from_slice(b"ok\r\n");
                    line.clear();
                }
                _ => line.push(*byte),
            }
        }
        cable.write_all(&answer)?;
        answer.clear();
    }
}
