#!/usr/bin/env python3
"""Writes the golden files of this folder with other people's code: needs `pip install eth-abi remerkleable`.

abi.encode by eth-abi, hash_tree_root by remerkleable. Values are arbitrary but all different, so that no two
fields can change places unseen.
"""
import pathlib
from eth_abi import encode
from remerkleable.basic import uint64
from remerkleable.byte_arrays import Bytes32
from remerkleable.complex import Container, List, Vector

HERE = pathlib.Path(__file__).parent


def word(n):
    return bytes([n]) * 32


def write(name, data):
    (HERE / name).write_text(data.hex() + "\n")


COMMITTEE_CHANGE = "(bytes32,uint64,bytes32,uint64,bytes32,uint64,uint64,bytes32,uint64,bytes32,bytes32)"
write("committee_change.hex", encode([COMMITTEE_CHANGE], [(
    word(1), 2, word(3), 4, word(5), 6, 7, word(8), 9, word(10), word(11))]))

SLOT = "(bytes32,uint256)"
ACCOUNT = f"(address,bool,uint64,uint256,bytes32,bytes32,{SLOT}[])"
INCLUSION = f"(bytes32,uint64,bytes32,uint64,uint64,uint64,bytes32,uint64,bytes32,bytes32,{ACCOUNT}[])"
write("inclusion.hex", encode([INCLUSION], [(
    word(1), 2, word(3), 4, 5, 6, word(7), 8, word(9), word(10), [
        ("0x" + "0b" * 20, True, 12, 13 << 200, word(14), word(15), [(word(16), 17), (word(18), 0)]),
        ("0x" + "13" * 20, False, 0, 0, word(0), word(0), []),
    ])]))


class ChainSpec(Container):
    genesis_validators_root: Bytes32
    preset: Vector[uint64, 3]
    forks: List[uint64, 32]


# config.yaml and genesis_validators_root.txt of eth-clients/{mainnet,sepolia,hoodi}.
NETWORKS = {
    "mainnet": ("4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95", [
        ("01000000", 74240), ("02000000", 144896), ("03000000", 194048), ("04000000", 269568),
        ("05000000", 364032), ("06000000", 411392)]),
    "sepolia": ("d8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078", [
        ("90000070", 50), ("90000071", 100), ("90000072", 56832), ("90000073", 132608),
        ("90000074", 222464), ("90000075", 272640)]),
    "hoodi": ("212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f", [
        ("20000910", 0), ("30000910", 0), ("40000910", 0), ("50000910", 0), ("60000910", 2048),
        ("70000910", 50688)]),
}
for name, (root, forks) in NETWORKS.items():
    spec = ChainSpec(
        genesis_validators_root=Bytes32(bytes.fromhex(root)), preset=[32, 256, 512],
        forks=[word for i, (v, e) in enumerate(forks)
               for word in (int.from_bytes(bytes.fromhex(v), "little") + ((i + 1) << 32), e)])
    write(f"chain_{name}.hex", bytes(spec.hash_tree_root()))
