// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Sealing
/// @notice Opens sealed data: 4 KiB of the flow, 128 words, each masked with the hash of the sealed word before it.
library Sealing {
    /// @dev Sectors that are sealed together.
    uint256 internal constant SECTORS = 16;

    /// @dev Root over 16 sectors of zeros: padding, which anyone can make without storing it.
    bytes32 internal constant ZERO_ROOT = 0x09c7082879180d28c789c05fafe7030871c76cedbe82c948b165d6a1d66ac15b;

    /// @notice Mask of the first word: of data that begins at sector `position`, sealed for `minerId` in a context.
    function firstMask(bytes32 minerId, bytes32 contextDigest, uint256 position) internal pure returns (bytes32) {
        return keccak256(abi.encode(minerId, contextDigest, position));
    }

    /// @notice Root over the 16 sectors whose sealed words these are.
    function rootOfSealed(bytes32[128] calldata words, bytes32 mask) internal pure returns (bytes32) {
        return _root(words, mask, true);
    }

    /// @notice Root over the 16 sectors with these words.
    function rootOfPlain(bytes32[128] calldata words) internal pure returns (bytes32) {
        return _root(words, 0, false);
    }

    /// @dev One word after the other into a buffer of a sector, whose hashes are then folded four times.
    function _root(bytes32[128] calldata words, bytes32 mask, bool isSealed) private pure returns (bytes32 root) {
        assembly ("memory-safe") {
            let sector := mload(0x40)
            let hashes := add(sector, 256)
            for { let i := 0 } lt(i, 16) { i := add(i, 1) } {
                for { let offset := 0 } lt(offset, 256) { offset := add(offset, 32) } {
                    let word := calldataload(add(words, add(shl(8, i), offset)))
                    mstore(add(sector, offset), xor(word, mask))
                    if isSealed {
                        mstore(0x00, word)
                        mask := keccak256(0x00, 0x20)
                    }
                }
                mstore(add(hashes, shl(5, i)), keccak256(sector, 256))
            }
            for { let count := 8 } gt(count, 0) { count := shr(1, count) } {
                for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                    mstore(add(hashes, shl(5, i)), keccak256(add(hashes, shl(6, i)), 64))
                }
            }
            root := mload(hashes)
        }
    }
}
