"""Runs the light-client test generators of eth-consensus-specs, and writes what our own checks of them need: the SSZ
types that the Merkle proofs are of, and the execution block headers behind the hashes in Gloas's objects.

Called by scripts/spec-vectors, in its virtual environment.
"""

import argparse
import importlib
import json
import pathlib
import sys
import types

import eth_consensus_specs
import pytest
import snappy

PACKAGE = pathlib.Path(eth_consensus_specs.__file__).parent
# Gloas as this package has it is an alpha: a later one may place things elsewhere.
FORKS = ["altair", "bellatrix", "capella", "deneb", "electra", "fulu", "gloas"]

# `data_collection` is about nodes that make light-client data.
SUPPORTED = "not data_collection"
# In the mainnet preset these take whole sync committee periods: 8192 slots each, 7 to 27 minutes a fork.
WHOLE_PERIODS = (
    "light_client_sync or advance_finality_without_sync_committee or update_ranking"
)
SETS = {
    ("committed", "minimal"): SUPPORTED,
    ("committed", "mainnet"): f"{SUPPORTED} and not ({WHOLE_PERIODS})",
    ("large", "mainnet"): f"{SUPPORTED} and (single_merkle_proof or {WHOLE_PERIODS})",
}

# The package imports parts of itself by their place in its own repository.
for name in ("tests", "tests.core", "tests.core.pyspec"):
    module = types.ModuleType(name)
    module.__path__ = [str(PACKAGE.parent)] if name.endswith("pyspec") else []
    sys.modules[name] = module

from eth_consensus_specs.test import context  # noqa: E402  (after its own import is possible)
from eth_consensus_specs.test.helpers import execution_payload  # noqa: E402
from eth_consensus_specs.utils import bls  # noqa: E402
from remerkleable.basic import boolean, uint  # noqa: E402
from remerkleable.bitfields import Bitlist, Bitvector  # noqa: E402
from remerkleable.byte_arrays import ByteList, ByteVector  # noqa: E402
from remerkleable.complex import Container, List, Vector  # noqa: E402
from remerkleable.progressive import (  # noqa: E402
    ProgressiveBitlist,
    ProgressiveContainer,
    ProgressiveList,
)

# The specification generates sync and ranking for the minimal preset only, as "too slow" for mainnet.
with_presets = context.with_presets
context.with_presets = lambda _presets, reason=None: with_presets(("minimal", "mainnet"), reason)


# Every execution block header that the generators hash, in RLP by its hash: the vectors hold only the hashes.
hashed_headers = {}
keccak = execution_payload.keccak


def remember_hashed(data):
    digest = keccak(data)
    hashed_headers[digest] = bytes(data)
    return digest


execution_payload.keccak = remember_hashed


class RealSignatures:
    """Stops where a test was made without BLS."""

    def pytest_runtest_setup(self, item):
        assert bls.bls_active, f"{item.name} would have stubbed signatures"

    def pytest_runtest_teardown(self, item):
        assert bls.bls_active, f"{item.name} left BLS off"


def ssz_type(view):
    """The type as data: core/tests/support/ssz_type.rs reads it."""
    byte = {"basic": 1}
    if issubclass(view, (uint, boolean)):
        return {"basic": view.type_byte_length()}
    if issubclass(view, Bitvector):
        return {"bitvector": view.vector_length()}
    if issubclass(view, Bitlist):
        return {"bitlist": view.limit()}
    if issubclass(view, ByteVector):
        return {"vector": [byte, view.vector_length()]}
    if issubclass(view, ByteList):
        return {"list": [byte, view.limit()]}
    if issubclass(view, Vector):
        return {"vector": [ssz_type(view.element_cls()), view.vector_length()]}
    if issubclass(view, List):
        return {"list": [ssz_type(view.element_cls()), view.limit()]}
    if issubclass(view, ProgressiveBitlist):
        return "progressive_bitlist"
    if issubclass(view, ProgressiveList):
        return {"progressive_list": ssz_type(view.element_cls())}
    if issubclass(view, ProgressiveContainer):
        assert all(view._active_fields), f"{view} has gaps between its fields"
        return {"progressive_container": [ssz_type(field) for field in view.fields().values()]}
    if issubclass(view, Container):
        return {"container": [ssz_type(field) for field in view.fields().values()]}
    raise TypeError(f"no such kind of SSZ type: {view}")


def write_types(path):
    """One line a type."""
    lines = []
    for preset in ("minimal", "mainnet"):
        for fork in FORKS:
            spec = importlib.import_module(f"eth_consensus_specs.{fork}.{preset}")
            for name in ("BeaconState", "BeaconBlockBody"):
                text = json.dumps(ssz_type(getattr(spec, name)), separators=(",", ":"))
                lines.append(f'"{preset}/{fork}/{name}":{text}')
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def write_execution_headers(path, preset):
    """Adds the headers behind the execution block hashes in the preset's objects of Gloas, one line a header."""
    headers = json.loads(path.read_text()) if path.exists() else {}
    spec = importlib.import_module(f"eth_consensus_specs.gloas.{preset}")
    for file in sorted((path.parent / preset).rglob("*.ssz_snappy")):
        if file.parent.parent.parent.name == "single_merkle_proof":
            continue
        ssz = snappy.decompress(file.read_bytes())
        # Gloas's objects alone have a fixed length, and no older one has that length.
        for kind in (spec.LightClientBootstrap, spec.LightClientUpdate):
            if len(ssz) != kind.type_byte_length():
                continue
            for value in kind.decode_bytes(ssz):
                digest = bytes(getattr(value, "execution_block_hash", b""))
                if any(digest):
                    headers["0x" + digest.hex()] = "0x" + hashed_headers[digest].hex()
    path.write_text(json.dumps(headers, indent=0, sort_keys=True) + "\n")


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--set", required=True, choices=["committed", "large"])
    args.add_argument("--preset", required=True, choices=["minimal", "mainnet"])
    args.add_argument("--out", required=True, type=pathlib.Path)
    args = args.parse_args()
    test = PACKAGE / "test"
    suites = sorted(str(path) for path in test.glob("*/light_client") if path.parent.name in FORKS)
    status = pytest.main(
        ["-q", "-p", "no:cacheprovider", f"--rootdir={test}", f"--confcutdir={test}", "--reftests"]
        + [f"--reftests-output={args.out}", f"--preset={args.preset}"]
        + [f"--fork={fork}" for fork in FORKS]
        + ["-k", SETS[args.set, args.preset]]
        + suites,
        plugins=[RealSignatures()],
    )
    if status == 0:
        write_types(args.out / "types.json")
        write_execution_headers(args.out / "execution_headers.json", args.preset)
    sys.exit(status)


if __name__ == "__main__":
    main()
