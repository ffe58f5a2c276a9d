//! System calls, as SP1 6.10's `ecall_handler` and the circuits behind it have them.

use sha2::{Digest as _, Sha256};

use crate::{
    fault::Reason,
    machine::{Machine, check_address},
    memory::{By, END},
    precompiles::{self, POSEIDON2_MODULUS},
    syscall::Syscall,
};

const T0: usize = 5;
const A0: usize = 10;

/// SP1's file descriptor of the public values.
const PUBLIC_VALUES: u64 = 13;

/// Most bytes of one WRITE, 64 MiB: programs write hundreds, and a wild length would fill the machine's memory.
const MAX_WRITE: u64 = 1 << 26;

/// What HINT_LEN says when no input is left.
const NO_INPUT: u64 = u64::MAX;

/// What is outside of the machine: input, output, and what a verifier would object to.
#[derive(Debug)]
pub(crate) struct Host<'a> {
    /// None once it is read.
    input: Option<&'a [u8]>,
    pub(crate) public_values: Vec<u8>,
    pub(crate) output: Vec<u8>,
    digest: [Option<u32>; 8],
    /// Whether the program said that it verified no proofs.
    deferred: bool,
    /// Words whose first touch was a call's, with the call and its place. Instructions may still touch them.
    untouched: Vec<(u64, Syscall, u64)>,
    /// The first thing that no circuit or verifier takes, with its place.
    objection: Option<(u64, Reason)>,
}

impl<'a> Host<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self {
            input: Some(input),
            public_values: Vec::new(),
            output: Vec::new(),
            digest: [None; 8],
            deferred: false,
            untouched: Vec::new(),
            objection: None,
        }
    }
}

