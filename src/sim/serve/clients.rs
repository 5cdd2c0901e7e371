//! Several connections to one machine: whole lines go in, `ok` and `error:` go back to who sent the line,
//! everything else to all.

use std::collections::{BTreeMap, VecDeque};

/// Bytes of an unfinished line that are kept.
const MOST_PARTIAL: usize = 4096;

/// Who is connected, and whose lines the machine still owes an answer.
#[derive(Debug, Default)]
pub(super) struct Clients {
    partial: BTreeMap<u64, Vec<u8>>,
    owners: VecDeque<u64>,
    line: Vec<u8>,
    /// A carriage return ends a line too (Grbl).
    cr_ends: bool,
}

/// A line of output, and the client it is for (`None`: all).
pub(super) type Delivery = (Option<u64>, Vec<u8>);

impl Clients {
    pub(super) fn new(cr_ends: bool) -> Self {
        Self { cr_ends, ..Self::default() }
    }

    pub(super) fn joined(&mut self, client: u64) {
        self.partial.insert(client, Vec::new());
    }

    pub(super) fn left(&mut self, client: u64) {
        self.partial.remove(&client);
    }

    /// Bytes of one client; gives what goes to the machine now. Realtime bytes do not wait for the line's end.
    pub(super) fn input(&mut self, client: u64, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let partial = self.partial.entry(client).or_default();
        for &byte in bytes {
            match byte {
                b'\n' => {}
                b'\r' if self.cr_ends => {}
                b'\r' => continue,
                b'?' | b'!' | b'~' => {
                    out.push(byte);
                    continue;
                }
                _ if byte >= 0x80 || (byte < b' ' && byte != b'\t') => {
                    out.push(byte);
                    continue;
                }
                _ => {
                    if partial.len() < MOST_PARTIAL {
                        partial.push(byte);
                    }
                    continue;
                }
            }
            out.append(partial);
            out.push(byte);
            self.owners.push_back(client);
        }
        out
    }

    /// Bytes of the machine, sorted by who gets them.
    pub(super) fn output(&mut self, bytes: &[u8]) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        for &byte in bytes {
            self.line.push(byte);
            if byte != b'\n' {
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let answer = line.starts_with(b"ok") || line.starts_with(b"error:");
            if line.starts_with(b"Grbl") {
                // A reset: whatever was asked is not answered any more.
                self.owners.clear();
            }
            let owner = if answer { self.owners.pop_front() } else { None };
            deliveries.push((owner, line));
        }
        deliveries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_go_to_who_asked_and_lines_do_not_mix() {
        let mut clients = Clients::new(false);
        clients.joined(1);
        clients.joined(2);
        assert_eq!(clients.input(1, b"G0"), b"");
        assert_eq!(clients.input(2, b"$G\r\n"), b"$G\n");
        assert_eq!(clients.input(1, b"!X1\n"), b"!G0X1\n");
        let out = clients.output(b"[GC:G0]\nok\nerr");
        assert_eq!(out, [(None, b"[GC:G0]\n".to_vec()), (Some(2), b"ok\n".to_vec())]);
        assert_eq!(clients.output(b"or:9\n"), [(Some(1), b"error:9\n".to_vec())]);
        assert_eq!(clients.output(b"ok\n"), [(None, b"ok\n".to_vec())], "an answer nobody waits for is shown to all");
    }

    #[test]
    fn a_reset_voids_what_was_asked() {
        let mut clients = Clients::new(false);
        clients.input(1, b"G4P9\n");
        clients.output(b"\r\nGrbl 4.0 [FluidNC]\r\n");
        clients.input(2, b"$G\n");
        assert_eq!(clients.output(b"ok\r\n")[0].0, Some(2));
    }
}
