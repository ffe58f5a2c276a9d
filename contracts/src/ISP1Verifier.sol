// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title What checks an SP1 proof: SP1's gateway, or one of its verifiers.
interface ISP1Verifier {
    /// @notice Returns if the proof holds and reverts if it does not.
    /// @param programVKey The key of the program that was run.
    /// @param publicValues All bytes that the program committed.
    /// @param proofBytes The proof, its first four bytes the number of the verifier it is for.
    function verifyProof(bytes32 programVKey, bytes calldata publicValues, bytes calldata proofBytes) external view;
}
