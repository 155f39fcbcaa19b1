// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlockHashes} from "../log/BlockHashes.sol";

/// @title HeaderProof
/// @notice Reads prevRandao of one past block out of its header, which the chain's own block hash proves.
/// @dev The opcode gives prevRandao of the running block only, and a caller could pick the block to run in. The header is
/// the RLP list whose keccak-256 is the block hash; its field 13 is mixHash, which carries prevRandao.
library HeaderProof {
    /// @dev Place of mixHash among the header's fields, from 0.
    uint256 private constant MIX_HASH = 13;

    /// @notice No source knows the hash of block `blockNumber`: not made yet, or older than 8,191 blocks.
    error NoHash(uint256 blockNumber);

    /// @notice The bytes are not the header of block `blockNumber`.
    error BadHeader(uint256 blockNumber);

    /// @notice prevRandao of block `blockNumber`. Reverts with NoHash or BadHeader.
    /// @param header the block's header in RLP
    function prevRandao(uint256 blockNumber, bytes calldata header) internal view returns (bytes32 value) {
        bytes32 hash = BlockHashes.hashOf(blockNumber);
        if (hash == 0) revert NoHash(blockNumber);
        if (keccak256(header) != hash) revert BadHeader(blockNumber);
        uint256 position = _fieldAt(header, MIX_HASH);
        // 0xa0: a string of 32 bytes.
        if (header.length < position + 33 || _byteAt(header, position) != 0xa0) revert BadHeader(blockNumber);
        value = bytes32(_wordAt(header, position + 1));
    }

    /// @dev Position of a field. Nothing overflows, because the hash has shown that the bytes are what the chain made.
    function _fieldAt(bytes calldata header, uint256 field) private pure returns (uint256 position) {
        unchecked {
            position = _firstField(header);
            for (; field > 0; --field) {
                uint256 prefix = _byteAt(header, position++);
                if (prefix < 0x80) continue;
                if (prefix <= 0xb7) {
                    position += prefix - 0x80;
                } else {
                    uint256 sizeBytes = prefix - 0xb7;
                    position += sizeBytes + (_wordAt(header, position) >> (256 - 8 * sizeBytes));
                }
            }
        }
    }

    /// @dev Position of the first field of the list; prefixes from 0xf8 tell how many bytes their length has.
    function _firstField(bytes calldata header) private pure returns (uint256) {
        uint256 prefix = _byteAt(header, 0);
        return 1 + (prefix > 0xf7 ? prefix - 0xf7 : 0);
    }

    function _byteAt(bytes calldata header, uint256 position) private pure returns (uint256) {
        return _wordAt(header, position) >> 248;
    }

    /// @dev 32 bytes from `position` on, whatever stands behind the header.
    function _wordAt(bytes calldata header, uint256 position) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(header.offset, position))
        }
    }
}
