//! Exact fractions while they fit, floating point once they do not.

use std::cmp::Ordering;

/// A number as people reckon with it: a tenth is a tenth.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Number {
    /// A reduced fraction; the denominator is positive.
    Exact(i128, i128),
    /// As near as it gets.
    Near(f64),
}

use Number::{Exact, Near};

impl Number {
    pub(in super::super) const fn whole(value: i128) -> Self {
        Exact(value, 1)
    }

    /// A fraction; `None` for a zero denominator.
    pub(in super::super) fn ratio(top: i128, bottom: i128) -> Option<Self> {
        let divisor = gcd(top.unsigned_abs(), bottom.unsigned_abs());
        let divisor = i128::try_from(divisor).ok().filter(|divisor| *divisor != 0)?;
        let sign = bottom.signum();
        (bottom != 0).then(|| Exact(top / divisor * sign, bottom / divisor * sign))
    }

    /// Reads "1,000.50"; `None` if it is no plain decimal.
    pub(in super::super) fn decimal(text: &str) -> Option<Self> {
        let digits = text.replace(',', "");
        let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        if whole.is_empty() || !(whole.bytes().chain(fraction.bytes())).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let exact = || {
            let bottom = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            Self::ratio(format!("{whole}{fraction}").parse().ok()?, bottom)
        };
        exact().or_else(|| digits.parse().ok().filter(|value: &f64| value.is_finite()).map(Near))
    }

    pub(in super::super) fn value(self) -> f64 {
        match self {
            Exact(top, bottom) => top as f64 / bottom as f64,
            Near(value) => value,
        }
    }

    pub(in super::super) fn is_zero(self) -> bool {
        self.value() == 0.0
    }

    /// The whole number it is, if it is one.
    pub(in super::super) fn integer(self) -> Option<i128> {
        match self {
            Exact(value, 1) => Some(value),
            Exact(..) | Near(_) => None,
        }
    }

    pub(in super::super) fn plus(self, other: Self) -> Self {
        let exact = || {
            let (Exact(a, b), Exact(c, d)) = (self, other) else { return None };
            Self::ratio(a.checked_mul(d)?.checked_add(c.checked_mul(b)?)?, b.checked_mul(d)?)
        };
        exact().unwrap_or_else(|| Near(self.value() + other.value()))
    }

    pub(in super::super) fn minus(self, other: Self) -> Self {
        self.plus(other.times(Self::whole(-1)))
    }

    pub(in super::super) fn times(self, other: Self) -> Self {
        let exact = || {
            let (Exact(a, b), Exact(c, d)) = (self, other) else { return None };
            Self::ratio(a.checked_mul(c)?, b.checked_mul(d)?)
        };
        exact().unwrap_or_else(|| Near(self.value() * other.value()))
    }

