// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RecallRange} from "./PoraTypes.sol";

/// @title RecallRanges
/// @notice Which ranges a miner may draw from, what a nonce draws from them, and how much easier a small one must not be.
/// @dev A load is 1,024 sectors, 256 KiB: what a nonce draws. A range is chosen for every answer anew; up to 8 TiB per shard
/// there is one legal choice, all whole loads of the flow.
library RecallRanges {
    /// @dev Sectors of a load.
    uint256 internal constant LOAD = 1 << 10;

    /// @dev Ranges begin at multiples of so many sectors, 8 GiB.
    uint256 internal constant ALIGNMENT = 1 << 25;

    /// @dev Most sectors per shard, 8 TiB.
    uint256 internal constant MAX_LENGTH = 1 << 35;

    /// @notice The range does not begin at a multiple of 2^25 sectors.
    error StartNotAligned(uint256 startPosition);

    /// @notice The range ends behind the whole loads of the flow, which end at sector `end`.
    error RangeBeyondFlow(uint256 startPosition, uint256 mineLength, uint256 end);

    /// @notice The range has more than `most` sectors.
    error RangeTooLong(uint256 mineLength, uint256 most);

    /// @notice The range has fewer than `least` sectors, which is at least one load.
    error RangeTooShort(uint256 mineLength, uint256 least);

    /// @notice `shardMask` is not ones followed by zeros. Zeros elsewhere would choose the richest part of the flow.
    error ShardMaskNotContiguous(uint64 shardMask);

    /// @notice `shardId` has bits where `shardMask` has.
    error ShardIdOutsideMask(uint64 shardId, uint64 shardMask);

    /// @notice The range is divided into `shards`, and `most` are allowed.
    error TooManyShards(uint256 shards, uint256 most);

    /// @notice The nonce draws load `index` of a range that has `loads`: it cannot be answered.
    error RecallOutsideRange(uint256 index, uint256 loads);

    /// @notice Checks a range against a flow of `flowLength` sectors.
    /// @return shards into how many the range divides the flow
    function requireValid(RecallRange memory range, uint256 flowLength, uint256 maxShards)
        internal
        pure
        returns (uint256 shards)
    {
        shards = shardsOf(range.shardMask);
        if (shards > maxShards) revert TooManyShards(shards, maxShards);
        if (range.shardId & range.shardMask != 0) revert ShardIdOutsideMask(range.shardId, range.shardMask);
        if (range.startPosition % ALIGNMENT != 0) revert StartNotAligned(range.startPosition);
        uint256 end = flowLength - flowLength % LOAD;
        if (range.startPosition > end || range.mineLength > end - range.startPosition) {
            revert RangeBeyondFlow(range.startPosition, range.mineLength, end);
        }
        uint256 most = MAX_LENGTH * shards;
        if (range.mineLength > most) revert RangeTooLong(range.mineLength, most);
        uint256 least = end < most ? end : most;
        if (least < LOAD) least = LOAD;
        if (range.mineLength < least) revert RangeTooShort(range.mineLength, least);
    }

    /// @notice Into how many shards a mask divides: a power of two. Reverts with ShardMaskNotContiguous.
    function shardsOf(uint64 shardMask) internal pure returns (uint256) {
        uint256 free = uint64(~shardMask);
        if (free & (free + 1) != 0) revert ShardMaskNotContiguous(shardMask);
        return free + 1;
    }

    /// @notice What the pad of an attempt is bound to.
    function digestOf(RecallRange memory range) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(range.startPosition, range.mineLength, uint256(range.shardId), uint256(range.shardMask))
        );
    }

    /// @notice First sector of the load that `recallSeed` draws, which lies in the range. Reverts with RecallOutsideRange.
    function recall(RecallRange memory range, bytes32 recallSeed) internal pure returns (uint256) {
        uint256 loads = range.mineLength / LOAD;
        uint256 index = (uint64(uint256(recallSeed) % loads) & range.shardMask) | range.shardId;
        if (index >= loads) revert RecallOutsideRange(index, loads);
        return range.startPosition + index * LOAD;
    }

    /// @notice What the target of a miner of the whole flow is divided by, times 2^64: by so much smaller is a shard's part.
    /// @param flowLength at least as many sectors as there are shards
    function scaleX64(uint256 flowLength, uint256 shards) internal pure returns (uint256) {
        uint256 whole = flowLength < MAX_LENGTH ? flowLength : MAX_LENGTH;
        uint256 part = flowLength / shards;
        if (part > MAX_LENGTH) part = MAX_LENGTH;
        return (whole << 64) / part;
    }
}
