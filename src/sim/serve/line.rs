//! Several simulated inverters on one serial line.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

use super::bus::Bus;

/// What the pipe to the line holds in each direction.
const PIPE_BYTES: usize = 4096;
/// Answers that may wait for whoever reads the line.
const ANSWERS: usize = 64;

/// A connection in this process to a line with these inverters on it: each hears every question, and the one that is meant
/// answers. Ends when the other end is dropped. Must be called within a tokio runtime.
pub fn connect_line(inverters: &[Bus]) -> DuplexStream {
    let (near, far) = tokio::io::duplex(PIPE_BYTES);
    let ends: Vec<DuplexStream> = inverters.iter().map(Bus::connect).collect();
    tokio::spawn(carry(far, ends));
    near
}

async fn carry(line: DuplexStream, ends: Vec<DuplexStream>) {
    let (mut questions, mut out) = tokio::io::split(line);
    let (say, mut answers) = mpsc::channel::<Vec<u8>>(ANSWERS);
    let mut ears = Vec::new();
    for end in ends {
        let (mut mouth, ear) = tokio::io::split(end);
        ears.push(ear);
        let say = say.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok(count @ 1..) = mouth.read(&mut buffer).await {
                if say.send(buffer[..count].to_vec()).await.is_err() {
                    return;
                }
            }
        });
    }
    drop(say);
    let mut buffer = [0; 512];
    loop {
        tokio::select! {
            read = questions.read(&mut buffer) => {
                let Ok(count @ 1..) = read else { return };
                for ear in &mut ears {
                    // One that is gone is no trouble for the others.
                    let _ = ear.write_all(&buffer[..count]).await;
                }
            }
            Some(answer) = answers.recv() => {
                if out.write_all(&answer).await.is_err() {
                    return;
                }
            }
        }
    }
}
