// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title BlobLayout
/// @notice The layout of a blob's rows, which its length and the network fix.
/// @dev The payload lies behind a header of 8 bytes in K = 2^log2K rows of a multiple of 64 bytes; `cosets` times as many
/// rows of parity follow.
library BlobLayout {
    /// @dev Version of headers and layouts.
    uint256 internal constant VERSION = 1;

    /// @dev Bytes that stand before the payload.
    uint256 internal constant HEADER_BYTES = 8;

    /// @dev Most bytes of header and payload.
    uint256 internal constant MAX_BYTES = 1 << 27;

    /// @dev Suites: 0 BLAKE3, 1 SHA-256.
    uint256 internal constant MAX_SUITE = 1;

    /// @notice Logarithm of the number of data rows of a payload; 0 where it is too long.
    /// @param minLog2K least logarithm that the network's quorums need
    function log2RowsOf(uint256 length, uint256 minLog2K) internal pure returns (uint256 log2K) {
        unchecked {
            // No overflow: callers pass lengths of 64 bits.
            uint256 total = length + HEADER_BYTES;
            if (total > MAX_BYTES) return 0;
            if (total <= 1 << 16) log2K = 6;
            else if (total <= 1 << 20) log2K = 8;
            else log2K = total <= 1 << 24 ? 10 : 12;
            if (log2K < minLog2K) return minLog2K;
        }
    }

    /// @notice Bytes in a row: the least multiple of 64 with which 2^log2K rows hold header and payload.
    function rowSizeOf(uint256 length, uint256 log2K) internal pure returns (uint256) {
        unchecked {
            uint256 chunkColumn = 64 << log2K;
            return ((length + HEADER_BYTES + chunkColumn - 1) >> (6 + log2K)) << 6;
        }
    }

    /// @notice The first eight bytes of the header of a blob: version, suite, log2K, cosets, rowSize u32. They follow from the
    /// length and the network but for the suite; 0 where there is no such layout.
    function paramsOf(uint256 length, uint256 suite, uint256 cosets, uint256 minLog2K)
        internal
        pure
        returns (uint256)
    {
        uint256 log2K = log2RowsOf(length, minLog2K);
        if (log2K == 0 || suite > MAX_SUITE) return 0;
        return pack(suite, log2K, cosets, rowSizeOf(length, log2K));
    }

    /// @notice The same bytes for any values, which must fit their fields.
    function pack(uint256 suite, uint256 log2K, uint256 cosets, uint256 rowSize) internal pure returns (uint256) {
        return (VERSION << 56) | (suite << 48) | (log2K << 40) | (cosets << 32) | rowSize;
    }
}
