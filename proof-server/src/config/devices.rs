//! Which GPUs to prove on.

use std::str::FromStr;

/// Which GPUs to prove on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Devices {
    /// All that the driver knows.
    All,
    /// These, as `nvidia-smi` counts.
    Listed(Vec<u32>),
}

impl FromStr for Devices {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let mut listed = Vec::new();
        for number in text.split(',') {
            let number = number.trim().parse().map_err(|_| {
                format!("`{text}` names no GPUs: give `all`, or numbers such as `0` or `0,2`")
            })?;
            if listed.contains(&number) {
                return Err(format!("GPU {number} is named twice: give each once"));
            }
            listed.push(number);
        }
        Ok(Self::Listed(listed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_are_named_by_number_or_all_at_once() {
        assert_eq!("all".parse(), Ok(Devices::All));
        assert_eq!("0".parse(), Ok(Devices::Listed(vec![0])));
        assert_eq!("2, 0".parse(), Ok(Devices::Listed(vec![2, 0])));
        for (text, word) in
            [("", "give `all`"), ("0,", "give `all`"), ("-1", "give `all`"), ("1,1", "twice")]
        {
            let fault = text.parse::<Devices>().unwrap_err();
            assert!(fault.contains(word), "{text}: {fault}");
        }
    }
}
