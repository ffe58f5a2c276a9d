// Compiles the contracts into artifacts/: interface and bytecode, with everything that they follow from.
//   node build.mjs           writes them
//   node build.mjs --check   fails if they are not what the sources compile to
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

// solc is a CommonJS module; its own version number is the package's.
const solc = createRequire(import.meta.url)("solc");

const CONTRACTS = {
  EthereumLightClient: "src/EthereumLightClient.sol",
  StandInVerifier: "test/StandInVerifier.sol",
  SupplyMirror: "test/SupplyMirror.sol",
  // For tests: SP1's verifiers of the development circuits that the recorded SNARKs are of. Both have one name.
  SP1Verifier: "test/dev/SP1VerifierGroth16.sol",
  SP1VerifierPlonk: "test/dev/SP1VerifierPlonk.sol",
};
const NAMES = { SP1VerifierPlonk: "SP1Verifier" };
const SETTINGS = {
  // An update runs for years, the deployment once.
  optimizer: { enabled: true, runs: 1_000_000 },
  viaIR: true,
  // Not the newest: chains that follow Ethereum's instructions later than Ethereum should run it too.
  evmVersion: "cancun",
  // No hash of comments and paths at the end: the bytecode follows from the code alone.
  metadata: { appendCBOR: false, bytecodeHash: "none" },
};

const here = (path) => new URL(path, import.meta.url);
// What gnark and SP1 wrote for the recorded circuit lies beside the proofs.
const read = (path) => readFileSync(here(path.replace(/^test\/dev\//, "../artifacts/snarks/")), "utf8");

function compile() {
  const sources = Object.fromEntries(Object.values(CONTRACTS).map((path) => [path, { content: read(path) }]));
  const outputSelection = { "*": { "*": ["abi", "evm.bytecode.object", "metadata"] } };
  const input = { language: "Solidity", sources, settings: { ...SETTINGS, outputSelection } };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: (path) => ({ contents: read(path) }) }));
  // What others wrote is theirs to polish.
  const theirs = ({ severity, sourceLocation }) => severity !== "error" && sourceLocation?.file.startsWith("test/dev/");
  const problems = (output.errors ?? []).filter((problem) => !theirs(problem));
  // A warning stands for a mistake until somebody has looked at it.
  if (problems.length > 0) throw new Error(problems.map((problem) => problem.formattedMessage).join("\n"));
  return output.contracts;
}

function artifact(name, compiled) {
  const { abi, evm, metadata } = compiled[CONTRACTS[name]][NAMES[name] ?? name];
  const sources = Object.entries(JSON.parse(metadata).sources).map(([path, { keccak256 }]) => [path, keccak256]);
  const made = { contract: name, solc: solc.version(), settings: SETTINGS, sources: Object.fromEntries(sources) };
  return JSON.stringify({ ...made, abi, bytecode: `0x${evm.bytecode.object}` }, null, 1) + "\n";
}

const compiled = compile();
for (const name of Object.keys(CONTRACTS)) {
  const path = `artifacts/${name}.json`;
  if (!process.argv.includes("--check")) writeFileSync(here(path), artifact(name, compiled));
  else if (read(path) !== artifact(name, compiled)) {
    console.error(`contracts/${path} is not what the sources compile to: run \`make contracts\``);
    process.exitCode = 1;
  }
}
