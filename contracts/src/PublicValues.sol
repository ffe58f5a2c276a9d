// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @notice The committee of `signerPeriod` vouches for the committee of `newPeriod`. docs/statements.md says what each
/// field means; fields and their order are those of `lc_core::statement::CommitteeChange`.
struct CommitteeChange {
    bytes32 chain;
    uint64 signerPeriod;
    bytes32 signerCommittee;
    uint64 newPeriod;
    bytes32 newCommittee;
    uint64 minParticipation;
    uint64 finalizedSlot;
    bytes32 finalizedRoot;
    uint64 executionNumber;
    bytes32 executionHash;
    bytes32 executionStateRoot;
}

/// @notice Accounts and storage slots in the state that the committee of `signerPeriod` saw finalized. As
/// `lc_core::statement::Inclusion`.
struct Inclusion {
    bytes32 chain;
    uint64 signerPeriod;
    bytes32 signerCommittee;
    uint64 participation;
    uint64 attestedSlot;
    uint64 finalizedSlot;
    bytes32 finalizedRoot;
    uint64 executionNumber;
    bytes32 executionHash;
    bytes32 executionStateRoot;
    Account[] accounts;
}

/// @notice An account. Where `exists` is false it is proven absent, and every other field but `account` and the slots'
/// keys is zero. `balance` is in wei.
struct Account {
    address account;
    bool exists;
    uint64 nonce;
    uint256 balance;
    bytes32 storageRoot;
    bytes32 codeHash;
    Slot[] slots;
}

/// @notice A storage slot, by its key before hashing. A value of zero is proven absent.
struct Slot {
    bytes32 key;
    uint256 value;
}

/// @title Decodes public values that are `abi.encode` of a statement, and nothing else.
/// @dev `abi.decode` takes trailing bytes, gaps and shared tails, and refuses the rest without a reason. Here one
/// statement has one encoding: every offset is the one that `abi.encode` writes, and the last word is the end.
library PublicValues {
    /// @notice The public values are not `abi.encode` of the statement.
    /// @param offset Bytes from the start to where they are not: to the word that is wrong, or to where they should end
    /// or go on.
    error MalformedPublicValues(uint256 offset);

    uint256 private constant WORD = 32;

    /// @notice Reads a committee change: 11 words.
    function toCommitteeChange(bytes calldata data) internal pure returns (CommitteeChange memory change) {
        change.chain = _word(data, 0);
        change.signerPeriod = _uint64(data, 1 * WORD);
        change.signerCommittee = _word(data, 2 * WORD);
        change.newPeriod = _uint64(data, 3 * WORD);
        change.newCommittee = _word(data, 4 * WORD);
        change.minParticipation = _uint64(data, 5 * WORD);
        change.finalizedSlot = _uint64(data, 6 * WORD);
        change.finalizedRoot = _word(data, 7 * WORD);
        change.executionNumber = _uint64(data, 8 * WORD);
        change.executionHash = _word(data, 9 * WORD);
        change.executionStateRoot = _word(data, 10 * WORD);
        _end(data, 11 * WORD);
    }

    /// @notice Reads an inclusion: an offset, 10 words, and the accounts.
    function toInclusion(bytes calldata data) internal pure returns (Inclusion memory inclusion) {
        _expect(data, 0, WORD);
        inclusion.chain = _word(data, 1 * WORD);
        inclusion.signerPeriod = _uint64(data, 2 * WORD);
        inclusion.signerCommittee = _word(data, 3 * WORD);
        inclusion.participation = _uint64(data, 4 * WORD);
        inclusion.attestedSlot = _uint64(data, 5 * WORD);
        inclusion.finalizedSlot = _uint64(data, 6 * WORD);
        inclusion.finalizedRoot = _word(data, 7 * WORD);
        inclusion.executionNumber = _uint64(data, 8 * WORD);
        inclusion.executionHash = _word(data, 9 * WORD);
        inclusion.executionStateRoot = _word(data, 10 * WORD);
        _expect(data, 11 * WORD, 11 * WORD);
        inclusion.accounts = _accounts(data, 12 * WORD);
    }

    /// @dev The accounts' number, their offsets, and the accounts one after another up to the end.
    function _accounts(bytes calldata data, uint256 offset) private pure returns (Account[] memory accounts) {
        uint256 offsets = offset + WORD;
        accounts = new Account[](_count(data, offset, WORD));
        uint256 next = offsets + accounts.length * WORD;
        for (uint256 i = 0; i < accounts.length; ++i) {
            _expect(data, offsets + i * WORD, next - offsets);
            (accounts[i], next) = _account(data, next);
        }
        _end(data, next);
    }

    function _account(bytes calldata data, uint256 offset) private pure returns (Account memory account, uint256 next) {
        account.account = address(uint160(_uint(data, offset, 160)));
        account.exists = _uint(data, offset + 1 * WORD, 1) == 1;
        account.nonce = _uint64(data, offset + 2 * WORD);
        account.balance = uint256(_word(data, offset + 3 * WORD));
        account.storageRoot = _word(data, offset + 4 * WORD);
        account.codeHash = _word(data, offset + 5 * WORD);
        _expect(data, offset + 6 * WORD, 7 * WORD);
        account.slots = new Slot[](_count(data, offset + 7 * WORD, 2 * WORD));
        next = offset + 8 * WORD;
        for (uint256 i = 0; i < account.slots.length; ++i) {
            account.slots[i] = Slot(_word(data, next), uint256(_word(data, next + WORD)));
            next += 2 * WORD;
        }
    }

    /// @dev A number of items of at least `size` bytes. No memory is taken for more than there are bytes for.
    function _count(bytes calldata data, uint256 offset, uint256 size) private pure returns (uint256 count) {
        count = uint256(_word(data, offset));
        if (count > (data.length - offset - WORD) / size) revert MalformedPublicValues(offset);
    }

    function _word(bytes calldata data, uint256 offset) private pure returns (bytes32) {
        if (data.length < offset + WORD) revert MalformedPublicValues(data.length);
        return bytes32(data[offset:offset + WORD]);
    }

    function _uint(bytes calldata data, uint256 offset, uint256 bits) private pure returns (uint256 value) {
        value = uint256(_word(data, offset));
        if (value >> bits != 0) revert MalformedPublicValues(offset);
    }

    function _uint64(bytes calldata data, uint256 offset) private pure returns (uint64) {
        return uint64(_uint(data, offset, 64));
    }

    function _expect(bytes calldata data, uint256 offset, uint256 value) private pure {
        if (uint256(_word(data, offset)) != value) revert MalformedPublicValues(offset);
    }

    function _end(bytes calldata data, uint256 offset) private pure {
        if (data.length != offset) revert MalformedPublicValues(offset);
    }
}
