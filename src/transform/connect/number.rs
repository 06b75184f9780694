//! Numbers as Java reads and narrows them: `BigDecimal` of a text or of a Decimal's bytes, and what its `longValue` and
//! `doubleValue` give.

/// Digits of zeros that a text's exponent may add; Java would take gigabytes for more.
const ZEROS_MAXIMUM: i64 = 1_000;

/// A number in decimal: `digits` × 10^-`scale`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) negative: bool,
    /// ASCII digits, at least one.
    pub(super) digits: String,
    pub(super) scale: i64,
}

impl Decimal {
    /// `new BigDecimal(text)`; none where Java throws, or where the exponent is beyond any use.
    pub(super) fn parse(text: &str) -> Option<Decimal> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                let is_number = (1..=10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
                (mantissa, if is_number { exponent.parse::<i64>().ok()? } else { return None })
            }
            None => (text, 0),
        };
        let negative = mantissa.starts_with('-');
        let mantissa = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let scale = i64::try_from(fraction.len()).ok()? - exponent;
        (scale.abs() <= ZEROS_MAXIMUM).then_some(Decimal { negative, digits, scale })
    }

    /// Digits before the point.
    fn whole_digits(&self) -> usize {
        usize::try_from(self.digits.len() as i64 - self.scale).unwrap_or(0)
    }

    /// `longValue()`: the whole part's lowest 64 bits.
    pub(super) fn long(&self) -> i64 {
        let digits = self.digits.bytes().chain(std::iter::repeat(b'0')).take(self.whole_digits());
        let magnitude = digits.fold(0i64, |sum, digit| sum.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')));
        if self.negative { magnitude.wrapping_neg() } else { magnitude }
    }

    /// `doubleValue()`.
    pub(super) fn double(&self) -> f64 {
        self.text().parse().unwrap_or(f64::NAN)
    }

    /// `floatValue()`.
    pub(super) fn float(&self) -> f32 {
        self.text().parse().unwrap_or(f32::NAN)
    }

    fn text(&self) -> String {
        format!("{}{}e{}", if self.negative { "-" } else { "" }, self.digits, -self.scale)
    }

    /// Whether it has no fraction but zeros.
    pub(super) fn is_whole(&self) -> bool {
        self.digits.bytes().skip(self.whole_digits()).all(|digit| digit == b'0')
    }

    /// The whole part, where it fits into 128 bits.
    pub(super) fn whole(&self) -> Option<i128> {
        let mut digits = self.digits.bytes().chain(std::iter::repeat(b'0')).take(self.whole_digits());
        let magnitude =
            digits.try_fold(0i128, |sum, digit| sum.checked_mul(10)?.checked_add(i128::from(digit - b'0')))?;
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// The unscaled value as `BigInteger.toByteArray` gives it; none beyond 128 bits.
    pub(super) fn unscaled(&self) -> Option<Vec<u8>> {
        let magnitude: i128 = self.digits.parse().ok()?;
        let value = if self.negative { -magnitude } else { magnitude };
        let bytes = value.to_be_bytes();
        let sign = if value < 0 { 0xff } else { 0 };
        // Bytes that only repeat the sign are left out, but for the one that carries it.
        let repeats = |pair: &&[u8]| matches!(pair, [first, second] if *first == sign && (second ^ sign) & 0x80 == 0);
        let redundant = bytes.windows(2).take_while(repeats).count();
        Some(bytes.get(redundant..).unwrap_or_default().to_vec())
    }
}

/// What `Float.parseFloat` and `Double.parseDouble` take, hexadecimal numbers left out, as Rust reads it.
pub(super) fn floating(text: &str) -> Option<&str> {
    let text = text.trim_matches(|c: char| c <= ' ');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, "NaN" | "Infinity") {
        return Some(text);
    }
    let text = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    let is_number = text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    is_number.then_some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn decimals_narrow_as_in_java() {
        let check = |text: &str, long: i64, double: f64, whole: bool| {
            let decimal = Decimal::parse(text).unwrap();
            assert_eq!((decimal.long(), decimal.double(), decimal.is_whole()), (long, double, whole), "{text}");
        };
        check("123.45", 123, 123.45, false);
        check("-123.99", -123, -123.99, false);
        check("1.50e1", 15, 15.0, true);
        check("1e3", 1000, 1000.0, true);
        check("+.5", 0, 0.5, false);
        check("5.", 5, 5.0, true);
        check("18446744073709551617", 1, 18446744073709551617.0, true);
        for text in ["", ".", "1e", "e1", "1x", " 1", "1e99999", "--1", "1e1e1"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn unscaled_values_have_the_fewest_bytes() {
        let check = |text: &str, bytes: &[u8]| assert_eq!(Decimal::parse(text).unwrap().unscaled().unwrap(), bytes);
        check("0", &[0]);
        check("1.27", &[127]);
        check("1.28", &[0, 128]);
        check("-1.28", &[128]);
        check("-1.29", &[255, 127]);
        check("-1", &[255]);
    }
}
