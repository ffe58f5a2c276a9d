#!/usr/bin/env python3
"""Follows a recording with the consensus specification's own code, and compares what that learns with meta.json.

Independent of the project: nothing here shares code with it. Needs Python 3.11 or later and, from PyPI,
    pip install --pre eth-consensus-specs==1.7.0a13 ckzg==2.1.8
usage: check_recording.py FOLDER
"""
import copy
import importlib
import json
import pathlib
import sys

FORKS = ['altair', 'bellatrix', 'capella', 'deneb', 'electra', 'fulu']


class Spec:
    """The specification's modules, one a fork, set to the recording's config.yaml."""

    def __init__(self, preset, config):
        self.config = config
        self.of = {fork: importlib.import_module(f'eth_consensus_specs.{fork}.{preset}') for fork in FORKS}
        for module in self.of.values():
            values = {}
            for key, value in config.items():
                if hasattr(module.config, key) and key.endswith('_FORK_VERSION'):
                    values[key] = module.Version(bytes.fromhex(value[2:]))
                elif hasattr(module.config, key) and key.endswith('_FORK_EPOCH'):
                    values[key] = module.Epoch(int(value))
            if hasattr(module.config, 'BLOB_SCHEDULE'):
                values['BLOB_SCHEDULE'] = ()
            module.config = module.config._replace(**values)
        self.latest = self.of[FORKS[-1]]

    def fork_at(self, slot):
        epoch = int(slot) // int(self.latest.SLOTS_PER_EPOCH)
        return [fork for fork in FORKS if epoch >= int(self.config[fork.upper() + '_FORK_EPOCH'])][-1]

    def period_at(self, slot):
        return int(slot) // int(self.latest.SLOTS_PER_EPOCH * self.latest.EPOCHS_PER_SYNC_COMMITTEE_PERIOD)

    def root(self, value):
        return '0x' + bytes(self.latest.hash_tree_root(value)).hex()

    def decode(self, kind, upgrade, ssz):
        """The object in its own fork's layout, upgraded to the latest fork as the specification does."""
        at = int.from_bytes(ssz[:4], 'little')
        fork = self.fork_at(int.from_bytes(ssz[at:at + 8], 'little'))
        value = getattr(self.of[fork], kind).decode_bytes(ssz)
        for later in FORKS[FORKS.index(fork) + 1:]:
            step = getattr(self.of[later], f'upgrade_lc_{upgrade}_to_{later}', None)
            value = step(value) if step else getattr(self.of[later], kind).decode_bytes(value.encode_bytes())
        return value


def chunks(stream):
    at = 0
    while at < len(stream):
        end = at + 8 + int.from_bytes(stream[at:at + 8], 'little')
        yield stream[at + 8:at + 12], stream[at + 12:end]
        at = end


def check(claim, **seen):
    for name, value in seen.items():
        if claim[name] != value:
            sys.exit(f'meta.json says {name} is {claim[name]}, the specification {value}')


def check_finalized(spec, claim, header):
    execution = header.execution
    check(claim, finalizedSlot=int(header.beacon.slot), finalizedRoot=spec.root(header.beacon),
          executionNumber=int(execution.block_number), executionHash='0x' + bytes(execution.block_hash).hex(),
          executionStateRoot='0x' + bytes(execution.state_root).hex())


def apply(spec, store, update, genesis):
    spec.latest.process_light_client_update(store, update, update.signature_slot, genesis)
    if store.finalized_header.beacon != update.finalized_header.beacon:
        sys.exit(f'the update attested in slot {update.attested_header.beacon.slot} was not applied')


def signers(update):
    return sum(map(int, update.sync_aggregate.sync_committee_bits))


def check_inclusion(spec, folder, claim, store, genesis):
    ssz = (folder / claim['folder'] / 'finality-update.ssz').read_bytes()
    finality = spec.decode('LightClientFinalityUpdate', 'finality_update', ssz)
    fields = ['attested_header', 'finalized_header', 'finality_branch', 'sync_aggregate', 'signature_slot']
    update = spec.latest.LightClientUpdate(**{name: getattr(finality, name) for name in fields})
    committee = spec.root(store.next_sync_committee)
    apply(spec, copy.copy(store), update, genesis)
    check_finalized(spec, claim, finality.finalized_header)
    check(claim, signerPeriod=spec.period_at(finality.signature_slot), signerCommittee=committee,
          participation=signers(finality), attestedSlot=int(finality.attested_header.beacon.slot))
    print(f'{claim["folder"]}: the finality update verifies')


def main(folder):
    meta = json.loads((folder / 'meta.json').read_text())
    lines = [line for line in (folder / 'config.yaml').read_text().splitlines() if not line.startswith('#')]
    spec = Spec(meta['preset'], dict(line.split(': ', 1) for line in lines))
    genesis = bytes.fromhex(meta['genesisValidatorsRoot'][2:])
    bootstrap = spec.decode('LightClientBootstrap', 'bootstrap', (folder / 'bootstrap.ssz').read_bytes())
    trusted = bytes.fromhex(meta['trustedBlockRoot'][2:])
    store = spec.latest.initialize_light_client_store(trusted, bootstrap)
    start = spec.period_at(bootstrap.header.beacon.slot)
    stream = list(chunks((folder / 'updates.ssz').read_bytes()))
    if stream[0][1] != (folder / 'update-first.ssz').read_bytes():
        sys.exit('update-first.ssz is not the first of updates.ssz')
    changes = {1: meta['committeeChanges'][0], len(stream): meta['committeeChanges'][-1]}
    fewest = None
    for count, (digest, ssz) in enumerate(stream, 1):
        update = spec.decode('LightClientUpdate', 'update', ssz)
        slot = update.attested_header.beacon.slot
        if bytes(digest) != bytes(spec.latest.compute_fork_digest(genesis, slot // spec.latest.SLOTS_PER_EPOCH)):
            sys.exit(f'the fork digest of the update attested in slot {slot} is wrong')
        apply(spec, store, update, genesis)
        fewest = min(fewest or signers(update), signers(update))
        print(f'period {spec.period_at(slot)}: the update verifies, attested in {spec.fork_at(slot)} by {signers(update)}')
        if count in changes:
            check_finalized(spec, changes[count], update.finalized_header)
            check(changes[count], signerPeriod=start, signerCommittee=spec.root(bootstrap.current_sync_committee),
                  newPeriod=start + count, newCommittee=spec.root(update.next_sync_committee), minParticipation=fewest)
        for claim in meta['inclusions']:
            if claim['signerPeriod'] == start + count:
                check_inclusion(spec, folder, claim, store, genesis)
    print('meta.json agrees')


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
