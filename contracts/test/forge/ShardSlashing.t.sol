// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobHeader, Checkpoint, EpochHeader, Snapshot, Statement} from "../../src/quorum/QuorumTypes.sol";
import {Statements} from "../../src/quorum/Statements.sol";
import {OrderingHub} from "../../src/shards/OrderingHub.sol";
import {Slasher} from "../../src/stake/Slasher.sol";
import {Certificate, Offender, Vote} from "../../src/stake/SlasherTypes.sol";
import {BlsKeys} from "./support/BlsKeys.sol";
import {Committee} from "./support/Committee.sol";
import {GasReport} from "./support/GasReport.sol";
import {StakeFixture} from "./support/StakeFixture.sol";
import {Vm} from "./support/Test.sol";

/// @notice One stake answers for every shard: who signs two contents for one checkpoint loses it on the hub.
contract ShardSlashingTest is GasReport, StakeFixture {
    uint32 private constant SHARD = 5;
    uint64 private constant SHARD_CHAIN = 777;
    address private constant ENTRANCE = address(0xDA);

    OrderingHub private _orderingHub;
    Slasher private _slasher;
    Committee private _committee;
    Slasher.Domain private _domain = Slasher.Domain(SHARD_CHAIN, ENTRANCE);

    function setUp() public {
        // Hub, registry, entropy and Sortition come first, then the verifier.
        orderSource = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 5);
        deploy(sortitionParameters());
        address verifier = deployed("da/QuorumVerifier.sol:QuorumVerifier", abi.encode(sortition, block.chainid, sortition));
        bytes memory arguments = abi.encode(verifier, 60, ADMIN);
        _orderingHub = OrderingHub(deployed("shards/OrderingHub.sol:OrderingHub", arguments));
        vm.prank(ADMIN);
        _orderingHub.addShard(SHARD, SHARD_CHAIN, address(0xF), ENTRANCE, address(0xE), 2, 10, 1);
        _slasher = Slasher(deployed("stake/Slasher.sol:Slasher", abi.encode(stakeHub, registry, sortition)));
        vm.prank(ADMIN);
        stakeHub.setModule(address(_slasher), true);
        begin(4, 10);
        _committee = new Committee();
        for (uint256 i = 0; i < 4; ++i) {
            _committee.add(signerOf(i), 10, BlsKeys.secret(i));
        }
    }

    function test_theOrderGoesIntoEveryHeader() public {
        Checkpoint memory checkpoint = _checkpoint(1, "one");
        Checkpoint[] memory list = new Checkpoint[](1);
        list[0] = checkpoint;
        bytes32 leaf = Statements.checkpointLeaf(checkpoint);
        Snapshot memory snapshot = _committee.snapshot(1, 0);
        Statement memory statement = Statement(2, block.chainid, address(_orderingHub), 1, 0, 1, leaf);
        uint256[8] memory signature = _committee.sign(_digest(statement), 0);
        _orderingHub.submitBundle(list, 1, snapshot, "", new bytes32[](0), signature);
        vm.recordLogs();
        pass(0, 3);
        bytes32 topic = keccak256(
            "EpochSealed(uint64,(uint64,bytes32,uint64,uint64,bytes32,bytes32,uint64,bytes32[]))"
        );
        uint256 sealed_ = 0;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != topic) continue;
            EpochHeader memory header = abi.decode(logs[i].data, (EpochHeader));
            assertTrue(header.orderRoot == leaf && header.orderCount == 1, "the only checkpoint is the root");
            ++sealed_;
        }
        assertEq(sealed_, 1, "headers");
    }

    function test_twoCheckpointsOfOneNumber() public {
        Checkpoint memory first = _checkpoint(3, "one");
        Checkpoint memory second = _checkpoint(3, "other");
        uint256[3] memory key = registry.keyAt(signerOf(0), 1);
        Vote memory firstVote = _vote(0, 1, first);
        // A number is a number in every epoch.
        Vote memory secondVote = _vote(0, 9, second);
        _slasher.slashCheckpoint(key, first, firstVote, second, secondVote);
        assertEq(stakeHub.accountOf(signerOf(0)).bonded, 0, "bonded");
        assertEq(stakeHub.rewardOf(address(this)), VOTE, "a tenth");
        assertEq(stakeHub.accountOf(signerOf(0)).jailedUntil, type(uint32).max, "jailed for ever");
        vm.expectRevert(abi.encodeWithSelector(Slasher.AlreadySlashed.selector));
        _slasher.slashCheckpoint(key, second, secondVote, first, firstVote);
    }

    /// forge-config: default.isolate = true
    function test_gasOfTwoCheckpoints() public {
        Checkpoint memory first = _checkpoint(3, "one");
        Checkpoint memory second = _checkpoint(3, "other");
        uint256[3] memory key = registry.keyAt(signerOf(0), 1);
        Vote memory firstVote = _vote(0, 1, first);
        Vote memory secondVote = _vote(0, 9, second);
        bytes memory call = abi.encodeCall(Slasher.slashCheckpoint, (key, first, firstVote, second, secondVote));
        reportGas("slashCheckpoint", gasOf(address(_slasher), call), 491_564);
    }

    function test_theInnocentKeepTheirStake() public {
        Checkpoint memory first = _checkpoint(3, "one");
        Vote memory vote = _vote(0, 1, first);
        uint256[3] memory key = registry.keyAt(signerOf(0), 1);
        _refused(key, first, vote, first, vote, Slasher.NotConflicting.selector);
        Checkpoint memory second = _checkpoint(4, "other");
        _refused(key, first, vote, second, _vote(0, 1, second), Slasher.NotConflicting.selector);
        second = _checkpoint(3, "one");
        second.shardId = SHARD + 1;
        _refused(key, first, vote, second, _vote(0, 1, second), Slasher.NotConflicting.selector);
        second = _checkpoint(3, "other");
        _refused(key, first, vote, second, _vote(1, 1, second), Slasher.BadEvidence.selector);
        Vote memory other = _vote(0, 1, second);
        other.kind = 1;
        _refused(key, first, vote, second, other, Slasher.BadEvidence.selector);
        other = _vote(0, 1, second);
        other.epoch = 2;
        _refused(key, first, vote, second, other, Slasher.BadEvidence.selector);
        other = _vote(0, 1, second);
        other.index = 2;
        _refused(key, first, vote, second, other, Slasher.BadEvidence.selector);
    }

    /// @dev Signer 3 is absent from one, signer 1 from the other; 0 and 2 signed both.
    function test_twoBundlesConvictWhoSignedBoth() public {
        Certificate memory first = _certificate(_checkpoint(3, "one"), 1 << 3);
        Certificate memory second = _certificate(_checkpoint(3, "other"), 1 << 1);
        Offender memory offender = _offender(0);
        _slasher.slashFromCertificates(_domain, first, second, offender);
        assertEq(stakeHub.accountOf(signerOf(0)).bonded, 0, "signer 0");
        offender = _offender(1);
        vm.expectRevert(abi.encodeWithSelector(Slasher.BadEvidence.selector));
        _slasher.slashFromCertificates(_domain, first, second, offender);
        second.body = bytes.concat(second.body, hex"00");
        vm.expectRevert(abi.encodeWithSelector(Slasher.BadEvidence.selector));
        _slasher.slashFromCertificates(_domain, first, second, offender);
    }

    function test_blobsOfEveryShardsEntrance() public {
        uint256[3] memory key = registry.keyAt(signerOf(2), 1);
        Slasher.Domain memory elsewhere = Slasher.Domain(SHARD_CHAIN, address(0xDB));
        (BlobHeader memory first, BlobHeader memory second) = (_header("one"), _header("other"));
        Vote memory firstVote = _blobVote(elsewhere, first);
        Vote memory secondVote = _blobVote(elsewhere, second);
        vm.expectRevert(abi.encodeWithSelector(Slasher.UnknownDomain.selector, SHARD_CHAIN, address(0xDB)));
        _slasher.slashDA(elsewhere, key, first, firstVote, second, secondVote);
        // The shard takes another entrance; what is signed for the one before stays evidence.
        vm.prank(ADMIN);
        _orderingHub.changeShard(SHARD, address(0xF), address(0xDB), address(0xE), 2);
        (firstVote, secondVote) = (_blobVote(_domain, first), _blobVote(_domain, second));
        _slasher.slashDA(_domain, key, first, firstVote, second, secondVote);
        assertEq(stakeHub.accountOf(signerOf(2)).bonded, 0, "bonded");
    }

    function _refused(
        uint256[3] memory key,
        Checkpoint memory first,
        Vote memory firstVote,
        Checkpoint memory second,
        Vote memory secondVote,
        bytes4 reason
    ) private {
        vm.expectRevert(abi.encodeWithSelector(reason));
        _slasher.slashCheckpoint(key, first, firstVote, second, secondVote);
    }

    function _checkpoint(uint64 number, bytes32 daRoot) private pure returns (Checkpoint memory made) {
        (made.shardId, made.number, made.daRoot, made.blockNumber) = (SHARD, number, daRoot, number * 10);
    }

    function _header(bytes32 commitment) private pure returns (BlobHeader memory) {
        return BlobHeader(1, 0, 6, 3, 64, 1000, commitment, address(0xA), SHARD, 40, 1_900_000_000);
    }

    /// @dev A signer's vote for a bundle of two, the checkpoint behind another one.
    function _vote(uint256 signer, uint64 epoch, Checkpoint memory checkpoint) private view returns (Vote memory vote) {
        vote = _place(2, epoch);
        vote.signature = BlsKeys.sign(BlsKeys.secret(signer), _digest(_bundle(epoch, checkpoint)));
    }

    function _blobVote(Slasher.Domain memory domain, BlobHeader memory header) private view returns (Vote memory vote) {
        vote = _place(1, 1);
        bytes32 leaf = keccak256(bytes.concat(hex"00", Statements.blobHeaderBody(header)));
        Statement memory statement = Statement(1, domain.chainId, domain.entrance, 1, 0, 2, _behind(leaf));
        vote.signature = BlsKeys.sign(BlsKeys.secret(2), _digest(statement));
    }

    function _certificate(Checkpoint memory c, uint256 absent) private view returns (Certificate memory made) {
        made.kind = 2;
        made.body = bytes.concat(
            abi.encodePacked(c.shardId, c.number, c.prev, c.flowRoot, c.flowLength, c.logRoot),
            abi.encodePacked(c.logCount, c.daRoot, c.daCount, c.blockNumber, c.blockHash, c.time)
        );
        (made.epoch, made.count, made.index) = (1, 2, 1);
        made.path = _place(2, 1).path;
        made.snapshot = _committee.snapshot(1, 0);
        (made.nonSigners, made.siblings) = _committee.nonSigners(absent);
        made.signature = _committee.sign(_digest(_bundle(1, c)), absent);
    }

    function _offender(uint256 index) private view returns (Offender memory) {
        bytes32[] memory path = _committee.path(index);
        return Offender(_committee.member(index), path, _committee.member(index), path);
    }

    function _place(uint8 kind, uint64 epoch) private pure returns (Vote memory vote) {
        (vote.kind, vote.epoch, vote.count, vote.index) = (kind, epoch, 2, 1);
        vote.path = new bytes32[](1);
        vote.path[0] = "neighbour";
    }

    function _bundle(uint64 epoch, Checkpoint memory checkpoint) private view returns (Statement memory) {
        bytes32 root = _behind(Statements.checkpointLeaf(checkpoint));
        return Statement(2, block.chainid, address(_orderingHub), epoch, 0, 2, root);
    }

    function _behind(bytes32 leaf) private pure returns (bytes32) {
        return keccak256(bytes.concat(hex"01", bytes32("neighbour"), leaf));
    }

    function _digest(Statement memory statement) private view returns (bytes32) {
        return Statements.digest(block.chainid, address(sortition), statement);
    }
}
