//! The machine that a run was on.

use std::{fs, io, path::PathBuf, process::Command, thread::available_parallelism};

use serde::{Deserialize, Serialize};

use super::command;

/// What times depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hardware {
    /// The CPU's model, as the kernel names it.
    pub cpu: String,
    /// Threads that run at once, of those that this process may use.
    pub logical_cores: u32,
    /// Of the whole machine.
    pub memory_bytes: u64,
    /// As `nvidia-smi` lists them; none where it is not installed.
    pub gpus: Vec<Gpu>,
    /// The kernel's release.
    pub kernel: String,
}

/// A graphics card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gpu {
    /// Its model.
    pub name: String,
    /// Its own memory.
    pub memory_bytes: u64,
    /// The driver's version.
    pub driver: String,
}

/// A machine that does not say what it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HardwareError {
    /// A file of the kernel's cannot be read.
    #[error("cannot read {}: the bench runs on Linux with /proc mounted", path.display())]
    Read {
        /// What was read.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of the kernel's lacks a line.
    #[error("{file} does not say `{wanted}`: the bench does not know this kernel's format")]
    Missing {
        /// The file.
        file: &'static str,
        /// The line's key.
        wanted: &'static str,
    },
    /// How many cores there are is unknown.
    #[error("the system does not say how many cores there are")]
    Cores(#[source] io::Error),
    /// `nvidia-smi` hung.
    #[error("`nvidia-smi` gave no answer: run it by hand, the driver may be stuck")]
    Driver(#[source] io::Error),
    /// `nvidia-smi` printed something else.
    #[error("`nvidia-smi` printed {0:?} for a GPU: name, MiB and driver were asked for")]
    Gpu(String),
}

const CPUINFO: &str = "/proc/cpuinfo";
const MEMINFO: &str = "/proc/meminfo";
const KERNEL: &str = "/proc/sys/kernel/osrelease";

impl Hardware {
    /// What this machine says of itself. Blocks, for seconds at most.
    ///
    /// # Errors
    ///
    /// [`HardwareError`]: no Linux, or a GPU driver that is stuck.
    pub fn detect() -> Result<Self, HardwareError> {
        let read = |path: &str| {
            fs::read_to_string(path)
                .map_err(|source| HardwareError::Read { path: path.into(), source })
        };
        let missing = |file, wanted| HardwareError::Missing { file, wanted };
        let answer = command::answer(Command::new("nvidia-smi").args([
            "--query-gpu=name,memory.total,driver_version",
            "--format=csv,noheader,nounits",
        ]))
        .map_err(HardwareError::Driver)?;
        let cores = available_parallelism().map_err(HardwareError::Cores)?;
        Ok(Self {
            // ARM's kernels name no model.
            cpu: cpu(&read(CPUINFO)?).unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            logical_cores: u32::try_from(cores.get()).unwrap_or(u32::MAX),
            memory_bytes: memory(&read(MEMINFO)?).ok_or(missing(MEMINFO, "MemTotal"))?,
            gpus: gpus(&answer.unwrap_or_default())?,
            kernel: read(KERNEL)?.trim().to_owned(),
        })
    }
}

/// The first core's model. Pure.
fn cpu(info: &str) -> Option<String> {
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned()).filter(|model| !model.is_empty())
}

/// The machine's memory in bytes. Pure.
fn memory(info: &str) -> Option<u64> {
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1 << 10)
}

/// What `nvidia-smi` printed, a line a GPU. Pure.
fn gpus(answer: &str) -> Result<Vec<Gpu>, HardwareError> {
    let lines = answer.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| gpu(line).ok_or_else(|| HardwareError::Gpu(line.to_owned()))).collect()
}

fn gpu(line: &str) -> Option<Gpu> {
    let mut fields = line.split(',').map(str::trim);
    let (name, mebibytes, driver) = (fields.next()?, fields.next()?, fields.next()?);
    // Where GPU and CPU share one memory the driver says `[N/A]`: the GPU then has none of its own.
    let memory = if mebibytes.starts_with('[') { 0 } else { mebibytes.parse::<u64>().ok()? };
    let gpu = Gpu {
        name: name.to_owned(),
        memory_bytes: memory.checked_mul(1 << 20)?,
        driver: driver.to_owned(),
    };
    (fields.next().is_none() && !name.is_empty()).then_some(gpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_cpu_cores_and_memory() {
        let hardware = Hardware::detect().unwrap();
        assert!(!hardware.cpu.is_empty() && !hardware.kernel.is_empty());
        assert!(hardware.logical_cores > 0 && hardware.memory_bytes > 1 << 20);
    }

    #[test]
    fn the_kernels_files_are_read_by_key() {
        let info = "processor\t: 0\nmodel\t\t: 17\nmodel name\t: AMD EPYC\nmodel name\t: other\n";
        assert_eq!(cpu(info).unwrap(), "AMD EPYC");
        assert_eq!(cpu("processor\t: 0\nmodel name\t:\n"), None);
        assert_eq!(memory("MemFree: 1 kB\nMemTotal:       24 kB\n"), Some(24 << 10));
        for wrong in ["", "MemTotal: 24 MB", "MemTotal: kB", "MemTotal: 99999999999999999999 kB"] {
            assert_eq!(memory(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn gpus_are_a_line_each_and_other_lines_are_refused() {
        let two = "NVIDIA H100 80GB HBM3, 81559, 570.86.15\nNVIDIA GB10, [N/A], 580.1\n";
        let gpus = gpus(two).unwrap();
        assert_eq!(gpus[0].memory_bytes, 81_559 << 20);
        assert_eq!((gpus[1].name.as_str(), gpus[1].memory_bytes), ("NVIDIA GB10", 0));
        assert_eq!(super::gpus("").unwrap(), []);
        for wrong in ["No devices were found", "H100, many, 570", "H100, 1", "H100, 1, 570, 2"] {
            let error = super::gpus(wrong).unwrap_err();
            assert!(error.to_string().contains("name, MiB and driver were asked for"), "{error}");
        }
    }
}
