//! Decimal numbers of declared defaults, and Connect's `Decimal`.

use crate::model::schema::{Kind, Schema};

/// Bytes of an unscaled default that is still a DECIMAL(65).
const MAX_UNSCALED_LIMBS: usize = 8;
/// Digits and zeros that a default may have; more is no number that a column can hold.
const MAX_DIGITS: i64 = 400;

/// Connect's `Decimal` with the precision that Debezium adds.
pub(crate) fn decimal_schema(precision: i32, scale: i32) -> Schema {
    Schema::new(Kind::Bytes)
        .named("org.apache.kafka.connect.data.Decimal")
        .version(1)
        .parameter("scale", &scale.to_string())
        .parameter("connect.decimal.precision", &precision.to_string())
}

/// Without the leading bytes that only repeat the sign: Java's `BigInteger.toByteArray`.
pub(crate) fn shortest(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [first, second, ..] = rest {
        let redundant = (*first == 0 && *second < 0x80) || (*first == 0xff && *second >= 0x80);
        if !redundant {
            break;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    rest
}

/// A decimal number as its digits: Java's `BigDecimal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    /// Digits, most significant first; the last `scale` of them stand behind the point.
    digits: Vec<u8>,
    scale: usize,
}

impl Decimal {
    /// Zero with so many digits behind the point.
    pub fn zero(scale: usize) -> Decimal {
        Decimal { negative: false, digits: vec![0; scale + 1], scale }
    }

    /// Reads `-12.5e3` and the like.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (negative, text) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = Vec::with_capacity(mantissa.len());
        for byte in whole.bytes().chain(fraction.bytes()) {
            digits.push(byte.is_ascii_digit().then(|| byte - b'0')?);
        }
        if digits.is_empty() || exponent.abs() > MAX_DIGITS || digits.len() as i64 > MAX_DIGITS {
            return None;
        }
        let scale = i64::try_from(fraction.len()).ok()? - exponent;
        if scale < 0 {
            digits.resize(digits.len() + usize::try_from(-scale).ok()?, 0);
        }
        let scale = usize::try_from(scale.max(0)).ok()?;
        while digits.len() <= scale {
            digits.insert(0, 0);
        }
        Some(Decimal { negative, digits, scale })
    }

    /// With exactly so many digits behind the point, rounded half up.
    #[must_use]
    pub fn rounded(mut self, scale: usize) -> Decimal {
        if self.scale <= scale {
            self.digits.resize(self.digits.len() + scale - self.scale, 0);
        } else {
            let keep = self.digits.len() - (self.scale - scale);
            let up = self.digits.get(keep).is_some_and(|digit| *digit >= 5);
            self.digits.truncate(keep);
            if up {
                self.increment();
            }
        }
        self.scale = scale;
        self
    }

    fn increment(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit < 9 {
                *digit += 1;
                return;
            }
            *digit = 0;
        }
        self.digits.insert(0, 1);
    }

    /// Plain text, without exponent.
    pub fn plain(&self) -> String {
        let point = self.digits.len() - self.scale;
        let first = self.digits.iter().take(point.saturating_sub(1)).take_while(|digit| **digit == 0).count();
        let mut text = String::with_capacity(self.digits.len() + 2);
        if self.negative && self.digits.iter().any(|digit| *digit != 0) {
            text.push('-');
        }
        for (index, digit) in self.digits.iter().enumerate().skip(first) {
            if index == point {
                text.push('.');
            }
            text.push(char::from(b'0' + digit));
        }
        text
    }

    /// The unscaled number at a scale as the shortest big-endian two's complement; `None` when it has more
    /// digits than any column.
    pub fn unscaled(&self, scale: usize) -> Option<Vec<u8>> {
        let number = self.clone().rounded(scale);
        let mut limbs = [0_u32; MAX_UNSCALED_LIMBS];
        for digit in &number.digits {
            let mut carry = u64::from(*digit);
            for limb in &mut limbs {
                let product = u64::from(*limb) * 10 + carry;
                *limb = product as u32;
                carry = product >> 32;
            }
            if carry != 0 || limbs.last().is_some_and(|limb| *limb >= 1 << 31) {
                return None;
            }
        }
        Some(two_s_complement(&limbs, number.negative))
    }
}

fn two_s_complement(limbs: &[u32], negative: bool) -> Vec<u8> {
    let mut bytes: Vec<u8> = limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
    if negative {
        let mut carry = true;
        for byte in bytes.iter_mut().rev() {
            let (value, overflow) = (!*byte).overflowing_add(u8::from(carry));
            *byte = value;
            carry = overflow;
        }
    }
    let redundant = bytes
        .windows(2)
        .take_while(|pair| {
            matches!(pair, [0, second] if *second < 0x80) || matches!(pair, [0xff, second] if *second >= 0x80)
        })
        .count();
    bytes.split_off(redundant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_rounded_and_written_as_java_does() {
        let check = |text: &str, scale: usize, plain: &str, unscaled: &[u8]| {
            let number = Decimal::parse(text).map(|number| number.rounded(scale));
            let number = number.unwrap_or_else(|| Decimal::zero(0));
            assert_eq!(number.plain(), plain, "{text}");
            assert_eq!(number.unscaled(scale).unwrap_or_default(), unscaled, "{text}");
        };
        check("1", 2, "1.00", &[100]);
        check("-1.005", 2, "-1.01", &[0x9b]);
        check("0.004", 2, "0.00", &[0]);
        check("-0.001", 2, "0.00", &[0]);
        check("9.999", 2, "10.00", &[3, 232]);
        check("1.28", 2, "1.28", &[0, 128]);
        check("-1.28", 2, "-1.28", &[128]);
        check("12e2", 0, "1200", &[4, 176]);
        check("12e-1", 0, "1", &[1]);
        check(".5", 0, "1", &[1]);
        assert_eq!(Decimal::parse("1e999999999"), None);
        assert_eq!(Decimal::parse("abc"), None);
        assert_eq!(Decimal::parse("-"), None);
    }
}