impl Machine<'_> {
    /// The system call that the program makes.
    pub(crate) fn called(&self) -> Result<Syscall, Reason> {
        let number = self.registers[T0];
        Syscall::from_number(number).ok_or(Reason::UnknownCall { number })
    }

    /// Answers a system call. Gives the exit code if it ends the program.
    pub(crate) fn call(&mut self, call: Syscall) -> Result<Option<u32>, Reason> {
        let [a, b, c] = [0, 1, 2].map(|i| self.registers[A0 + i]);
        match call {
            Syscall::Halt if a >= POSEIDON2_MODULUS => {
                return Err(Reason::ExitCode { exit_code: a });
            }
            Syscall::Halt => return Ok(Some(a as u32)),
            Syscall::Write => self.write(a, b, c)?,
            Syscall::Commit => self.commit(a, b)?,
            Syscall::CommitDeferredProofs => self.commit_deferred(a, b)?,
            Syscall::HintLen => {
                self.registers[T0] = self.host.input.map_or(NO_INPUT, |input| input.len() as u64);
            }
            Syscall::HintRead => self.hint_read(a, b)?,
            Syscall::ShaExtend => self.sha_extend(a, b)?,
            Syscall::ShaCompress => self.sha_compress(a, b)?,
            Syscall::KeccakPermute => self.keccak_permute(a, b)?,
            Syscall::FpAdd | Syscall::FpSub | Syscall::FpMul => self.field_operation(call, a, b)?,
            Syscall::Poseidon2 => self.poseidon2(a, b)?,
        }
        Ok(None)
    }

    /// What a verifier or a circuit has against the run, which ended well at `pc`.
    pub(crate) fn check(&mut self, pc: u64) -> Result<(), (u64, Reason)> {
        if let Some(objection) = self.host.objection.take() {
            return Err(objection);
        }
        let mut untouched = self.host.untouched.iter();
        if let Some(&(address, call, at)) =
            untouched.find(|(address, ..)| !self.memory.is_initialized(*address))
        {
            return Err((at, Reason::Untouched { call, address }));
        }
        self.check_digest().map_err(|reason| (pc, reason))?;
        if !self.host.deferred {
            return Err((pc, Reason::Deferred { seen: "never called".into() }));
        }
        Ok(())
    }

    fn check_digest(&self) -> Result<(), Reason> {
        let mut wanted = String::new();
        for byte in Sha256::digest(&self.host.public_values) {
            wanted += &format!("{byte:02x}");
        }
        let word = |word: &Option<u32>| match word {
            Some(word) => format!("{:08x}", word.swap_bytes()),
            None => "-".repeat(8),
        };
        let committed: String = self.host.digest.iter().map(word).collect();
        if committed == wanted { Ok(()) } else { Err(Reason::Digest { committed, wanted }) }
    }

    /// Keeps the first objection.
    fn object(&mut self, reason: Reason) {
        self.host.objection.get_or_insert((self.pc, reason));
    }

    /// No circuit sees this: it touches nothing.
    fn write(&mut self, descriptor: u64, start: u64, length: u64) -> Result<(), Reason> {
        if length > MAX_WRITE {
            return Err(Reason::WriteLength { length, limit: MAX_WRITE });
        }
        let end = start.saturating_add(length);
        if end > END {
            return Err(Reason::Address { address: end });
        }
        let bytes = (start..end)
            .map(|address| self.memory.peek(address & !7).to_le_bytes()[address as usize % 8]);
        match descriptor {
            1 | 2 => self.host.output.extend(bytes),
            PUBLIC_VALUES => self.host.public_values.extend(bytes),
            _ => return Err(Reason::Descriptor { descriptor }),
        }
        Ok(())
    }

    fn commit(&mut self, index: u64, word: u64) -> Result<(), Reason> {
        let bad = Reason::CommitWord { call: Syscall::Commit, index, word };
        let (Some(place), Ok(word)) =
            (self.host.digest.get_mut(index as usize), u32::try_from(word))
        else {
            return Err(bad);
        };
        match *place {
            Some(committed) if committed != word => {
                self.object(Reason::Recommitted { index, word, committed });
            }
            _ => *place = Some(word),
        }
        Ok(())
    }

    fn commit_deferred(&mut self, index: u64, word: u64) -> Result<(), Reason> {
        if index >= 8 {
            let call = Syscall::CommitDeferredProofs;
            return Err(Reason::CommitWord { call, index, word });
        }
        if word != 0 {
            self.object(Reason::Deferred { seen: format!("of {word:#x} at index {index}") });
        }
        self.host.deferred = true;
        Ok(())
    }

    /// SP1's executor writes the input in whole words, and one more if it has a whole number of them. A proof says
    /// nothing of these words: what the input does not fill is as a prover wants it, and so is the word after it.
    fn hint_read(&mut self, start: u64, asked: u64) -> Result<(), Reason> {
        let input = self.host.input.ok_or(Reason::InputExhausted)?;
        let length = input.len() as u64;
        if asked != length {
            return Err(Reason::InputLength { asked, length });
        }
        self.check_words(start, length / 8 + 1)?;
        let used = |address: &u64| !self.memory.is_untouched(*address);
        if let Some(address) = (start..=start + length).step_by(8).find(used) {
            return Err(Reason::HintOnUsed { address });
        }
        for (address, bytes) in (start..).step_by(8).zip(input.chunks(8)) {
            let word = self.memory.touch(address, By::Hint);
            let mut filled = word.to_le_bytes();
            filled[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(filled);
        }
        self.host.input = None;
        Ok(())
    }

    fn sha_extend(&mut self, schedule: u64, b: u64) -> Result<(), Reason> {
        let call = Syscall::ShaExtend;
        unused(call, b)?;
        let mut w = self.read::<64>(call, schedule)?;
        self.want_cells(call, schedule, &w[..16]);
        precompiles::sha256_extend(&mut w);
        self.overwrite(schedule, &w);
        Ok(())
    }

    fn sha_compress(&mut self, schedule: u64, state: u64) -> Result<(), Reason> {
        let call = Syscall::ShaCompress;
        let mut h = self.read::<8>(call, state)?;
        let w = self.read::<64>(call, schedule)?;
        self.want_cells(call, schedule, &w);
        self.want_cells(call, state, &h);
        precompiles::sha256_compress(&w, &mut h);
        self.overwrite(state, &h);
        Ok(())
    }

    fn keccak_permute(&mut self, state: u64, b: u64) -> Result<(), Reason> {
        unused(Syscall::KeccakPermute, b)?;
        let mut lanes = self.read(Syscall::KeccakPermute, state)?;
        tiny_keccak::keccakf(&mut lanes);
        self.overwrite(state, &lanes);
        Ok(())
    }

    fn field_operation(&mut self, call: Syscall, to: u64, from: u64) -> Result<(), Reason> {
        let (mut a, b) = (self.read(call, to)?, self.read(call, from)?);
        if let Some(wanted) = precompiles::field_objection(call, &a, &b) {
            self.object(Reason::Operand { call, address: to, wanted });
        }
        precompiles::field_operation(call, &mut a, &b);
        self.overwrite(to, &a);
        Ok(())
    }

    fn poseidon2(&mut self, state: u64, b: u64) -> Result<(), Reason> {
        let call = Syscall::Poseidon2;
        unused(call, b)?;
        let mut words = self.read(call, state)?;
        let out = |word: &&u64| (**word & 0xffff_ffff).max(**word >> 32) >= POSEIDON2_MODULUS;
        if words.iter().find(out).is_some() {
            self.object(Reason::Operand {
                call,
                address: state,
                wanted: "halves below 2130706433",
            });
        }
        precompiles::poseidon2(&mut words);
        self.overwrite(state, &words);
        Ok(())
    }

    /// SHA-256's circuits take 32 bits to a cell.
    fn want_cells(&mut self, call: Syscall, start: u64, cells: &[u64]) {
        if let Some(i) = cells.iter().position(|cell| *cell > u32::MAX.into()) {
            let address = start + 8 * i as u64;
            self.object(Reason::Operand { call, address, wanted: "32 bits in a cell of 64" });
        }
    }

    /// Words that a call's circuit takes.
    fn read<const N: usize>(&mut self, call: Syscall, start: u64) -> Result<[u64; N], Reason> {
        self.check_words(start, N as u64)?;
        let mut words = [0; N];
        for (address, word) in (start..).step_by(8).zip(&mut words) {
            if self.memory.is_untouched(address) {
                self.host.untouched.push((address, call, self.pc));
            }
            *word = *self.memory.touch(address, By::Call);
        }
        Ok(words)
    }

    /// Writes words that were [read](Self::read) before.
    fn overwrite(&mut self, start: u64, words: &[u64]) {
        for (address, word) in (start..).step_by(8).zip(words) {
            *self.memory.touch(address, By::Call) = *word;
        }
    }

    fn check_words(&self, start: u64, count: u64) -> Result<(), Reason> {
        check_address(start, 8)?;
        check_address(start + 8 * (count - 1), 8)
    }
}

/// Refuses a second argument, which the circuits of some calls want to be zero.
fn unused(call: Syscall, argument: u64) -> Result<(), Reason> {
    if argument == 0 { Ok(()) } else { Err(Reason::Argument { call, argument }) }
}
