// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Submission, SubmissionFault, SubmissionNode} from "./FlowTypes.sol";

/// @title Submissions
/// @notice Checks a submission and works out what its nodes say about the file.
/// @dev The rules leave exactly one legal layout for each file length, the one that clients compute: the length in
/// sectors is rounded up to a multiple of a sixteenth of the next power of two, and the sum is written in binary.
library Submissions {
    /// @dev Bytes in a sector.
    uint256 internal constant SECTOR_BYTES = 256;

    /// @dev Largest height of a node: the longest layout under it, 15 * 2^41 sectors, has fewer than 2^53 bytes, up to which
    /// the numbers that nodes and clients count with are exact.
    uint256 internal constant MAX_HEIGHT = 44;

    /// @dev A layout spans fewer heights than this, because padding rounds to a sixteenth of a power of two.
    uint256 internal constant MAX_SPREAD = 4;

    /// @notice The submission breaks a rule; `fault` says which.
    error InvalidSubmission(SubmissionFault fault);

    /// @notice Checks every rule in the order of `SubmissionFault`.
    /// @return sectors length of the padded file in sectors of 256 bytes, 1 to 15 * 2^41
    function requireValid(Submission calldata submission) internal pure returns (uint256 sectors) {
        if (submission.submitter == address(0)) revert InvalidSubmission(SubmissionFault.ZeroSubmitter);
        SubmissionNode[] calldata nodes = submission.data.nodes;
        uint256 count = nodes.length;
        if (count == 0) revert InvalidSubmission(SubmissionFault.NoNodes);
        uint256 first = nodes[0].height;
        if (first > MAX_HEIGHT) revert InvalidSubmission(SubmissionFault.HeightTooLarge);
        uint256 last = first;
        sectors = 1 << first;
        for (uint256 i = 1; i < count; ++i) {
            uint256 height = nodes[i].height;
            if (height >= last) revert InvalidSubmission(SubmissionFault.HeightsNotDescending);
            sectors += 1 << height;
            last = height;
        }
        if (first - last >= MAX_SPREAD) revert InvalidSubmission(SubmissionFault.HeightSpread);
        uint256 length = submission.data.length;
        if (length > sectors * SECTOR_BYTES) revert InvalidSubmission(SubmissionFault.LengthAboveNodes);
        if (length <= _largestSmallerLayout(sectors, first, count) * SECTOR_BYTES) {
            revert InvalidSubmission(SubmissionFault.LengthBelowNodes);
        }
    }

    /// @notice The event's identity: keccak-256 over all node roots in order.
    /// @dev Equals the file root for two nodes only.
    function identityOf(SubmissionNode[] calldata nodes) internal pure returns (bytes32) {
        bytes32[] memory roots = new bytes32[](nodes.length);
        for (uint256 i = 0; i < roots.length; ++i) {
            roots[i] = nodes[i].root;
        }
        return keccak256(abi.encodePacked(roots));
    }

    /// @notice The file root: the nodes folded from the right, each with the fold of those after it.
    function fileRootOf(SubmissionNode[] calldata nodes) internal pure returns (bytes32 root) {
        uint256 i = nodes.length - 1;
        root = nodes[i].root;
        while (i > 0) {
            --i;
            root = keccak256(abi.encodePacked(nodes[i].root, root));
        }
    }

    /// @dev Sectors of the next smaller legal layout; 0 below one sector.
    function _largestSmallerLayout(uint256 sectors, uint256 first, uint256 count) private pure returns (uint256) {
        if (sectors < 16) return sectors - 1;
        // A lone node is itself the power of two that is divided by 16; otherwise that is the next power above.
        if (count == 1) return sectors - (sectors >> 4);
        return sectors - (1 << (first - 3));
    }
}
