//! The day, the month or the year something came out.

use std::{fmt, str::FromStr};

/// A date as exactly as it is known (ISO 8601, RFC 3339 `full-date` and what is left of it without day and month).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Date {
    /// 1 to 9999.
    pub year: i16,
    /// 1 to 12.
    pub month: Option<i8>,
    /// Of the month; only where that is known.
    pub day: Option<i8>,
}

/// Text that is no such date.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("is no date of the form YYYY, YYYY-MM or YYYY-MM-DD")]
pub struct NoDate;

impl FromStr for Date {
    type Err = NoDate;

    fn from_str(text: &str) -> Result<Self, NoDate> {
        let mut parts = text.split('-');
        let year: i16 = number(parts.next(), 4)?.ok_or(NoDate)?;
        let month = number(parts.next(), 2)?;
        let day = number(parts.next(), 2)?;
        let exists = jiff::civil::Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).is_ok();
        if exists && year > 0 && parts.next().is_none() { Ok(Self { year, month, day }) } else { Err(NoDate) }
    }
}

/// A number of exactly so many digits.
fn number<T: FromStr>(text: Option<&str>, digits: usize) -> Result<Option<T>, NoDate> {
    let Some(text) = text else { return Ok(None) };
    let digits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().map(Some).map_err(|_| NoDate) } else { Err(NoDate) }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        for part in [self.month, self.day].into_iter().flatten() {
            write!(f, "-{part:02}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_as_exact_as_it_is_known() {
        for text in ["2024", "2024-02", "2024-02-29", "0800"] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
        }
        for text in
            ["", "24", "0000", "2023-02-29", "2024-13", "2024-1", "2024-02-29-1", "+024", "2024-02-29T00", "２０２４"]
        {
            assert_eq!(text.parse::<Date>(), Err(NoDate), "{text}");
        }
    }
}
