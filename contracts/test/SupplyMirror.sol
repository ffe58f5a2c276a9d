// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {Header, IEthereumLightClient} from "../src/IEthereumLightClient.sol";

/// @title For tests, and as an example: a contract that reads a storage slot of Ethereum.
contract SupplyMirror {
    IEthereumLightClient private immutable _lightClient;
    address private immutable _token;

    /// @notice Total supply of the token at slot `asOf` of the beacon chain.
    uint256 public supply;
    uint64 public asOf;

    constructor(IEthereumLightClient lightClient, address token) {
        _lightClient = lightClient;
        _token = token;
    }

    /// @notice Takes a newer supply; never an older one, whichever proof comes first.
    function refresh(bytes calldata publicValues, bytes calldata proof) external {
        (Header memory header, uint256 value) =
            _lightClient.proveStorage(_token, bytes32(0), asOf + 1, publicValues, proof);
        (supply, asOf) = (value, header.slot);
    }
}
