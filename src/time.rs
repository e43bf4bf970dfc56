//! Points in time: milliseconds since 1970 (UTC), read from ISO 8601 and written as it.

use std::fmt;
use std::num::NonZeroI64;

use crate::json::push_digits;
use crate::text::Text;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Twice that and one more is what is kept: an `Option` of it is no larger, then, and functions of wasm return it as it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(NonZeroI64);

/// The years that four digits can write; anything else a back-end sends is nonsense.
const EARLIEST: i64 = -62_167_219_200_000; // 0000-01-01
const LATEST: i64 = 253_402_300_799_999; // 9999-12-31

const DAY: i64 = 86_400_000;

impl Time {
    /// From milliseconds; `None` outside the years 0 to 9999.
    pub fn from_millis(millis: i64) -> Option<Self> {
        if (EARLIEST..=LATEST).contains(&millis) { NonZeroI64::new(millis << 1 | 1).map(Self) } else { None }
    }

    /// From seconds, as in JWT claims (RFC 7519, NumericDate).
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        // More could not be multiplied, and is out of range as it is.
        if (EARLIEST..=LATEST).contains(&seconds) { Self::from_millis(seconds * 1000) } else { None }
    }

    /// This moment plus so many milliseconds.
    pub fn plus(self, millis: i64) -> Option<Self> {
        Self::from_millis(self.millis().checked_add(millis)?)
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0.get() >> 1
    }

    /// Reads `2026-01-31T09:30:00[.fraction][Z|±hh[:]mm]`, also with a space for the `T`. A time without an offset is taken as UTC.
    /// Digits beyond milliseconds are cut off.
    pub fn parse_iso(text: &str) -> Option<Self> {
        let mut rest = Cursor(text.as_bytes().trim_ascii());
        let year = rest.digits(4)?;
        rest.one_of(b"-")?;
        let month = rest.digits(2)?;
        rest.one_of(b"-")?;
        let day = rest.digits(2)?;
        rest.one_of(b"Tt ")?;
        let hour = rest.digits(2)?;
        rest.one_of(b":")?;
        let minute = rest.digits(2)?;
        let second = if rest.one_of(b":").is_some() { rest.digits(2)? } else { 0 };
        let mut millis = 0;
        if rest.one_of(b".,").is_some() {
            let mut unit = 100;
            millis = rest.digits(1)? * unit;
            while let Some(digit) = rest.digits(1) {
                unit /= 10;
                millis += digit * unit;
            }
        }
        let offset = match rest.one_of(b"Zz+-") {
            None | Some(b'Z' | b'z') => 0,
            Some(sign) => {
                let hours = rest.digits(2)?;
                rest.one_of(b":");
                let minutes = rest.digits(2).unwrap_or(0);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let offset = hours * 60 + minutes;
                if sign == b'-' { -offset } else { offset }
            }
        };
        let valid =
            rest.0.is_empty() && (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day) && hour < 24 && minute < 60 && second < 61;
        if !valid {
            return None;
        }
        let minutes = (days_from_civil(year, month, day) * 24 + hour) * 60 + minute - offset;
        // A leap second is shown as the last millisecond that other clocks know.
        let (second, millis) = if second == 60 { (59, 999) } else { (second, millis) };
        Self::from_millis((minutes * 60 + second) * 1000 + millis)
    }

    /// `2026-01-31T09:30:00.000Z`, the form of JavaScript's `toISOString`.
    pub fn to_iso(self) -> Text {
        let days = self.millis().div_euclid(DAY);
        let within = self.millis().rem_euclid(DAY);
        let (year, month, day) = civil_from_days(days);
        let mut out = String::new();
        push_digits(&mut out, year, 1000);
        out.push_str("-");
        push_digits(&mut out, month, 10);
        out.push_str("-");
        push_digits(&mut out, day, 10);
        out.push_str("T");
        push_digits(&mut out, within / 3_600_000, 10);
        out.push_str(":");
        push_digits(&mut out, within / 60_000 % 60, 10);
        out.push_str(":");
        push_digits(&mut out, within / 1000 % 60, 10);
        out.push_str(".");
        push_digits(&mut out, within % 1000, 100);
        out.push_str("Z");
        out.into()
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Time").field(&self.millis()).finish()
    }
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let mut value = 0;
        for digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            value = value * 10 + i64::from(digit - b'0');
        }
        self.0 = rest;
        Some(value)
    }

    fn one_of(&mut self, wanted: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        wanted.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar; years begin in March, so that the leap day is the last of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(text: &str) -> Option<Text> {
        Time::parse_iso(text).map(Time::to_iso)
    }

    #[test]
    fn reads_the_forms_that_back_ends_send() {
        for (text, expected) in [
            ("2026-01-31T09:30:00.000Z", "2026-01-31T09:30:00.000Z"),
            ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000Z"),
            ("2026-01-31T09:30:00", "2026-01-31T09:30:00.000Z"),
            ("2026-01-31 09:30:00.5", "2026-01-31T09:30:00.500Z"),
            ("2025-10-11T12:23:56.0154302+02:00", "2025-10-11T10:23:56.015Z"),
            ("2024-02-29T23:59:59.9999999-0130", "2024-03-01T01:29:59.999Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(iso(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_nonsense() {
        for text in [
            "",
            "2026",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-01-32T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+25:00",
            "2026-01-01T00:00:00Zjunk",
            "+12026-01-01T00:00:00Z",
            "２０２６-01-01T00:00:00Z",
            "9999-12-31T23:59:59-01:00",
        ] {
            assert_eq!(iso(text), None, "{text}");
        }
        assert_eq!(Time::from_millis(i64::MAX), None);
        assert_eq!(Time::from_seconds(i64::MIN), None);
        assert_eq!(format!("{:?}", Time::from_seconds(1)), "Some(Time(1000))");
    }

    #[test]
    fn every_day_of_four_centuries_survives_a_round_trip() {
        for day in -146_097..146_097 {
            let time = Time::from_millis(day * DAY + 12_345_678).unwrap();
            assert_eq!(Time::parse_iso(&time.to_iso()), Some(time));
        }
    }
}
