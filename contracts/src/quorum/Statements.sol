// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobHeader, Checkpoint, EpochHeader, Member, Statement} from "./QuorumTypes.sol";

/// @title Statements
/// @notice Every digest that a signer's key signs or that is hashed for the draw, and the bodies of Merkle leaves.
/// @dev A digest is keccak-256 of whole words that begin with a tag, so no two digests of different meaning can be equal.
/// Bodies are packed big-endian and hashed by `Tree.leaf`.
library Statements {
    /// @dev A batch of blobs whose fee was paid on submission.
    uint8 internal constant KIND_BATCH = 1;

    /// @dev A bundle of checkpoints.
    uint8 internal constant KIND_CHECKPOINTS = 2;

    /// @dev The header of the next epoch.
    uint8 internal constant KIND_HANDOVER = 3;

    /// @dev A report of rows served.
    uint8 internal constant KIND_SERVED = 4;

    /// @dev A batch of blobs whose fee was promised.
    uint8 internal constant KIND_PROMISED = 5;

    bytes32 internal constant TAG_POSSESSION = keccak256("cairn/1/pop");
    bytes32 internal constant TAG_TICKET = keccak256("cairn/1/ticket");
    bytes32 internal constant TAG_STATEMENT = keccak256("cairn/1/statement");
    bytes32 internal constant TAG_BETA = keccak256("cairn/1/beta");
    bytes32 internal constant TAG_SEED = keccak256("cairn/1/seed");
    bytes32 internal constant TAG_CONTRIBUTOR = keccak256("cairn/1/contrib");

    /// @notice Signed to prove that `owner` holds the secret of `key`.
    function possession(uint256 hubChainId, address registry, address owner, uint256[3] memory key)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(TAG_POSSESSION, hubChainId, registry, owner, key));
    }

    /// @notice Signed to take part in the draw of `epoch`; the same for every signer.
    function ticket(uint256 hubChainId, address sortition, uint64 epoch, bytes32 seed) internal pure returns (bytes32) {
        return keccak256(abi.encode(TAG_TICKET, hubChainId, sortition, epoch, seed));
    }

    /// @notice Signed by the members of a quorum.
    /// @param hub address of Sortition, which stands for the network
    function digest(uint256 hubChainId, address hub, Statement memory statement) internal pure returns (bytes32) {
        return keccak256(abi.encode(TAG_STATEMENT, hubChainId, hub, statement));
    }

    /// @notice What a ticket draws with.
    function beta(uint256[8] calldata signature) internal pure returns (bytes32 hash) {
        bytes32 tag = TAG_BETA;
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, tag)
            calldatacopy(add(words, 32), signature, 256)
            hash := keccak256(words, 288)
        }
    }

    /// @notice Seed of `epoch`.
    /// @param previous seed of the epoch before
    /// @param contributions xor of the contributors' betas
    /// @param entropy of a block after the contributions were closed
    function nextSeed(bytes32 previous, uint64 epoch, bytes32 contributions, bytes32 entropy) internal pure returns (bytes32) {
        return keccak256(abi.encode(TAG_SEED, previous, epoch, contributions, entropy));
    }

    /// @notice Decides in public whether `signer` must contribute to the seed after `epochSeed`.
    function contributorDraw(bytes32 epochSeed, address signer) internal pure returns (bytes32 hash) {
        bytes32 tag = TAG_CONTRIBUTOR;
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, tag)
            mstore(add(words, 32), epochSeed)
            mstore(add(words, 64), signer)
            hash := keccak256(words, 96)
        }
    }

    /// @notice Hash that a handover statement has for its root, and the next header for its `prev`.
    function headerHash(EpochHeader memory header) internal pure returns (bytes32) {
        return keccak256(abi.encode(header));
    }

    /// @notice Leaf of a member: hash of 0x00 and its 124-byte body.
    function memberLeaf(Member memory member) internal pure returns (bytes32 leaf) {
        (uint256 index, address signer, uint256 seats) = (member.index, member.signer, member.seats);
        uint256[3] memory key = member.key;
        assembly ("memory-safe") {
            let body := mload(0x40)
            mstore8(body, 0x00)
            mstore(add(body, 1), shl(224, index))
            mstore(add(body, 5), shl(96, signer))
            mstore(add(body, 25), shl(224, seats))
            mcopy(add(body, 29), key, 96)
            leaf := keccak256(body, 125)
        }
    }

    /// @notice Leaf of a checkpoint: hash of 0x00 and its 212-byte body, the fields packed in their order. The same in a
    /// bundle, in the order of all checkpoints, and as the next one's `prev`.
    function checkpointLeaf(Checkpoint memory checkpoint) internal pure returns (bytes32 leaf) {
        // Fields of a struct in memory stand in a word each; those above a shorter one are written before it.
        assembly ("memory-safe") {
            let body := mload(0x40)
            mstore8(body, 0x00)
            mstore(add(body, 1), shl(224, mload(checkpoint)))
            mstore(add(body, 5), shl(192, mload(add(checkpoint, 0x20))))
            mcopy(add(body, 13), add(checkpoint, 0x40), 64)
            mstore(add(body, 77), shl(192, mload(add(checkpoint, 0x80))))
            mstore(add(body, 85), mload(add(checkpoint, 0xa0)))
            mstore(add(body, 117), shl(192, mload(add(checkpoint, 0xc0))))
            mstore(add(body, 125), mload(add(checkpoint, 0xe0)))
            mstore(add(body, 157), shl(192, mload(add(checkpoint, 0x100))))
            mstore(add(body, 165), shl(192, mload(add(checkpoint, 0x120))))
            mstore(add(body, 173), mload(add(checkpoint, 0x140)))
            mstore(add(body, 205), shl(192, mload(add(checkpoint, 0x160))))
            leaf := keccak256(body, 213)
        }
    }

    /// @notice Leaf body of a blob header, 88 bytes.
    function blobHeaderBody(BlobHeader memory header) internal pure returns (bytes memory) {
        return bytes.concat(
            abi.encodePacked(
                header.version, header.suite, header.log2K, header.cosets, header.rowSize, header.length, header.commitment
            ),
            abi.encodePacked(header.submitter, header.shardId, header.submissionIndex, header.expiry)
        );
    }
}
