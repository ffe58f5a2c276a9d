//! Numbers that were measured.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

/// A measured amount: finite and not negative. The field that holds one names its unit.
///
/// A [`Duration`] becomes seconds and a `u64` stays what it is, so only arithmetic can be refused.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Quantity(f64);

/// A number that no measurement gives.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is no measured amount: it must be finite and not negative")]
pub struct NotMeasured(f64);

impl Quantity {
    /// Nothing of it.
    pub const ZERO: Self = Self(0.0);

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Quantity {
    type Error = NotMeasured;

    fn try_from(number: f64) -> Result<Self, NotMeasured> {
        // Minus zero is zero that would print with a sign.
        if number.is_finite() && number >= 0.0 {
            Ok(Self(number + 0.0))
        } else {
            Err(NotMeasured(number))
        }
    }
}

impl FromStr for Quantity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
        Self::try_from(number).map_err(|error| error.to_string())
    }
}

impl From<Quantity> for f64 {
    fn from(Quantity(number): Quantity) -> Self {
        number
    }
}

impl From<Duration> for Quantity {
    fn from(duration: Duration) -> Self {
        Self(duration.as_secs_f64())
    }
}

impl From<u64> for Quantity {
    fn from(number: u64) -> Self {
        Self(number as f64)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_measurement_gives_is_refused_and_what_one_gives_is_not() {
        for number in [-1.0, -f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Quantity::try_from(number).is_err(), "{number}");
        }
        for number in [0.0, -0.0, f64::MIN_POSITIVE, 1.5, f64::MAX] {
            assert_eq!(Quantity::try_from(number).unwrap().get(), number);
        }
        assert_eq!(Quantity::try_from(-0.0).unwrap().to_string(), "0");
        assert_eq!(
            Quantity::try_from(-1.0).unwrap_err().to_string(),
            "-1 is no measured amount: it must be finite and not negative"
        );
    }

    #[test]
    fn people_may_write_one_and_nothing_else() {
        assert_eq!("1.5".parse(), Ok(Quantity(1.5)));
        for (text, fault) in
            [("-1", "-1 is no measured amount"), ("inf", "inf is"), ("$1", "\"$1\" is no number")]
        {
            let error = text.parse::<Quantity>().unwrap_err();
            assert!(error.starts_with(fault), "{error}");
        }
    }

    #[test]
    fn durations_become_seconds() {
        assert_eq!(Quantity::from(Duration::from_millis(1500)).get(), 1.5);
    }
}
