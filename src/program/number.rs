//! Decimal numbers of a program: a sign, digits, one point; nothing else is a number to a controller.

/// Powers of ten that an `f64` holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// Mantissas up to here are exact in an `f64`.
const EXACT: u64 = 1 << 53;

/// The number at the head of `text` and how many bytes it takes; `None` if there is no digit.
///
/// Correctly rounded for any number of digits: most numbers have an exact mantissa and an exact power of ten, so that one
/// division rounds once; the others take the standard library's way.
#[inline]
pub(super) fn decimal(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let mut mantissa: u64 = 0;
    let mut at = sign;
    while let Some(digit) = text.get(at).map(|b| b.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    let mut digits = at - sign;
    let mut places = 0;
    if text.get(at) == Some(&b'.') {
        at += 1;
        let first = at;
        while let Some(digit) = text.get(at).map(|b| b.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            at += 1;
        }
        places = at - first;
        digits += places;
    }
    if digits == 0 {
        return None;
    }
    // 19 digits cannot have wrapped.
    let value = if digits <= 19 && mantissa <= EXACT && places < POWERS.len() {
        mantissa as f64 / POWERS[places]
    } else {
        slow(&text[sign..at])?
    };
    Some((if text.first() == Some(&b'-') && value != 0.0 { -value } else { value }, at))
}

#[cold]
fn slow(digits: &[u8]) -> Option<f64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_up_to_their_end() {
        for (text, value, length) in [
            ("1", 1.0, 1),
            ("-12.345Y", -12.345, 7),
            ("+.5", 0.5, 3),
            ("5.", 5.0, 2),
            ("007", 7.0, 3),
            ("-0", 0.0, 2),
            ("1.2.3", 1.2, 3),
            ("0.1", 0.1, 3),
            ("123456789012345678901234567890", 123_456_789_012_345_678_901_234_567_890.0, 30),
            ("0.00000000000000000000000000001", 1e-29, 31),
        ] {
            assert_eq!(decimal(text.as_bytes()), Some((value, length)), "{text}");
        }
        assert!(decimal(b"-0").is_some_and(|(value, _)| value.is_sign_positive()));
        for none in ["", "-", ".", "+.", "e3", "nan", "--1"] {
            assert_eq!(decimal(none.as_bytes()), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn it_is_what_the_standard_library_reads(text in r"[0-9]{1,25}(\.[0-9]{0,25})?") {
            prop_assert_eq!(decimal(text.as_bytes()), text.parse().ok().map(|value: f64| (value, text.len())));
        }

        /// Short ones, where most numbers of programs are, and whatever stands behind them.
        #[test]
        fn what_follows_a_number_is_no_part_of_it(
            text in r"[+-]?([0-9]{1,5}(\.[0-9]{0,5})?|\.[0-9]{1,5})",
            behind in proptest::option::of((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..12))),
        ) {
            let mut line = text.clone().into_bytes();
            if let Some((next, rest)) = behind {
                // A digit or a point would go on with it.
                if !matches!(next, b'0'..=b'9' | b'.') {
                    line.push(next);
                    line.extend(rest);
                }
            }
            let value: f64 = text.parse().unwrap();
            let read = decimal(&line);
            prop_assert_eq!(read, Some((value, text.len())));
            prop_assert!(value != 0.0 || read.is_some_and(|(value, _)| value.is_sign_positive()));
        }
    }
}
