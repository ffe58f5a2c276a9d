//! One GPU server, and the conversation with it.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
};

use bincode::Options;
use lc_stark::{
    VerifyingKey,
    elsewhere::{Kind, Made},
};
use sp1_core_machine::io::SP1Stdin;
use sp1_cuda::api::{Request, Response};
use sp1_prover_types::{SerializableRiscvMachine, network_base_types::ProofMode};

use crate::{
    process::{Launch, Process, StartError, quoted},
    words::Fault,
};

/// Largest answer to take, in bytes: a core proof has 1.5 MB a shard.
const LARGEST: u32 = 1 << 30;

/// As in every proof of this project: nothing needs proofs of one run to differ.
const NONCE: [u32; 4] = [0; 4];

const fn mode(kind: Kind) -> ProofMode {
    match kind {
        Kind::Core => ProofMode::Core,
        Kind::Compressed => ProofMode::Compressed,
        Kind::Groth16 => ProofMode::Groth16,
        Kind::Plonk => ProofMode::Plonk,
    }
}

/// The server's name for a program that it has set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId([u8; 32]);

/// Why the server gave nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// It is gone: start another.
    #[error("{}sp1-gpu-server on GPU {device} {what}{}", because(*.fault), quoted(.said))]
    Lost {
        /// The GPU.
        device: u32,
        /// How it ended.
        what: String,
        /// What kind of failure it was.
        fault: Fault,
        /// Its last lines.
        said: String,
    },
    /// It says that it failed.
    #[error("{}sp1-gpu-server on GPU {device} failed: {said}", because(*.fault))]
    Failed {
        /// The GPU.
        device: u32,
        /// What kind of failure it was.
        fault: Fault,
        /// What it said.
        said: String,
    },
    /// It answered with something else.
    #[error("sp1-gpu-server on GPU {device} answered with {what}")]
    Answer {
        /// The GPU.
        device: u32,
        /// What came.
        what: String,
    },
}

impl GpuError {
    /// What kind of failure it was.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Lost { fault, .. } | Self::Failed { fault, .. } => *fault,
            Self::Answer { .. } => Fault::Server,
        }
    }
}

const fn because(fault: Fault) -> &'static str {
    match fault {
        Fault::Memory => "the GPU's memory ran out: ",
        Fault::Device => "the GPU failed: ",
        Fault::Server => "",
    }
}

/// A running GPU server. Blocking. It ends when this is dropped.
#[derive(Debug)]
pub struct GpuServer {
    process: Process,
}

impl GpuServer {
    /// Starts the server and waits until it listens: some seconds.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub fn start(launch: &Launch) -> Result<Self, StartError> {
        Process::start(launch).map(|process| Self { process })
    }

    /// The GPU, as `nvidia-smi` counts.
    #[must_use]
    pub fn device(&self) -> u32 {
        self.process.device()
    }

    /// Sets a program up. The first time the server makes its prover too, which takes half a minute.
    ///
    /// # Errors
    ///
    /// [`GpuError`].
    pub fn set_up(&mut self, elf: &[u8]) -> Result<(KeyId, VerifyingKey), GpuError> {
        let request = Request::Setup { elf: elf.to_vec(), machine: SerializableRiscvMachine };
        match self.ask(&request)? {
            Response::Setup { id, vk } => {
                let bytes = bincode::serialize(&vk).expect("plain data in memory can be encoded");
                let key = VerifyingKey::from_bytes(&bytes).expect("SP1's own key is one");
                Ok((KeyId(id), key))
            }
            other => Err(self.unexpected(&other)),
        }
    }

    /// Proves what the program of `key` does on `input`, its only input.
    ///
    /// # Errors
    ///
    /// [`GpuError`]; also for an input that the program refuses, so run the program first.
    pub fn prove(&mut self, kind: Kind, key: KeyId, input: &[u8]) -> Result<Made, GpuError> {
        let mut stdin = SP1Stdin::new();
        stdin.write_slice(input);
        let request =
            Request::ProveWithMode { mode: mode(kind), key: key.0, stdin, proof_nonce: NONCE };
        match self.ask(&request)? {
            Response::Proof { proof } => Made::of(kind, &proof.proof, proof.public_values.to_vec())
                .map_err(|unasked| self.answer(unasked.to_string())),
            other => Err(self.unexpected(&other)),
        }
    }

    fn ask(&mut self, request: &Request) -> Result<Response, GpuError> {
        let response = match exchange(&mut self.process.socket, request) {
            Ok(response) => response,
            Err(Broken::Bytes(what)) => return Err(self.answer(what)),
            Err(Broken::Socket(error)) => {
                let (ended, said) = self.process.post_mortem();
                // The server's words say more than the socket's, if there are any.
                let said = if said.is_empty() { error.to_string() } else { said };
                let (device, fault) = (self.device(), Fault::of(&said));
                return Err(GpuError::Lost { device, what: ended, fault, said });
            }
        };
        match response {
            Response::ProverError(said) | Response::InternalError(said) => {
                Err(GpuError::Failed { device: self.device(), fault: Fault::of(&said), said })
            }
            response => Ok(response),
        }
    }

    fn unexpected(&self, response: &Response) -> GpuError {
        let what = match response {
            Response::Ok => "Ok",
            Response::Setup { .. } => "Setup",
            Response::Proof { .. } => "Proof",
            Response::ConnectionClosed => "ConnectionClosed",
            Response::ProverError(_) | Response::InternalError(_) => "an error",
        };
        self.answer(what.to_owned())
    }

    fn answer(&self, what: String) -> GpuError {
        GpuError::Answer { device: self.device(), what }
    }
}

