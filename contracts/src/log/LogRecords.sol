// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title LogRecords
/// @notice The append-only Merkle tree over submission records: proves "file R is submission n of this log".
/// @dev A leaf is keccak-256 of 0x00 and the 92-byte record, an inner node keccak-256 of 0x01, left and right. The tree has
/// 2^d leaves, d being the smallest with 2^d at least the count; missing leaves are zero, and missing subtrees are built
/// from zero the same way. Storage holds one node per set bit of the count.
library LogRecords {
    /// @dev Most records in a log.
    uint256 internal constant MAX_COUNT = 1 << 40;

    /// @notice The log holds 2^40 records and takes no more.
    error LogFull();

    /// @notice The right frontier; `branch[h]` is meaningful where bit h of the count is set. Whoever owns it keeps the count.
    struct Frontier {
        bytes32[41] branch;
    }

    /// @notice What the log says about one submission.
    /// @param sequence number of the submission, from 0
    /// @param fileRoot root of the file
    /// @param size file size in bytes, before padding
    /// @param startPosition first sector of the file in the flow
    /// @param sectors padded length in sectors of 256 bytes
    /// @param submitter as named in the submission
    /// @param time block timestamp in Unix seconds
    struct Record {
        uint64 sequence;
        bytes32 fileRoot;
        uint64 size;
        uint64 startPosition;
        uint64 sectors;
        address submitter;
        uint64 time;
    }

    /// @notice The record's canonical form: its fields packed big-endian in order, 92 bytes.
    function encode(Record memory record) internal pure returns (bytes memory) {
        return abi.encodePacked(
            record.sequence,
            record.fileRoot,
            record.size,
            record.startPosition,
            record.sectors,
            record.submitter,
            record.time
        );
    }

    /// @notice Appends a record to a log that holds `count`. Costs one storage write and, on average, one read.
    function append(Frontier storage frontier, uint256 count, bytes memory body) internal {
        if (count >= MAX_COUNT) revert LogFull();
        bytes32 node = leafOf(body);
        uint256 height = 0;
        for (; (count >> height) & 1 == 1; ++height) {
            node = _node(frontier.branch[height], node);
        }
        frontier.branch[height] = node;
    }

    /// @notice Root of a log that holds `count` records; zero for an empty log.
    function root(Frontier storage frontier, uint256 count) internal view returns (bytes32 node) {
        if (count == 0) return bytes32(0);
        uint256 height = 0;
        bytes32 zero = bytes32(0);
        for (; (count >> height) & 1 == 0; ++height) {
            zero = _node(zero, zero);
        }
        node = frontier.branch[height];
        if (count >> height == 1) return node;
        node = _node(node, zero);
        zero = _node(zero, zero);
        for (++height; count >> height != 0; ++height) {
            if ((count >> height) & 1 == 1) node = _node(frontier.branch[height], node);
            else node = _node(node, zero);
            zero = _node(zero, zero);
        }
    }

    /// @notice Whether `body` is record `index` of the log with `expectedRoot` and `count` records.
    /// @param path siblings from the leaf upwards, exactly as many as the tree is deep
    function verify(
        bytes32 expectedRoot,
        uint256 count,
        uint256 index,
        bytes memory body,
        bytes32[] memory path
    ) internal pure returns (bool) {
        if (index >= count || count > MAX_COUNT) return false;
        uint256 depth = 0;
        while (1 << depth < count) ++depth;
        if (path.length != depth) return false;
        bytes32 node = leafOf(body);
        for (uint256 height = 0; height < depth; ++height) {
            if ((index >> height) & 1 == 1) node = _node(path[height], node);
            else node = _node(node, path[height]);
        }
        return node == expectedRoot;
    }

    /// @notice Leaf hash of a record body.
    function leafOf(bytes memory body) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x00), body));
    }

    /// @dev Hash of the byte 0x01 and two nodes, in the scratch space and the word after it, which is put back.
    function _node(bytes32 left, bytes32 right) private pure returns (bytes32 node) {
        assembly ("memory-safe") {
            let freePointer := mload(0x40)
            mstore8(0x00, 0x01)
            mstore(0x01, left)
            mstore(0x21, right)
            node := keccak256(0x00, 0x41)
            mstore(0x40, freePointer)
        }
    }
}
