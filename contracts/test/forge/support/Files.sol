// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Submission, SubmissionData, SubmissionNode} from "../../../src/log/FlowTypes.sol";

/// @title Files
/// @notice Makes submissions the way a client does: pads, cuts into nodes, hashes sector by sector.
library Files {
    /// @dev Padded sectors of a file: up to a multiple of a sixteenth of the next power of two.
    function paddedSectors(uint256 sizeBytes) internal pure returns (uint256) {
        uint256 sectors = (sizeBytes + 255) / 256;
        uint256 power = 1;
        while (power < sectors) power *= 2;
        if (power == sectors) return sectors;
        uint256 step = power >= 16 ? power / 16 : 1;
        return ((sectors + step - 1) / step) * step;
    }

    /// @dev Sector hashes of the padded file number `seed`: made up where there is data, the empty sector's behind it.
    function sectorHashes(uint256 seed, uint256 sizeBytes) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](paddedSectors(sizeBytes));
        bytes32 empty = keccak256(new bytes(256));
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = i * 256 < sizeBytes ? keccak256(abi.encode(seed, i)) : empty;
        }
    }

    /// @dev Root of the perfect tree over `count` hashes from `from` on, level by level.
    function perfectRoot(bytes32[] memory hashes, uint256 from, uint256 count) internal pure returns (bytes32) {
        bytes32[] memory level = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            level[i] = hashes[from + i];
        }
        for (; count > 1; count /= 2) {
            for (uint256 i = 0; i < count / 2; ++i) {
                level[i] = keccak256(abi.encode(level[2 * i], level[2 * i + 1]));
            }
        }
        return level[0];
    }

    /// @dev Root of a file by the recursive rule: the left part is the largest power of two below the count.
    function fileRoot(bytes32[] memory hashes, uint256 from, uint256 count) internal pure returns (bytes32) {
        if (count == 1) return hashes[from];
        uint256 left = 1;
        while (left * 2 < count) left *= 2;
        return keccak256(abi.encode(fileRoot(hashes, from, left), fileRoot(hashes, from + left, count - left)));
    }

    /// @dev The submission for file number `seed`.
    function submission(uint256 seed, uint256 sizeBytes, address submitter) internal pure returns (Submission memory) {
        bytes32[] memory hashes = sectorHashes(seed, sizeBytes);
        SubmissionNode[] memory nodes = nodesOf(hashes.length);
        uint256 from = 0;
        for (uint256 i = 0; i < nodes.length; ++i) {
            uint256 count = 1 << nodes[i].height;
            nodes[i].root = perfectRoot(hashes, from, count);
            from += count;
        }
        return Submission(SubmissionData(sizeBytes, "", nodes), submitter);
    }

    /// @dev Nodes of a file of `sectors`, with made-up roots: one for each bit, highest first.
    function nodesOf(uint256 sectors) internal pure returns (SubmissionNode[] memory nodes) {
        uint256 count = 0;
        for (uint256 rest = sectors; rest != 0; rest &= rest - 1) ++count;
        nodes = new SubmissionNode[](count);
        uint256 next = 0;
        for (uint256 height = 256; height > 0; --height) {
            if ((sectors >> (height - 1)) & 1 == 1) {
                nodes[next++] = SubmissionNode(keccak256(abi.encode(sectors, height)), height - 1);
            }
        }
    }

    /// @dev A submission of any number of sectors with made-up roots, for files too big to hash here.
    function unhashed(uint256 sizeBytes, address submitter) internal pure returns (Submission memory) {
        return Submission(SubmissionData(sizeBytes, "", nodesOf(paddedSectors(sizeBytes))), submitter);
    }
}
