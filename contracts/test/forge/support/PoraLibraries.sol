// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Difficulty} from "../../../src/pora/Difficulty.sol";
import {RecallRange} from "../../../src/pora/PoraTypes.sol";
import {RecallRanges} from "../../../src/pora/RecallRanges.sol";
import {Scratchpad} from "../../../src/pora/Scratchpad.sol";
import {Sealing} from "../../../src/pora/Sealing.sol";

/// @title PoraLibraries
/// @notice The steps of a proof of random access one by one.
contract PoraLibraries {
    function seed(bytes32 minerId, bytes32 nonce, bytes32 subtaskDigest, RecallRange calldata range)
        external
        view
        returns (bytes32 high, bytes32 low)
    {
        return Scratchpad.seedOf(minerId, nonce, subtaskDigest, RecallRanges.digestOf(range));
    }

    function mix(bytes32 high, bytes32 low, uint256 sealOffset, bytes32[128] calldata words)
        external
        view
        returns (bytes32 recallSeed, bytes32 hash)
    {
        return Scratchpad.mix(high, low, sealOffset, words);
    }

    function rootOfSealed(bytes32[128] calldata words, bytes32 mask) external pure returns (bytes32) {
        return Sealing.rootOfSealed(words, mask);
    }

    function rootOfPlain(bytes32[128] calldata words) external pure returns (bytes32) {
        return Sealing.rootOfPlain(words);
    }

    function digestOf(RecallRange calldata range) external pure returns (bytes32) {
        return RecallRanges.digestOf(range);
    }

    function recall(RecallRange calldata range, bytes32 recallSeed) external pure returns (uint256) {
        return RecallRanges.recall(range, recallSeed);
    }

    function requireValid(RecallRange calldata range, uint256 flowLength, uint256 maxShards)
        external
        pure
        returns (uint256)
    {
        return RecallRanges.requireValid(range, flowLength, maxShards);
    }

    function scaleX64(uint256 flowLength, uint256 shards) external pure returns (uint256) {
        return RecallRanges.scaleX64(flowLength, shards);
    }

    function afterEpochs(uint256 target, uint256 answers, uint256 wanted, uint256 ratio, uint256 epochs, uint256 easiest)
        external
        pure
        returns (uint256)
    {
        return Difficulty.afterEpochs(target, answers, wanted, ratio, epochs, easiest);
    }
}
