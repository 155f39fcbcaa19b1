// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Job, JobBoard} from "../../src/compute/JobBoard.sol";
import {LogRecords} from "../../src/log/LogRecords.sol";
import {Checkpoint} from "../../src/quorum/QuorumTypes.sol";
import {ContentProofs, FileProof, OrderedCheckpoint} from "../../src/shards/ContentProofs.sol";
import {ContentReference, ContentReferences} from "../../src/shards/ContentReferences.sol";
import {ShardRegistry} from "../../src/shards/ShardRegistry.sol";
import {Leaves} from "./support/Leaves.sol";
import {ShardFixture} from "./support/ShardFixture.sol";

/// @notice Contracts take datasets, models and results of any chain by reference, with proof, and no others.
contract JobBoardTest is ShardFixture {
    address private constant POSTER = address(0xB0);
    address private constant WORKER = address(0xB1);
    address private constant OTHER = address(0xB2);
    uint64 private constant WORK_SECONDS = 60;
    uint64 private constant SIZE = 1000;
    bytes32 private constant PROGRAM = "count words";

    JobBoard private _board;
    Checkpoint[] private _checkpoints;
    bytes32[] private _order;

    /// @dev Shards 1 and 2 have a checkpoint each, of logs with three files.
    function setUp() public {
        deployHub(2);
        begin(EPOCH, 4);
        Checkpoint[] memory list = new Checkpoint[](2);
        (list[0], list[1]) = (_checkpointOf(1), _checkpointOf(2));
        submit(list);
        for (uint256 i = 0; i < 2; ++i) {
            _checkpoints.push(list[i]);
            _order.push(leafOf(list[i]));
        }
        _board = JobBoard(deployed("compute/JobBoard.sol:JobBoard", abi.encode(orderingHub, WORK_SECONDS)));
        vm.deal(POSTER, 1 ether);
    }

    function test_aJobFromPostToPay() public {
        uint256 jobId = _post();
        Job memory job = _board.jobOf(jobId);
        bytes32 both = keccak256(bytes.concat(_idOf(_dataset()), _idOf(_model())));
        assertEq(job.inputsId, both, "inputs");
        vm.prank(WORKER);
        _board.take(jobId);
        (ContentReference memory result, FileProof memory proof) = (_reference(1, 2), _proof(1, 2));
        vm.prank(WORKER);
        _board.complete(jobId, result, proof);
        assertEq(_board.jobOf(jobId).resultId, _idOf(result), "result");
        _board.withdrawPayments(payable(WORKER));
        assertEq(WORKER.balance, 1 ether, "fee");
        vm.expectRevert(abi.encodeWithSelector(JobBoard.JobClosed.selector, jobId));
        vm.prank(WORKER);
        _board.complete(jobId, result, proof);
    }

    /// @dev The same as in content-reference.test.ts of @cairn/wire-protocol.
    function test_anIdThatProgramsKnow() public pure {
        bytes32 root = 0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1;
        bytes32 id = 0x6dc1e83ea4edcc2ee4ac93dff1f71bc21b127f0199fd530b715fc98c4b3c6592;
        assertEq(_idOf(ContentReference(16_600, 77, root, 1000, 100, 50)), id, "id");
    }

    function test_whatIsNotOrderedYetIsNoInput() public {
        ContentReference memory wanted = _model();
        FileProof memory proof = _proof(2, 1);
        proof.ordered.globalIndex = wanted.globalIndex = 2;
        _refused(wanted, proof, abi.encodeWithSelector(ContentProofs.NotOrdered.selector, 2, 2));
        proof.ordered.orderCount = 3;
        _refused(wanted, proof, abi.encodeWithSelector(ContentProofs.NotOrdered.selector, 2, 3));
    }

    function test_whatIsNotProvenIsNoInput() public {
        bytes4 other = ContentReferences.NotWhatIsProven.selector;
        (ContentReference memory wanted, FileProof memory proof) = (_model(), _proof(2, 1));
        bytes memory reason = abi.encodeWithSelector(other, _rootOf(2, 1), SIZE, 1);
        wanted.root = "another";
        _refused(wanted, proof, reason);
        wanted = _model();
        wanted.size = SIZE + 1;
        _refused(wanted, proof, reason);
        wanted = _model();
        wanted.globalIndex = 0;
        _refused(wanted, proof, reason);
        wanted = _model();
        wanted.chainId = HUB_CHAIN + 1;
        reason = abi.encodeWithSelector(ContentReferences.ReferenceOfAnotherChain.selector, HUB_CHAIN + 1, HUB_CHAIN + 2);
        _refused(wanted, proof, reason);
        proof.ordered.checkpoint.shardId = 9;
        _refused(_model(), proof, abi.encodeWithSelector(ShardRegistry.ShardUnknown.selector));
        proof = _proof(2, 1);
        proof.path[0] = "forged";
        _refused(_model(), proof, abi.encodeWithSelector(ContentProofs.NotLogged.selector, 1, 3));
    }

    function testFuzz_aRangeIsInsideItsFile(uint64 offset, uint64 length) public {
        ContentReference memory wanted = _model();
        (wanted.offset, wanted.length) = (offset, length);
        bool inside = length > 0 && uint256(offset) + length <= SIZE;
        if (!inside) {
            bytes memory reason = abi.encodeWithSelector(ContentReferences.BadRange.selector, offset, length, SIZE);
            _refused(wanted, _proof(2, 1), reason);
        }
        wanted.offset = uint64(bound(offset, 0, SIZE - 1));
        wanted.length = uint64(bound(length, 1, SIZE - wanted.offset));
        vm.prank(POSTER);
        _board.post(PROGRAM, _list(wanted), _proofs(_proof(2, 1)), START + 1000);
    }

    function test_oneWorkerAtATime() public {
        uint256 jobId = _post();
        vm.prank(WORKER);
        _board.take(jobId);
        bytes memory taken = abi.encodeWithSelector(JobBoard.JobTakenBy.selector, WORKER, START + WORK_SECONDS);
        vm.expectRevert(taken);
        vm.prank(OTHER);
        _board.take(jobId);
        vm.expectRevert(taken);
        vm.prank(OTHER);
        _board.complete(jobId, _reference(1, 2), _proof(1, 2));
        vm.expectRevert(abi.encodeWithSelector(JobBoard.NotYours.selector, jobId));
        vm.prank(POSTER);
        _board.withdraw(jobId);
        vm.warp(START + WORK_SECONDS);
        vm.prank(OTHER);
        _board.take(jobId);
        taken = abi.encodeWithSelector(JobBoard.JobTakenBy.selector, OTHER, START + 2 * WORK_SECONDS);
        vm.expectRevert(taken);
        vm.prank(WORKER);
        _board.complete(jobId, _reference(1, 2), _proof(1, 2));
    }

    function test_aJobThatNobodyDidGivesItsFeeBack() public {
        uint256 jobId = _post();
        vm.expectRevert(abi.encodeWithSelector(JobBoard.NotYours.selector, jobId));
        vm.prank(OTHER);
        _board.withdraw(jobId);
        vm.prank(WORKER);
        _board.take(jobId);
        vm.warp(START + 1000);
        vm.expectRevert(abi.encodeWithSelector(JobBoard.DeadlineOver.selector, START + 1000));
        vm.prank(WORKER);
        _board.complete(jobId, _reference(1, 2), _proof(1, 2));
        vm.prank(POSTER);
        _board.withdraw(jobId);
        _board.withdrawPayments(payable(POSTER));
        assertEq(POSTER.balance, 1 ether, "fee");
        vm.expectRevert(abi.encodeWithSelector(JobBoard.JobClosed.selector, jobId));
        vm.prank(WORKER);
        _board.take(jobId);
    }

    function test_aJobHasInputsAndTime() public {
        ContentReference[] memory inputs = _list(_model());
        FileProof[] memory none = new FileProof[](0);
        vm.expectRevert(abi.encodeWithSelector(JobBoard.BadInputs.selector, 1, 0));
        _board.post(PROGRAM, inputs, none, START + 1);
        vm.expectRevert(abi.encodeWithSelector(JobBoard.BadInputs.selector, 0, 0));
        _board.post(PROGRAM, new ContentReference[](0), none, START + 1);
        vm.expectRevert(abi.encodeWithSelector(JobBoard.BadInputs.selector, 9, 9));
        _board.post(PROGRAM, new ContentReference[](9), new FileProof[](9), START + 1);
        FileProof[] memory proofs = _proofs(_proof(2, 1));
        vm.expectRevert(abi.encodeWithSelector(JobBoard.DeadlineOver.selector, START));
        _board.post(PROGRAM, inputs, proofs, START);
        vm.expectRevert(abi.encodeWithSelector(JobBoard.JobClosed.selector, 0));
        _board.take(0);
    }

    function _post() private returns (uint256) {
        ContentReference[] memory inputs = new ContentReference[](2);
        FileProof[] memory proofs = new FileProof[](2);
        (inputs[0], proofs[0]) = (_dataset(), _proof(1, 0));
        (inputs[1], proofs[1]) = (_model(), _proof(2, 1));
        vm.prank(POSTER);
        return _board.post{value: 1 ether}(PROGRAM, inputs, proofs, START + 1000);
    }

    function _refused(ContentReference memory wanted, FileProof memory proof, bytes memory reason) private {
        vm.expectRevert(reason);
        _board.post(PROGRAM, _list(wanted), _proofs(proof), START + 1000);
    }

    function _dataset() private pure returns (ContentReference memory) {
        return _reference(1, 0);
    }

    /// @dev A part of a file, as a tensor is.
    function _model() private pure returns (ContentReference memory wanted) {
        wanted = _reference(2, 1);
        (wanted.offset, wanted.length) = (100, 50);
    }

    function _reference(uint32 shardId, uint64 sequence) private pure returns (ContentReference memory) {
        return ContentReference(HUB_CHAIN + shardId, shardId - 1, _rootOf(shardId, sequence), SIZE, 0, SIZE);
    }

    function _idOf(ContentReference memory c) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(c.chainId, c.globalIndex, c.root, c.size, c.offset, c.length));
    }

    function _list(ContentReference memory only) private pure returns (ContentReference[] memory list) {
        list = new ContentReference[](1);
        list[0] = only;
    }

    function _proofs(FileProof memory only) private pure returns (FileProof[] memory list) {
        list = new FileProof[](1);
        list[0] = only;
    }

    function _proof(uint32 shardId, uint64 sequence) private view returns (FileProof memory) {
        uint64 index = shardId - 1;
        OrderedCheckpoint memory ordered =
            OrderedCheckpoint(_checkpoints[index], index, 2, Leaves.pathOf(_order, index));
        return FileProof(_record(shardId, sequence), Leaves.pathOf(_recordLeaves(shardId), sequence), ordered);
    }

    function _checkpointOf(uint32 shardId) private view returns (Checkpoint memory made) {
        made = checkpointOf(shardId, 1, 0);
        (made.logRoot, made.logCount) = (Leaves.rootOf(_recordLeaves(shardId)), 3);
    }

    function _rootOf(uint32 shardId, uint64 sequence) private pure returns (bytes32) {
        return keccak256(abi.encode("file", shardId, sequence));
    }

    function _record(uint32 shardId, uint64 sequence) private pure returns (LogRecords.Record memory) {
        bytes32 root = _rootOf(shardId, sequence);
        return LogRecords.Record(sequence, root, SIZE, 4 * sequence, 4, address(0xA), START);
    }

    function _recordLeaves(uint32 shardId) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](3);
        for (uint64 i = 0; i < 3; ++i) {
            LogRecords.Record memory r = _record(shardId, i);
            leaves[i] = keccak256(
                abi.encodePacked(hex"00", r.sequence, r.fileRoot, r.size, r.startPosition, r.sectors, r.submitter, r.time)
            );
        }
    }
}
