// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Tree
/// @notice The binary Merkle tree of members, batches and other ordered sets.
/// @dev A leaf is keccak-256 of 0x00 and the body, an inner node keccak-256 of 0x01, left and right, so neither passes for
/// the other. The tree has 2^d leaves, d being the smallest with 2^d at least the count; missing leaves are zero, and
/// missing subtrees are built from zero the same way. A proof has exactly d hashes and an index below the count.
library Tree {
    /// @dev Most leaves in an appended tree.
    uint256 internal constant MAX_COUNT = 1 << 40;

    /// @notice The tree holds 2^40 leaves and takes no more.
    error TreeFull();

    /// @notice The right frontier in storage; `branch[h]` is meaningful where bit h of the count is set. Whoever owns it
    /// keeps the count.
    struct Frontier {
        bytes32[41] branch;
    }

    /// @notice Hash of a leaf body.
    function leaf(bytes memory body) internal pure returns (bytes32 hash) {
        // The last byte of the length, which stands before the body, serves as 0x00; nothing is copied.
        assembly ("memory-safe") {
            let length := mload(body)
            mstore8(add(body, 31), 0x00)
            hash := keccak256(add(body, 31), add(length, 1))
            mstore(body, length)
        }
    }

    /// @notice Hash of an inner node.
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32 hash) {
        // 65 bytes: the scratch space and one byte of the word after it, which is put back.
        assembly ("memory-safe") {
            let freePointer := mload(0x40)
            mstore8(0x00, 0x01)
            mstore(0x01, left)
            mstore(0x21, right)
            hash := keccak256(0x00, 0x41)
            mstore(0x40, freePointer)
        }
    }

    /// @notice Levels of inner nodes over `count` leaves: 0 for one leaf or none.
    function depthOf(uint256 count) internal pure returns (uint256 depth) {
        while (1 << depth < count) ++depth;
    }

    /// @notice Appends to a tree of `count` leaves. Costs one storage write and, on average, one read.
    function append(Frontier storage frontier, uint256 count, bytes32 hash) internal {
        if (count >= MAX_COUNT) revert TreeFull();
        uint256 height = 0;
        for (; (count >> height) & 1 == 1; ++height) {
            hash = node(frontier.branch[height], hash);
        }
        frontier.branch[height] = hash;
    }

    /// @notice Root of an appended tree of `count` leaves; zero for none.
    function root(Frontier storage frontier, uint256 count) internal view returns (bytes32 hash) {
        if (count == 0) return bytes32(0);
        uint256 depth = depthOf(count);
        if (count == 1 << depth) return frontier.branch[depth];
        bytes32 zero = bytes32(0);
        for (uint256 height = 0; height < depth; ++height) {
            if ((count >> height) & 1 == 1) hash = node(frontier.branch[height], hash);
            else hash = node(hash, zero);
            zero = node(zero, zero);
        }
    }

    /// @notice Root over leaf hashes; zero for none. Overwrites `hashes`.
    function rootOf(bytes32[] memory hashes) internal pure returns (bytes32) {
        uint256 width = hashes.length;
        if (width == 0) return bytes32(0);
        bytes32 zero = bytes32(0);
        while (width > 1) {
            uint256 half = (width + 1) / 2;
            for (uint256 i = 0; i < half; ++i) {
                hashes[i] = node(hashes[2 * i], 2 * i + 1 < width ? hashes[2 * i + 1] : zero);
            }
            zero = node(zero, zero);
            width = half;
        }
        return hashes[0];
    }

    /// @notice Whether `hash` is leaf `index` of the tree of `count` leaves with `expectedRoot`.
    /// @param path siblings from the leaf upwards, exactly as many as the tree is deep
    function verify(bytes32 expectedRoot, uint256 count, uint256 index, bytes32 hash, bytes32[] calldata path)
        internal
        pure
        returns (bool)
    {
        return hasShape(count, index, path) && rootFrom(index, hash, path) == expectedRoot;
    }

    /// @notice Whether a tree of `count` leaves has a leaf `index` and proofs as long as `path`.
    function hasShape(uint256 count, uint256 index, bytes32[] calldata path) internal pure returns (bool) {
        return index < count && path.length == depthOf(count);
    }

    /// @notice Root to which `path` leads from leaf `index`; the caller checks the shape with `hasShape`.
    function rootFrom(uint256 index, bytes32 hash, bytes32[] calldata path) internal pure returns (bytes32) {
        for (uint256 height = 0; height < path.length; ++height) {
            if ((index >> height) & 1 == 1) hash = node(path[height], hash);
            else hash = node(hash, path[height]);
        }
        return hash;
    }

    /// @notice Whether the given leaves are those of the tree of `count` leaves with `expectedRoot`: one proof for all.
    /// @dev Level by level from below, an even node is paired with its right neighbour where that is present; every other
    /// node takes the next sibling. At the end no sibling may be left. Overwrites both lists.
    /// @param indexes strictly rising and below `count`, which the caller has checked; at least one
    /// @param hashes leaf hashes, as many
    /// @param siblings level by level, from left to right
    function verifyMany(
        bytes32 expectedRoot,
        uint256 count,
        uint256[] memory indexes,
        bytes32[] memory hashes,
        bytes32[] calldata siblings
    ) internal pure returns (bool) {
        uint256 width = indexes.length;
        uint256 used = 0;
        for (uint256 depth = depthOf(count); depth > 0; --depth) {
            (width, used) = _climb(indexes, hashes, width, siblings, used);
            if (width == 0) return false;
        }
        return used == siblings.length && hashes[0] == expectedRoot;
    }

    /// @dev Replaces the first `width` nodes by their parents.
    /// @return parents how many there are; 0 where a sibling is missing
    /// @return siblings used so far
    function _climb(
        uint256[] memory indexes,
        bytes32[] memory hashes,
        uint256 width,
        bytes32[] calldata siblings,
        uint256 used
    ) private pure returns (uint256 parents, uint256) {
        // Counters stay below the lengths of the lists.
        unchecked {
            for (uint256 i = 0; i < width; ++i) {
                (uint256 index, bytes32 hash) = (indexes[i], hashes[i]);
                if (index & 1 == 0 && i + 1 < width && indexes[i + 1] == index + 1) {
                    hash = node(hash, hashes[++i]);
                } else {
                    if (used == siblings.length) return (0, used);
                    bytes32 sibling = siblings[used++];
                    hash = index & 1 == 0 ? node(hash, sibling) : node(sibling, hash);
                }
                (indexes[parents], hashes[parents]) = (index >> 1, hash);
                ++parents;
            }
        }
        return (parents, used);
    }
}
