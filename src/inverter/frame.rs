//! What is left of an RTU answer that came damaged: for the counters, since the decoder only says that none came.

use super::request::Request;

/// Longest RTU frame (Modbus over Serial Line V1.02, 2.5.1).
pub const LONGEST: usize = 256;
/// Unit, function, exception code, sum.
const EXCEPTION: usize = 5;

/// CRC-16 with the polynomial 0xA001 (Modbus over Serial Line V1.02, 6.2.2); the low byte goes first.
pub fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xA001 } else { crc >> 1 })
    })
}

/// How an answer is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Its check sum (CRC) is wrong.
    Sum,
    /// It ends too early.
    Cut,
}

/// What `bytes`, of which the decoder made no answer to `request`, look like. `None`: nothing that was meant as one, or a whole frame
/// that says something else.
pub fn damage(request: &Request, bytes: &[u8]) -> Option<Damage> {
    let whole = request.rtu_bytes().1;
    // Its first byte may be what is damaged.
    let starts = (0..bytes.len()).filter(|at| is_answer(request, &bytes[*at..]));
    let start = starts.min().or_else(|| (bytes.len() == whole).then_some(0))?;
    let frame = &bytes[start..];
    if has_sum(frame) {
        return None;
    }
    let length = if frame[1] & 0x80 == 0 { whole } else { EXCEPTION };
    if frame.len() < length {
        return Some(Damage::Cut);
    }
    (!has_sum(&frame[..length])).then_some(Damage::Sum)
}

/// It begins as an answer to this does, or as an exception.
fn is_answer(request: &Request, bytes: &[u8]) -> bool {
    matches!(bytes, [unit, function, ..] if *unit == request.unit && function & 0x7F == request.function())
}

fn has_sum(frame: &[u8]) -> bool {
    frame.split_last_chunk().is_some_and(|(body, sum)| body.len() > 2 && crc(body).to_le_bytes() == *sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::power::Table;

    fn request() -> Request {
        Request::read(7, Table::Holding, 100, 4)
    }

    fn answer(body: &[u8]) -> Vec<u8> {
        [body, &crc(body).to_le_bytes()].concat()
    }

    fn good() -> Vec<u8> {
        answer(&[7, 3, 8, 0, 1, 0, 2, 0, 3, 0, 4])
    }

    #[test]
    fn the_sum_is_that_of_the_specification() {
        // A frame of the wide-spread examples: read 10 registers of unit 1 from 0.
        assert_eq!(crc(&[1, 3, 0, 0, 0, 10]).to_le_bytes(), [0xC5, 0xCD]);
    }

    #[test]
    fn what_is_whole_or_of_somebody_else_is_not_damaged() {
        assert_eq!(damage(&request(), &good()), None);
        assert_eq!(damage(&request(), &answer(&[7, 3, 6, 0, 1, 0, 2, 0, 3])), None, "a register too few, but whole");
        assert_eq!(damage(&request(), &answer(&[7, 0x83, 2])), None);
        assert_eq!(damage(&request(), &[]), None);
        assert_eq!(damage(&request(), &[0xFF, 0, 0x5A]), None, "noise");
    }

    #[test]
    fn an_exception_can_be_damaged_too() {
        assert_eq!(damage(&request(), &[7, 0x83, 2, 1, 1]), Some(Damage::Sum));
        assert_eq!(damage(&request(), &[7, 0x83, 2]), Some(Damage::Cut));
    }

    proptest! {
        #[test]
        fn a_bit_that_fell_over_is_found(at in 0_usize..13, bit in 0_u8..8, noise in prop::collection::vec(0x80_u8.., 0..2)) {
            let mut frame = good();
            frame[at] ^= 1 << bit;
            // With noise in front, who cannot tell unit and function does not know that it was an answer.
            prop_assume!(noise.is_empty() || at > 1);
            // The function's highest bit makes an exception of it.
            let found = damage(&request(), &[noise, frame].concat());
            prop_assert_eq!(found, Some(Damage::Sum));
        }

        #[test]
        fn an_answer_that_ends_early_is_found(length in 2_usize..13) {
            prop_assert_eq!(damage(&request(), &good()[..length]), Some(Damage::Cut));
        }

        #[test]
        fn nothing_makes_it_stumble(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = damage(&request(), &bytes);
        }
    }
}
