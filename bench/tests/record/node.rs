//! A beacon and an execution node of a simulated chain in one, with faults.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use lc_core::{
    alloy_primitives::{Address, B256},
    host::NativeCrypto,
    objects::{LightClientFinalityUpdate, LightClientUpdate, file::write_stream, updates_to_json},
};
use serde_json::{Value, json};
use simulator::{Chain, Preset, config_yaml, fork_digest};

/// The execution chain's id.
const CHAIN_ID: u64 = 1337;

/// Updates that the node has.
pub(crate) const PERIODS: u64 = 3;

/// What goes wrong with an answer.
#[derive(Debug, Clone)]
pub(crate) enum Wrong {
    /// A status, and seconds after which to ask again.
    Status(u16, Option<u64>),
    /// Half of the announced body.
    Cut,
    /// No answer for longer than anybody waits.
    Stall,
    /// The first half of the body, and then silence.
    Trickle,
    /// More than anybody wants.
    Endless,
    /// Something else.
    Body(Vec<u8>),
}

/// A fault of the answers to questions that contain `about`, so often.
#[derive(Debug)]
struct Fault {
    about: String,
    times: u32,
    wrong: Wrong,
}

/// The nodes. They end with the process.
pub(crate) struct Node {
    pub(crate) url: String,
    pub(crate) chain: Arc<Chain>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    faults: Vec<Fault>,
    asked: Vec<String>,
    speaks_json: bool,
}

impl Node {
    pub(crate) fn start(seed: u64) -> Self {
        Self::of(Chain::builder().preset(Preset::Minimal).seed(seed).build().unwrap())
    }

    pub(crate) fn of(chain: Chain) -> Self {
        let (chain, state) = (Arc::new(chain), Arc::new(Mutex::new(State::default())));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let node = Self { url, chain: Arc::clone(&chain), state: Arc::clone(&state) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (chain, state) = (Arc::clone(&chain), Arc::clone(&state));
                // Who asks may hang up at any time.
                thread::spawn(move || serve(stream.unwrap(), &chain, &state));
            }
        });
        node
    }

    /// The next `times` answers to questions that contain `about` are wrong.
    pub(crate) fn spoil(&self, about: &str, times: u32, wrong: Wrong) {
        self.state.lock().unwrap().faults.push(Fault { about: about.to_owned(), times, wrong });
    }

    /// From now on it answers with JSON alone, as some nodes do.
    pub(crate) fn speak_json(&self) {
        self.state.lock().unwrap().speaks_json = true;
    }

    /// How often something that contains `about` was asked for.
    pub(crate) fn asked(&self, about: &str) -> usize {
        self.state.lock().unwrap().asked.iter().filter(|what| what.contains(about)).count()
    }

    pub(crate) fn first_period(&self) -> u64 {
        self.chain.first_period()
    }

    pub(crate) fn update(&self, period: u64) -> LightClientUpdate {
        self.chain.update(period).build()
    }

    /// The updates' answer as the node gives it.
    pub(crate) fn stream(&self, updates: &[LightClientUpdate]) -> Vec<u8> {
        write_stream(self.chain.spec(), updates, |slot| fork_digest(self.chain.spec(), slot))
    }
}

/// The newest finality update, signed by the committee to which the updates lead.
pub(crate) fn finality(chain: &Chain) -> LightClientFinalityUpdate {
    chain.update(chain.first_period() + PERIODS).build_finality()
}

fn serve(stream: TcpStream, chain: &Chain, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some((path, body)) = question(&mut reader) {
        let call = serde_json::from_slice::<Value>(&body).ok();
        let method = call.as_ref().and_then(|call| call["method"].as_str());
        let what = method.unwrap_or(&path).to_owned();
        let (wrong, speaks_json) = {
            let mut state = state.lock().unwrap();
            state.asked.push(what.clone());
            let fault = state.faults.iter_mut().find(|it| it.times > 0 && what.contains(&it.about));
            let wrong = fault.map(|fault| {
                fault.times -= 1;
                fault.wrong.clone()
            });
            (wrong, state.speaks_json)
        };
        let right = match &call {
            Some(call) => execution(chain, call),
            None => beacon(chain, &path, speaks_json),
        };
        if respond(&stream, right, wrong).is_none() {
            return;
        }
    }
}

fn question(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, body))
}

/// Nothing where the connection is of no use any more.
fn respond(mut stream: &TcpStream, right: Option<Vec<u8>>, wrong: Option<Wrong>) -> Option<()> {
    let mut send = |status: u16, more: &str, length: usize, body: &[u8]| {
        let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n{more}\r\n");
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).ok()
    };
    let body = right.clone().unwrap_or_default();
    match wrong {
        Some(Wrong::Status(status, after)) => {
            let after = after.map(|after| format!("Retry-After: {after}\r\n")).unwrap_or_default();
            send(status, &after, 4, b"why?")
        }
        Some(Wrong::Cut) => send(200, "", body.len(), &body[..body.len() / 2]).and(None),
        Some(Wrong::Stall) => {
            thread::sleep(Duration::from_secs(60));
            None
        }
        Some(Wrong::Trickle) => {
            send(200, "", body.len(), &body[..body.len() / 2])?;
            thread::sleep(Duration::from_secs(60));
            None
        }
        Some(Wrong::Endless) => {
            send(200, "", 1 << 40, b"")?;
            while stream.write_all(&[b' '; 1 << 16]).is_ok() {}
            None
        }
        Some(Wrong::Body(body)) => send(200, "", body.len(), &body),
        None => match right {
            Some(body) => send(200, "", body.len(), &body),
            None => send(404, "", 9, b"not there"),
        },
    }
}

