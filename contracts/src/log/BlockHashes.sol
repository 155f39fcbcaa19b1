// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title BlockHashes
/// @notice Hashes of past blocks: the opcode for the last 256, the history contract of EIP-2935 for the last 8,191.
library BlockHashes {
    /// @dev Blocks that the BLOCKHASH opcode looks back.
    uint256 internal constant NATIVE_WINDOW = 256;

    /// @dev Blocks that the history contract looks back.
    uint256 internal constant HISTORY_WINDOW = 8191;

    /// @dev History contract, EIP-2935.
    address internal constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;

    /// @notice Hash of block `number`, or zero where neither source knows it: too old, not yet made, or a chain without
    /// the history contract. A caller must treat zero as no hash at all, because it is known in advance.
    function hashOf(uint256 number) internal view returns (bytes32 hash) {
        if (number >= block.number) return bytes32(0);
        if (number + NATIVE_WINDOW >= block.number) return blockhash(number);
        if (number + HISTORY_WINDOW < block.number) return bytes32(0);
        (bool success, bytes memory answer) = HISTORY.staticcall(abi.encode(number));
        // A call to an address without code succeeds and returns nothing.
        if (success && answer.length == 32) hash = abi.decode(answer, (bytes32));
    }
}
