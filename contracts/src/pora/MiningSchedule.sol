// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";
import {BlockHashes} from "../log/BlockHashes.sol";
import {MineContext} from "../log/FlowTypes.sol";
import {Difficulty} from "./Difficulty.sol";
import {MiningParameters} from "./PoraTypes.sol";

/// @title MiningSchedule
/// @notice When each miner may answer, how many answers an epoch takes, and the target that follows from them.
/// @dev Each miner has a window in each epoch, drawn by the context's digest and its id, so that answers are spread over the
/// epoch. How many windows there are, and how many answers are wanted, changes with an epoch only.
abstract contract MiningSchedule is Administered {
    /// @dev Most shards that may be allowed: no more than sectors in a load, so that a shard of any flow that can be mined has one.
    uint64 private constant MOST_SHARDS = 1024;

    /// @dev Digest of a context whose block hash could not be read: keccak-256 of nothing.
    bytes32 private constant EMPTY_HASH = keccak256("");

    /// @dev Blocks in an epoch of the flow.
    uint256 private immutable _blocksPerEpoch;

    /// @dev Most blocks of a window: as far back as this chain can look for the hash of its first block.
    uint256 private immutable _longestWindow;

    /// @dev Whether the target never moves from the easiest.
    bool private immutable _isFixed;

    /// @notice Largest hash that counts, of a miner of the whole flow, in epoch `lastMinedEpoch`.
    uint256 public poraTarget;

    /// @notice Difficulty never falls below this; zero for no bound.
    uint256 public minDifficulty;

    /// @notice Epoch that `poraTarget` and `currentSubmissions` are about.
    uint64 public lastMinedEpoch;

    /// @notice Answers taken in that epoch.
    uint32 public currentSubmissions;

    /// @notice Answers wanted in an epoch; twice as many are taken.
    uint16 public targetSubmissions;

    /// @notice Windows that miners are spread over.
    uint32 public nSubtasks;

    /// @notice Blocks from the start of one window to that of the next.
    uint32 public subtaskInterval;

    /// @notice Blocks of a window.
    uint32 public targetMineBlocks;

    /// @notice Weight of the past when the target follows an epoch's answers.
    uint16 public difficultyAdjustRatio;

    /// @notice What `targetSubmissions` becomes with the next epoch.
    uint16 public targetSubmissionsNextEpoch;

    /// @notice What `nSubtasks` becomes with the next epoch.
    uint32 public nSubtasksNextEpoch;

    /// @notice What `subtaskInterval` becomes with the next epoch.
    uint32 public subtaskIntervalNextEpoch;

    /// @notice Most shards that an answer may divide the flow into.
    uint64 public maxShards;

    /// @notice The target went from `previous` to `current`, the first of which was of epoch `from`, the second of epoch `to`.
    event TargetAdjusted(uint256 indexed from, uint256 indexed to, uint256 previous, uint256 current);

    /// @notice The admin set the parameter with this name.
    event ParameterSet(bytes32 indexed name, uint256 value);

    /// @notice A parameter is outside its range.
    error BadMiningParameter(bytes32 name, uint256 value);

    /// @notice The last window would end `blocks` blocks into an epoch of `blocksPerEpoch`.
    error WindowsBeyondEpoch(uint256 blocks, uint256 blocksPerEpoch);

    /// @notice The context has no digest: the hash of its block could not be read.
    error EmptyContext();

    /// @notice The miner's window opens after block `start`.
    error SubtaskNotStarted(uint256 start);

    /// @notice The miner's window ended with block `end`.
    error SubtaskOver(uint256 end);

    /// @notice The hash of the window's first block cannot be read, and without one its digest would be known in advance.
    error SubtaskHashGone(uint256 start);

    constructor(MiningParameters memory parameters, uint256 blocksPerEpoch, uint256 epoch, bool isFixed) {
        _blocksPerEpoch = blocksPerEpoch;
        bool looksFar = BlockHashes.HISTORY.code.length > 0;
        _longestWindow = looksFar ? BlockHashes.HISTORY_WINDOW : BlockHashes.NATIVE_WINDOW;
        _isFixed = isFixed;
        if (parameters.difficulty == 0) revert BadMiningParameter("difficulty", 0);
        // Epoch 0 has no context that could be mined.
        lastMinedEpoch = epoch == 0 ? 1 : uint64(epoch);
        difficultyAdjustRatio = 20;
        nSubtasks = nSubtasksNextEpoch = parameters.nSubtasks;
        subtaskInterval = subtaskIntervalNextEpoch = parameters.subtaskInterval;
        targetSubmissions = targetSubmissionsNextEpoch = parameters.targetSubmissions;
        targetMineBlocks = parameters.targetMineBlocks;
        maxShards = parameters.maxShards;
        minDifficulty = parameters.minDifficulty;
        uint256 target = Difficulty.targetOf(parameters.difficulty);
        uint256 easiest = Difficulty.targetOf(parameters.minDifficulty);
        if (isFixed) poraTarget = Difficulty.EASIEST;
        else poraTarget = target < easiest ? target : easiest;
        _requireAnswers(parameters.targetSubmissions);
        _requireShards(parameters.maxShards);
        _requireWindow(parameters.targetMineBlocks);
        _requireSubtasks(parameters.nSubtasks, parameters.subtaskInterval, parameters.targetMineBlocks);
    }

    /// @notice Sets the blocks of a window, at once.
    function setTargetMineBlocks(uint256 blocks) external onlyAdmin {
        _requireWindow(blocks);
        _requireSubtasks(nSubtasks, subtaskInterval, blocks);
        _requireSubtasks(nSubtasksNextEpoch, subtaskIntervalNextEpoch, blocks);
        targetMineBlocks = uint32(blocks);
        emit ParameterSet("targetMineBlocks", blocks);
    }

    /// @notice Sets the answers wanted in an epoch, from the next one on: 1 to 65,535.
    function setTargetSubmissions(uint256 answers) external onlyAdmin {
        _requireAnswers(answers);
        targetSubmissionsNextEpoch = uint16(answers);
        emit ParameterSet("targetSubmissions", answers);
    }

    /// @notice Sets how many windows there are, from the next epoch on.
    function setNumSubtasks(uint256 count) external onlyAdmin {
        _requireSubtasks(count, subtaskIntervalNextEpoch, targetMineBlocks);
        nSubtasksNextEpoch = uint32(count);
        emit ParameterSet("nSubtasks", count);
    }

    /// @notice Sets the blocks from window to window, from the next epoch on.
    function setSubtaskInterval(uint256 blocks) external onlyAdmin {
        _requireSubtasks(nSubtasksNextEpoch, blocks, targetMineBlocks);
        subtaskIntervalNextEpoch = uint32(blocks);
        emit ParameterSet("subtaskInterval", blocks);
    }

    /// @notice Sets the most shards, at once: a power of two up to 1,024.
    function setMaxShards(uint64 shards) external onlyAdmin {
        _requireShards(shards);
        maxShards = shards;
        emit ParameterSet("maxShards", shards);
    }

    /// @notice Sets the weight of the past, at once: 1 to 10,000.
    function setDifficultyAdjustRatio(uint256 ratio) external onlyAdmin {
        if (ratio == 0 || ratio > Difficulty.MAX_RATIO) revert BadMiningParameter("difficultyAdjustRatio", ratio);
        difficultyAdjustRatio = uint16(ratio);
        emit ParameterSet("difficultyAdjustRatio", ratio);
    }

    /// @notice Sets the least difficulty, at once; zero for no bound.
    function setMinDifficulty(uint256 difficulty) external onlyAdmin {
        minDifficulty = difficulty;
        uint256 easiest = Difficulty.targetOf(difficulty);
        if (!_isFixed && poraTarget > easiest) poraTarget = easiest;
        emit ParameterSet("minDifficulty", difficulty);
    }

    /// @notice What the answers of a miner are bound to: keccak-256 of the context's digest and the hash of the first block of
    /// the miner's window. Reverts with EmptyContext, SubtaskNotStarted, SubtaskOver or SubtaskHashGone.
    function getSubtaskDigest(MineContext memory context, bytes32 minerId) public view returns (bytes32) {
        if (context.digest == EMPTY_HASH) revert EmptyContext();
        uint256 start = _subtaskStart(context, minerId);
        if (block.number <= start) revert SubtaskNotStarted(start);
        if (block.number > start + targetMineBlocks) revert SubtaskOver(start + targetMineBlocks);
        bytes32 blockHash = BlockHashes.hashOf(start);
        if (blockHash == 0) revert SubtaskHashGone(start);
        return keccak256(abi.encode(context.digest, blockHash));
    }

    /// @dev Whether the epoch takes another answer.
    function _hasRoom() internal view returns (bool) {
        return currentSubmissions < 2 * uint256(targetSubmissions);
    }

    /// @dev Goes over to `epoch`, if that is a later one: every epoch since counts for the target, those without answers too.
    function _enter(uint256 epoch) internal {
        uint256 past = lastMinedEpoch;
        if (epoch <= past) return;
        if (!_isFixed) {
            uint256 previous = poraTarget;
            uint256 target = Difficulty.afterEpochs(
                previous,
                currentSubmissions,
                targetSubmissions,
                difficultyAdjustRatio,
                epoch - past,
                Difficulty.targetOf(minDifficulty)
            );
            poraTarget = target;
            emit TargetAdjusted(past, epoch, previous, target);
        }
        lastMinedEpoch = uint64(epoch);
        currentSubmissions = 0;
        targetSubmissions = targetSubmissionsNextEpoch;
        nSubtasks = nSubtasksNextEpoch;
        subtaskInterval = subtaskIntervalNextEpoch;
    }

    /// @dev Counts an answer.
    /// @return index answers of the epoch before it
    function _count() internal returns (uint256 index) {
        index = currentSubmissions;
        currentSubmissions = uint32(index + 1);
    }

    function _subtaskStart(MineContext memory context, bytes32 minerId) private view returns (uint256) {
        uint256 index = uint256(keccak256(abi.encode(context.digest, minerId))) % nSubtasks;
        return context.mineStart + index * subtaskInterval;
    }

    function _requireAnswers(uint256 answers) private pure {
        if (answers == 0 || answers > type(uint16).max) revert BadMiningParameter("targetSubmissions", answers);
    }

    function _requireShards(uint256 shards) private pure {
        if (shards == 0 || shards > MOST_SHARDS || shards & (shards - 1) != 0) {
            revert BadMiningParameter("maxShards", shards);
        }
    }

    function _requireWindow(uint256 blocks) private view {
        if (blocks == 0 || blocks > _longestWindow) revert BadMiningParameter("targetMineBlocks", blocks);
    }

    function _requireSubtasks(uint256 count, uint256 interval, uint256 window) private view {
        if (count == 0 || count > type(uint32).max) revert BadMiningParameter("nSubtasks", count);
        if (interval > type(uint32).max) revert BadMiningParameter("subtaskInterval", interval);
        uint256 end = (count - 1) * interval + window + 1;
        if (end >= _blocksPerEpoch) revert WindowsBeyondEpoch(end, _blocksPerEpoch);
    }
}
