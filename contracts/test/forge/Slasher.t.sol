// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Quorum} from "../../src/quorum/Quorum.sol";
import {BlobHeader, EpochHeader, Member, Snapshot, Statement} from "../../src/quorum/QuorumTypes.sol";
import {Statements} from "../../src/quorum/Statements.sol";
import {Tree} from "../../src/quorum/Tree.sol";
import {Slasher} from "../../src/stake/Slasher.sol";
import {Certificate, Offender, Vote} from "../../src/stake/SlasherTypes.sol";
import {BlsKeys} from "./support/BlsKeys.sol";
import {Committee} from "./support/Committee.sol";
import {StakeFixture} from "./support/StakeFixture.sol";

/// @notice Who signed two different claims on one slot loses everything; nobody else loses anything.
contract SlasherTest is StakeFixture {
    uint64 private constant PROMISED = 1 << 63;
    address private constant ENTRANCE = address(0xDA);

    Slasher private _slasher;
    Committee private _committee;
    Slasher.Domain private _domain = Slasher.Domain(777, ENTRANCE);

    function setUp() public {
        deploy(sortitionParameters());
        _slasher = new Slasher(stakeHub, registry, sortition);
        vm.prank(ADMIN);
        stakeHub.setModule(address(_slasher), true);
        begin(4, 10);
        _committee = new Committee();
        for (uint256 i = 0; i < 4; ++i) {
            _committee.add(signerOf(i), 10, BlsKeys.secret(i));
        }
        assertEq(sortition.snapshotHash(1, 0), keccak256(abi.encode(_committee.snapshot(1, 0))), "the committee in office");
    }

    function test_twoHeadersForOneSubmission() public {
        BlobHeader memory first = _header(40);
        BlobHeader memory second = _header(40);
        second.commitment = "another";
        Vote memory firstVote = _vote(0, 1, 1, first);
        // In a later epoch, another quorum, another kind: a slot is a slot.
        Vote memory secondVote = _vote(0, 5, 9, second);
        uint256[3] memory key = registry.keyAt(signerOf(0), 1);
        vm.prank(signerOf(0));
        stakeHub.requestUnbond(4 * VOTE);
        _slasher.slashDA(_domain, key, first, firstVote, second, secondVote);
        assertEq(stakeHub.accountOf(signerOf(0)).bonded, 0, "bonded");
        assertEq(stakeHub.accountOf(signerOf(0)).unbonding, 0, "unbonding");
        assertEq(stakeHub.rewardOf(address(this)), VOTE, "a tenth");
        assertEq(stakeHub.accountOf(signerOf(0)).jailedUntil, type(uint32).max, "jailed for ever");
        assertEq(stakeHub.votesAt(signerOf(0), 1), 0, "votes");
        vm.expectRevert(abi.encodeWithSelector(Slasher.AlreadySlashed.selector));
        _slasher.slashDA(_domain, key, first, firstVote, second, secondVote);
        vm.expectRevert(abi.encodeWithSelector(Slasher.AlreadySlashed.selector));
        _slasher.slashDA(_domain, key, second, secondVote, first, firstVote);
    }

    function test_whatIsNoConflict() public {
        BlobHeader memory first = _header(40);
        Vote memory vote = _vote(0, 1, 1, first);
        _notConflicting(first, vote, first, vote);
        BlobHeader memory second = _header(41);
        _notConflicting(first, vote, second, _vote(0, 1, 1, second));
        second = _header(40);
        second.shardId = 8;
        _notConflicting(first, vote, second, _vote(0, 1, 1, second));
        // A promised number counts for each submitter on its own.
        first = _header(PROMISED | 3);
        second = _header(PROMISED | 3);
        second.submitter = address(0xB);
        _notConflicting(first, _vote(0, 5, 1, first), second, _vote(0, 5, 1, second));
        second.submitter = first.submitter;
        second.length = 1;
        uint256[3] memory key = registry.keyAt(signerOf(0), 1);
        _slasher.slashDA(_domain, key, first, _vote(0, 5, 1, first), second, _vote(0, 5, 1, second));
    }

    function test_theInnocentKeepTheirStake() public {
        BlobHeader memory first = _header(40);
        BlobHeader memory second = _header(40);
        second.expiry += 1;
        uint256[3] memory key = registry.keyAt(signerOf(0), 1);
        bytes memory bad = abi.encodeWithSelector(Slasher.BadEvidence.selector);
        Vote memory firstVote = _vote(0, 1, 1, first);
        Vote memory secondVote = _vote(1, 1, 1, second);
        vm.expectRevert(bad);
        _slasher.slashDA(_domain, key, first, firstVote, second, secondVote);
        secondVote = _vote(0, 1, 1, second);
        secondVote.epoch = 2;
        vm.expectRevert(bad);
        _slasher.slashDA(_domain, key, first, firstVote, second, secondVote);
        secondVote = _vote(0, 2, 1, second);
        vm.expectRevert(bad);
        _slasher.slashDA(_domain, key, first, firstVote, second, secondVote);
        secondVote = _vote(0, 1, 1, second);
        secondVote.index = 2;
        vm.expectRevert(bad);
        _slasher.slashDA(_domain, key, first, firstVote, second, secondVote);
        secondVote = _vote(0, 1, 1, second);
        Slasher.Domain memory elsewhere = Slasher.Domain(778, ENTRANCE);
        vm.expectRevert(bad);
        _slasher.slashDA(elsewhere, key, first, firstVote, second, secondVote);
        // A key that nobody registered.
        firstVote = _vote(50, 1, 1, first);
        secondVote = _vote(50, 1, 1, second);
        key = _committeeKey(50);
        vm.expectRevert(bad);
        _slasher.slashDA(_domain, key, first, firstVote, second, secondVote);
    }

    function test_twoHandoversForOneEpoch() public {
        EpochHeader memory first = _epochHeader(2, "one");
        EpochHeader memory second = _epochHeader(2, "other");
        uint256[3] memory key = registry.keyAt(signerOf(2), 1);
        uint256[8] memory firstSignature = BlsKeys.sign(BlsKeys.secret(2), _handoverDigest(1, first));
        uint256[8] memory secondSignature = BlsKeys.sign(BlsKeys.secret(2), _handoverDigest(1, second));
        vm.expectRevert(abi.encodeWithSelector(Slasher.NotConflicting.selector));
        _slasher.slashHandover(key, first, firstSignature, first, firstSignature);
        vm.expectRevert(abi.encodeWithSelector(Slasher.BadEvidence.selector));
        _slasher.slashHandover(key, first, firstSignature, second, firstSignature);
        EpochHeader memory later = _epochHeader(3, "other");
        vm.expectRevert(abi.encodeWithSelector(Slasher.NotConflicting.selector));
        _slasher.slashHandover(key, first, firstSignature, later, secondSignature);
        _slasher.slashHandover(key, first, firstSignature, second, secondSignature);
        assertEq(stakeHub.accountOf(signerOf(2)).bonded, 0, "bonded");
    }

    /// @dev Signer 3 is absent from one, signer 1 from the other; 0 and 2 signed both.
    function test_twoCertificatesConvictWhoSignedBoth() public {
        BlobHeader memory header = _header(40);
        Certificate memory first = _certificate(1, header, 1 << 3);
        header.commitment = "another";
        Certificate memory second = _certificate(1, header, 1 << 1);
        _slasher.slashFromCertificates(_domain, first, second, _offender(0));
        assertEq(stakeHub.accountOf(signerOf(0)).bonded, 0, "signer 0");
        uint256 before = gasleft();
        _slasher.slashFromCertificates(_domain, first, second, _offender(2));
        assertTrue(before - gasleft() < 250_000, "the pair is not checked again");
        assertEq(stakeHub.accountOf(signerOf(2)).bonded, 0, "signer 2");
        bytes memory bad = abi.encodeWithSelector(Slasher.BadEvidence.selector);
        Offender memory offender = _offender(1);
        vm.expectRevert(bad);
        _slasher.slashFromCertificates(_domain, first, second, offender);
        offender = _offender(3);
        vm.expectRevert(bad);
        _slasher.slashFromCertificates(_domain, first, second, offender);
        offender = _offender(0);
        offender.second = _offender(2).second;
        vm.expectRevert(bad);
        _slasher.slashFromCertificates(_domain, first, second, offender);
        offender = _offender(0);
        vm.expectRevert(abi.encodeWithSelector(Slasher.AlreadySlashed.selector));
        _slasher.slashFromCertificates(_domain, first, second, offender);
        offender.first.seats = 11;
        vm.expectRevert(bad);
        _slasher.slashFromCertificates(_domain, first, second, offender);
    }

    function test_certificatesMustHold() public {
        BlobHeader memory header = _header(40);
        Certificate memory first = _certificate(1, header, 0);
        Offender memory offender = _offender(0);
        vm.expectRevert(abi.encodeWithSelector(Slasher.NotConflicting.selector));
        _slasher.slashFromCertificates(_domain, first, first, offender);
        header.commitment = "another";
        Certificate memory second = _certificate(1, header, 0);
        second.signature = first.signature;
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        _slasher.slashFromCertificates(_domain, first, second, offender);
        second = _certificate(1, header, 0);
        second.epoch = 2;
        vm.expectRevert(abi.encodeWithSelector(Quorum.UnknownSnapshot.selector));
        _slasher.slashFromCertificates(_domain, first, second, offender);
        second = _certificate(1, header, 3);
        vm.expectRevert(abi.encodeWithSelector(Quorum.WeightTooLow.selector, 20, 40));
        _slasher.slashFromCertificates(_domain, first, second, offender);
        second = _certificate(1, header, 0);
        second.body = bytes.concat(second.body, hex"00");
        vm.expectRevert(abi.encodeWithSelector(Slasher.BadEvidence.selector));
        _slasher.slashFromCertificates(_domain, first, second, offender);
        second = _certificate(2, header, 0);
        vm.expectRevert(abi.encodeWithSelector(Slasher.BadEvidence.selector));
        _slasher.slashFromCertificates(_domain, first, second, offender);
    }

    function test_twoHandoverCertificates() public {
        Certificate memory first = _handoverCertificate(_epochHeader(2, "one"));
        Certificate memory second = _handoverCertificate(_epochHeader(2, "other"));
        _slasher.slashFromCertificates(_domain, first, second, _offender(1));
        assertEq(stakeHub.accountOf(signerOf(1)).bonded, 0, "bonded");
    }

    function _notConflicting(
        BlobHeader memory first,
        Vote memory firstVote,
        BlobHeader memory second,
        Vote memory secondVote
    ) private {
        uint256[3] memory key = registry.keyAt(signerOf(0), 1);
        vm.expectRevert(abi.encodeWithSelector(Slasher.NotConflicting.selector));
        _slasher.slashDA(_domain, key, first, firstVote, second, secondVote);
    }

    function _header(uint64 submissionIndex) private pure returns (BlobHeader memory) {
        return BlobHeader(1, 0, 6, 3, 64, 1000, "commitment", address(0xA), 7, submissionIndex, 1_900_000_000);
    }

    function _epochHeader(uint64 epoch, bytes32 seed) private pure returns (EpochHeader memory header) {
        (header.epoch, header.seed) = (epoch, seed);
        header.snapshotHashes = new bytes32[](1);
    }

    /// @dev A signer's vote for a batch of two, the header behind another leaf.
    function _vote(uint256 signer, uint8 kind, uint64 epoch, BlobHeader memory header)
        private
        view
        returns (Vote memory vote)
    {
        (vote.kind, vote.epoch, vote.count, vote.index) = (kind, epoch, 2, 1);
        vote.path = new bytes32[](1);
        vote.path[0] = "neighbour";
        vote.signature = BlsKeys.sign(BlsKeys.secret(signer), _batchDigest(kind, epoch, header));
    }

    function _certificate(uint8 kind, BlobHeader memory header, uint256 absent)
        private
        view
        returns (Certificate memory certificate)
    {
        certificate.kind = kind;
        certificate.body = Statements.blobHeaderBody(header);
        (certificate.epoch, certificate.count, certificate.index) = (1, 2, 1);
        certificate.path = new bytes32[](1);
        certificate.path[0] = "neighbour";
        certificate.snapshot = _committee.snapshot(1, 0);
        (certificate.nonSigners, certificate.siblings) = _committee.nonSigners(absent);
        certificate.signature = _committee.sign(_batchDigest(kind, 1, header), absent);
    }

    function _handoverCertificate(EpochHeader memory header) private view returns (Certificate memory certificate) {
        (certificate.kind, certificate.body, certificate.epoch) = (3, abi.encode(header), 1);
        certificate.snapshot = _committee.snapshot(1, 0);
        certificate.signature = _committee.sign(_handoverDigest(1, header), 0);
    }

    function _offender(uint256 index) private view returns (Offender memory) {
        Member memory member = _committee.member(index);
        bytes32[] memory path = _committee.path(index);
        return Offender(member, path, member, path);
    }

    function _batchDigest(uint8 kind, uint64 epoch, BlobHeader memory header) private view returns (bytes32) {
        bytes32 leaf = keccak256(bytes.concat(hex"00", Statements.blobHeaderBody(header)));
        bytes32 root = keccak256(bytes.concat(hex"01", bytes32("neighbour"), leaf));
        return _digest(Statement(kind, 777, ENTRANCE, epoch, 0, 2, root));
    }

    function _handoverDigest(uint64 epoch, EpochHeader memory header) private view returns (bytes32) {
        return _digest(Statement(3, block.chainid, address(sortition), epoch, 0, 1, keccak256(abi.encode(header))));
    }

    function _digest(Statement memory statement) private view returns (bytes32) {
        return Statements.digest(block.chainid, address(sortition), statement);
    }

    function _committeeKey(uint256 secretSeed) private returns (uint256[3] memory) {
        Committee other = new Committee();
        other.add(address(0), 1, BlsKeys.secret(secretSeed));
        return other.member(0).key;
    }
}
