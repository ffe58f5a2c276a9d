//! Every way in which a command ends badly: one line of text and one exit code.

use std::{error::Error, io, process::ExitCode};

use lc_core::host::StoreError;
use light_client::{
    StoreFileError, ask::AskError, decide::Refusal, files::FileError, prove::ProveError,
    verify::ProofError,
};
use proof_server::{client::ClientError, tls::TlsError, types::Code};

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Store(#[from] StoreFileError),
    #[error("the bootstrap cannot be trusted")]
    Bootstrap(#[from] StoreError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Prove(#[from] ProveError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(
        "the store at {path} was advanced by MOCK proofs, which prove nothing: bootstrap a new one, or pass --allow-mock in a test"
    )]
    MockStore { path: String },
    #[error(
        "the store at {path} was advanced by proofs of a development circuit, which whoever set it up can have forged: bootstrap a new one, or in a test give the circuit's key with --allow-dev-circuits"
    )]
    DevelopmentStore { path: String },
    #[error("the proof of {proof} is verified but cannot be saved, and the store is as it was")]
    NotSaved { proof: lc_core::ProgramId, source: Box<Fault> },
    #[error("cannot print")]
    Print(#[source] io::Error),
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
}

/// How a command ends when it ends badly: from `sysexits.h`, but for the codes of a server's failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// `EX_USAGE`.
    Usage,
    /// `EX_DATAERR`.
    Data,
    /// `EX_NOINPUT`.
    NoInput,
    /// `EX_UNAVAILABLE`.
    NoServer,
    /// `EX_SOFTWARE`.
    Software,
    /// `EX_IOERR`.
    Io,
    /// `EX_PROTOCOL`.
    Refused,
    /// 10 and the number of the server's code; 20 for one that this release does not know.
    Failed(Code),
}

impl From<Exit> for u8 {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Usage => 64,
            Exit::Data => 65,
            Exit::NoInput => 66,
            Exit::NoServer => 69,
            Exit::Software => 70,
            Exit::Io => 74,
            Exit::Refused => 76,
            Exit::Failed(code) => match Self::try_from(code.number()) {
                Ok(number) if Code::ALL.contains(&code) => 10 + number,
                _ => 20,
            },
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        u8::from(exit).into()
    }
}

impl Fault {
    /// As `light-client --help` lists them.
    pub(super) fn exit_code(&self) -> Exit {
        match self {
            Self::File(error) => of_file(error),
            Self::Store(error) => of_store(error),
            Self::Tls(error) => of_tls(error),
            Self::Ask(_)
            | Self::Bootstrap(_)
            | Self::MockStore { .. }
            | Self::DevelopmentStore { .. } => Exit::Data,
            Self::Proof(error) | Self::Prove(ProveError::Proof(error)) => of_proof(error),
            Self::Refused(_)
            | Self::Prove(ProveError::Refused(_) | ProveError::OtherProof { .. }) => Exit::Refused,
            Self::Prove(ProveError::Client(ClientError::Failed(failure))) => {
                Exit::Failed(failure.code)
            }
            Self::Prove(ProveError::Unsupported { .. }) => Exit::Failed(Code::Unsupported),
            Self::Prove(_) => Exit::NoServer,
            Self::NotSaved { .. } | Self::Print(_) => Exit::Io,
            Self::Signals(_) => Exit::Software,
        }
    }

    /// The fault with its causes, in one line.
    pub(super) fn line(&self) -> String {
        let mut line = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            line = format!("{line}: {error}");
            cause = error.source();
        }
        one_line(&line)
    }

    /// Whether the reader of the output went away, which is no news to it.
    pub(super) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Print(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn of_file(error: &FileError) -> Exit {
    match error {
        FileError::Read { .. } | FileError::NoNetwork(_) => Exit::NoInput,
        FileError::Write { .. } | FileError::InTheWay { .. } => Exit::Io,
        FileError::Encode(_) => Exit::Software,
        _ => Exit::Data,
    }
}

fn of_store(error: &StoreFileError) -> Exit {
    match error {
        StoreFileError::Missing { .. } => Exit::NoInput,
        StoreFileError::Io { .. } | StoreFileError::Locked { .. } => Exit::Io,
        _ => Exit::Data,
    }
}

fn of_tls(error: &TlsError) -> Exit {
    match error {
        TlsError::Missing { .. } | TlsError::Unreadable { .. } => Exit::NoInput,
        TlsError::ServerName { .. } => Exit::Usage,
        _ => Exit::Data,
    }
}

fn of_proof(error: &ProofError) -> Exit {
    match error {
        ProofError::NoVerifier | ProofError::Keys(_) => Exit::Software,
        _ => Exit::Refused,
    }
}

/// Text of others has line breaks and worse in it; a terminal gets neither.
pub(super) fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proof_server::{tls::FileRole, types::Failure};

    use super::*;

    fn failure(code: Code) -> Fault {
        Fault::Prove(ClientError::Failed(Failure::new(code, "why")).into())
    }

    #[test]
    fn each_code_of_a_server_has_its_own_exit_code() {
        let exit = |code| u8::from(failure(code).exit_code());
        assert_eq!(exit(Code::InvalidInput), 11);
        assert_eq!(exit(Code::WorkerLost), 15);
        assert_eq!(exit(Code::Internal), 19);
        assert_eq!(exit(Code::Unknown(300)), 20);
        assert_eq!(exit(Code::Unknown(12)), 20);
    }

    #[test]
    fn faults_of_tls_files_are_faults_of_files_and_a_bad_name_is_one_of_a_flag() {
        let exit = |error| Fault::Tls(error).exit_code();
        let (role, path) = (FileRole::ServerCa, || "ca.pem".into());
        assert_eq!(exit(TlsError::Missing { role, path: path() }), Exit::NoInput);
        assert_eq!(exit(TlsError::NoCertificate { role, path: path() }), Exit::Data);
        assert_eq!(exit(TlsError::ServerName { name: "a b".into() }), Exit::Usage);
    }

    #[test]
    fn a_fault_is_one_line_with_its_causes_whatever_others_wrote() {
        let source = io::Error::other("disk\nis \x1b[31mfull");
        let fault = Fault::File(FileError::Write { path: "a.proof".into(), source });
        assert_eq!(fault.line(), "cannot write a.proof: disk is [31mfull");
        assert_eq!(fault.exit_code(), Exit::Io);
        let failure = Failure::new(Code::Busy, "16 jobs wait\r\ntry again in 9 s");
        let fault = Fault::Prove(ClientError::Failed(failure).into());
        assert_eq!(fault.line(), "BUSY: 16 jobs wait try again in 9 s");
    }
}
