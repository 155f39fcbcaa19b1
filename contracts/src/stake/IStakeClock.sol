// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IStakeClock
/// @notice Tells stake and registry which epoch holds office, and which is the first that a change made now counts in.
interface IStakeClock {
    /// @notice The epoch that holds office now.
    function currentEpoch() external view returns (uint64);

    /// @notice First epoch that a change of stake, role or key counts in. Two or three after the current one, and one after
    /// the first of a network; never falls.
    function targetEpoch() external view returns (uint64);
}
