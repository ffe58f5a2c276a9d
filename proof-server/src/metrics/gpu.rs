//! The GPUs that workers prove on: what the driver says of them, and what went wrong with them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus::{CounterVec, GaugeVec, IntCounterVec, IntGaugeVec};

use super::{label::Value as _, register::Register, table};
use crate::engine::GpuFault;

/// One GPU now. What its driver does not tell is absent.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "only a driver makes one"))]
pub(crate) struct GpuReading {
    /// As `nvidia-smi` counts.
    pub(crate) device: u32,
    pub(crate) memory_used_bytes: Option<u64>,
    pub(crate) memory_bytes: Option<u64>,
    /// 0 to 1.
    pub(crate) utilization: Option<f64>,
    pub(crate) watts: Option<f64>,
    /// Since the driver was loaded.
    pub(crate) joules: Option<f64>,
    pub(crate) celsius: Option<u32>,
}

/// The GPUs of one server. There is no series of a server that has none.
#[derive(Debug, Clone)]
pub(crate) struct GpuMetrics {
    memory_used: IntGaugeVec,
    memory: IntGaugeVec,
    utilization: GaugeVec,
    power: GaugeVec,
    energy: CounterVec,
    temperature: IntGaugeVec,
    errors: IntCounterVec,
    /// What the driver's own count of energy was when it was last seen.
    joules: Arc<Mutex<HashMap<u32, f64>>>,
}

impl GpuMetrics {
    pub(super) fn register(register: &Register<'_>) -> Self {
        Self {
            memory_used: register.absent_gauge(&table::GPU_MEMORY_USED),
            memory: register.absent_gauge(&table::GPU_MEMORY),
            utilization: register.absent_fractional_gauge(&table::GPU_UTILIZATION),
            power: register.absent_fractional_gauge(&table::GPU_POWER),
            energy: register.fractional_counter(&table::GPU_ENERGY),
            temperature: register.absent_gauge(&table::GPU_TEMPERATURE),
            errors: register.counter(&table::GPU_ERRORS),
            joules: Arc::default(),
        }
    }

    /// From now on this GPU has series.
    pub(crate) fn uses(&self, device: u32) {
        for fault in GpuFault::ALL {
            self.errors.with_label_values(&[&device.to_string(), fault.name()]);
        }
    }

    /// Something went wrong with it.
    pub(crate) fn failed(&self, device: u32, fault: GpuFault) {
        self.errors.with_label_values(&[&device.to_string(), fault.name()]).inc();
    }

    /// What its driver says now.
    pub(crate) fn set(&self, reading: &GpuReading) {
        let device = reading.device.to_string();
        let labels = [device.as_str()];
        let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        if let Some(used) = reading.memory_used_bytes {
            self.memory_used.with_label_values(&labels).set(bytes(used));
        }
        if let Some(memory) = reading.memory_bytes {
            self.memory.with_label_values(&labels).set(bytes(memory));
        }
        if let Some(utilization) = reading.utilization {
            self.utilization.with_label_values(&labels).set(utilization);
        }
        if let Some(watts) = reading.watts {
            self.power.with_label_values(&labels).set(watts);
        }
        if let Some(celsius) = reading.celsius {
            self.temperature.with_label_values(&labels).set(celsius.into());
        }
        if let Some(joules) = reading.joules {
            let mut seen = self.joules.lock().unwrap_or_else(PoisonError::into_inner);
            // From the first sight on. A driver that was loaded anew counts from 0.
            let before = seen.insert(reading.device, joules).unwrap_or(joules);
            let spent = if joules < before { joules } else { joules - before };
            self.energy.with_label_values(&labels).inc_by(spent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::{metrics, value};

    #[test]
    fn a_server_without_a_gpu_says_nothing_of_one() {
        assert!(!metrics().render(true).contains("proof_server_gpu_"));
    }

    #[test]
    fn faults_are_counted_by_gpu_and_kind_from_zero_on() {
        let metrics = metrics();
        metrics.gpus.uses(1);
        metrics.gpus.failed(1, GpuFault::Memory);
        let text = metrics.render(true);
        let errors = |reason| {
            value(&text, &format!("proof_server_gpu_errors_total{{gpu=\"1\",reason=\"{reason}\"}}"))
        };
        assert_eq!(errors("memory"), 1.0);
        assert_eq!(errors("device"), 0.0);
        assert_eq!(errors("server"), 0.0);
    }

    #[test]
    fn what_the_driver_tells_is_there_and_what_it_does_not_tell_is_absent() {
        let metrics = metrics();
        metrics.gpus.set(&GpuReading {
            device: 2,
            utilization: Some(0.25),
            ..GpuReading::default()
        });
        let text = metrics.render(true);
        assert_eq!(value(&text, "proof_server_gpu_utilization_ratio{gpu=\"2\"}"), 0.25);
        assert!(!text.contains("proof_server_gpu_power_watts"));
    }

    #[test]
    fn energy_counts_from_the_first_sight_and_survives_a_new_driver() {
        let metrics = metrics();
        let energy = |joules| {
            metrics.gpus.set(&GpuReading {
                device: 0,
                joules: Some(joules),
                ..GpuReading::default()
            });
            value(&metrics.render(true), "proof_server_gpu_energy_joules_total{gpu=\"0\"}")
        };
        assert_eq!(energy(1000.0), 0.0);
        assert_eq!(energy(1250.5), 250.5);
        assert_eq!(energy(30.0), 280.5);
    }
}
