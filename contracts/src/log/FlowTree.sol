// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SubmissionNode} from "./FlowTypes.sol";

/// @title FlowTree
/// @notice The append-only Merkle tree over every sector of the flow.
/// @dev Leaf 0 is 32 zero bytes; sectors that no submission covers hash to Z_0 = keccak-256 of 256 zero bytes; inner nodes
/// are keccak-256 of left and right. The root is taken over 2^k leaves, k being the smallest with 2^k at least the length.
///
/// Storage holds the right frontier only: `nodes[h]` is the root of the complete subtree of height h that ends the flow's
/// binary form at bit h, and is meaningful exactly where bit h of the length is set. A submission works on a copy in
/// memory that reads a level when it is needed and writes back only the levels that its final length keeps, so an
/// alignment gap of any width costs hashes and no storage.
library FlowTree {
    /// @dev Sectors in a segment of 256 KiB.
    uint256 internal constant SEGMENT_SECTORS = 1024;

    /// @dev The flow never grows past 2^53 - 1 sectors (2 EiB): nodes count positions in numbers that are exact up to
    /// there, and one submission beyond would stop every node that reads the log.
    uint256 internal constant MAX_LENGTH = (1 << 53) - 1;

    /// @dev keccak-256 of 256 zero bytes, the hash of a sector that nobody wrote.
    bytes32 internal constant EMPTY_SECTOR = 0xd397b3b043d87fcd6fad1291ff0bfd16401c274896d8c63a923727f077b8e0b5;

    /// @notice The submission would take the flow to `length` sectors; the limit is 2^53 - 1.
    error FlowFull(uint256 length);

    /// @notice The frontier in storage. Its length is kept beside other counters by whoever owns it.
    struct Stored {
        bytes32[53] nodes;
    }

    /// @notice The frontier in memory while it changes.
    /// @param length sectors in the flow
    /// @param loaded bit h: `nodes[h]` holds the level's value
    /// @param dirty bit h: `nodes[h]` differs from storage
    struct Frontier {
        uint256 length;
        uint256 loaded;
        uint256 dirty;
        bytes32[53] nodes;
    }

    /// @notice Opens the frontier of a flow of `length` sectors; reads nothing yet.
    function open(uint256 length) internal pure returns (Frontier memory frontier) {
        frontier.length = length;
    }

    /// @notice Position of the first sector of a file, before it is appended.
    /// @dev A file starts at a multiple of its first node. One that would cross a segment boundary without starting on one
    /// moves to the next boundary, so that a file has its own segments or shares a single one.
    /// @param length sectors in the flow
    /// @param height height of the file's first node
    /// @param sectors padded length of the file
    function startOf(uint256 length, uint256 height, uint256 sectors) internal pure returns (uint256 start) {
        start = _align(length, height);
        uint256 segment = start / SEGMENT_SECTORS;
        if (start % SEGMENT_SECTORS != 0 && segment != (start + sectors - 1) / SEGMENT_SECTORS) {
            start = (segment + 1) * SEGMENT_SECTORS;
        }
        if (start + sectors > MAX_LENGTH) revert FlowFull(start + sectors);
    }

    /// @notice Appends a file's nodes at `start`, with unwritten sectors up to there.
    /// @dev Heights decrease and `start` is a multiple of the first, so the nodes follow each other without gaps.
    function append(
        Stored storage stored,
        Frontier memory frontier,
        uint256 start,
        SubmissionNode[] calldata nodes
    ) internal view {
        _skipTo(stored, frontier, start);
        for (uint256 i = 0; i < nodes.length; ++i) {
            _push(stored, frontier, nodes[i].root, nodes[i].height);
        }
    }

    /// @notice Writes back the changed levels that the length keeps.
    function commit(Stored storage stored, Frontier memory frontier) internal {
        uint256 pending = frontier.dirty & frontier.length;
        for (uint256 height = 0; pending >> height != 0; ++height) {
            if ((pending >> height) & 1 == 1) stored.nodes[height] = frontier.nodes[height];
        }
        frontier.dirty = 0;
    }

    /// @notice Root of the tree; reads the levels that are not yet in memory.
    function root(Stored storage stored, Frontier memory frontier) internal view returns (bytes32 node) {
        uint256 length = frontier.length;
        uint256 height = 0;
        bytes32 zero = EMPTY_SECTOR;
        while ((length >> height) & 1 == 0) {
            zero = _hash(zero, zero);
            ++height;
        }
        node = _level(stored, frontier, height);
        if (length >> height == 1) return node;
        // Everything right of the last complete subtree is unwritten.
        node = _hash(node, zero);
        zero = _hash(zero, zero);
        for (++height; length >> height != 0; ++height) {
            if ((length >> height) & 1 == 1) node = _hash(_level(stored, frontier, height), node);
            else node = _hash(node, zero);
            zero = _hash(zero, zero);
        }
    }

    /// @notice Levels in the tree of a flow of `length` sectors, leaves included: 1 for a single leaf.
    function levels(uint256 length) internal pure returns (uint256 count) {
        count = 1;
        while (1 << (count - 1) < length) ++count;
    }

    /// @dev Fills with unwritten sectors up to `target`, which is the next multiple of some power of two. The way there
    /// only ever climbs: each block is as large as the length is aligned, and that never reaches past the target.
    function _skipTo(Stored storage stored, Frontier memory frontier, uint256 target) private view {
        bytes32 zero = EMPTY_SECTOR;
        uint256 height = 0;
        while (frontier.length < target) {
            while ((frontier.length >> height) & 1 == 0) {
                zero = _hash(zero, zero);
                ++height;
            }
            _push(stored, frontier, zero, height);
        }
    }

    /// @dev Appends one complete subtree; the length is a multiple of 2^height.
    function _push(Stored storage stored, Frontier memory frontier, bytes32 node, uint256 height) private view {
        uint256 length = frontier.length;
        frontier.length = length + (1 << height);
        while ((length >> height) & 1 == 1) {
            node = _hash(_level(stored, frontier, height), node);
            ++height;
        }
        frontier.nodes[height] = node;
        frontier.loaded |= 1 << height;
        frontier.dirty |= 1 << height;
    }

    /// @dev The frontier's subtree of `height`, from memory or, the first time, from storage.
    function _level(Stored storage stored, Frontier memory frontier, uint256 height) private view returns (bytes32 node) {
        if ((frontier.loaded >> height) & 1 == 1) return frontier.nodes[height];
        node = stored.nodes[height];
        frontier.nodes[height] = node;
        frontier.loaded |= 1 << height;
    }

    function _align(uint256 position, uint256 height) private pure returns (uint256) {
        return ((position + (1 << height) - 1) >> height) << height;
    }

    function _hash(bytes32 left, bytes32 right) private pure returns (bytes32 node) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            node := keccak256(0x00, 0x40)
        }
    }
}
