//! The GPUs of a server that proves on some.

use std::fmt;

use super::StartError;
use crate::{
    config::Config,
    metrics::{GpuReading, Metrics},
};

/// Asks a driver about these GPUs.
type Ask = dyn Fn(&[u32]) -> Vec<GpuReading> + Send + Sync;

/// Which GPUs are used, and how to ask what they do; nothing in a server that proves on none.
#[derive(Default)]
pub(super) struct Gpus {
    devices: Vec<u32>,
    ask: Option<Box<Ask>>,
}

impl Gpus {
    /// Finds the GPUs that the configuration asks for, and gives each a worker there.
    pub(super) fn of(config: Config) -> Result<(Config, Self), StartError> {
        #[cfg(feature = "cuda")]
        if let Some(wanted) = &config.devices {
            return Self::find(wanted.clone(), config);
        }
        Ok((config, Self::default()))
    }

    #[cfg(feature = "cuda")]
    fn find(wanted: crate::config::Devices, config: Config) -> Result<(Config, Self), StartError> {
        let driver = crate::gpu::Gpus::open()?;
        let devices = driver.choose(&wanted)?;
        for &device in &devices {
            let gpu = driver.check(device)?;
            tracing::info!(device, name = gpu.name, bytes = gpu.memory_bytes, "a GPU to prove on");
        }
        let workers = devices.len();
        let listed = Some(crate::config::Devices::Listed(devices.clone()));
        let ask: Box<Ask> = Box::new(move |devices| driver.read(devices));
        Ok((Config { devices: listed, workers, ..config }, Self { devices, ask: Some(ask) }))
    }

    /// Gives them their series.
    pub(super) fn name(&self, metrics: &Metrics) {
        self.devices.iter().for_each(|&device| metrics.gpus.uses(device));
    }

    /// Brings up to date what the driver says of them: some milliseconds.
    pub(super) fn read(&self, metrics: &Metrics) {
        if let Some(ask) = &self.ask {
            ask(&self.devices).iter().for_each(|reading| metrics.gpus.set(reading));
        }
    }
}

impl fmt::Debug for Gpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gpus").field("devices", &self.devices).finish_non_exhaustive()
    }
}
