// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IPins, Pins} from "./IPins.sol";

/// @title Pins that change behind a time lock only, or never.
abstract contract TimelockedPins is IPins {
    /// @dev Seconds. Long enough that a change made on a Friday evening is seen by people at work, and short against the
    /// weeks between the announcement of a hard fork and its epoch.
    uint32 private constant MINIMUM_DELAY = 3 days;

    /// @inheritdoc IPins
    address public immutable guardian;
    /// @inheritdoc IPins
    uint32 public immutable changeDelay;

    Pins internal _pins;
    Pins private _next;
    /// @dev Zero: `_next` says nothing.
    uint64 private _notBefore;

    modifier onlyGuardian() {
        // A call can be simulated from address zero, so the comparison alone would not do.
        if (guardian == address(0) || msg.sender != guardian) revert NotGuardian(msg.sender);
        _;
    }

    constructor(Pins memory first, address guardian_, uint32 changeDelay_) {
        if (guardian_ != address(0) && changeDelay_ < MINIMUM_DELAY) revert DelayTooShort(changeDelay_, MINIMUM_DELAY);
        _refuseZero(first);
        guardian = guardian_;
        changeDelay = changeDelay_;
        _pins = first;
        emit PinsSet(first);
    }

    /// @inheritdoc IPins
    function pins() external view returns (Pins memory) {
        return _pins;
    }

    /// @inheritdoc IPins
    function scheduledPins() external view returns (Pins memory next, uint64 notBefore) {
        return (_next, _notBefore);
    }

    /// @inheritdoc IPins
    function schedulePins(Pins calldata next) external onlyGuardian {
        _refuseZero(next);
        _next = next;
        _notBefore = uint64(block.timestamp) + changeDelay;
        emit PinsScheduled(next, _notBefore);
    }

    /// @inheritdoc IPins
    function cancelPins() external onlyGuardian {
        emit PinsCancelled(_takeScheduled());
    }

    /// @inheritdoc IPins
    function applyPins() external {
        if (block.timestamp < _notBefore) revert TooEarly(uint64(block.timestamp), _notBefore);
        _pins = _takeScheduled();
        emit PinsSet(_pins);
    }

    function _takeScheduled() private returns (Pins memory next) {
        if (_notBefore == 0) revert NothingScheduled();
        next = _next;
        delete _next;
        delete _notBefore;
    }

    function _refuseZero(Pins memory some) private pure {
        if (some.chain == 0 || some.committeeChangeVkey == 0 || some.inclusionVkey == 0) revert ZeroPin();
    }
}