    /// The quotient; `None` when dividing by zero.
    pub(in super::super) fn over(self, other: Self) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let exact = || {
            let (Exact(a, b), Exact(c, d)) = (self, other) else { return None };
            Self::ratio(a.checked_mul(d)?, b.checked_mul(c)?)
        };
        Some(exact().unwrap_or_else(|| Near(self.value() / other.value())))
    }

    /// What is left of a division of whole numbers, of the sign of the divisor.
    pub(in super::super) fn modulo(self, other: Self) -> Option<Self> {
        let (a, b) = (self.integer()?, other.integer().filter(|b| *b != 0)?);
        Some(Self::whole(a.checked_rem_euclid(b)?))
    }

    /// The power; `None` where there is no real one.
    pub(in super::super) fn power(self, exponent: Self) -> Option<Self> {
        if self.is_zero() && exponent.value() < 0.0 {
            return None;
        }
        let exact = || {
            let (Exact(top, bottom), exponent) = (self, exponent.integer()?) else { return None };
            let size = u32::try_from(exponent.unsigned_abs()).ok()?;
            let (top, bottom) = (top.checked_pow(size)?, bottom.checked_pow(size)?);
            if exponent < 0 { Self::ratio(bottom, top) } else { Self::ratio(top, bottom) }
        };
        exact().or_else(|| Some(Near(self.value().powf(exponent.value()))).filter(|near| !near.value().is_nan()))
    }

    /// The square (2) or cube (3) root; `None` where there is no real one.
    pub(in super::super) fn root(self, degree: u32) -> Option<Self> {
        let value = self.value();
        let root = if degree == 3 { value.cbrt() } else { value.sqrt() };
        let exact = || {
            let Exact(top, bottom) = self else { return None };
            let near = |part: i128| {
                let part = part as f64;
                (if degree == 3 { part.cbrt() } else { part.sqrt() }).round() as i128
            };
            let (a, b) = (near(top), near(bottom));
            let fits = a.checked_pow(degree) == Some(top) && b.checked_pow(degree) == Some(bottom);
            if fits { Self::ratio(a, b) } else { None }
        };
        exact().or((!root.is_nan()).then_some(Near(root)))
    }

    pub(in super::super) fn factorial(self) -> Option<Self> {
        let n = self.integer().filter(|n| (0..=170).contains(n))?;
        Some((1..=n).fold(Self::whole(1), |product, factor| product.times(Self::whole(factor))))
    }

    /// As text to be spoken: "84", "0.3", "about 3.3333", "about 1.2 times 10 to the power of 30".
    pub(in super::super) fn spoken(self) -> String {
        self.rounded(4)
    }

    /// The same with so many digits after the point, fewer for large numbers.
    pub(in super::super) fn rounded(self, places: usize) -> String {
        let value = self.value();
        if !value.is_finite() {
            return "more than I can count".to_owned();
        }
        if let Exact(whole, 1) = self
            && whole.unsigned_abs() < 10u128.pow(21)
        {
            return signed(&whole.unsigned_abs().to_string(), value);
        }
        let size = value.abs();
        if size >= 1e15 || (size < 1e-4 && size > 0.0) {
            return scientific(value);
        }
        let places = if size >= 1.0 { places } else { places.max(6) };
        let digits = format!("{size:.places$}");
        let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
        let same = Self::decimal(digits).is_some_and(|read| read.same(self));
        let text = signed(digits, value);
        if same { text } else { format!("about {text}") }
    }

    fn same(self, other: Self) -> bool {
        match (self, other) {
            (Exact(a, b), Exact(c, d)) => (a.abs(), b) == (c.abs(), d),
            (Near(_), _) | (_, Near(_)) => (self.value().abs() - other.value().abs()).abs() < 1e-9,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.value().partial_cmp(&other.value()) == Some(Ordering::Equal)
    }
}

fn signed(digits: &str, value: f64) -> String {
    if value < 0.0 && digits != "0" { format!("minus {digits}") } else { digits.to_owned() }
}

fn scientific(value: f64) -> String {
    let text = format!("{value:.3e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    let power = exponent.replace('-', "minus ");
    format!("about {} times 10 to the power of {power}", digits.replace('-', "minus "))
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::decimal(text).unwrap()
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(number("0.1").plus(number("0.2")).spoken(), "0.3");
        assert_eq!(number("1,000.50").spoken(), "1000.5");
        assert_eq!(number("123456789").times(number("987654321")).spoken(), "121932631112635269");
    }

    #[test]
    fn what_is_rounded_says_so() {
        assert_eq!(number("10").over(number("3")).unwrap().spoken(), "about 3.3333");
        assert_eq!(number("2").root(2).unwrap().spoken(), "about 1.4142");
        assert_eq!(number("1").minus(number("5")).spoken(), "minus 4");
        assert_eq!(number("2").power(number("200")).unwrap().spoken(), "about 1.607 times 10 to the power of 60");
        assert_eq!(number("1").over(number("1000000")).unwrap().spoken(), "about 1 times 10 to the power of minus 6");
    }

    #[test]
    fn roots_and_powers() {
        assert_eq!(number("144").root(2).unwrap().spoken(), "12");
        assert_eq!(number("27").root(3).unwrap().spoken(), "3");
        assert_eq!(number("2").power(number("10")).unwrap().spoken(), "1024");
        assert!(number("0").minus(number("4")).root(2).is_none());
        assert!(number("7").over(number("0")).is_none());
        assert_eq!(number("5").factorial().unwrap().spoken(), "120");
    }

    proptest::proptest! {
        #[test]
        fn reckoning_never_panics(a: i128, b: i128, c: f64) {
            for (x, y) in [(Exact(a, 1), Exact(b, 1)), (Exact(a, 1), Near(c)), (Near(c), Exact(b, 1))] {
                for result in [Some(x.plus(y)), Some(x.minus(y)), Some(x.times(y)), x.over(y), x.power(y), x.modulo(y),
                    x.root(2), x.root(3), x.factorial()].into_iter().flatten()
                {
                    let _ = result.spoken();
                }
            }
        }
    }
}
