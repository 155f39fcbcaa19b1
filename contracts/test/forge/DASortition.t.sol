// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobSubmission} from "../../src/da/BlobTypes.sol";
import {DAEntrance} from "../../src/da/DAEntrance.sol";
import {DAMining} from "../../src/da/DAMining.sol";
import {EpochTerms} from "../../src/da/EpochTerms.sol";
import {HeldLottery} from "../../src/da/HeldLottery.sol";
import {QuorumVerifier} from "../../src/da/QuorumVerifier.sol";
import {Quorum} from "../../src/quorum/Quorum.sol";
import {BlobHeader, Snapshot, Statement} from "../../src/quorum/QuorumTypes.sol";
import {RandaoEntropy} from "../../src/quorum/RandaoEntropy.sol";
import {Statements} from "../../src/quorum/Statements.sol";
import {BlsKeys} from "./support/BlsKeys.sol";
import {Committee} from "./support/Committee.sol";
import {StakeFixture} from "./support/StakeFixture.sol";

/// @notice The entrance on the hub, where epochs come from Sortition itself: stake, tickets, seal, blobs, certificate.
contract DASortitionTest is StakeFixture {
    uint64 private constant GRACE = 30;

    Committee private committee;
    DAEntrance private entrance;
    DAMining private mining;

    function setUp() public {
        deploy(sortitionParameters());
        committee = new Committee();
        for (uint256 i = 0; i < 4; ++i) {
            committee.add(signerOf(i), 1, BlsKeys.secret(i));
        }
        begin(4, 1);
        QuorumVerifier verifier = new QuorumVerifier(sortition, uint64(block.chainid), address(sortition));
        HeldLottery.LotterySettings memory lottery =
            HeldLottery.LotterySettings(new RandaoEntropy(), 20, type(uint32).max, 8, 64);
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        mining = new DAMining(verifier, predicted, ADMIN, lottery);
        entrance = new DAEntrance(
            DAEntrance.Settings({
                verifier: verifier,
                rewards: mining,
                admin: ADMIN,
                shardId: 0,
                cosets: 3,
                minLog2K: 6,
                maxRetention: 60,
                epochSeconds: 60,
                marginSeconds: 5,
                graceSeconds: GRACE,
                basePerBlob: 0,
                pricePerByteEpoch: 1
            })
        );
    }

    function test_blobsOfTwoEpochsAreCertifiedByTheirCommittees() public {
        uint64 first = sortition.currentEpoch();
        assertEq(sortition.mostMembers(first), 4, "members");
        assertEq(sortition.mostMembers(first + 1), 0, "no quorum yet");
        (bytes32 root, BlobHeader memory header) = _submit();
        assertTrue(!entrance.isAvailable(header, root, 0, new bytes32[](0)), "before its certificate");
        _confirm(root, first, first);
        assertTrue(entrance.isAvailable(header, root, 0, new bytes32[](0)), "with it");

        (bytes32 late,) = _submit();
        pass(0, 3);
        uint64 second = sortition.currentEpoch();
        assertEq(second, first + 1, "the next epoch");
        (bytes32 next, BlobHeader memory nextHeader) = _submit();
        assertEq(nextHeader.submissionIndex, 2, "numbers go on");
        // The new committee's snapshot does not hold office in the old epoch, nor the other way round.
        _refuse(Quorum.UnknownSnapshot.selector, next, second, first);
        _refuse(Quorum.UnknownSnapshot.selector, late, first, second);
        _confirm(next, second, second);
        _confirm(late, first, first);
        assertEq(entrance.daCount(), 3, "batches");
        vm.warp(block.timestamp + 60);
        _refuse(EpochTerms.EpochClosed.selector, keccak256("too late"), first, first);
    }

    /// @dev After a carried epoch the old members hold office, by a snapshot that names the epoch of its draw.
    function test_aCarriedSnapshotCertifiesInTheNewEpoch() public {
        uint64 drawn = sortition.currentEpoch();
        seal();
        goTo(EPOCH_BLOCKS);
        uint64 epoch = sortition.currentEpoch();
        assertEq(epoch, drawn + 1, "the next epoch");
        assertEq(sortition.snapshotHash(epoch, 0), sortition.snapshotHash(drawn, 0), "carried");
        assertEq(sortition.mostMembers(epoch), 4, "members too");
        (bytes32 root, BlobHeader memory header) = _submit();
        _confirm(root, epoch, drawn);
        assertTrue(entrance.isAvailable(header, root, 0, new bytes32[](0)), "available");
    }

    function _submit() private returns (bytes32 root, BlobHeader memory header) {
        BlobSubmission[] memory list = new BlobSubmission[](1);
        list[0] = BlobSubmission(keccak256("commitment"), 1000, 64, 1, 6, 3, 2);
        uint64 index = entrance.submitBlobs{value: 64 * 64 * 4 * 2}(list);
        (, uint64 endTime,,) = sortition.epochInfo(sortition.currentEpoch());
        header = BlobHeader(1, 1, 6, 3, 64, 1000, list[0].commitment, address(this), 0, index, endTime + 120);
        root = keccak256(bytes.concat(hex"00", Statements.blobHeaderBody(header)));
    }

    function _confirm(bytes32 root, uint64 epoch, uint64 drawn) private {
        (Snapshot memory snapshot, uint256[8] memory signature) = _certificate(root, epoch, drawn);
        entrance.confirmBatch(root, 1, epoch, snapshot, "", new bytes32[](0), signature);
    }

    function _refuse(bytes4 fault, bytes32 root, uint64 epoch, uint64 drawn) private {
        (Snapshot memory snapshot, uint256[8] memory signature) = _certificate(root, epoch, drawn);
        vm.expectRevert(abi.encodeWithSelector(fault));
        entrance.confirmBatch(root, 1, epoch, snapshot, "", new bytes32[](0), signature);
    }

    function _certificate(bytes32 root, uint64 epoch, uint64 drawn)
        private
        view
        returns (Snapshot memory snapshot, uint256[8] memory signature)
    {
        snapshot = committee.snapshot(drawn, 0);
        Statement memory statement = Statement(1, block.chainid, address(entrance), epoch, 0, 1, root);
        signature = committee.sign(Statements.digest(block.chainid, address(sortition), statement), 0);
    }
}