/// How a conversation ends.
#[derive(Debug)]
enum Broken {
    Socket(io::Error),
    Bytes(String),
}

/// One request and its answer: a length of four bytes, little endian, then bincode 1.
fn exchange(socket: &mut UnixStream, request: &Request) -> Result<Response, Broken> {
    let request = bincode::serialize(request).expect("plain data in memory can be encoded");
    let length = u32::try_from(request.len())
        .map_err(|_| Broken::Bytes("nothing: the request has more than 4 GiB".to_owned()))?;
    socket.write_all(&length.to_le_bytes()).map_err(Broken::Socket)?;
    socket.write_all(&request).map_err(Broken::Socket)?;
    drop(request);
    let mut length = [0; 4];
    socket.read_exact(&mut length).map_err(Broken::Socket)?;
    let length = u32::from_le_bytes(length);
    if length > LARGEST {
        return Err(Broken::Bytes(format!("{length} bytes, where {LARGEST} are the most")));
    }
    // Memory grows with what comes.
    let mut answer = Vec::new();
    socket.take(length.into()).read_to_end(&mut answer).map_err(Broken::Socket)?;
    if answer.len() < length as usize {
        return Err(Broken::Socket(io::ErrorKind::UnexpectedEof.into()));
    }
    let options =
        bincode::DefaultOptions::new().with_fixint_encoding().with_limit(u64::from(length));
    options.deserialize(&answer).map_err(|error| Broken::Bytes(format!("no message: {error}")))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// What [`exchange`] makes of a server that reads a request and answers with these bytes.
    fn answered(bytes: Vec<u8>) -> Result<Response, Broken> {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let server = thread::spawn(move || {
            let mut length = [0; 4];
            theirs.read_exact(&mut length).unwrap();
            let mut request = vec![0; u32::from_le_bytes(length) as usize];
            theirs.read_exact(&mut request).unwrap();
            theirs.write_all(&bytes).unwrap();
            bincode::deserialize::<Request>(&request).unwrap()
        });
        let answer = exchange(&mut ours, &Request::Destroy { key: [7; 32] });
        assert!(matches!(server.join().unwrap(), Request::Destroy { key } if key == [7; 32]));
        answer
    }

    fn framed(response: &Response) -> Vec<u8> {
        let bytes = bincode::serialize(response).unwrap();
        [&u32::try_from(bytes.len()).unwrap().to_le_bytes(), bytes.as_slice()].concat()
    }

    #[test]
    fn an_answer_is_read_as_sp1_writes_it() {
        let answer = answered(framed(&Response::ProverError("no".to_owned()))).unwrap();
        assert!(matches!(answer, Response::ProverError(said) if said == "no"));
    }

    #[test]
    fn an_answer_that_breaks_off_anywhere_is_a_lost_server() {
        let whole = framed(&Response::ProverError("no".to_owned()));
        for length in 0..whole.len() {
            let answer = answered(whole[..length].to_vec());
            assert!(matches!(answer, Err(Broken::Socket(_))), "{length}");
        }
    }

    #[test]
    fn a_length_beyond_the_limit_and_bytes_that_are_no_message_are_refused() {
        let Err(Broken::Bytes(what)) = answered(u32::MAX.to_le_bytes().to_vec()) else { panic!() };
        assert!(what.contains("are the most"), "{what}");
        let Err(Broken::Bytes(what)) = answered(vec![4, 0, 0, 0, 9, 9, 9, 9]) else { panic!() };
        assert!(what.contains("no message"), "{what}");
        // One byte more than the message.
        let mut long = framed(&Response::Ok);
        long[0] += 1;
        long.push(0);
        assert!(matches!(answered(long), Err(Broken::Bytes(_))));
    }
}
