// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FileProof} from "./ContentProofs.sol";
import {OrderingHub} from "./OrderingHub.sol";

/// @notice Bytes of a file in the log of some chain, named so that contracts, programs and people mean the same ones for ever.
/// @param chainId chain whose log has the file
/// @param globalIndex a checkpoint of that chain in the order, whose log has it
/// @param root root of the file
/// @param size bytes of the file
/// @param offset first byte meant
/// @param length bytes meant, at least 1
struct ContentReference {
    uint64 chainId;
    uint64 globalIndex;
    bytes32 root;
    uint64 size;
    uint64 offset;
    uint64 length;
}

/// @title ContentReferences
/// @notice Lets contracts of the hub take references, once they are proven.
/// @dev The proof travels with the call that first brings a reference; what is kept of it is its id.
library ContentReferences {
    /// @notice The reference means no byte, or some behind the end of its file of `size` bytes.
    error BadRange(uint64 offset, uint64 length, uint64 size);

    /// @notice What is proven is on chain `proven`, what is referred to on `named`.
    error ReferenceOfAnotherChain(uint64 named, uint64 proven);

    /// @notice The proof is for another file, length or place in the order than the reference.
    error NotWhatIsProven(bytes32 root, uint64 size, uint64 globalIndex);

    /// @notice What names the reference in storage and in messages: keccak-256 of its fields, packed big-endian, 72 bytes.
    function idOf(ContentReference calldata content) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                content.chainId, content.globalIndex, content.root, content.size, content.offset, content.length
            )
        );
    }

    /// @notice Requires that the content is in the log of its chain, and that log in the order. Reverts with BadRange,
    /// ReferenceOfAnotherChain, NotWhatIsProven, ShardUnknown, or like `ContentReader.requireFile`.
    function requireContent(OrderingHub hub, ContentReference calldata content, FileProof calldata proof) internal view {
        (uint64 offset, uint64 length, uint64 size) = (content.offset, content.length, content.size);
        if (length == 0 || offset >= size || length > size - offset) revert BadRange(offset, length, size);
        uint64 proven = hub.shardOf(proof.ordered.checkpoint.shardId).chainId;
        if (proven != content.chainId) revert ReferenceOfAnotherChain(content.chainId, proven);
        bool same = proof.record.fileRoot == content.root && proof.record.size == size
            && proof.ordered.globalIndex == content.globalIndex;
        if (!same) revert NotWhatIsProven(proof.record.fileRoot, proof.record.size, proof.ordered.globalIndex);
        hub.requireFile(proof);
    }
}
