// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobHeader} from "../quorum/QuorumTypes.sol";

/// @title RowProof
/// @notice Proves that a row lies under a commitment of suite 1, whose hashes are all SHA-256.
/// @dev Says nothing about the codeword: that is checked off chain, by combinations.
library RowProof {
    bytes1 private constant LEAF = 0x00;
    bytes1 private constant NODE = 0x01;
    bytes1 private constant ROWS = 0x02;
    bytes1 private constant COMMITMENT = 0x04;

    /// @dev Sixteen elements in a combination, little-endian.
    uint16 private constant COMBINATION_WIDTH = 0x1000;

    /// @notice Whether `row` is row `rowIndex` under the header's commitment.
    /// @param cosetRoots root of each coset, data first
    /// @param combinationRoot root over the combinations of the data rows
    /// @param path siblings within the row's coset, from the leaf upwards
    function isUnder(
        BlobHeader calldata header,
        bytes32[] calldata cosetRoots,
        bytes32 combinationRoot,
        uint256 rowIndex,
        bytes calldata row,
        bytes32[] calldata path
    ) internal pure returns (bool) {
        uint256 log2K = header.log2K;
        uint256 coset = rowIndex >> log2K;
        if (cosetRoots.length != uint256(header.cosets) + 1 || coset >= cosetRoots.length) return false;
        if (path.length != log2K || row.length != header.rowSize) return false;
        if (_rootFrom(rowIndex, row, path) != cosetRoots[coset]) return false;
        return _commitmentOf(header, cosetRoots, combinationRoot) == header.commitment;
    }

    function _rootFrom(uint256 rowIndex, bytes calldata row, bytes32[] calldata path)
        private
        pure
        returns (bytes32 hash)
    {
        hash = sha256(abi.encodePacked(LEAF, row));
        for (uint256 height = 0; height < path.length; ++height) {
            bytes32 sibling = path[height];
            hash = (rowIndex >> height) & 1 == 1
                ? sha256(abi.encodePacked(NODE, sibling, hash))
                : sha256(abi.encodePacked(NODE, hash, sibling));
        }
    }

    function _commitmentOf(BlobHeader calldata header, bytes32[] calldata cosetRoots, bytes32 combinationRoot)
        private
        pure
        returns (bytes32)
    {
        bytes32 rowRoot = sha256(abi.encodePacked(ROWS, cosetRoots));
        return sha256(abi.encodePacked(COMMITMENT, rowRoot, combinationRoot, _params(header)));
    }

    /// @dev The codec's 24 bytes, numbers little-endian.
    function _params(BlobHeader calldata header) private pure returns (bytes memory) {
        return abi.encodePacked(
            header.version,
            header.suite,
            header.cosets,
            header.log2K,
            COMBINATION_WIDTH,
            uint32(_reverse(header.rowSize, 4)),
            uint64(_reverse(header.length, 8)),
            bytes6(0)
        );
    }

    /// @dev The low `count` bytes of a number in the other order.
    function _reverse(uint256 number, uint256 count) private pure returns (uint256 reversed) {
        for (uint256 i = 0; i < count; ++i) {
            reversed = (reversed << 8) | ((number >> (8 * i)) & 0xff);
        }
    }
}
