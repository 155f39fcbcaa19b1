// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Blake2b
/// @notice BLAKE2b-512 without a key, of messages made of whole blocks of 128 bytes, by the precompile of EIP-152.
library Blake2b {
    /// @dev Bytes that one compression takes.
    uint256 internal constant BLOCK_BYTES = 128;

    /// @notice The chain has no precompile at address 9, or it does not answer as EIP-152 says.
    error Blake2bUnavailable();

    /// @notice The digest of `message`, whose length must be a multiple of 128 above zero and below 65,536.
    function hash(bytes memory message) internal view returns (bytes32 high, bytes32 low) {
        bool sound = true;
        assembly ("memory-safe") {
            // Input of the precompile: rounds u32, state 64, block 128, bytes so far u64 twice, last u8; little-endian.
            let input := mload(0x40)
            let state := add(input, 4)
            mstore(input, shl(224, 12))
            mstore(state, 0x48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5)
            mstore(add(state, 32), 0xd182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b)
            mstore(add(input, 196), 0)
            let length := mload(message)
            let source := add(message, 32)
            for { let done := 0 } lt(done, length) {} {
                mcopy(add(input, 68), add(source, done), 128)
                done := add(done, 128)
                mstore8(add(input, 196), done)
                mstore8(add(input, 197), shr(8, done))
                mstore8(add(input, 212), eq(done, length))
                let success := staticcall(gas(), 9, input, 213, state, 64)
                sound := and(sound, and(success, eq(returndatasize(), 64)))
            }
            high := mload(state)
            low := mload(add(state, 32))
        }
        if (!sound) revert Blake2bUnavailable();
    }
}
