// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";
import {EpochRange, MineContext} from "../log/FlowTypes.sol";
import {IFlow} from "./IFlow.sol";
import {IMineReward} from "./IMineReward.sol";
import {MinerIds} from "./MinerIds.sol";
import {MiningSchedule} from "./MiningSchedule.sol";
import {MiningParameters, PoraAnswer, WorkerContext} from "./PoraTypes.sol";
import {RecallRanges} from "./RecallRanges.sol";
import {Scratchpad} from "./Scratchpad.sol";
import {Sealing} from "./Sealing.sol";

/// @title PoraMine
/// @notice Checks proofs of random access: that someone read 4 KiB of the flow which chance had chosen, and sealed them for the
/// id that is paid.
/// @dev Speaks the ABI of 0G's PoraMine. The target follows every epoch's answers: see Difficulty.
contract PoraMine is MiningSchedule, MinerIds {
    /// @notice Version of the algorithm; miners refuse others.
    uint64 public constant poraVersion = 1;

    /// @notice Who `computeWorkerContext` must seem to be called by: an address that sends no transactions.
    address public constant computeWorkerContextCaller = address(0x0A);

    /// @dev For development: data is not sealed.
    uint256 private constant NO_DATA_SEAL = 1;

    /// @dev For development: data need not be in the flow.
    uint256 private constant NO_DATA_PROOF = 2;

    /// @dev For development: every hash counts.
    uint256 private constant FIXED_DIFFICULTY = 4;

    /// @notice The flow whose data is mined.
    address public immutable flow;

    /// @notice The IMineReward that pays.
    address public immutable reward;

    /// @notice Sum of the development modes: 1 nothing is sealed, 2 nothing is proven, 4 every hash counts. Zero for real.
    uint256 public immutable settings;

    uint256 private immutable _sectorsPerPrice;

    mapping(bytes32 hash => bool) private _answered;

    /// @notice Answer `epochIndex` of an epoch, about the 16 sectors from `recallPosition` on.
    event NewSubmission(
        uint256 indexed epoch, bytes32 indexed minerId, uint256 epochIndex, uint256 recallPosition
    );

    /// @notice `settings` has a bit that is no development mode.
    error UnknownSettings(uint256 settings);

    /// @notice `reward` has no code, or pays for `itsMine` and not for this contract.
    error RewardOfAnotherMine(address reward, address itsMine);

    /// @notice This is for a call that is not sent, from the address 10.
    error NotForTransactions(address caller);

    /// @notice The answer was found in another context than the current one.
    error OtherContext(bytes32 answered, bytes32 current);

    /// @notice The epoch has taken all its `count` answers.
    error EpochFull(uint256 count);

    /// @notice The sectors from `recallPosition` on are not in the flow of `flowLength`.
    error RecallBeyondFlow(uint256 recallPosition, uint256 flowLength);

    /// @notice Sectors [`start`, `end`) entered the flow before that context, and those of the answer did not.
    error OtherSealContext(bytes32 sealedContextDigest, uint256 start, uint256 end);

    /// @notice The data is padding: zeros that nobody has to store.
    error ZeroSeal(uint256 recallPosition);

    /// @notice The path leads from the data to `root`, which is not that of the flow.
    error NotInFlow(bytes32 root, bytes32 flowRoot);

    /// @notice The place among the 64 of a load is not below 64.
    error SealOffsetTooLarge(uint256 sealOffset);

    /// @notice The nonce draws the sectors from `drawn` on.
    error WrongRecallPosition(uint256 answered, uint256 drawn);

    /// @notice The hash is above the target.
    error TargetMissed(uint256 hash, uint256 target);

    /// @notice This answer was paid already.
    error AnswerRepeated(bytes32 hash);

    /// @param flow_ the flow, not zero
    /// @param reward_ an IMineReward whose `mine` is this contract's address, computed before deployment
    /// @param settings_ sum of development modes, zero for real
    /// @param initialAdmin may change the parameters of mining, not zero
    constructor(
        address flow_,
        address reward_,
        uint256 settings_,
        MiningParameters memory parameters,
        address initialAdmin
    )
        Administered(initialAdmin)
        MiningSchedule(
            parameters, IFlow(flow_).blocksPerEpoch(), IFlow(flow_).epoch(), settings_ & FIXED_DIFFICULTY != 0
        )
    {
        if (settings_ > (NO_DATA_SEAL | NO_DATA_PROOF | FIXED_DIFFICULTY)) revert UnknownSettings(settings_);
        if (reward_.code.length == 0) revert RewardOfAnotherMine(reward_, address(0));
        address itsMine = IMineReward(reward_).mine();
        if (itsMine != address(this)) revert RewardOfAnotherMine(reward_, itsMine);
        (flow, reward, settings) = (flow_, reward_, settings_);
        _sectorsPerPrice = IMineReward(reward_).sectorsPerPrice();
    }

    /// @notice Takes an answer from anybody, and has its miner's beneficiary paid.
    /// @dev Reverts with MinerIdZero, MinerIdUnknown, EmptyContext, SubtaskNotStarted, SubtaskOver, SubtaskHashGone, what
    /// `basicCheck` and `pora` revert with, ZeroSeal, NotInFlow, TargetMissed, AnswerRepeated, or as the reward does.
    function submit(PoraAnswer calldata answer) external {
        address beneficiary = _beneficiaryOf(answer.minerId);
        MineContext memory context = IFlow(flow).makeContextWithResult();
        _enter(context.epoch);
        bytes32 subtaskDigest = getSubtaskDigest(context, answer.minerId);
        uint256 shards = _check(answer, context);
        _requireInFlow(answer, context.flowRoot);
        _requireQuality(pora(answer, subtaskDigest), context.flowLength, shards);

        IMineReward(reward).claimMineReward(answer.recallPosition / _sectorsPerPrice, beneficiary, answer.minerId);
        emit NewSubmission(context.epoch, answer.minerId, _count(), answer.recallPosition);
    }

    /// @notice What `minerId` should mine now. For `eth_call` from address 10: the answer is as of a transaction that is sent
    /// now, with contexts and target that nobody has made yet. Reverts with NotForTransactions.
    function computeWorkerContext(bytes32 minerId) external returns (WorkerContext memory worker) {
        if (msg.sender != computeWorkerContextCaller) revert NotForTransactions(msg.sender);
        worker.context = IFlow(flow).makeContextWithResult();
        _enter(worker.context.epoch);
        worker.maxShards = maxShards;
        try this.getSubtaskDigest(worker.context, minerId) returns (bytes32 digest) {
            worker.subtaskDigest = digest;
            if (_hasRoom()) worker.poraTarget = poraTarget;
        } catch {} // outside the miner's window there is nothing to mine
    }

    /// @notice Whether the current epoch takes another answer.
    function canSubmit() external returns (bool) {
        _enter(IFlow(flow).makeContextWithResult().epoch);
        return _hasRoom();
    }

    /// @notice Checks what an answer says about itself. Reverts with OtherContext, EpochFull, RecallBeyondFlow,
    /// OtherSealContext, or as RecallRanges does.
    function basicCheck(PoraAnswer calldata answer, MineContext memory context) external view {
        _check(answer, context);
    }

    /// @notice The hash of an answer. Reverts with SealOffsetTooLarge, RecallOutsideRange or WrongRecallPosition.
    function pora(PoraAnswer calldata answer, bytes32 subtaskDigest) public view returns (bytes32 hash) {
        if (answer.sealOffset >= RecallRanges.LOAD / Sealing.SECTORS) revert SealOffsetTooLarge(answer.sealOffset);
        (bytes32 high, bytes32 low) = Scratchpad.seedOf(
            answer.minerId, answer.nonce, subtaskDigest, RecallRanges.digestOf(answer.range)
        );
        bytes32 recallSeed;
        (recallSeed, hash) = Scratchpad.mix(high, low, answer.sealOffset, answer.sealedData);
        uint256 drawn = RecallRanges.recall(answer.range, recallSeed) + answer.sealOffset * Sealing.SECTORS;
        if (drawn != answer.recallPosition) revert WrongRecallPosition(answer.recallPosition, drawn);
    }

    /// @return shards into how many the answer divides the flow
    function _check(PoraAnswer calldata answer, MineContext memory context) private view returns (uint256 shards) {
        if (answer.contextDigest != context.digest) revert OtherContext(answer.contextDigest, context.digest);
        if (!_hasRoom()) revert EpochFull(currentSubmissions);
        shards = RecallRanges.requireValid(answer.range, context.flowLength, maxShards);
        if (answer.recallPosition >= context.flowLength) {
            revert RecallBeyondFlow(answer.recallPosition, context.flowLength);
        }
        EpochRange memory range = IFlow(flow).getEpochRange(answer.sealedContextDigest);
        // The context of the last sector seals all 16.
        uint256 end = answer.recallPosition + Sealing.SECTORS;
        if (range.start >= end || range.end < end) {
            revert OtherSealContext(answer.sealedContextDigest, range.start, range.end);
        }
    }

    /// @dev Opens the data and follows its path.
    function _requireInFlow(PoraAnswer calldata answer, bytes32 flowRoot) private view {
        if (settings & NO_DATA_PROOF != 0) return;
        bytes32 node = settings & NO_DATA_SEAL != 0
            ? Sealing.rootOfPlain(answer.sealedData)
            : Sealing.rootOfSealed(
                answer.sealedData,
                Sealing.firstMask(answer.minerId, answer.sealedContextDigest, answer.recallPosition)
            );
        if (node == Sealing.ZERO_ROOT) revert ZeroSeal(answer.recallPosition);
        uint256 index = answer.recallPosition / Sealing.SECTORS;
        bytes32[] calldata path = answer.merkleProof;
        for (uint256 height = 0; height < path.length; ++height) {
            node = (index >> height) & 1 == 1
                ? _parent(path[height], node)
                : _parent(node, path[height]);
        }
        if (node != flowRoot) revert NotInFlow(node, flowRoot);
    }

    /// @dev Compares a hash with the target of a part of the flow, and remembers it.
    function _requireQuality(bytes32 hash, uint256 flowLength, uint256 shards) private {
        uint256 target = (poraTarget / RecallRanges.scaleX64(flowLength, shards)) << 64;
        if (uint256(hash) > target) revert TargetMissed(uint256(hash), target);
        if (_answered[hash]) revert AnswerRepeated(hash);
        _answered[hash] = true;
    }

    function _parent(bytes32 left, bytes32 right) private pure returns (bytes32 node) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            node := keccak256(0x00, 0x40)
        }
    }
}
