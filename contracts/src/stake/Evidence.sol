// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobHeader, Checkpoint, EpochHeader} from "../quorum/QuorumTypes.sol";
import {Statements} from "../quorum/Statements.sol";
import {Tree} from "../quorum/Tree.sol";

/// @title Evidence
/// @notice What a signer may sign once only. Two different claims on one slot are an equivocation, in whatever epoch.
library Evidence {
    /// @dev Bit of a submission number that is set where it counts per submitter.
    uint64 internal constant PROMISED = 1 << 63;

    /// @dev Bytes of a blob header's body.
    uint256 private constant HEADER_BYTES = 88;

    /// @dev Bytes of a checkpoint's body.
    uint256 private constant CHECKPOINT_BYTES = 212;

    /// @notice A statement's leaf and what it lays claim to.
    /// @param slot equal for claims of which one signer may sign one
    /// @param leaf equal for claims that are the same
    struct Claim {
        bytes32 slot;
        bytes32 leaf;
    }

    /// @notice Claim of a blob header on its place in the submissions of one entrance.
    function ofBlob(uint256 domainChainId, address domain, BlobHeader memory header) internal pure returns (Claim memory) {
        address submitter = header.submissionIndex & PROMISED == 0 ? address(0) : header.submitter;
        return Claim({
            slot: keccak256(
                abi.encode("blob", domainChainId, domain, header.shardId, submitter, header.submissionIndex)
            ),
            leaf: Tree.leaf(Statements.blobHeaderBody(header))
        });
    }

    /// @notice Claim of an epoch header on its epoch.
    function ofHandover(EpochHeader memory header) internal pure returns (Claim memory) {
        return Claim({
            slot: keccak256(abi.encode("handover", header.epoch)),
            leaf: Statements.headerHash(header)
        });
    }

    /// @notice Claim of a checkpoint on its number in its shard's stream.
    function ofCheckpoint(Checkpoint memory checkpoint) internal pure returns (Claim memory) {
        return Claim({
            slot: keccak256(abi.encode("checkpoint", checkpoint.shardId, checkpoint.number)),
            leaf: Statements.checkpointLeaf(checkpoint)
        });
    }

    /// @notice A checkpoint out of its body; false for a body of another length.
    function parseCheckpoint(bytes calldata body) internal pure returns (bool valid, Checkpoint memory checkpoint) {
        if (body.length != CHECKPOINT_BYTES) return (false, checkpoint);
        checkpoint.shardId = uint32(bytes4(body[0:4]));
        checkpoint.number = uint64(bytes8(body[4:12]));
        checkpoint.prev = bytes32(body[12:44]);
        checkpoint.flowRoot = bytes32(body[44:76]);
        checkpoint.flowLength = uint64(bytes8(body[76:84]));
        checkpoint.logRoot = bytes32(body[84:116]);
        checkpoint.logCount = uint64(bytes8(body[116:124]));
        checkpoint.daRoot = bytes32(body[124:156]);
        checkpoint.daCount = uint64(bytes8(body[156:164]));
        checkpoint.blockNumber = uint64(bytes8(body[164:172]));
        checkpoint.blockHash = bytes32(body[172:204]);
        checkpoint.time = uint64(bytes8(body[204:212]));
        valid = true;
    }

    /// @notice A blob header out of its body; false for a body of another length.
    function parseBlob(bytes calldata body) internal pure returns (bool valid, BlobHeader memory header) {
        if (body.length != HEADER_BYTES) return (false, header);
        header.version = uint8(body[0]);
        header.suite = uint8(body[1]);
        header.log2K = uint8(body[2]);
        header.cosets = uint8(body[3]);
        header.rowSize = uint32(bytes4(body[4:8]));
        header.length = uint64(bytes8(body[8:16]));
        header.commitment = bytes32(body[16:48]);
        header.submitter = address(bytes20(body[48:68]));
        header.shardId = uint32(bytes4(body[68:72]));
        header.submissionIndex = uint64(bytes8(body[72:80]));
        header.expiry = uint64(bytes8(body[80:88]));
        valid = true;
    }
}
