//! Requests out of a stream of bytes, and answers into frames: RTU (Modbus over Serial Line V1.02, 2.5.1) and TCP
//! (Modbus Messaging on TCP/IP V1.0b, 3.1). Own code, because a simulator has to be able to do it wrong.

use super::core::Framing;
use crate::inverter::frame::{LONGEST, crc};

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) unit: u8,
    /// Of the TCP framing; 0 in RTU.
    pub(super) transaction: u16,
    /// Function and data.
    pub(super) pdu: Vec<u8>,
}

/// Takes the first whole request out of the buffer. `None`: more bytes are needed. `Err`: a TCP stream that cannot be
/// understood any more, which a device ends.
pub(super) fn take(framing: Framing, buffer: &mut Vec<u8>) -> Result<Option<Asked>, ()> {
    match framing {
        Framing::Rtu => Ok(take_rtu(buffer)),
        Framing::Tcp => take_tcp(buffer),
    }
}

fn take_rtu(buffer: &mut Vec<u8>) -> Option<Asked> {
    // Bytes at the front that begin no good frame are noise: the next request begins somewhere behind them.
    for start in 0..buffer.len() {
        let rest = &buffer[start..];
        match rtu_length(rest) {
            Some(length) if rest.len() >= length => {
                let (frame, sum) = rest[..length].split_at(length - 2);
                if crc(frame).to_le_bytes() == sum {
                    let asked = Asked { unit: frame[0], transaction: 0, pdu: frame[1..].to_vec() };
                    buffer.drain(..start + length);
                    return Some(asked);
                }
            }
            _ => {}
        }
    }
    if buffer.len() > LONGEST {
        buffer.drain(..buffer.len() - LONGEST);
    }
    None
}

/// How long the frame is that begins here, if its beginning tells.
fn rtu_length(bytes: &[u8]) -> Option<usize> {
    match *bytes {
        [_, 1..=6, ..] => Some(8),
        [_, 15 | 16, _, _, _, _, count, ..] => Some(9 + usize::from(count)),
        [_, 15 | 16, ..] => None,
        // Functions that no inverter here has: as much as there is, if its sum fits.
        [_, _, _, _, ..] => Some(bytes.len()),
        _ => None,
    }
}

fn take_tcp(buffer: &mut Vec<u8>) -> Result<Option<Asked>, ()> {
    let [t1, t0, p1, p0, l1, l0, unit, ..] = buffer[..] else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([l1, l0]));
    if (p1, p0) != (0, 0) || !(2..=LONGEST).contains(&length) {
        return Err(());
    }
    if buffer.len() < 6 + length {
        return Ok(None);
    }
    let pdu = buffer[7..6 + length].to_vec();
    buffer.drain(..6 + length);
    Ok(Some(Asked { unit, transaction: u16::from_be_bytes([t1, t0]), pdu }))
}

/// An answer as it goes out.
pub(super) fn put(framing: Framing, to: &Asked, pdu: &[u8]) -> Vec<u8> {
    match framing {
        Framing::Rtu => {
            let mut frame = vec![to.unit];
            frame.extend(pdu);
            frame.extend(crc(&frame).to_le_bytes());
            frame
        }
        Framing::Tcp => {
            let length = u16::try_from(pdu.len() + 1).unwrap_or(u16::MAX);
            let mut frame = Vec::with_capacity(7 + pdu.len());
            frame.extend(to.transaction.to_be_bytes());
            frame.extend([0, 0]);
            frame.extend(length.to_be_bytes());
            frame.push(to.unit);
            frame.extend(pdu);
            frame
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_come_in_pieces_and_behind_noise() {
        let asked = Asked { unit: 1, transaction: 0, pdu: vec![3, 0, 0, 0, 10] };
        let frame = put(Framing::Rtu, &asked, &asked.pdu);
        let mut buffer = vec![0xFF, 0x00, 1, 3];
        assert_eq!(take(Framing::Rtu, &mut buffer), Ok(None));
        buffer.extend(&frame[..5]);
        assert_eq!(take(Framing::Rtu, &mut buffer), Ok(None));
        buffer.extend(&frame[5..]);
        assert_eq!(take(Framing::Rtu, &mut buffer), Ok(Some(asked)));
        assert!(buffer.is_empty());

        let asked = Asked { unit: 9, transaction: 513, pdu: vec![6, 0, 1, 0, 2] };
        let mut buffer = put(Framing::Tcp, &asked, &asked.pdu);
        let last = buffer.pop().unwrap();
        assert_eq!(take(Framing::Tcp, &mut buffer), Ok(None));
        buffer.push(last);
        assert_eq!(take(Framing::Tcp, &mut buffer), Ok(Some(asked)));
        assert_eq!(take(Framing::Tcp, &mut b"GET / HTTP/1.1".to_vec()), Err(()));
    }
}
