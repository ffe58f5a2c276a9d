// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ISP1Verifier} from "../src/ISP1Verifier.sol";

/// @title What SP1's verifiers are beside what a light client needs of them: where their exported sources look for it.
interface ISP1VerifierWithHash is ISP1Verifier {
    /// @notice SHA-256 of the circuit's verifying key.
    function VERIFIER_HASH() external pure returns (bytes32);
}
