//! Memory of 64-bit words, of which it is known who touched them.

/// What memory outside the image holds at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Zeros, as in SP1's executor: what an honest prover chooses.
    Zero,
    /// Any words: what a prover may choose. The same for the same seed, whatever is touched first.
    Random {
        /// Where the words come from.
        seed: u64,
    },
}

impl Memory {
    /// The word at `address`.
    fn word(self, address: u64) -> u64 {
        match self {
            Self::Zero => 0,
            Self::Random { seed } => mix(seed ^ mix(address)),
        }
    }
}

/// The output function of SplitMix64 (Steele, Lea, Flood 2014): every bit of the result depends on every bit of `z`.
fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Lowest address that SP1's circuits take (`AddressOperation`): registers are below, and a guard.
pub(crate) const LOWEST: u64 = 1 << 16;
/// End of the addresses that SP1's executor takes (`MAX_JIT_LOG_ADDR`). Its circuits would take 48 bits.
pub(crate) const END: u64 = 1 << 40;

/// Words of a page, 64 KiB, and pages of a table, 256 MiB: small enough that a short run, of which tests make
/// thousands, does not spend its time on clearing memory.
const PAGE_WORDS: usize = 1 << 13;
const TABLE_PAGES: usize = 1 << 12;
const TABLES: usize = END as usize / 8 / PAGE_WORDS / TABLE_PAGES;

/// Who touched a word, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// It is part of the ELF image.
    Image = 1,
    /// HINT_READ wrote it.
    Hint = 2,
    /// A load or store.
    Instruction = 4,
    /// A circuit of a system call.
    Call = 8,
}

/// Touches after which SP1's prover initializes a word: it does not look at those of [`By::Call`].
const INITIALIZED: u8 = By::Image as u8 | By::Hint as u8 | By::Instruction as u8;

#[derive(Debug)]
struct Page {
    words: Vec<u64>,
    touched_by: Vec<u8>,
}

/// All memory. Addresses are multiples of 8 below [`END`].
#[derive(Debug)]
pub(crate) struct Words {
    initial: Memory,
    /// For each page of a table, one more than its place in `pages`, or 0. Empty if the table has no pages.
    tables: Vec<Vec<u32>>,
    pages: Vec<Page>,
    touched: usize,
}

impl Words {
    pub(crate) fn new(initial: Memory, image: &[(u64, u64)]) -> Self {
        let mut memory =
            Self { initial, tables: vec![Vec::new(); TABLES], pages: Vec::new(), touched: 0 };
        for &(address, word) in image {
            *memory.touch(address, By::Image) = word;
        }
        memory.touched = 0;
        memory
    }

    /// The word at `address`, to read or write.
    #[inline]
    pub(crate) fn touch(&mut self, address: u64, by: By) -> &mut u64 {
        let (table, page, place) = split(address);
        let number = match self.tables[table].get(page) {
            Some(&number) if number > 0 => number,
            _ => self.add_page(table, page),
        };
        let page = &mut self.pages[number as usize - 1];
        let touched_by = &mut page.touched_by[place];
        if *touched_by & !(By::Image as u8) == 0 {
            self.touched += 1;
        }
        if *touched_by == 0 {
            page.words[place] = self.initial.word(address);
        }
        *touched_by |= by as u8;
        &mut page.words[place]
    }

    #[cold]
    fn add_page(&mut self, table: usize, page: usize) -> u32 {
        self.pages.push(Page { words: vec![0; PAGE_WORDS], touched_by: vec![0; PAGE_WORDS] });
        let number = self.pages.len() as u32;
        let table = &mut self.tables[table];
        table.resize(TABLE_PAGES, 0);
        table[page] = number;
        number
    }

    /// The word at `address`, without touching it.
    pub(crate) fn peek(&self, address: u64) -> u64 {
        match self.page(address) {
            Some((page, place)) if page.touched_by[place] != 0 => page.words[place],
            _ => self.initial.word(address),
        }
    }

    /// Whether the word is as it was at the start, and not of the image.
    pub(crate) fn is_untouched(&self, address: u64) -> bool {
        self.touched_by(address) == 0
    }

    /// Whether SP1's prover will initialize the word.
    pub(crate) fn is_initialized(&self, address: u64) -> bool {
        self.touched_by(address) & INITIALIZED != 0
    }

    /// Distinct words touched so far.
    #[inline]
    pub(crate) fn touched(&self) -> usize {
        self.touched
    }

    fn touched_by(&self, address: u64) -> u8 {
        self.page(address).map_or(0, |(page, place)| page.touched_by[place])
    }

    fn page(&self, address: u64) -> Option<(&Page, usize)> {
        let (table, page, place) = split(address);
        let number = *self.tables[table].get(page)?;
        let page = self.pages.get((number as usize).checked_sub(1)?)?;
        Some((page, place))
    }
}

/// Table, page and place of the word at `address`.
#[inline]
fn split(address: u64) -> (usize, usize, usize) {
    let word = (address / 8) as usize;
    let page = word / PAGE_WORDS;
    (page / TABLE_PAGES, page % TABLE_PAGES, word % PAGE_WORDS)
}
