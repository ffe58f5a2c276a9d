// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ISP1Verifier} from "../src/ISP1Verifier.sol";

/// @title For tests only: knows the one proof that it takes, and verifies nothing.
contract StandInVerifier is ISP1Verifier {
    error OtherProgram(bytes32 vkey);
    error OtherPublicValues(bytes32 digest);
    error OtherProof(bytes32 digest);

    bytes32 private _vkey;
    bytes32 private _publicValues;
    bytes32 private _proof;

    /// @notice From now on takes this and nothing else. Digests are Keccak-256.
    function expect(bytes32 vkey, bytes32 publicValues, bytes32 proof) external {
        (_vkey, _publicValues, _proof) = (vkey, publicValues, proof);
    }

    /// @inheritdoc ISP1Verifier
    function verifyProof(bytes32 vkey, bytes calldata publicValues, bytes calldata proof) external view {
        if (vkey != _vkey) revert OtherProgram(vkey);
        if (keccak256(publicValues) != _publicValues) revert OtherPublicValues(keccak256(publicValues));
        if (keccak256(proof) != _proof) revert OtherProof(keccak256(proof));
    }
}
