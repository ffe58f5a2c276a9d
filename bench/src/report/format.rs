//! Numbers and dates as people read them. All pure.

use crate::figures::Unit;

/// A number of this unit, to three digits or some.
pub(crate) fn value(unit: Unit, number: f64) -> String {
    match unit {
        Unit::Seconds => seconds(number),
        Unit::Bytes => scaled(number, "B"),
        Unit::Joules => scaled(number, "J"),
        Unit::Count => count(number),
        Unit::Percent => format!("{number:.0} %"),
    }
}

/// `356 us`, `62.1 ms`, `33.8 s`, `416 s`.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        0.0 => "0 s".to_owned(),
        small if small < 999.5e-6 => format!("{} us", digits(small * 1e6)),
        part if part < 0.9995 => format!("{} ms", digits(part * 1e3)),
        whole => format!("{} s", digits(whole)),
    }
}

/// By thousands: `356 B`, `1.59 MB`, `2.05 GB`.
fn scaled(number: f64, unit: &str) -> String {
    let steps = ["", "k", "M", "G", "T", "P"];
    let mut number = number;
    let mut step = 0;
    while number >= 999.5 && step + 1 < steps.len() {
        number /= 1e3;
        step += 1;
    }
    let text = if step == 0 { format!("{number:.0}") } else { digits(number) };
    format!("{text} {}{unit}", steps[step])
}

/// Three digits, more before the point if there are.
fn digits(number: f64) -> String {
    match number {
        large if large >= 99.95 => format!("{large:.0}"),
        middle if middle >= 9.995 => format!("{middle:.1}"),
        small => format!("{small:.2}"),
    }
}

/// `97,817`; a fraction only where there is one.
pub(crate) fn count(number: f64) -> String {
    if number >= 1e15 {
        return format!("{number:.3e}");
    }
    let whole = format!("{:.0}", number.trunc());
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let fraction = number.fract();
    if fraction > 0.0 { text + format!("{fraction:.1}").trim_start_matches('0') } else { text }
}

/// `$0.0123`: three digits of any price.
pub(crate) fn dollars(dollars: f64) -> String {
    if dollars <= 0.0 {
        return "$0".to_owned();
    }
    // Two digits after the point for a dollar and more, one more for each power of ten below.
    let places = (2.0 - dollars.log10().floor()).clamp(2.0, 9.0) as usize;
    format!("${dollars:.places$}")
}

/// Proofs in the time in which there are some: `78.8/s`, `1.7/min`, `8.3/h`.
pub(crate) fn rate(per_second: f64) -> String {
    match per_second {
        none if none <= 0.0 => "0".to_owned(),
        fast if fast >= 1.0 => format!("{}/s", digits(fast)),
        middle if middle * 60.0 >= 1.0 => format!("{}/min", digits(middle * 60.0)),
        slow => format!("{}/h", digits(slow * 3600.0)),
    }
}

/// `2026-11-27 16:44 UTC`.
pub(crate) fn date(unix_seconds: u64) -> String {
    let days = unix_seconds / 86_400;
    let minutes = unix_seconds % 86_400 / 60;
    let Some((year, month, day)) = civil(days) else { return "no date".to_owned() };
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// Year, month and day of a day since 1970; none past the year 9999.
fn civil(mut days: u64) -> Option<(u64, u64, u64)> {
    if days > 2_932_896 {
        return None;
    }
    let mut year = 1970;
    loop {
        let length = 365 + u64::from(is_leap(year));
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    Some((year, month, days + 1))
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits_and_say_their_unit() {
        assert_eq!(seconds(0.0), "0 s");
        assert_eq!(seconds(0.000_356), "356 us");
        assert_eq!(seconds(0.0621), "62.1 ms");
        assert_eq!(seconds(0.9999), "1.00 s");
        assert_eq!(seconds(33.84), "33.8 s");
        assert_eq!(seconds(416.2), "416 s");
        assert_eq!(value(Unit::Bytes, 356.0), "356 B");
        assert_eq!(value(Unit::Bytes, 1_590_000.0), "1.59 MB");
        assert_eq!(value(Unit::Bytes, 999_999.0), "1.00 MB");
        assert_eq!(value(Unit::Joules, 18_400.0), "18.4 kJ");
        assert_eq!(value(Unit::Count, 97_817.0), "97,817");
        assert_eq!(count(0.0), "0");
        assert_eq!(count(1_000_000.5), "1,000,000.5");
    }

    #[test]
    fn prices_and_rates_of_any_size_can_be_read() {
        assert_eq!(dollars(0.0), "$0");
        assert_eq!(dollars(12.5), "$12.50");
        assert_eq!(dollars(0.01234), "$0.0123");
        assert_eq!(dollars(0.000_056_7), "$0.0000567");
        assert_eq!(rate(78.8), "78.8/s");
        assert_eq!(rate(0.0296), "1.78/min");
        assert_eq!(rate(0.0023), "8.28/h");
        assert_eq!(rate(0.0), "0");
    }

    #[test]
    fn dates_are_the_calendars() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_795_797_899), "2026-11-27 16:44 UTC");
        assert_eq!(date(253_402_300_799), "9999-12-31 23:59 UTC");
        assert_eq!(date(u64::MAX), "no date");
    }
}
