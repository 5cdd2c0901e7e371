//! Decimal numbers as controllers print them: no exponent, no locale, at most nine in a row.

use crate::model::AxisVec;
use crate::model::axes::MAX_AXES;

/// Powers of ten that an `f64` holds exactly and that a fraction here can need.
const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A decimal number of at most 15 digits, correctly rounded. No exponent, no `nan`, no blanks; `-0` is 0.
pub(super) fn decimal(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let mut mantissa: u64 = 0;
    let mut count = 0_usize;
    let mut point = None;
    for &b in digits {
        match b {
            b'0'..=b'9' => {
                mantissa = mantissa * 10 + u64::from(b - b'0');
                count += 1;
                if count > 15 {
                    return None;
                }
            }
            b'.' if point.is_none() => point = Some(count),
            _ => return None,
        }
    }
    if count == 0 {
        return None;
    }
    // Both are exact (below 2^53 and 10^22), so the quotient is rounded once.
    let value = mantissa as f64 / POWERS[count - point.unwrap_or(count)];
    Some(if negative && mantissa != 0 { -value } else { value })
}

/// A whole number.
pub(super) fn integer(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0_u32, |n, &b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
}

/// A whole number that fits 16 bits.
pub(super) fn integer16(text: &[u8]) -> Option<u16> {
    integer(text).and_then(|n| u16::try_from(n).ok())
}

/// One to nine numbers with commas between them.
pub(super) fn list(text: &[u8]) -> Option<AxisVec> {
    let mut values = [0.0; MAX_AXES];
    let mut count = 0;
    for part in text.split(|&b| b == b',') {
        *values.get_mut(count)? = decimal(part)?;
        count += 1;
    }
    Some(AxisVec::from_slice(&values[..count]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_read_as_printed() {
        assert_eq!(decimal(b"-12.345"), Some(-12.345));
        assert_eq!(decimal(b"0.1"), Some(0.1));
        assert_eq!(decimal(b"5."), Some(5.0));
        assert_eq!(decimal(b"-.5"), Some(-0.5));
        assert!(decimal(b"-0.000").is_some_and(|v| v == 0.0 && v.is_sign_positive()));
        for bad in ["", "-", ".", "1.2.3", "1e3", "nan", "inf", "1 ", "--1", "1234567890123456"] {
            assert_eq!(decimal(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn lists_have_one_to_nine_numbers() {
        assert_eq!(list(b"1,2.5,-3").map(|v| v.as_slice().to_vec()), Some(vec![1.0, 2.5, -3.0]));
        assert_eq!(list(b"1,2,3,4,5,6,7,8,9").map(|v| v.len()), Some(9));
        for bad in ["", "1,", ",1", "1,2,3,4,5,6,7,8,9,10", "1,,2"] {
            assert_eq!(list(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_decimal_is_what_the_standard_library_reads(n in -99_999_999_i64..99_999_999, places in 0_usize..6) {
            let text = format!("{:.places$}", n as f64 / 1000.0);
            prop_assert_eq!(decimal(text.as_bytes()), text.parse::<f64>().ok().map(|v| v + 0.0));
        }
    }
}
