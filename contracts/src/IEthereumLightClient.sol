// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {IPins} from "./IPins.sol";
import {Account, Inclusion} from "./PublicValues.sol";

/// @notice A finalized beacon block and its execution block, as docs/statements.md defines them.
/// @param slot Slot of the beacon block.
/// @param executionNumber Number of the execution block. Zero, as are its hash and state root, before Capella.
/// @param root `hash_tree_root` of the beacon block's header.
/// @param executionHash Hash of the execution block.
/// @param executionStateRoot Root of the state trie after it.
struct Header {
    uint64 slot;
    uint64 executionNumber;
    bytes32 root;
    bytes32 executionHash;
    bytes32 executionStateRoot;
}

/// @title Follows the finalized chain of Ethereum by proofs, one sync committee after another.
/// @dev Everything is for anybody to call: only what a proof says decides, never who brings it. Checks come in the order in
/// which their errors are listed, the proof's, which costs most, last; what the verifier reverts with is passed on.
interface IEthereumLightClient is IPins {
    /// @notice A committee is trusted from construction on.
    /// @param period The period that it signs in.
    /// @param committee `hash_tree_root(SyncCommittee)`.
    event Initialised(uint64 indexed period, bytes32 committee);
    /// @notice The committee of a newer period is known, and `header` is the head.
    event Updated(uint64 indexed period, bytes32 committee, Header header);

    /// @notice The proof is of another chain, or of its constants before or after a hard fork.
    error WrongChain(bytes32 chain, bytes32 expected);
    /// @notice The committee of `newPeriod`, or a newer one, is known: the update was made already.
    error AlreadyKnown(uint64 newPeriod, uint64 latestPeriod);
    /// @notice An update must be signed by the newest known committee, that of `latestPeriod`.
    error StalePeriod(uint64 signerPeriod, uint64 latestPeriod);
    /// @notice No committee of this period is known, or no longer.
    error UnknownCommittee(uint64 period);
    /// @notice Another committee is known for this period.
    error WrongCommittee(uint64 period, bytes32 committee, bytes32 expected);
    /// @notice Fewer members signed than this contract asks for.
    error TooFewSigners(uint64 signers, uint64 required);
    /// @notice The finalized block lies before the period that precedes `newPeriod`, so another committee could still take
    /// the new one's place.
    error CommitteeNotFinal(uint64 finalizedSlot, uint64 newPeriod);
    /// @notice The finalized block is older than the caller wants it.
    error StaleSlot(uint64 finalizedSlot, uint64 notBefore);
    /// @notice The proof says nothing about this account.
    error AccountNotProven(address account);
    /// @notice The proof says nothing about this slot of the account.
    error SlotNotProven(address account, bytes32 key);

    /// @notice There is no contract at the verifier's address.
    error NoVerifier(address verifier);
    /// @notice The checkpoint's committee is zero.
    error ZeroCommittee();
    /// @notice A period has no slots.
    error ZeroSlotsPerPeriod();

    /// @notice Follows the chain for one period or several.
    ///
    /// Reverts with `MalformedPublicValues`, `WrongChain`, `AlreadyKnown`, `StalePeriod`, `UnknownCommittee`,
    /// `WrongCommittee`, `TooFewSigners`, `CommitteeNotFinal`, or with what the verifier says of the proof.
    /// @dev Whoever copies a pending update and is first has made the same update; the copied one fails with
    /// `AlreadyKnown`, or, where it went further, with `StalePeriod`.
    /// @param publicValues `abi.encode` of a `CommitteeChange`.
    /// @param proof The proof, as the verifier takes it.
    function update(bytes calldata publicValues, bytes calldata proof) external;

    /// @notice What a proof says of accounts and storage slots, if all of it holds.
    ///
    /// Reverts with `MalformedPublicValues`, `WrongChain`, `UnknownCommittee`, `WrongCommittee`, `TooFewSigners`,
    /// `StaleSlot`, or with what the verifier says of the proof.
    /// @dev Only the two newest committees are known: members of older ones may have left and have nothing at stake.
    /// @param notBefore The oldest finalized slot that is wanted. Zero takes every state that a known committee has signed.
    /// @param publicValues `abi.encode` of an `Inclusion`.
    /// @param proof The proof, as the verifier takes it.
    function proveInclusion(uint64 notBefore, bytes calldata publicValues, bytes calldata proof)
        external
        view
        returns (Inclusion memory);

    /// @notice One account of an inclusion proof.
    ///
    /// Reverts as `proveInclusion`, before the verifier is asked also with `AccountNotProven`.
    /// @return header The block in whose state the account is.
    /// @return found The account. An account that is proven absent has `exists` false and is zero elsewhere.
    function proveAccount(address account, uint64 notBefore, bytes calldata publicValues, bytes calldata proof)
        external
        view
        returns (Header memory header, Account memory found);

    /// @notice One storage slot of an inclusion proof.
    ///
    /// Reverts as `proveInclusion`, before the verifier is asked also with `AccountNotProven` and `SlotNotProven`.
    /// @param key The slot, before hashing.
    /// @return header The block in whose state the slot is.
    /// @return value Its value; zero for a slot that is proven absent, and for every slot of an account that is.
    function proveStorage(
        address account,
        bytes32 key,
        uint64 notBefore,
        bytes calldata publicValues,
        bytes calldata proof
    ) external view returns (Header memory header, uint256 value);

    /// @notice The newest finalized block of an update. All zero before the first one.
    function head() external view returns (Header memory);

    /// @notice The newest period whose committee is known.
    function latestPeriod() external view returns (uint64);

    /// @notice `hash_tree_root` of a period's committee: the newest known one's, or that of the one before, which signed the
    /// last update. Zero for every other period.
    function committee(uint64 period) external view returns (bytes32);

    /// @notice The contract that checks proofs, `ISP1Verifier`.
    function verifier() external view returns (address);

    /// @notice Slots in a sync committee's period: 8192 on mainnet.
    function slotsPerPeriod() external view returns (uint64);

    /// @notice Signers that a proof must have at least. The programs themselves ask for two thirds of the committee.
    function minParticipation() external view returns (uint64);
}
