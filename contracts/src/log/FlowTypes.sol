// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A perfect subtree of a file.
/// @param root keccak-256 root over its 2^height sector hashes
/// @param height edges from the root down to the sector hashes; one sector is 256 bytes
struct SubmissionNode {
    bytes32 root;
    uint256 height;
}

/// @notice What is stored.
/// @param length file size in bytes, before padding
/// @param tags free bytes that travel in the event and are not interpreted here
/// @param nodes the padded file cut into perfect subtrees, largest first
struct SubmissionData {
    uint256 length;
    bytes tags;
    SubmissionNode[] nodes;
}

/// @notice What is stored, and for whom.
/// @param submitter named as sender in the event and in the submission record; need not be the caller
struct Submission {
    SubmissionData data;
    address submitter;
}

/// @notice What miners work on during a mining epoch.
/// @param epoch number of the epoch; 0 until the first one is made
/// @param mineStart block at which the epoch began; 0 in epoch 0
/// @param flowRoot root of the flow tree when the context was made; zero in epoch 0
/// @param flowLength length of the flow in sectors when the context was made
/// @param blockDigest hash of block `mineStart`, or keccak-256 of nothing where it could not be read
/// @param digest keccak-256 of (blockDigest, flowRoot, flowLength), or keccak-256 of nothing for an empty context
struct MineContext {
    uint256 epoch;
    uint256 mineStart;
    bytes32 flowRoot;
    uint256 flowLength;
    bytes32 blockDigest;
    bytes32 digest;
}

/// @notice The sectors [start, end) that entered the flow between two contexts.
struct EpochRange {
    uint128 start;
    uint128 end;
}

/// @notice An epoch range with the digest of the context that closed it.
struct EpochRangeWithContextDigest {
    uint128 start;
    uint128 end;
    bytes32 digest;
}

/// @notice Why a submission is refused, in the order in which the rules are checked.
enum SubmissionFault {
    ZeroSubmitter, // the submitter is address zero
    NoNodes, // an empty file has no nodes and cannot be stored
    HeightTooLarge, // the first node is higher than 44, that is 2^52 bytes
    HeightsNotDescending, // a node is as high as the one before it, or higher
    HeightSpread, // first and last height differ by 4 or more
    LengthAboveNodes, // the file has more bytes than the nodes cover
    LengthBelowNodes // the file would fit into a smaller layout
}
