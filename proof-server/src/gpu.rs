//! What the NVIDIA driver says of this machine's GPUs.

use std::{env, fmt, path::PathBuf};

use nvml_wrapper::{Device, Nvml, enum_wrappers::device::TemperatureSensor, error::NvmlError};

use crate::{
    config::{Devices, show_size},
    metrics::GpuReading,
};

/// Least memory of a GPU, in bytes: SP1 names 24 GB for its prover, and such a card tells of a little less.
const LEAST_MEMORY: u64 = 20 << 30;

/// Why a GPU cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// No driver.
    #[error(
        "no NVIDIA driver was found ({0}): install one that has CUDA 12.8 or newer, in a container start it with `--gpus all`, or prove with `--engine cpu`"
    )]
    Driver(NvmlError),
    /// No such GPU.
    #[error("there is no GPU {device}: the driver knows {known}; choose with --devices")]
    Missing {
        /// The one asked for.
        device: u32,
        /// Those that are there.
        known: Known,
    },
    /// The driver fails.
    #[error("the NVIDIA driver does not tell about GPU {device}: see `nvidia-smi`")]
    Device {
        /// Which.
        device: u32,
        /// What it said.
        #[source]
        source: NvmlError,
    },
    /// Too small, or in use.
    #[error(
        "GPU {device} has {free} of {total} of memory free and SP1's prover takes {needed}: {remedy}",
        free = show_size(*.free_bytes),
        total = show_size(*.total_bytes),
        needed = show_size(LEAST_MEMORY),
        remedy = remedy(*.total_bytes)
    )]
    Memory {
        /// Which.
        device: u32,
        /// Not in use.
        free_bytes: u64,
        /// All of it.
        total_bytes: u64,
    },
}

/// Numbers from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known(u32);

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("none"),
            1 => f.write_str("GPU 0"),
            count => write!(f, "GPU 0 to GPU {}", count - 1),
        }
    }
}

const fn remedy(total_bytes: u64) -> &'static str {
    if total_bytes < LEAST_MEMORY {
        "use a larger GPU, or prove with `--engine cpu`"
    } else {
        "`nvidia-smi` shows which process has it; end that, or choose another GPU with --devices"
    }
}

/// A GPU that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// What its maker calls it.
    pub name: String,
    /// All of its memory.
    pub memory_bytes: u64,
}

/// The driver.
#[derive(Debug)]
pub struct Gpus(Nvml);

impl Gpus {
    /// Finds the driver.
    ///
    /// # Errors
    ///
    /// [`GpuError::Driver`].
    pub fn open() -> Result<Self, GpuError> {
        Nvml::init().map(Self).map_err(GpuError::Driver)
    }

    /// The numbers of `wanted`, each of which is there.
    ///
    /// # Errors
    ///
    /// [`GpuError::Missing`].
    pub fn choose(&self, wanted: &Devices) -> Result<Vec<u32>, GpuError> {
        let known = self.0.device_count().map_err(GpuError::Driver)?;
        choose(wanted, known)
    }

    /// Whether the GPU is there, is large enough, and is not in use.
    ///
    /// # Errors
    ///
    /// [`GpuError`].
    pub fn check(&self, device: u32) -> Result<Gpu, GpuError> {
        let failed = |source| GpuError::Device { device, source };
        self.choose(&Devices::Listed(vec![device]))?;
        let gpu = self.0.device_by_index(device).map_err(failed)?;
        let memory = gpu.memory_info().map_err(failed)?;
        enough(device, memory.free, memory.total)?;
        Ok(Gpu { name: gpu.name().map_err(failed)?, memory_bytes: memory.total })
    }

    /// What the driver says of these GPUs now: some milliseconds.
    pub(crate) fn read(&self, devices: &[u32]) -> Vec<GpuReading> {
        devices.iter().map(|&device| self.read_one(device)).collect()
    }

    fn read_one(&self, device: u32) -> GpuReading {
        let nothing = GpuReading { device, ..GpuReading::default() };
        self.0.device_by_index(device).map_or(nothing, |gpu| read(device, &gpu))
    }
}

fn read(device: u32, gpu: &Device<'_>) -> GpuReading {
    let memory = gpu.memory_info().ok();
    GpuReading {
        device,
        memory_used_bytes: memory.as_ref().map(|memory| memory.used),
        memory_bytes: memory.as_ref().map(|memory| memory.total),
        utilization: gpu.utilization_rates().ok().map(|rates| f64::from(rates.gpu) / 100.0),
        watts: gpu.power_usage().ok().map(|milliwatts| f64::from(milliwatts) / 1000.0),
        joules: gpu.total_energy_consumption().ok().map(joules),
        celsius: gpu.temperature(TemperatureSensor::Gpu).ok(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to 2^53 millijoules, which take a card centuries"
)]
fn joules(millijoules: u64) -> f64 {
    millijoules as f64 / 1000.0
}

fn choose(wanted: &Devices, known: u32) -> Result<Vec<u32>, GpuError> {
    let missing = |device| GpuError::Missing { device, known: Known(known) };
    match wanted {
        Devices::All if known == 0 => Err(missing(0)),
        Devices::All => Ok((0..known).collect()),
        Devices::Listed(listed) => listed
            .iter()
            .map(|&device| if device < known { Ok(device) } else { Err(missing(device)) })
            .collect(),
    }
}

fn enough(device: u32, free_bytes: u64, total_bytes: u64) -> Result<(), GpuError> {
    if free_bytes >= LEAST_MEMORY {
        return Ok(());
    }
    Err(GpuError::Memory { device, free_bytes, total_bytes })
}

/// Where SP1's GPU server usually is: where SP1's own client puts it, or on the path.
#[must_use]
pub fn usual_server() -> PathBuf {
    let name = "sp1-gpu-server";
    let home = env::var_os("HOME").map(PathBuf::from);
    let installed = home.map(|home| home.join(".sp1/bin").join(name)).filter(|path| path.exists());
    installed.unwrap_or_else(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_that_is_not_there_is_refused_with_those_that_are() {
        assert_eq!(choose(&Devices::All, 2).unwrap(), [0, 1]);
        assert_eq!(choose(&Devices::Listed(vec![1]), 2).unwrap(), [1]);
        let refused = |wanted, known| choose(&wanted, known).unwrap_err().to_string();
        assert!(
            refused(Devices::Listed(vec![0, 2]), 2)
                .starts_with("there is no GPU 2: the driver knows GPU 0 to GPU 1")
        );
        assert!(refused(Devices::All, 0).contains("the driver knows none"));
    }

    #[test]
    fn a_gpu_that_is_too_small_and_one_in_use_are_refused_with_the_remedy() {
        enough(0, LEAST_MEMORY, LEAST_MEMORY).unwrap();
        let small = enough(1, 15 << 30, 16 << 30).unwrap_err().to_string();
        assert!(small.contains("15.0 GiB of 16.0 GiB") && small.contains("larger GPU"), "{small}");
        let used = enough(1, 15 << 30, 80 << 30).unwrap_err().to_string();
        assert!(used.contains("nvidia-smi"), "{used}");
    }
}