/// The beacon API. Nothing for what it does not have.
fn beacon(chain: &Chain, path: &str, speaks_json: bool) -> Option<Vec<u8>> {
    let spec = chain.spec();
    let json = |value: Value| Some(value.to_string().into_bytes());
    let object =
        |ssz: Vec<u8>, text: String| Some(if speaks_json { text.into_bytes() } else { ssz });
    let parts: Vec<&str> = path.trim_matches('/').split(['/', '?']).collect();
    match parts[..] {
        ["eth", "v1", "beacon", "genesis"] => {
            json(json!({ "data": { "genesis_validators_root": spec.genesis_validators_root } }))
        }
        ["eth", "v1", "config", "spec"] => json(json!({ "data": config(chain) })),
        ["eth", "v1", "beacon", "blocks", slot, "root"] => {
            let slot = slot.parse::<u64>().ok()?;
            // The period's first slot is empty.
            let root = chain.header(slot).beacon.hash_tree_root::<NativeCrypto>();
            (slot % spec.slots_per_period() != 0)
                .then(|| json!({ "data": { "root": root } }))
                .and_then(json)
        }
        ["eth", "v1", "beacon", "light_client", "bootstrap", root] => {
            let slots = (0..8).map(|epoch| chain.first_slot() + epoch * spec.slots_per_epoch);
            let bootstrap = slots.map(|slot| chain.bootstrap(slot)).find(|bootstrap| {
                bootstrap.header.beacon.hash_tree_root::<NativeCrypto>().to_string() == root
            })?;
            object(bootstrap.to_ssz(spec), bootstrap.to_json(spec))
        }
        ["eth", "v1", "beacon", "light_client", "updates", query] => {
            let period =
                query.strip_prefix("start_period=")?.strip_suffix("&count=1")?.parse().ok()?;
            let known = chain.first_period()..chain.first_period() + PERIODS;
            let update = known.contains(&period).then(|| chain.update(period).build())?;
            let text = updates_to_json(spec, std::slice::from_ref(&update));
            object(write_stream(spec, &[update], |slot| fork_digest(spec, slot)), text)
        }
        ["eth", "v1", "beacon", "light_client", "finality_update"] => {
            let update = finality(chain);
            object(update.to_ssz(spec), update.to_json(spec))
        }
        _ => None,
    }
}

/// The configuration as the beacon API has it: every value is text.
fn config(chain: &Chain) -> Value {
    let yaml = config_yaml(chain.spec(), chain.preset());
    let pairs = yaml.lines().filter_map(|line| line.split_once(": "));
    let mut values: serde_json::Map<_, _> = pairs
        .filter(|(key, _)| !key.starts_with('#') && *key != "BLOB_SCHEDULE")
        .map(|(key, value)| (key.to_owned(), value.trim_matches('\'').into()))
        .collect();
    values.insert("BLOB_SCHEDULE".to_owned(), json!([]));
    values.insert("DEPOSIT_CHAIN_ID".to_owned(), CHAIN_ID.to_string().into());
    values.into()
}

/// The number of the execution block under a beacon block, as the simulator gives it.
pub(crate) const fn block_number(slot: u64) -> u64 {
    slot + 7_000_000
}

/// The execution node's JSON-RPC.
fn execution(chain: &Chain, call: &Value) -> Option<Vec<u8>> {
    let params = &call["params"];
    let answer = match call["method"].as_str()? {
        "eth_chainId" => {
            json!({ "jsonrpc": "2.0", "id": 1, "result": format!("{CHAIN_ID:#x}") }).to_string()
        }
        "eth_getBlockByHash" => {
            // As debug_getRawHeader answers, which is as good.
            let updates =
                (0..PERIODS).map(|period| chain.update(chain.first_period() + period).build());
            let headers = updates.map(|update| update.finalized_header);
            let header = headers
                .chain([finality(chain).finalized_header])
                .find(|header| params[0] == header.execution.block_hash.to_string())?;
            let rlp = chain.block_header(header.beacon.slot);
            json!({ "jsonrpc": "2.0", "id": 1, "result": rlp }).to_string()
        }
        "eth_getProof" => {
            let slot = finality(chain).finalized_header.beacon.slot;
            let number = block_number(slot);
            if params[2] != format!("{number:#x}") {
                let error = json!({ "code": -32000, "message": "missing trie node" });
                return Some(
                    json!({ "jsonrpc": "2.0", "id": 1, "error": error }).to_string().into_bytes(),
                );
            }
            let address: Address = serde_json::from_value(params[0].clone()).ok()?;
            let slots: Vec<B256> = serde_json::from_value(params[1].clone()).ok()?;
            let state = chain.execution_state(chain.first_period() + PERIODS);
            state.eth_get_proof(address, &slots).ok()?
        }
        _ => return None,
    };
    Some(answer.into_bytes())
}
