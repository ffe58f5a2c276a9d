// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @notice What a proof must be of.
/// @param chain `hash_tree_root` of the chain's constants, as docs/statements.md defines it.
/// @param committeeChangeVkey Key of the program that proves committee changes.
/// @param inclusionVkey Key of the program that proves inclusion.
struct Pins {
    bytes32 chain;
    bytes32 committeeChangeVkey;
    bytes32 inclusionVkey;
}

/// @title The chain and the programs that proofs must be of, and how a hard fork may change them.
/// @dev A hard fork changes the chain's word, and sometimes a program. The guardian schedules the new pins, everybody has
/// `changeDelay` seconds to look at them, then anybody applies them. Whoever may change the pins may in the end make the
/// contract believe anything: the delay is what users have to leave. With no guardian nothing ever changes.
interface IPins {
    /// @notice Proofs must be of these pins from now on: at construction and when a change is applied.
    event PinsSet(Pins pins);
    /// @notice The guardian wants these pins; they can be applied from `notBefore` on.
    /// @param notBefore Unix time in seconds.
    event PinsScheduled(Pins pins, uint64 notBefore);
    /// @notice The scheduled pins will not come.
    event PinsCancelled(Pins pins);

    /// @notice Only the guardian may do this; if there is none, nobody.
    error NotGuardian(address caller);
    /// @notice No change is scheduled.
    error NothingScheduled();
    /// @notice The scheduled change has to wait; both in Unix time, seconds.
    error TooEarly(uint64 time, uint64 notBefore);
    /// @notice A guardian needs a delay of at least `minimum`; both in seconds.
    error DelayTooShort(uint32 delay, uint32 minimum);
    /// @notice A pin is zero, which no chain or program has.
    error ZeroPin();

    /// @notice Who may schedule and cancel changes. Zero: nobody, ever.
    function guardian() external view returns (address);

    /// @notice Seconds from scheduling a change to where it can be applied.
    function changeDelay() external view returns (uint32);

    /// @notice What proofs must be of now.
    function pins() external view returns (Pins memory);

    /// @notice The scheduled change.
    /// @return next The pins. All zero: nothing is scheduled.
    /// @return notBefore Unix time in seconds from which they can be applied. Zero: nothing is scheduled.
    function scheduledPins() external view returns (Pins memory next, uint64 notBefore);

    /// @notice Schedules a change, in place of one that is scheduled already; the delay begins anew. For the guardian only.
    /// Reverts with `NotGuardian` or `ZeroPin`.
    function schedulePins(Pins calldata next) external;

    /// @notice Drops the scheduled change, however long it has waited. For the guardian only. Reverts with `NotGuardian` or
    /// `NothingScheduled`.
    function cancelPins() external;

    /// @notice Makes the scheduled change once its time has come. For anybody. Reverts with `NothingScheduled` or
    /// `TooEarly`.
    function applyPins() external;
}
