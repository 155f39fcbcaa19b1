// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IEpochSource
/// @notice What a contract that checks quorums must know about committee epochs: Sortition on the hub, a mirror elsewhere.
interface IEpochSource {
    /// @notice The epoch that holds office now.
    function currentEpoch() external view returns (uint64);

    /// @notice Hash of the snapshot that holds office in `epoch` for `quorumId`; zero where there is none.
    function snapshotHash(uint64 epoch, uint32 quorumId) external view returns (bytes32);

    /// @notice What an epoch's header says; all zero for an epoch without one.
    /// @param epoch any epoch
    /// @return startTime Unix second
    /// @return endTime Unix second; statements count until then and for a grace period
    /// @return seed seed of the epoch
    /// @return groups snapshots of the epoch: 1 where the committee is the only quorum, else 1 + quorums
    function epochInfo(uint64 epoch)
        external
        view
        returns (uint64 startTime, uint64 endTime, bytes32 seed, uint32 groups);

    /// @notice Members of the largest quorum of `epoch` that has data-availability duty; zero for an epoch without quorums.
    function mostMembers(uint64 epoch) external view returns (uint32);
}
