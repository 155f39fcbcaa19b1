// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Blake2b} from "./Blake2b.sol";

/// @title Scratchpad
/// @notice The 16 KiB of chance that a nonce stands for, and the hash of sealed data mixed with a quarter of them.
/// @dev A pad is 256 cells of 64 bytes: from (a, b), first the two halves of the seed, each cell is the hash of both in place of
/// a, then the hash of both in place of b. Nothing of it is kept but what is mixed.
library Scratchpad {
    /// @dev Cells of a quarter of a pad, which covers 4 KiB.
    uint256 private constant QUARTER = 64;

    /// @dev Index of the sealed data and pad seed and 32 zero bytes, before the mixed data.
    uint256 private constant PREFIX_BYTES = 128;

    /// @notice Seed of the pad of an attempt: BLAKE2b-512 over these.
    function seedOf(bytes32 minerId, bytes32 nonce, bytes32 subtaskDigest, bytes32 rangeDigest)
        internal
        view
        returns (bytes32 high, bytes32 low)
    {
        return Blake2b.hash(abi.encode(minerId, nonce, subtaskDigest, rangeDigest));
    }

    /// @notice Walks the pad that begins with a seed.
    /// @param sealOffset place of the sealed data in the 256 KiB, which says which quarter covers it
    /// @return recallSeed hash that follows the last cell: chooses what the nonce recalls
    /// @return hash first half of BLAKE2b-512 over offset, seed, 32 zero bytes and the mixed data
    function mix(bytes32 high, bytes32 low, uint256 sealOffset, bytes32[128] calldata words)
        internal
        view
        returns (bytes32 recallSeed, bytes32 hash)
    {
        bytes memory message = new bytes(PREFIX_BYTES + 4096);
        uint256 skipped = (sealOffset % 4) * QUARTER;
        assembly ("memory-safe") {
            let target := add(message, 32)
            mstore(target, sealOffset)
            mstore(add(target, 32), high)
            mstore(add(target, 64), low)
            target := add(target, PREFIX_BYTES)
            mstore(0x00, high)
            mstore(0x20, low)
            for { let i := 0 } lt(i, skipped) { i := add(i, 1) } {
                mstore(0x00, keccak256(0x00, 0x40))
                mstore(0x20, keccak256(0x00, 0x40))
            }
            for { let offset := 0 } lt(offset, 4096) { offset := add(offset, 64) } {
                let first := keccak256(0x00, 0x40)
                mstore(0x00, first)
                let second := keccak256(0x00, 0x40)
                mstore(0x20, second)
                mstore(add(target, offset), xor(first, calldataload(add(words, offset))))
                mstore(add(target, add(offset, 32)), xor(second, calldataload(add(words, add(offset, 32)))))
            }
            for { let i := add(skipped, QUARTER) } lt(i, 256) { i := add(i, 1) } {
                mstore(0x00, keccak256(0x00, 0x40))
                mstore(0x20, keccak256(0x00, 0x40))
            }
            recallSeed := keccak256(0x00, 0x40)
        }
        (hash,) = Blake2b.hash(message);
    }
}
