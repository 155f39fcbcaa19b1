// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batches} from "../../src/da/Batches.sol";
import {BlobSubmission} from "../../src/da/BlobTypes.sol";
import {DAEntrance} from "../../src/da/DAEntrance.sol";
import {EpochTerms} from "../../src/da/EpochTerms.sol";
import {Quorum} from "../../src/quorum/Quorum.sol";
import {BlobHeader, Statement} from "../../src/quorum/QuorumTypes.sol";
import {Statements} from "../../src/quorum/Statements.sol";
import {DAFixture} from "./support/DAFixture.sol";
import {Leaves} from "./support/Leaves.sol";
import {Vm} from "./support/Test.sol";

/// @notice Certified batches: what is confirmed, what is refused, and what `isAvailable` says afterwards.
contract DABatchesTest is DAFixture {
    uint8 private constant KIND = 1;
    uint256 private constant MEMBERS = 7;

    function setUp() public {
        deploy();
        begin(EPOCH, 1, MEMBERS);
    }

    function test_aBatchIsConfirmed() public {
        (Certificate memory c, BlobHeader[] memory headers, bytes32[] memory leaves) = _submitted(5, 0);
        vm.recordLogs();
        confirm(c, EPOCH);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "logs");
        assertEq(logs[0].topics[1], c.root, "root");
        assertEq(keccak256(logs[0].data), keccak256(abi.encode(EPOCH, 0, 0, MEMBERS)), "event");
        (uint64 epoch, uint32 quorumId, uint32 count, uint64 time) = entrance.batch(c.root);
        assertTrue(epoch == EPOCH && quorumId == 0 && count == 5 && time == block.timestamp, "batch");
        for (uint32 i = 0; i < 5; ++i) {
            assertTrue(entrance.isAvailable(headers[i], c.root, i, Leaves.pathOf(leaves, i)), "available");
        }
    }

    /// @dev Any set of absentees: with more than two thirds of the seats it passes, with no more it never does.
    /// forge-config: default.fuzz.runs = 100
    function testFuzz_moreThanTwoThirdsAndNoLess(uint256 absent) public {
        absent = bound(absent, 0, 2 ** MEMBERS - 2);
        (Certificate memory c,,) = _submitted(1, absent);
        uint256 signed = 0;
        for (uint256 i = 0; i < MEMBERS; ++i) {
            if ((absent >> i) & 1 == 0) ++signed;
        }
        if (3 * signed <= 2 * MEMBERS) {
            vm.expectRevert(abi.encodeWithSelector(Quorum.WeightTooLow.selector, signed, MEMBERS));
        }
        confirm(c, EPOCH);
    }

    function test_exactlyTwoThirdsAreNotEnough() public {
        vm.warp(block.timestamp + EPOCH_SECONDS);
        begin(EPOCH + 1, 1, 6);
        (BlobSubmission[] memory list, uint256 fee) = blobs(1);
        entrance.submitBlobs{value: fee}(list);
        bytes32[] memory leaves = new bytes32[](1);
        leaves[0] = leafOf(headerOf(list[0], address(this), 0));
        Certificate memory c = certify(KIND, leaves, EPOCH + 1, 0, 3);
        vm.expectRevert(abi.encodeWithSelector(Quorum.WeightTooLow.selector, 4, 6));
        confirm(c, EPOCH + 1);
    }

    function test_twiceIsRefused() public {
        (Certificate memory c,,) = _submitted(2, 0);
        confirm(c, EPOCH);
        vm.expectRevert(abi.encodeWithSelector(Batches.AlreadyConfirmed.selector));
        confirm(c, EPOCH);
    }

    function test_anEmptyBatchIsRefused() public {
        Certificate memory c = certify(KIND, new bytes32[](1), EPOCH, 0, 0);
        c.count = 0;
        vm.expectRevert(abi.encodeWithSelector(DAEntrance.EmptyBatch.selector));
        confirm(c, EPOCH);
    }

    function test_theLogHasALeafForEachBatch() public {
        bytes32[] memory logLeaves = new bytes32[](3);
        for (uint256 i = 0; i < 3; ++i) {
            (Certificate memory c,,) = _submitted(i + 1, 0);
            vm.warp(block.timestamp + 5);
            confirm(c, EPOCH);
            bytes memory body =
                abi.encodePacked(uint8(1), c.root, uint64(EPOCH), uint32(0), c.count, uint64(block.timestamp));
            assertEq(body.length, 57, "body");
            logLeaves[i] = keccak256(bytes.concat(hex"00", body));
        }
        assertEq(entrance.daCount(), 3, "count");
        assertEq(entrance.daRoot(), Leaves.rootOf(logLeaves), "root");
    }

    function test_aReducedQuorumCertifies() public {
        (Certificate memory c,,) = _submitted(2, 3);
        bytes32 id = verifier.reduce(c.snapshot, c.nonSigners, c.siblings);
        entrance.confirmReduced(c.root, c.count, EPOCH, id, c.signature);
        (Certificate memory next,,) = _submitted(3, 3);
        entrance.confirmReduced(next.root, next.count, EPOCH, id, next.signature);
        assertEq(entrance.daCount(), 2, "count");
        // It serves its own epoch only, and its own absentees.
        (Certificate memory all,,) = _submitted(4, 0);
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        entrance.confirmReduced(all.root, all.count, EPOCH, id, all.signature);
        vm.warp(block.timestamp + EPOCH_SECONDS);
        begin(EPOCH + 1, 1, MEMBERS);
        vm.expectRevert(abi.encodeWithSelector(Quorum.UnknownSnapshot.selector));
        entrance.confirmReduced(all.root, all.count, EPOCH + 1, id, all.signature);
        vm.expectRevert(abi.encodeWithSelector(Quorum.UnknownSnapshot.selector));
        entrance.confirmReduced(all.root, all.count, EPOCH + 1, keccak256("none"), all.signature);
    }

    /// @dev Attack table, 9: one changed field of what was signed, and it is not signed.
    function test_aSignatureForAnythingElseIsRefused() public {
        (Certificate memory c,,) = _submitted(3, 0);
        Statement memory right = Statement(KIND, block.chainid, address(entrance), EPOCH, 0, c.count, c.root);
        for (uint256 field = 0; field < 9; ++field) {
            Statement memory other = abi.decode(abi.encode(right), (Statement));
            (uint256 hubChain, address hub) = (HUB_CHAIN, HUB);
            if (field == 0) other.kind = 5;
            if (field == 1) other.kind = 4;
            if (field == 2) other.domainChainId += 1;
            if (field == 3) other.domain = address(verifier);
            if (field == 4) other.epoch += 1;
            if (field == 5) other.quorumId = 1;
            if (field == 6) other.count += 1;
            if (field == 7) hubChain += 1;
            if (field == 8) hub = address(entrance);
            c.signature = committees[EPOCH][0].sign(Statements.digest(hubChain, hub, other), 0);
            vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
            confirm(c, EPOCH);
        }
        c.signature = committees[EPOCH][0].sign(Statements.digest(HUB_CHAIN, HUB, right), 0);
        confirm(c, EPOCH);
    }

    /// @dev Attack table, 10: a committee whose stake may be free certifies nothing.
    function test_confirmationsCloseAfterTheGracePeriod() public {
        (Certificate memory c,,) = _submitted(1, 0);
        (Certificate memory d,,) = _submitted(2, 0);
        bytes32 id = verifier.reduce(d.snapshot, d.nonSigners, d.siblings);
        vm.warp(START + EPOCH_SECONDS + GRACE);
        confirm(c, EPOCH);
        vm.warp(START + EPOCH_SECONDS + GRACE + 1);
        vm.expectRevert(abi.encodeWithSelector(EpochTerms.EpochClosed.selector));
        confirm(d, EPOCH);
        vm.expectRevert(abi.encodeWithSelector(EpochTerms.EpochClosed.selector));
        entrance.confirmReduced(d.root, d.count, EPOCH, id, d.signature);
    }

    function test_anEpochThatHasNotBegunOrNeverWasIsRefused() public {
        (Certificate memory c,,) = _submitted(1, 0);
        vm.expectRevert(abi.encodeWithSelector(EpochTerms.EpochNotBegun.selector, EPOCH + 1, EPOCH));
        confirm(c, EPOCH + 1);
        vm.expectRevert(abi.encodeWithSelector(EpochTerms.EpochClosed.selector));
        confirm(c, EPOCH - 1);
    }

    /// @dev Attack table, 11: absentees that are not the members who are absent.
    function test_forgedAbsenteesAreRefused() public {
        (Certificate memory c,,) = _submitted(1, 5);
        (bytes memory first,) = committees[EPOCH][0].nonSigners(1);
        (bytes memory third,) = committees[EPOCH][0].nonSigners(4);
        _expectRefused(c, bytes.concat(third, first), c.siblings, Quorum.NonSignerOrder.selector);
        _expectRefused(c, bytes.concat(first, first), c.siblings, Quorum.NonSignerOrder.selector);
        _expectRefused(c, bytes.concat(c.nonSigners, hex"00"), c.siblings, Quorum.NonSignerOrder.selector);
        _expectRefused(c, first, c.siblings, Quorum.NonSignerProof.selector);
        bytes32[] memory more = new bytes32[](c.siblings.length + 1);
        for (uint256 i = 0; i < c.siblings.length; ++i) more[i] = c.siblings[i];
        _expectRefused(c, c.nonSigners, more, Quorum.NonSignerProof.selector);
        // A member with fewer seats, another key, another address, another number.
        for (uint256 offset = 0; offset < 124; offset += 9) {
            bytes memory forged = bytes.concat(c.nonSigners);
            forged[offset] ^= 0x01;
            bytes4 fault = offset < 4 ? Quorum.NonSignerOrder.selector : Quorum.NonSignerProof.selector;
            _expectRefused(c, forged, c.siblings, fault);
        }
        // One who did not sign is left out.
        (bytes memory one, bytes32[] memory siblings) = committees[EPOCH][0].nonSigners(1);
        _expectRefused(c, one, siblings, Quorum.BadSignature.selector);
        confirm(c, EPOCH);
    }

    /// @dev Attack table, 12: a snapshot that was not sealed.
    function test_aForgedSnapshotIsRefused() public {
        (Certificate memory c,,) = _submitted(1, 0);
        bytes memory encoded = abi.encode(c);
        for (uint256 field = 0; field < 5; ++field) {
            Certificate memory forged = abi.decode(encoded, (Certificate));
            if (field == 0) forged.snapshot.epoch += 1;
            if (field == 1) forged.snapshot.memberCount -= 1;
            if (field == 2) forged.snapshot.totalWeight -= 1;
            if (field == 3) forged.snapshot.membersRoot = keccak256("members");
            if (field == 4) forged.snapshot.aggregateKey[2] ^= 1;
            vm.expectRevert(abi.encodeWithSelector(Quorum.UnknownSnapshot.selector));
            confirm(forged, EPOCH);
        }
    }

    /// @dev Attack table, 13: signature zero belongs to key zero only, and neither is taken.
    function test_identitiesAreRefused() public {
        (Certificate memory c,,) = _submitted(1, 0);
        delete c.signature;
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        confirm(c, EPOCH);
    }

    function test_theCommitteeDoesNotCertifyWhereThereAreQuorums() public {
        vm.warp(block.timestamp + EPOCH_SECONDS);
        begin(EPOCH + 1, 2, 4);
        bytes32[] memory leaves = new bytes32[](1);
        Certificate memory c = certify(KIND, leaves, EPOCH + 1, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(DAEntrance.NoSuchQuorum.selector, EPOCH + 1, 0));
        confirm(c, EPOCH + 1);
        bytes32 id = verifier.reduce(c.snapshot, c.nonSigners, c.siblings);
        vm.expectRevert(abi.encodeWithSelector(DAEntrance.NoSuchQuorum.selector, EPOCH + 1, 0));
        entrance.confirmReduced(c.root, c.count, EPOCH + 1, id, c.signature);
    }

    function test_aQuorumWithMoreMembersThanRowsAllowIsRefused() public {
        vm.warp(block.timestamp + EPOCH_SECONDS);
        begin(EPOCH + 1, 1, 33);
        Certificate memory c = certify(KIND, new bytes32[](1), EPOCH + 1, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(EpochTerms.QuorumTooLarge.selector, 33, 32));
        confirm(c, EPOCH + 1);
        bytes32 id = verifier.reduce(c.snapshot, c.nonSigners, c.siblings);
        vm.expectRevert(abi.encodeWithSelector(EpochTerms.QuorumTooLarge.selector, 33, 32));
        entrance.confirmReduced(c.root, c.count, EPOCH + 1, id, c.signature);
    }

    function test_anExpiredBlobIsNotAvailable() public {
        (Certificate memory c, BlobHeader[] memory headers, bytes32[] memory leaves) = _submitted(2, 0);
        confirm(c, EPOCH);
        bytes32[] memory path = Leaves.pathOf(leaves, 1);
        vm.warp(headers[1].expiry - 1);
        assertTrue(entrance.isAvailable(headers[1], c.root, 1, path), "last second");
        vm.warp(headers[1].expiry);
        assertTrue(!entrance.isAvailable(headers[1], c.root, 1, path), "expired");
    }

    /// @dev Attack table, 26 and 27: no other header, place or path, and never a revert.
    /// forge-config: default.fuzz.runs = 100
    function testFuzz_nothingElseIsAvailable(uint8 field, uint256 change) public {
        (Certificate memory c, BlobHeader[] memory headers, bytes32[] memory leaves) = _submitted(5, 0);
        confirm(c, EPOCH);
        BlobHeader memory h = headers[3];
        bytes32[] memory path = Leaves.pathOf(leaves, 3);
        bytes32 root = c.root;
        uint32 index = 3;
        uint64 bit = uint64(1) << uint64(bound(change, 0, 63));
        if (bit > type(uint32).max) bit = 1;
        field = uint8(bound(field, 0, 15));
        if (field == 0) h.version ^= uint8(bit) | 2;
        if (field == 1) h.suite ^= uint8(bit) | 2;
        if (field == 2) h.log2K ^= uint8(bit) | 2;
        if (field == 3) h.cosets ^= uint8(bit) | 2;
        if (field == 4) h.rowSize ^= uint32(bit);
        if (field == 5) h.length ^= bit;
        if (field == 6) h.commitment ^= bytes32(uint256(bit));
        if (field == 7) h.submitter = address(uint160(change) ^ uint160(h.submitter) | 1);
        if (field == 7 && h.submitter == headers[3].submitter) h.submitter = address(1);
        if (field == 8) h.shardId ^= uint32(bit);
        if (field == 9) h.submissionIndex ^= bit;
        if (field == 10) h.expiry ^= bit;
        if (field == 11) root ^= bytes32(uint256(bit));
        if (field == 12) index = 3 ^ uint32(bit);
        if (field == 13) path[bound(change, 0, 2)] ^= bytes32(uint256(bit));
        if (field == 14) path = new bytes32[](bound(change, 0, 40) == 3 ? 4 : bound(change, 0, 40));
        // The index of a promise in a batch of paid submissions.
        if (field == 15) h.submissionIndex |= 1 << 63;
        assertTrue(!entrance.isAvailable(h, root, index, path), "available");
    }

    /// @dev Attack table, 26: an inner node is no leaf, and a padding leaf is none either.
    function test_pathsHaveExactlyTheTreesDepth() public {
        (Certificate memory c, BlobHeader[] memory headers, bytes32[] memory leaves) = _submitted(3, 0);
        confirm(c, EPOCH);
        bytes32[] memory path = Leaves.pathOf(leaves, 2);
        assertTrue(entrance.isAvailable(headers[2], c.root, 2, path), "right");
        assertTrue(!entrance.isAvailable(headers[2], c.root, 6, path), "index above the tree");
        assertTrue(!entrance.isAvailable(headers[2], c.root, 3, path), "padding leaf");
        bytes32[] memory longer = new bytes32[](3);
        (longer[0], longer[1]) = (path[0], path[1]);
        assertTrue(!entrance.isAvailable(headers[2], c.root, 2, longer), "longer");
        assertTrue(!entrance.isAvailable(headers[2], c.root, 2, new bytes32[](0)), "shorter");
    }

    /// @dev Attack table, 29: passengers that a quorum certified against its rules are not available.
    function test_passengersAreNotAvailable() public {
        vm.warp(block.timestamp + EPOCH_SECONDS);
        begin(EPOCH + 1, 4, 4);
        (BlobSubmission[] memory list, uint256 fee) = blobs(16);
        entrance.submitBlobs{value: fee}(list);
        bytes32[] memory leaves = new bytes32[](16);
        BlobHeader[] memory headers = new BlobHeader[](16);
        for (uint64 i = 0; i < 16; ++i) {
            headers[i] = headerOf(list[i], address(this), i);
            // The last one is numbered as a promise.
            if (i == 15) headers[i].submissionIndex |= (1 << 63) | (uint64(EPOCH + 1) << 16);
            leaves[i] = leafOf(headers[i]);
        }
        Certificate memory c = certify(KIND, leaves, EPOCH + 1, 2, 0);
        confirm(c, EPOCH + 1);
        uint256 available = 0;
        for (uint32 i = 0; i < 16; ++i) {
            bool mine = i != 15 && uint256(keccak256(abi.encode(seedOf(EPOCH + 1), uint256(i)))) % 4 == 1;
            if (mine) ++available;
            bool answer = entrance.isAvailable(headers[i], c.root, i, Leaves.pathOf(leaves, i));
            assertTrue(answer == mine, "another quorum's blob");
        }
        assertTrue(available > 0 && available < 15, "both kinds were tried");
    }

    /// @dev Submits `count` blobs in the current epoch and has them certified by all but the `absent`.
    function _submitted(uint256 count, uint256 absent)
        private
        returns (Certificate memory c, BlobHeader[] memory headers, bytes32[] memory leaves)
    {
        (BlobSubmission[] memory list, uint256 fee) = blobs(count);
        uint64 first = entrance.submitBlobs{value: fee}(list);
        headers = new BlobHeader[](count);
        leaves = new bytes32[](count);
        for (uint64 i = 0; i < count; ++i) {
            headers[i] = headerOf(list[i], address(this), first + i);
            leaves[i] = leafOf(headers[i]);
        }
        c = certify(KIND, leaves, EPOCH, 0, absent);
    }

    function _expectRefused(Certificate memory c, bytes memory nonSigners, bytes32[] memory siblings, bytes4 fault) private {
        vm.expectRevert(abi.encodeWithSelector(fault));
        entrance.confirmBatch(c.root, c.count, EPOCH, c.snapshot, nonSigners, siblings, c.signature);
    }
}
