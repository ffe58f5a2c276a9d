//! The server itself: what it is, whether it is ready, what memory it has.

use std::fs;

use prometheus::IntGaugeVec;

use super::{BuildLabels, jobs::NO_LABELS, register::Register, seconds_since_1970, table};

/// The server process.
#[derive(Debug, Clone)]
pub(crate) struct ProcessMetrics {
    ready: IntGaugeVec,
    secondary_up: IntGaugeVec,
    resident: IntGaugeVec,
}

impl ProcessMetrics {
    pub(super) fn register(register: &Register<'_>, build: &BuildLabels<'_>) -> Self {
        let engine = build.engine;
        let is = [build.version, &engine.sp1_version, engine.engine.name(), build.role];
        register.absent_gauge(&table::BUILD_INFO).with_label_values(&is).set(1);
        let programs = register.absent_gauge(&table::PROGRAM_INFO);
        for info in &engine.programs {
            let (vkey, elf) = (info.vkey.to_string(), info.elf_sha256.to_string());
            programs.with_label_values(&[info.program.name(), &vkey, &elf]).set(1);
        }
        let start = seconds_since_1970(crate::date());
        register.gauge(&table::START_TIME).with_label_values(NO_LABELS).set(start);
        Self {
            ready: register.gauge(&table::READY),
            secondary_up: register.absent_gauge(&table::SECONDARY_UP),
            resident: register.absent_gauge(&table::RESIDENT_BYTES),
        }
    }

    /// The secondary answers, or does not. Only for a server that has one.
    pub(crate) fn set_secondary_up(&self, up: bool) {
        self.secondary_up.with_label_values(NO_LABELS).set(up.into());
    }

    /// Brings up to date what is read and not told: before every scrape.
    pub(super) fn refresh(&self, ready: bool) {
        self.ready.with_label_values(NO_LABELS).set(ready.into());
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        if let Some(bytes) = resident_bytes(&status) {
            self.resident.with_label_values(NO_LABELS).set(bytes);
        }
    }
}

/// Resident memory in the text of `/proc/PID/status`.
fn resident_bytes(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<i64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::{metrics, value};

    #[test]
    fn resident_memory_is_read_where_the_kernel_says_it() {
        assert_eq!(
            resident_bytes("VmHWM:\t 9 kB\nVmRSS:\t    1500 kB\nRssAnon:\t1 kB\n"),
            Some(1500 << 10)
        );
        for status in
            ["", "Name:\tkthreadd\n", "VmRSS:\t1500\n", "VmRSS:\t9223372036854775807 kB\n"]
        {
            assert_eq!(resident_bytes(status), None, "{status}");
        }
    }

    #[test]
    fn the_memory_of_this_process_is_read_at_every_scrape() {
        let metrics = metrics();
        assert!(value(&metrics.render(true), "proof_server_resident_bytes") > 1e6);
    }

    #[test]
    fn a_scrape_says_whether_the_server_is_ready() {
        let metrics = metrics();
        assert_eq!(value(&metrics.render(true), "proof_server_ready"), 1.0);
        assert_eq!(value(&metrics.render(false), "proof_server_ready"), 0.0);
    }

    #[test]
    fn a_server_without_a_secondary_says_nothing_of_one() {
        let name = "proof_server_secondary_up";
        let metrics = metrics();
        assert!(!metrics.render(true).contains(name));
        metrics.process.set_secondary_up(false);
        assert_eq!(value(&metrics.render(true), name), 0.0);
        metrics.process.set_secondary_up(true);
        assert_eq!(value(&metrics.render(true), name), 1.0);
    }
}
