//! A simulated machine at the other end of a pipe in this process.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::sim::machine::Options;

use super::outlet::Outlet;
use super::world::World;

/// What the pipe holds in each direction, about what a tty holds.
const PIPE_BYTES: usize = 4096;

/// Starts a machine in a task and gives the near end of its link.
///
/// The task ends when the near end is dropped. A `drop` fault ends the far end instead: reads give no bytes.
/// Must be called within a tokio runtime.
pub fn in_process(options: Options) -> DuplexStream {
    in_process_at(options, None)
}

/// The same, at the speed of a serial wire (bits per second).
pub fn in_process_at(options: Options, pace_baud: Option<u32>) -> DuplexStream {
    start(World::new(options, pace_baud))
}

/// A machine that is plugged in there.
pub fn in_process_on(options: Options, outlet: Outlet) -> DuplexStream {
    start(World::new(options, None).plugged(outlet))
}

fn start(world: World) -> DuplexStream {
    let (near, far) = tokio::io::duplex(PIPE_BYTES);
    tokio::spawn(run(world, far));
    near
}

async fn run(mut world: World, far: DuplexStream) {
    let (mut reader, mut writer) = tokio::io::split(far);
    let mut buffer = [0_u8; 256];
    loop {
        let out = world.output();
        if writer.write_all(&out).await.is_err() || world.take_drop() {
            return;
        }
        let room = world.input_room().min(buffer.len());
        tokio::select! {
            read = reader.read(&mut buffer[..room]), if room > 0 => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => world.input(&buffer[..count]),
            },
            () = world.next_event() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncBufReadExt, BufReader};

    use super::*;
    use crate::model::Firmware;
    use crate::sim::machine::FaultPlan;

    /// Sends a line, reads until `wanted`.
    async fn ask(link: &mut BufReader<DuplexStream>, line: &[u8], wanted: &str) -> Vec<String> {
        link.write_all(line).await.unwrap();
        let mut seen = Vec::new();
        loop {
            let mut text = String::new();
            assert_ne!(link.read_line(&mut text).await.unwrap(), 0, "ended before {wanted:?}: {seen:?}");
            seen.push(text.trim_end().to_owned());
            if text.starts_with(wanted) {
                return seen;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_fresh_machine_is_locked_homes_and_jogs() {
        let mut link = BufReader::new(in_process(Options::new(Firmware::FluidNc)));
        ask(&mut link, b"", "ALARM:14").await;
        ask(&mut link, b"$J=G91X1F100\n", "error:8").await;
        let homing = ask(&mut link, b"$H\n", "ok").await;
        assert!(homing.iter().any(|l| l == "[MSG:Homed:Z]"), "{homing:?}");
        ask(&mut link, b"$J=G91X5F600\n", "ok").await;
        ask(&mut link, b"?", "<Jog|").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let report = ask(&mut link, b"?", "<").await;
        assert!(report[0].starts_with("<Idle|MPos:5.000,0.000,0.000,0.000|"), "{report:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_link_reads_as_ended() {
        let plan: FaultPlan = "drop@2s".parse().unwrap();
        let mut link = in_process(Options { faults: vec![plan], ..Options::new(Firmware::Grbl) });
        let mut all = Vec::new();
        link.read_to_end(&mut all).await.unwrap();
        assert!(String::from_utf8(all).unwrap().contains("Grbl 1.1h"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_paced_link_is_as_slow_as_its_wire() {
        let mut options = Options::new(Firmware::Grbl);
        options.homed = true;
        let mut link = BufReader::new(in_process_at(options, Some(9600)));
        ask(&mut link, b"", "Grbl").await;
        let begin = tokio::time::Instant::now();
        // 30 bytes there and 4 back, on simulated time.
        ask(&mut link, b"G4P0(aaaaaaaaaaaaaaaaaaaaaaa)\n", "ok").await;
        let took = begin.elapsed();
        assert!((Duration::from_millis(33)..Duration::from_millis(50)).contains(&took), "{took:?}");
    }
}
