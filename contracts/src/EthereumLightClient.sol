// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Header, IEthereumLightClient} from "./IEthereumLightClient.sol";
import {Pins} from "./IPins.sol";
import {ISP1Verifier} from "./ISP1Verifier.sol";
import {Account, CommitteeChange, Inclusion, PublicValues, Slot} from "./PublicValues.sol";
import {TimelockedPins} from "./TimelockedPins.sol";

/// @title An Ethereum light client that follows sync committees by SP1 proofs.
/// @dev The verifier is called by STATICCALL, and nothing is written before it returns: there is no way back in.
contract EthereumLightClient is IEthereumLightClient, TimelockedPins {
    /// @notice The committee that is trusted from the start on.
    struct Checkpoint {
        uint64 period;
        bytes32 committee;
    }

    /// @notice What does not follow from a proof.
    /// @param slotsPerPeriod Slots an epoch times epochs a sync committee period: 8192 on mainnet.
    /// @param minParticipation Signers asked for beyond the programs' two thirds, at most the committee's size, 512 on
    /// mainnet. Zero: two thirds do.
    struct Rules {
        uint64 slotsPerPeriod;
        uint64 minParticipation;
    }

    /// @dev The first four share a word: an update writes six words, none of which was zero before but after the first.
    struct State {
        uint64 latestPeriod;
        uint64 previousPeriod;
        uint64 slot;
        uint64 executionNumber;
        bytes32 latestCommittee;
        bytes32 previousCommittee;
        bytes32 root;
        bytes32 executionHash;
        bytes32 executionStateRoot;
    }

    /// @inheritdoc IEthereumLightClient
    address public immutable verifier;
    /// @inheritdoc IEthereumLightClient
    uint64 public immutable slotsPerPeriod;
    /// @inheritdoc IEthereumLightClient
    uint64 public immutable minParticipation;

    State private _state;

    /// @notice Trusts a checkpoint.
    ///
    /// Reverts with `DelayTooShort`, `ZeroPin`, `NoVerifier`, `ZeroCommittee` or `ZeroSlotsPerPeriod`.
    /// @param verifier_ SP1's gateway, or one of its verifiers.
    /// @param pins_ The chain and the programs.
    /// @param checkpoint The first trusted committee.
    /// @param rules What is asked of each proof.
    /// @param guardian_ Who may schedule other pins. Zero: nobody, ever.
    /// @param changeDelay_ Seconds that scheduled pins wait, at least three days. Unused without a guardian.
    constructor(
        address verifier_,
        Pins memory pins_,
        Checkpoint memory checkpoint,
        Rules memory rules,
        address guardian_,
        uint32 changeDelay_
    ) TimelockedPins(pins_, guardian_, changeDelay_) {
        if (verifier_.code.length == 0) revert NoVerifier(verifier_);
        if (checkpoint.committee == 0) revert ZeroCommittee();
        if (rules.slotsPerPeriod == 0) revert ZeroSlotsPerPeriod();
        verifier = verifier_;
        slotsPerPeriod = rules.slotsPerPeriod;
        minParticipation = rules.minParticipation;
        _state.latestPeriod = checkpoint.period;
        _state.latestCommittee = checkpoint.committee;
        emit Initialised(checkpoint.period, checkpoint.committee);
    }

    /// @inheritdoc IEthereumLightClient
    function update(bytes calldata publicValues, bytes calldata proof) external {
        CommitteeChange memory change = PublicValues.toCommitteeChange(publicValues);
        _checkChain(change.chain);
        uint64 latest = _state.latestPeriod;
        if (change.newPeriod <= latest) revert AlreadyKnown(change.newPeriod, latest);
        // An older committee could vouch as well, but its members may have left and have nothing at stake.
        if (change.signerPeriod < latest) revert StalePeriod(change.signerPeriod, latest);
        _checkSigners(change.signerPeriod, change.signerCommittee, change.minParticipation);
        // No overflow: `newPeriod` is above `latest`. So slots grow with each update: the head lies before `latest`.
        if (change.finalizedSlot / slotsPerPeriod != change.newPeriod - 1) {
            revert CommitteeNotFinal(change.finalizedSlot, change.newPeriod);
        }
        ISP1Verifier(verifier).verifyProof(_pins.committeeChangeVkey, publicValues, proof);

        Header memory header = Header({
            slot: change.finalizedSlot,
            executionNumber: change.executionNumber,
            root: change.finalizedRoot,
            executionHash: change.executionHash,
            executionStateRoot: change.executionStateRoot
        });
        _state = State({
            latestPeriod: change.newPeriod,
            previousPeriod: latest,
            slot: header.slot,
            executionNumber: header.executionNumber,
            latestCommittee: change.newCommittee,
            // Those of `latest` signed, so it is theirs.
            previousCommittee: change.signerCommittee,
            root: header.root,
            executionHash: header.executionHash,
            executionStateRoot: header.executionStateRoot
        });
        emit Updated(change.newPeriod, change.newCommittee, header);
    }

    /// @inheritdoc IEthereumLightClient
    function proveInclusion(uint64 notBefore, bytes calldata publicValues, bytes calldata proof)
        external
        view
        returns (Inclusion memory inclusion)
    {
        inclusion = _acceptable(notBefore, publicValues);
        _verifyInclusion(publicValues, proof);
    }

    /// @inheritdoc IEthereumLightClient
    function proveAccount(address account, uint64 notBefore, bytes calldata publicValues, bytes calldata proof)
        external
        view
        returns (Header memory header, Account memory found)
    {
        Inclusion memory inclusion = _acceptable(notBefore, publicValues);
        header = _header(inclusion);
        found = _findAccount(inclusion, account);
        _verifyInclusion(publicValues, proof);
    }

    /// @inheritdoc IEthereumLightClient
    function proveStorage(
        address account,
        bytes32 key,
        uint64 notBefore,
        bytes calldata publicValues,
        bytes calldata proof
    ) external view returns (Header memory header, uint256 value) {
        Inclusion memory inclusion = _acceptable(notBefore, publicValues);
        header = _header(inclusion);
        value = _findSlot(inclusion, account, key);
        _verifyInclusion(publicValues, proof);
    }

    /// @inheritdoc IEthereumLightClient
    function head() external view returns (Header memory) {
        return Header({
            slot: _state.slot,
            executionNumber: _state.executionNumber,
            root: _state.root,
            executionHash: _state.executionHash,
            executionStateRoot: _state.executionStateRoot
        });
    }

    /// @inheritdoc IEthereumLightClient
    function committee(uint64 period) public view returns (bytes32) {
        if (period == _state.latestPeriod) return _state.latestCommittee;
        // Zero before the first update.
        if (period == _state.previousPeriod) return _state.previousCommittee;
        return 0;
    }

    /// @inheritdoc IEthereumLightClient
    function latestPeriod() external view returns (uint64) {
        return _state.latestPeriod;
    }

    /// @dev An inclusion that can be believed if its proof holds.
    function _acceptable(uint64 notBefore, bytes calldata publicValues)
        private
        view
        returns (Inclusion memory inclusion)
    {
        inclusion = PublicValues.toInclusion(publicValues);
        _checkChain(inclusion.chain);
        _checkSigners(inclusion.signerPeriod, inclusion.signerCommittee, inclusion.participation);
        if (inclusion.finalizedSlot < notBefore) revert StaleSlot(inclusion.finalizedSlot, notBefore);
    }

    function _verifyInclusion(bytes calldata publicValues, bytes calldata proof) private view {
        ISP1Verifier(verifier).verifyProof(_pins.inclusionVkey, publicValues, proof);
    }

    function _checkChain(bytes32 chain) private view {
        if (chain != _pins.chain) revert WrongChain(chain, _pins.chain);
    }

    function _checkSigners(uint64 period, bytes32 signers, uint64 participation) private view {
        bytes32 known = committee(period);
        if (known == 0) revert UnknownCommittee(period);
        if (signers != known) revert WrongCommittee(period, signers, known);
        if (participation < minParticipation) revert TooFewSigners(participation, minParticipation);
    }

    function _header(Inclusion memory inclusion) private pure returns (Header memory) {
        return Header({
            slot: inclusion.finalizedSlot,
            executionNumber: inclusion.executionNumber,
            root: inclusion.finalizedRoot,
            executionHash: inclusion.executionHash,
            executionStateRoot: inclusion.executionStateRoot
        });
    }

    function _findAccount(Inclusion memory inclusion, address account) private pure returns (Account memory) {
        for (uint256 i = 0; i < inclusion.accounts.length; ++i) {
            if (inclusion.accounts[i].account == account) return inclusion.accounts[i];
        }
        revert AccountNotProven(account);
    }

    /// @dev A request may name an account several times, each time with other slots.
    function _findSlot(Inclusion memory inclusion, address account, bytes32 key) private pure returns (uint256) {
        bool found = false;
        for (uint256 i = 0; i < inclusion.accounts.length; ++i) {
            if (inclusion.accounts[i].account != account) continue;
            found = true;
            Slot[] memory slots = inclusion.accounts[i].slots;
            for (uint256 j = 0; j < slots.length; ++j) {
                if (slots[j].key == key) return slots[j].value;
            }
        }
        if (found) revert SlotNotProven(account, key);
        revert AccountNotProven(account);
    }
}
