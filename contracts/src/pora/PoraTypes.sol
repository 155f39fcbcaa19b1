// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MineContext} from "../log/FlowTypes.sol";

/// @notice Which sectors of the flow a miner draws from.
/// @param startPosition first sector, a multiple of 2^25
/// @param mineLength sectors, those of other shards included
/// @param shardId the shard: one bit pattern under the zero bits of `shardMask`
/// @param shardMask ones, then one zero for each halving: shard k of N has ~(N - 1)
struct RecallRange {
    uint256 startPosition;
    uint256 mineLength;
    uint64 shardId;
    uint64 shardMask;
}

/// @notice What a miner found: 4 KiB of the flow, sealed, that hash under the target.
/// @param contextDigest digest of the context it was found in
/// @param nonce the number that led there
/// @param minerId id for which the data is sealed and that is paid
/// @param range sectors from which the nonce drew
/// @param recallPosition first of the 16 sectors in the flow
/// @param sealOffset their place among the 64 of the 256 KiB that the nonce drew
/// @param sealedContextDigest digest of the context with which they are sealed
/// @param sealedData the sealed 4 KiB
/// @param merkleProof siblings from the root of the 16 sectors up to the flow root
struct PoraAnswer {
    bytes32 contextDigest;
    bytes32 nonce;
    bytes32 minerId;
    RecallRange range;
    uint256 recallPosition;
    uint256 sealOffset;
    bytes32 sealedContextDigest;
    bytes32[128] sealedData;
    bytes32[] merkleProof;
}

/// @notice What a miner should mine now.
/// @param context the current context
/// @param poraTarget largest hash of a miner of the whole flow; zero where nothing can be submitted
/// @param subtaskDigest what its answers are bound to; zero outside the miner's window
/// @param maxShards most shards that an answer may divide the flow into
struct WorkerContext {
    MineContext context;
    uint256 poraTarget;
    bytes32 subtaskDigest;
    uint64 maxShards;
}

/// @notice What mining begins with.
/// @param difficulty hashes of a miner of the whole flow per answer, at least 1
/// @param targetMineBlocks blocks of a miner's window
/// @param targetSubmissions answers wanted in an epoch; twice as many are taken
/// @param maxShards most shards, a power of two up to 1,024
/// @param nSubtasks windows that miners are spread over
/// @param subtaskInterval blocks from the start of one window to that of the next
/// @param minDifficulty difficulty never falls below this; zero for no bound
struct MiningParameters {
    uint256 difficulty;
    uint32 targetMineBlocks;
    uint16 targetSubmissions;
    uint64 maxShards;
    uint32 nSubtasks;
    uint32 subtaskInterval;
    uint256 minDifficulty;
}
