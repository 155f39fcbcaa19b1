// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PullPayments} from "../PullPayments.sol";
import {FileProof} from "../shards/ContentProofs.sol";
import {ContentReference, ContentReferences} from "../shards/ContentReferences.sol";
import {OrderingHub} from "../shards/OrderingHub.sol";

/// @notice Work that somebody pays for.
/// @param poster who pays
/// @param deadline results count until then, unix seconds
/// @param takenUntil until when the worker has it alone; 0 while nobody has
/// @param worker who took it last
/// @param fee what a result earns, wei
/// @param inputsId keccak-256 of the ids of its inputs, in order
/// @param program what is to be done with them: the workers' agreement, no contract reads it
/// @param resultId reference to the result; zero until there is one
struct Job {
    address poster;
    uint64 deadline;
    address worker;
    uint64 takenUntil;
    uint96 fee;
    bytes32 inputsId;
    bytes32 program;
    bytes32 resultId;
}

/// @title JobBoard
/// @notice Jobs over files of any chain's log: inputs are cited by reference with proof, and so is the result.
/// @dev An example of how contracts take content. It checks that inputs and result are where their references say, and that
/// one worker at a time is paid once. Whether a result is right it cannot tell: that is for a compute network to settle.
contract JobBoard is PullPayments {
    using ContentReferences for OrderingHub;

    /// @notice Most inputs of a job.
    uint256 public constant MAX_INPUTS = 8;

    /// @notice Gives content its place.
    OrderingHub public immutable order;

    /// @notice Seconds for which who takes a job has it alone.
    uint64 public immutable workSeconds;

    Job[] private _jobs;

    /// @notice There is a job; what it cites is proven.
    event JobPosted(
        uint256 indexed jobId, address indexed poster, bytes32 indexed program, ContentReference[] inputs, uint256 fee
    );

    /// @notice `worker` has the job until `takenUntil`.
    event JobTaken(uint256 indexed jobId, address indexed worker, uint64 takenUntil);

    /// @notice The job has its result, and its worker the fee.
    event JobDone(uint256 indexed jobId, address indexed worker, ContentReference result);

    /// @notice The poster has the fee back.
    event JobWithdrawn(uint256 indexed jobId);

    /// @notice A job cites 1 to MAX_INPUTS files, each with its proof.
    error BadInputs(uint256 inputs, uint256 proofs);

    /// @notice The deadline is over, or was when the job was posted.
    error DeadlineOver(uint64 deadline);

    /// @notice There is no such job, or it has its result, or it was withdrawn.
    error JobClosed(uint256 jobId);

    /// @notice `worker` has the job until `takenUntil`.
    error JobTakenBy(address worker, uint64 takenUntil);

    /// @notice Only the poster withdraws a job, and only after its deadline or while nobody has it.
    error NotYours(uint256 jobId);

    constructor(OrderingHub order_, uint64 workSeconds_) {
        (order, workSeconds) = (order_, workSeconds_);
    }

    /// @notice Posts a job and leaves its fee here. Reverts with BadInputs, DeadlineOver, or like
    /// `ContentReferences.requireContent` for an input that is not ordered yet.
    function post(
        bytes32 program,
        ContentReference[] calldata inputs,
        FileProof[] calldata proofs,
        uint64 deadline
    ) external payable returns (uint256 jobId) {
        uint256 count = inputs.length;
        if (count == 0 || count > MAX_INPUTS || count != proofs.length) revert BadInputs(count, proofs.length);
        if (deadline <= block.timestamp) revert DeadlineOver(deadline);
        bytes memory ids;
        for (uint256 i = 0; i < count; ++i) {
            order.requireContent(inputs[i], proofs[i]);
            ids = bytes.concat(ids, ContentReferences.idOf(inputs[i]));
        }
        jobId = _jobs.length;
        Job storage job = _jobs.push();
        (job.poster, job.deadline, job.fee) = (msg.sender, deadline, uint96(msg.value));
        (job.inputsId, job.program) = (keccak256(ids), program);
        emit JobPosted(jobId, msg.sender, program, inputs, msg.value);
    }

    /// @notice Takes a job that nobody has, for `workSeconds`. Reverts with JobClosed, DeadlineOver or JobTakenBy.
    function take(uint256 jobId) external {
        Job storage job = _open(jobId);
        if (job.takenUntil > block.timestamp) revert JobTakenBy(job.worker, job.takenUntil);
        uint64 until = uint64(block.timestamp) + workSeconds;
        (job.worker, job.takenUntil) = (msg.sender, until);
        emit JobTaken(jobId, msg.sender, until);
    }

    /// @notice Brings the result of a job that one has, or had before anybody else took it. Reverts with JobClosed,
    /// DeadlineOver, JobTakenBy, or like `ContentReferences.requireContent`.
    function complete(uint256 jobId, ContentReference calldata result, FileProof calldata proof) external {
        Job storage job = _open(jobId);
        if (job.worker != msg.sender) revert JobTakenBy(job.worker, job.takenUntil);
        order.requireContent(result, proof);
        job.resultId = ContentReferences.idOf(result);
        _owe(msg.sender, job.fee);
        emit JobDone(jobId, msg.sender, result);
    }

    /// @notice Takes the fee of a job back that nobody works on, or whose deadline is over. Reverts with JobClosed or NotYours.
    function withdraw(uint256 jobId) external {
        Job storage job = _known(jobId);
        bool idle = job.takenUntil <= block.timestamp || job.deadline <= block.timestamp;
        if (job.poster != msg.sender || !idle) revert NotYours(jobId);
        uint96 fee = job.fee;
        (job.poster, job.fee) = (address(0), 0);
        _owe(msg.sender, fee);
        emit JobWithdrawn(jobId);
    }

    /// @notice A job as it is now; zeros for one that there is not, `poster` zero for one that was withdrawn.
    function jobOf(uint256 jobId) external view returns (Job memory job) {
        if (jobId < _jobs.length) job = _jobs[jobId];
    }

    /// @notice Jobs posted so far.
    function jobCount() external view returns (uint256) {
        return _jobs.length;
    }

    function _open(uint256 jobId) private view returns (Job storage job) {
        job = _known(jobId);
        if (job.deadline <= block.timestamp) revert DeadlineOver(job.deadline);
    }

    function _known(uint256 jobId) private view returns (Job storage job) {
        if (jobId >= _jobs.length) revert JobClosed(jobId);
        job = _jobs[jobId];
        if (job.poster == address(0) || job.resultId != 0) revert JobClosed(jobId);
    }
}
