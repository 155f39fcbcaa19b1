// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Seals
/// @notice Seals as a miner does, word after word.
library Seals {
    function seal(bytes32[128] memory plain, bytes32 minerId, bytes32 contextDigest, uint256 position)
        internal
        pure
        returns (bytes32[128] memory words)
    {
        bytes32 mask = keccak256(abi.encodePacked(minerId, contextDigest, position));
        for (uint256 i = 0; i < 128; ++i) {
            words[i] = plain[i] ^ mask;
            mask = keccak256(abi.encodePacked(words[i]));
        }
    }
}
