//! Scratch: measures. Not to be committed.
use std::time::Instant;
use lc_stark::{CoreVerifier, prove::{CoreProver, Machine, ShardPlan, Step}};
fn status(key: &str) -> u64 {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    s.lines().find(|l| l.starts_with(key)).unwrap().split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1000
}
fn main() {
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).init();
    let mut args = std::env::args().skip(1);
    let elfs: Vec<Vec<u8>> = args.next().unwrap().split(',').map(|p| std::fs::read(p).unwrap()).collect();
    let input = args.next().unwrap();
    let t = Instant::now();
    let mut plan = ShardPlan::for_machine(Machine::of_this_process());
    if let Ok(c) = std::env::var("CELLS") { plan = plan.with_max_cells(c.parse().unwrap()); }
    println!("{plan:?}");
    let prover = CoreProver::new(plan).unwrap();
    println!("new {:?} peak {} MB", t.elapsed(), status("VmHWM"));
    let keys = prover.set_up(elfs.iter().map(|e| e.as_slice())).unwrap();
    println!("keys {:?} peak {} MB", t.elapsed(), status("VmHWM"));
    let input = match input.strip_prefix("probe:") {
        Some(n) => n.split(',').flat_map(|x| x.parse::<u32>().unwrap().to_le_bytes()).collect(),
        None if input == "none" => return,
        None => std::fs::read(input).unwrap(),
    };
    let t = Instant::now();
    let mut report = |p: Step| println!("{:?} {p:?} rss {} peak {} MB", t.elapsed(), status("VmRSS"), status("VmHWM"));
    let p = prover.prove(&keys[0], &input, &mut report).unwrap();
    println!("proof {:?} {p:?} peak {}", t.elapsed(), status("VmHWM"));
    let t = Instant::now();
    CoreVerifier::new().verify(keys[0].verifying(), &p.public_values, &p.bytes).unwrap();
    println!("verify {:?}", t.elapsed());
    if let Ok(n) = std::env::var("FUZZ") {
        let v = CoreVerifier::new();
        let mut x = 88172645463325252u64;
        let (mut malformed, mut refused, mut ok) = (0, 0, 0);
        for _ in 0..n.parse::<u32>().unwrap() {
            let mut b = p.bytes.clone();
            x ^= x << 13; x ^= x >> 7; x ^= x << 17;
            let at = (x % b.len() as u64) as usize;
            let at = if x >> 63 == 0 { at } else { at % 20000 };
            if x >> 62 & 1 == 0 { b[at] ^= 1 << (x >> 40 & 7); } else { b[at] = (x >> 32) as u8; }
            if b == p.bytes { continue; }
            match v.verify(keys[0].verifying(), &p.public_values, &b) {
                Ok(()) => { ok += 1; println!("OK at {at}"); }
                Err(lc_stark::InvalidProof::Malformed(m)) => { malformed += 1; println!("{at} malformed {m}"); }
                Err(_) => refused += 1,
            }
        }
        println!("malformed {malformed} refused {refused} ok {ok}");
    }
}
