// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../../src/quorum/Bls.sol";
import {Quorum} from "../../src/quorum/Quorum.sol";
import {Snapshot, Statement} from "../../src/quorum/QuorumTypes.sol";
import {Statements} from "../../src/quorum/Statements.sol";
import {BlsKeys} from "./support/BlsKeys.sol";
import {Committee} from "./support/Committee.sol";
import {QuorumCaller} from "./support/QuorumCaller.sol";
import {Test} from "./support/Test.sol";

/// @notice The quorum check on real signatures, against committees that are hashed from scratch.
/// forge-config: default.fuzz.runs = 100
contract QuorumTest is Test {
    bytes32 private constant DIGEST = keccak256("a statement");

    QuorumCaller private _caller;

    /// @dev What an aggregator brings.
    struct Proof {
        Snapshot snapshot;
        bytes32 hash;
        bytes32 digest;
        bytes nonSigners;
        bytes32[] siblings;
        uint256[8] signature;
    }

    function setUp() public {
        _caller = new QuorumCaller();
    }

    /// @dev Any set of absentees: accepted exactly above two thirds, with the weight of the others.
    function testFuzz_moreThanTwoThirdsAreNeeded(uint256 seed, uint8 size, uint256 absent) public {
        uint256 count = bound(size, 1, 12);
        Committee committee = _committee(seed, count, 5);
        absent %= 1 << count;
        Proof memory proof = _proof(committee, absent);
        uint256 signed = 0;
        for (uint256 i = 0; i < count; ++i) {
            if ((absent >> i) & 1 == 0) signed += committee.member(i).seats;
        }
        uint256 total = proof.snapshot.totalWeight;
        if (signed * 3 <= total * 2) {
            vm.expectRevert(abi.encodeWithSelector(Quorum.WeightTooLow.selector, signed, total));
            _check(proof);
            vm.expectRevert(abi.encodeWithSelector(Quorum.WeightTooLow.selector, signed, total));
            _caller.reduce(proof.hash, proof.snapshot, proof.nonSigners, proof.siblings);
        } else {
            assertEq(_check(proof), signed, "weight");
            bytes32 id = _caller.reduce(proof.hash, proof.snapshot, proof.nonSigners, proof.siblings);
            assertEq(_caller.checkReduced(proof.hash, id, DIGEST, proof.signature), signed, "reduced weight");
        }
    }

    function test_exactlyTwoThirdsAreTooFew() public {
        Committee committee = _committee(1, 6, 1);
        Proof memory proof = _proof(committee, 3);
        vm.expectRevert(abi.encodeWithSelector(Quorum.WeightTooLow.selector, 4, 6));
        _check(proof);
        proof = _proof(committee, 2);
        assertEq(_check(proof), 5, "one seat more");
    }

    function test_anotherSnapshotIsRefused() public {
        Proof memory proof = _proof(_committee(1, 4, 1), 0);
        proof.snapshot.totalWeight = 3;
        vm.expectRevert(abi.encodeWithSelector(Quorum.UnknownSnapshot.selector));
        _check(proof);
        proof = _proof(_committee(1, 4, 1), 0);
        proof.hash = 0;
        vm.expectRevert(abi.encodeWithSelector(Quorum.UnknownSnapshot.selector));
        _check(proof);
    }

    /// @dev Every byte of the absentees and of the siblings is bound.
    function testFuzz_aChangedByteIsRefused(uint16 place, uint8 flip) public {
        vm.assume(flip != 0);
        Proof memory proof = _proof(_committee(2, 9, 1), 0x82);
        uint256 target = place % (proof.nonSigners.length + proof.siblings.length * 32);
        if (target < proof.nonSigners.length) {
            proof.nonSigners[target] ^= bytes1(flip);
        } else {
            target -= proof.nonSigners.length;
            proof.siblings[target / 32] ^= bytes32(uint256(flip) << (8 * (31 - (target % 32))));
        }
        (bool success, bytes memory answer) = address(_caller).staticcall(_call(proof));
        assertTrue(!success, "refused");
        bool named = bytes4(answer) == Quorum.NonSignerOrder.selector || bytes4(answer) == Quorum.NonSignerProof.selector;
        assertTrue(named, "by its name");
    }

    function test_absenteesInAnotherShapeAreRefused() public {
        Proof memory proof = _proof(_committee(2, 9, 1), 0x82);
        bytes memory bodies = proof.nonSigners;
        proof.nonSigners = bytes.concat(_slice(bodies, 124, 248), _slice(bodies, 0, 124));
        _refused(proof, Quorum.NonSignerOrder.selector, "unsorted");
        proof.nonSigners = bytes.concat(_slice(bodies, 0, 124), _slice(bodies, 0, 124));
        _refused(proof, Quorum.NonSignerOrder.selector, "twice");
        proof.nonSigners = _slice(bodies, 0, 247);
        _refused(proof, Quorum.NonSignerOrder.selector, "cut short");
        proof.nonSigners = _slice(bodies, 0, 124);
        _refused(proof, Quorum.NonSignerProof.selector, "one left out");
        proof.nonSigners = "";
        _refused(proof, Quorum.NonSignerProof.selector, "siblings of nobody");
        proof.siblings = new bytes32[](0);
        _refused(proof, Quorum.BadSignature.selector, "all left out");
    }

    function test_siblingsMustBeAllAndNoMore() public {
        Proof memory proof = _proof(_committee(2, 9, 1), 0x82);
        bytes32[] memory siblings = proof.siblings;
        proof.siblings = new bytes32[](siblings.length + 1);
        for (uint256 i = 0; i < siblings.length; ++i) {
            proof.siblings[i] = siblings[i];
        }
        _refused(proof, Quorum.NonSignerProof.selector, "one more");
        assembly ("memory-safe") {
            mstore(siblings, sub(mload(siblings), 1))
        }
        proof.siblings = siblings;
        _refused(proof, Quorum.NonSignerProof.selector, "one less");
    }

    function test_identitiesAreRefused() public {
        Proof memory proof = _proof(_committee(3, 4, 1), 0);
        uint256[8] memory nothing;
        proof.signature = nothing;
        _refused(proof, Quorum.BadSignature.selector, "signature");
        // Two keys that cancel: their sum is the identity, and so is the sum of their signatures.
        Committee committee = new Committee();
        committee.add(address(1), 1, 7);
        committee.add(address(2), 1, BlsKeys.ORDER - 7);
        proof = _proof(committee, 0);
        _refused(proof, Quorum.BadSignature.selector, "both");
        proof.signature = BlsKeys.sign(7, DIGEST);
        _refused(proof, Quorum.BadSignature.selector, "key");
    }

    /// @dev A statement that differs in one field has another digest, and the signature does not pass.
    function test_noFieldOfAStatementCanBeExchanged() public {
        Statement memory statement = Statement(1, 31337, address(0xDA), 5, 2, 3, "root");
        bytes32[9] memory digests;
        digests[0] = Statements.digest(1, address(0xB), statement);
        digests[1] = Statements.digest(2, address(0xB), statement);
        digests[2] = Statements.digest(1, address(0xC), statement);
        Statement memory other = Statement(5, 31337, address(0xDA), 5, 2, 3, "root");
        digests[3] = Statements.digest(1, address(0xB), other);
        other = Statement(1, 31338, address(0xDA), 5, 2, 3, "root");
        digests[4] = Statements.digest(1, address(0xB), other);
        other = Statement(1, 31337, address(0xDB), 5, 2, 3, "root");
        digests[5] = Statements.digest(1, address(0xB), other);
        other = Statement(1, 31337, address(0xDA), 6, 2, 3, "root");
        digests[6] = Statements.digest(1, address(0xB), other);
        other = Statement(1, 31337, address(0xDA), 5, 1, 3, "root");
        digests[7] = Statements.digest(1, address(0xB), other);
        other = Statement(1, 31337, address(0xDA), 5, 2, 4, "root");
        digests[8] = Statements.digest(1, address(0xB), other);
        Committee committee = _committee(4, 4, 1);
        Proof memory proof = _proof(committee, 0);
        proof.signature = committee.sign(digests[0], 0);
        proof.digest = digests[0];
        assertEq(_check(proof), 4, "the statement itself");
        for (uint256 i = 1; i < 9; ++i) {
            proof.digest = digests[i];
            _refused(proof, Quorum.BadSignature.selector, "another statement");
        }
    }

    function test_whatWasReducedIsBoundToItsSnapshot() public {
        Committee committee = _committee(5, 4, 1);
        Proof memory proof = _proof(committee, 1);
        bytes32 id = _caller.reduce(proof.hash, proof.snapshot, proof.nonSigners, proof.siblings);
        vm.expectRevert(abi.encodeWithSelector(Quorum.UnknownSnapshot.selector));
        _caller.checkReduced(keccak256("another"), id, DIGEST, proof.signature);
        vm.expectRevert(abi.encodeWithSelector(Quorum.UnknownSnapshot.selector));
        _caller.checkReduced(0, keccak256("unknown"), DIGEST, proof.signature);
        uint256[8] memory everybody = committee.sign(DIGEST, 0);
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        _caller.checkReduced(proof.hash, id, DIGEST, everybody);
    }

    function testFuzz_treesMatchTheModel(uint256 seed, uint8 size, uint8 place) public {
        uint256 count = bound(size, 1, 20);
        Committee committee = _committee(seed, count, 3);
        bytes32 root = committee.snapshot(1, 0).membersRoot;
        for (uint256 i = 0; i < count; ++i) {
            _caller.append(Statements.memberLeaf(committee.member(i)));
        }
        assertEq(_caller.root(), root, "appended");
        uint256 index = place % count;
        bytes32 leaf = Statements.memberLeaf(committee.member(index));
        bytes32[] memory path = committee.path(index);
        assertTrue(_caller.verify(root, count, index, leaf, path), "its path");
        assertTrue(!_caller.verify(root, count, index + count, leaf, path), "an index past the end");
        assertTrue(!_caller.verify(root, count, index, leaf, new bytes32[](path.length + 1)), "a longer path");
        if (count == 1) return;
        assertTrue(!_caller.verify(root, count, (index + 1) % count, leaf, path), "another index");
        bytes32 parent = keccak256(bytes.concat(hex"01", leaf, path[0]));
        bytes32[] memory shorter = new bytes32[](path.length - 1);
        assertTrue(!_caller.verify(root, count, index / 2, parent, shorter), "a node for a leaf");
    }

    function _committee(uint256 seed, uint256 count, uint256 maxSeats) private returns (Committee committee) {
        committee = new Committee();
        for (uint256 i = 0; i < count; ++i) {
            uint256 chance = uint256(keccak256(abi.encode(seed, i)));
            committee.add(address(uint160(chance)), uint32(bound(chance, 1, maxSeats)), BlsKeys.secret(chance));
        }
    }

    function _proof(Committee committee, uint256 absent) private view returns (Proof memory proof) {
        proof.snapshot = committee.snapshot(1, 0);
        proof.hash = keccak256(abi.encode(proof.snapshot));
        proof.digest = DIGEST;
        (proof.nonSigners, proof.siblings) = committee.nonSigners(absent);
        if (absent + 1 != 1 << committee.count()) proof.signature = committee.sign(DIGEST, absent);
    }

    function _call(Proof memory proof) private pure returns (bytes memory) {
        return abi.encodeCall(
            QuorumCaller.check,
            (proof.hash, proof.snapshot, proof.nonSigners, proof.siblings, proof.digest, proof.signature)
        );
    }

    function _check(Proof memory proof) private view returns (uint256) {
        return _caller.check(
            proof.hash, proof.snapshot, proof.nonSigners, proof.siblings, proof.digest, proof.signature
        );
    }

    function _refused(Proof memory proof, bytes4 reason, string memory what) private view {
        (bool success, bytes memory answer) = address(_caller).staticcall(_call(proof));
        assertTrue(!success, what);
        assertEq(bytes32(bytes4(answer)), bytes32(reason), what);
    }

    function _slice(bytes memory whole, uint256 start, uint256 end) private pure returns (bytes memory part) {
        part = new bytes(end - start);
        for (uint256 i = start; i < end; ++i) {
            part[i - start] = whole[i];
        }
    }
}
