// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The signers of one group of one epoch. Contracts store `keccak256(abi.encode(snapshot))` only; whoever calls
/// brings the snapshot along.
/// @param epoch epoch in which the members were drawn; older than the epoch of office after a carry-over
/// @param quorumId 0 is the committee of all seats; 1 and up are the data-availability quorums where there are several
/// @param memberCount leaves under `membersRoot`
/// @param totalWeight seats of all members
/// @param membersRoot root of the Tree over member bodies, in the order in which their tickets arrived
/// @param aggregateKey sum of the members' keys, each once whatever its seats
struct Snapshot {
    uint64 epoch;
    uint32 quorumId;
    uint32 memberCount;
    uint64 totalWeight;
    bytes32 membersRoot;
    uint256[3] aggregateKey;
}

/// @notice One leaf under a snapshot's `membersRoot`; packed 124 bytes: index, signer, seats, key.
/// @param index leaf number
/// @param seats voting weight in this group
/// @param key the 96-byte uncompressed key in three words
struct Member {
    uint32 index;
    address signer;
    uint32 seats;
    uint256[3] key;
}

/// @notice What the committee of one epoch hands over to other chains about the next.
/// @param prev hash of the preceding epoch's header; the hash of a header is `keccak256(abi.encode(header))`
/// @param startTime Unix second at which the epoch begins, as estimated at the seal
/// @param endTime Unix second after which statements of this epoch count no longer, but for a grace period
/// @param seed seed of this epoch
/// @param orderRoot root over all ordered checkpoints at the seal; zero where nothing orders yet
/// @param orderCount checkpoints under `orderRoot`
/// @param snapshotHashes by quorum number: one entry where the only quorum is the committee, else 1 + quorums
struct EpochHeader {
    uint64 epoch;
    bytes32 prev;
    uint64 startTime;
    uint64 endTime;
    bytes32 seed;
    bytes32 orderRoot;
    uint64 orderCount;
    bytes32[] snapshotHashes;
}

/// @notice What a quorum signs: a root over leaves, with everything that must not be confused.
/// @param kind one of the `KIND_` constants of Statements
/// @param domainChainId chain of `domain`
/// @param domain contract that the statement is for
/// @param epoch epoch in which the committee holds office
/// @param quorumId group that signs
/// @param count leaves under `root`
struct Statement {
    uint8 kind;
    uint256 domainChainId;
    address domain;
    uint64 epoch;
    uint32 quorumId;
    uint32 count;
    bytes32 root;
}

/// @notice One leaf of a data-availability batch; packed 88 bytes, see `Statements.blobHeaderBody`.
/// @param submissionIndex number given by the entrance; bit 63 is set for promised blobs, whose number counts per submitter
/// @param expiry Unix second until which the rows are kept
struct BlobHeader {
    uint8 version;
    uint8 suite;
    uint8 log2K;
    uint8 cosets;
    uint32 rowSize;
    uint64 length;
    bytes32 commitment;
    address submitter;
    uint32 shardId;
    uint64 submissionIndex;
    uint64 expiry;
}

/// @notice What a consensus shard's chain held at the end of one of its final blocks; packed 212 bytes, see
/// `Statements.checkpointLeaf`.
/// @param shardId number of the shard, 0 being the hub
/// @param number from 1, without gaps; number k tells of the highest final block of height k * period or less
/// @param prev leaf of checkpoint number - 1; zero for the first
/// @param flowRoot root of the flow tree, over all sectors
/// @param flowLength sectors in the flow
/// @param logRoot root over all submission records; on the hub over all ordered checkpoints
/// @param logCount leaves under `logRoot`
/// @param daRoot root over all confirmed batches
/// @param daCount leaves under `daRoot`
/// @param blockNumber height of the block
/// @param blockHash its hash
/// @param time its Unix second
struct Checkpoint {
    uint32 shardId;
    uint64 number;
    bytes32 prev;
    bytes32 flowRoot;
    uint64 flowLength;
    bytes32 logRoot;
    uint64 logCount;
    bytes32 daRoot;
    uint64 daCount;
    uint64 blockNumber;
    bytes32 blockHash;
    uint64 time;
}
