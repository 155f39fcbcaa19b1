// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MineContext, Submission, SubmissionData, SubmissionNode} from "../../../src/log/FlowTypes.sol";
import {MiningParameters, PoraAnswer, RecallRange} from "../../../src/pora/PoraTypes.sol";
import {FlowFixture} from "./FlowFixture.sol";
import {PoraLibraries} from "./PoraLibraries.sol";
import {Seals} from "./Seals.sol";

/// @title MiningFixture
/// @notice A flow with 256 KiB of real data in sectors 1,024 to 2,047, zeros before, and a miner who reads and seals them.
abstract contract MiningFixture is FlowFixture {
    uint256 internal constant EPOCH_BLOCKS = 200;
    uint256 internal constant WINDOW = 40;
    uint256 internal constant FILE_START = 1024;
    uint256 internal constant LENGTH = 2048;
    address internal constant BENEFICIARY = address(0xBE);

    PoraLibraries internal libraries;
    bytes32 internal minerId;

    /// @dev Roots over 16 sectors each, in order.
    bytes32[] private _seals;

    /// @dev Three windows of 40 blocks, 50 apart, and every hash counts.
    function miningParameters() internal pure virtual override returns (MiningParameters memory) {
        return MiningParameters({
            difficulty: 1,
            targetMineBlocks: uint32(WINDOW),
            targetSubmissions: 2,
            maxShards: 4,
            nSubtasks: 3,
            subtaskInterval: 50,
            minDifficulty: 0
        });
    }

    /// @dev Deploys, stores the file, registers a miner, and goes into the miner's first window.
    function beginMining(uint256 sectorsPerPrice) internal {
        deploySized(PRICE, EPOCH_BLOCKS, 0, sectorsPerPrice);
        vm.warp(1_800_000_000);
        libraries = new PoraLibraries();
        _hashSeals();
        SubmissionNode[] memory nodes = new SubmissionNode[](1);
        nodes[0] = SubmissionNode(_rootFrom(64, 64), 10);
        flow.submit{value: 1024 * PRICE}(Submission(SubmissionData(262144, "", nodes), SUBMITTER));
        minerId = mine.requestMinerId(BENEFICIARY, 0);
        nextEpoch();
        openWindow(minerId);
    }

    /// @dev Goes to the first block in which the context of the next epoch can be made, and makes it.
    function nextEpoch() internal returns (MineContext memory context) {
        vm.roll(flow.firstBlock() + (flow.epoch() + 1) * EPOCH_BLOCKS + 1);
        flow.makeContext();
        return flow.getContext();
    }

    /// @dev Block after which a miner's window opens.
    function windowStart(bytes32 id) internal view returns (uint256) {
        MineContext memory context = flow.getContext();
        uint256 index = uint256(keccak256(abi.encodePacked(context.digest, id))) % mine.nSubtasks();
        return context.mineStart + index * mine.subtaskInterval();
    }

    function openWindow(bytes32 id) internal {
        vm.roll(windowStart(id) + 1);
    }

    /// @dev All of the flow, in one shard.
    function wholeRange() internal pure returns (RecallRange memory) {
        return RecallRange(0, LENGTH, 0, type(uint64).max);
    }

    /// @dev The first answer from `nonce` on that draws data and not padding.
    function findAnswer(bytes32 id, uint256 nonce, uint256 sealOffset) internal view returns (PoraAnswer memory answer) {
        do {
            answer = answerTo(id, nonce++, sealOffset, wholeRange());
        } while (answer.recallPosition < FILE_START);
    }

    /// @dev What an honest miner answers to a nonce, padding or not.
    function answerTo(bytes32 id, uint256 nonce, uint256 sealOffset, RecallRange memory range)
        internal
        view
        returns (PoraAnswer memory answer)
    {
        MineContext memory context = flow.getContext();
        answer.contextDigest = context.digest;
        answer.nonce = bytes32(nonce);
        answer.minerId = id;
        answer.range = range;
        answer.sealOffset = sealOffset;
        answer.sealedContextDigest = flow.getEpochRangeHistory(0).digest;
        bytes32 subtask = keccak256(abi.encodePacked(context.digest, blockhash(windowStart(id))));
        (bytes32 high, bytes32 low) = libraries.seed(id, bytes32(nonce), subtask, range);
        (bytes32 recallSeed,) = libraries.mix(high, low, 0, answer.sealedData);
        answer.recallPosition = libraries.recall(range, recallSeed) + 16 * sealOffset;
        bytes32[128] memory plain = wordsAt(answer.recallPosition);
        answer.sealedData = Seals.seal(plain, id, answer.sealedContextDigest, answer.recallPosition);
        answer.merkleProof = pathOf(answer.recallPosition);
    }

    /// @dev The 16 sectors from `position` on, in words.
    function wordsAt(uint256 position) internal pure returns (bytes32[128] memory words) {
        if (position < FILE_START) return words;
        for (uint256 i = 0; i < 128; ++i) {
            words[i] = keccak256(abi.encode(position, i));
        }
    }

    /// @dev Siblings from the root over the 16 sectors at `position` up to the flow root.
    function pathOf(uint256 position) internal view returns (bytes32[] memory path) {
        uint256 index = position / 16;
        path = new bytes32[](7);
        for (uint256 height = 0; height < 7; ++height) {
            uint256 sibling = (index >> height) ^ 1;
            path[height] = _rootFrom(sibling << height, 1 << height);
        }
    }

    function _hashSeals() private {
        delete _seals;
        for (uint256 i = 0; i < LENGTH / 16; ++i) {
            _seals.push(libraries.rootOfPlain(wordsAt(16 * i)));
        }
        // Sector 0 is no sector: its hash is zero.
        bytes32 node = bytes32(0);
        bytes32 zero = keccak256(new bytes(256));
        for (uint256 height = 0; height < 4; ++height) {
            node = keccak256(abi.encodePacked(node, zero));
            zero = keccak256(abi.encodePacked(zero, zero));
        }
        _seals[0] = node;
    }

    /// @dev Root over `count` seals from `first` on.
    function _rootFrom(uint256 first, uint256 count) private view returns (bytes32) {
        if (count == 1) return _seals[first];
        return keccak256(abi.encodePacked(_rootFrom(first, count / 2), _rootFrom(first + count / 2, count / 2)));
    }
}
