// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "./Bls.sol";
import {Snapshot} from "./QuorumTypes.sol";
import {Tree} from "./Tree.sol";

/// @title Quorum
/// @notice Checks that more than two thirds of a group's seats signed a statement.
/// @dev The signature is an aggregate over one digest. Who did not sign is listed as the packed bodies of Member, 124 bytes
/// each, in rising order; their keys are taken off the group's sum and their seats off its weight. The same bytes are
/// hashed for the proof and read for index, seats and key, so no two readings can differ.
///
/// All keys are registered with a proof of possession, and the registry checked their subgroup; bodies are proven before
/// a key is added.
library Quorum {
    /// @dev Bytes of a member body, and where its fields begin.
    uint256 private constant MEMBER_BYTES = 124;
    uint256 private constant SEATS_AT = 24;
    uint256 private constant KEY_AT = 28;

    /// @notice The snapshot is not the one that holds office.
    error UnknownSnapshot();

    /// @notice Non-signers are cut short, not in strictly rising order, or not members by their index.
    error NonSignerOrder();

    /// @notice The non-signers are not those members of the group, or siblings are missing or left over.
    error NonSignerProof();

    /// @notice `signed` of `total` seats are not more than two thirds.
    error WeightTooLow(uint256 signed, uint256 total);

    /// @notice The aggregate is not the signers' signature over the statement.
    error BadSignature();

    /// @notice A snapshot less those who are absent for a while. Whoever stores one saves later callers the proof.
    /// @param snapshotHash the snapshot that it was made of
    /// @param aggregateKey sum of the signers' keys
    /// @param quorumId the snapshot's
    /// @param signedWeight seats of the signers, more than two thirds of the total
    struct Reduced {
        bytes32 snapshotHash;
        uint256[3] aggregateKey;
        uint32 quorumId;
        uint64 signedWeight;
    }

    /// @notice Checks a certificate. Reverts with the first fault in the order of the errors above.
    /// @param expectedHash `snapshotHash` of the epoch source, for the statement's epoch and quorum
    /// @param siblings the one proof for all non-signers, see `Tree.verifyMany`
    /// @param digest of the statement
    /// @return signedWeight seats that signed
    function check(
        bytes32 expectedHash,
        Snapshot calldata snapshot,
        bytes calldata nonSigners,
        bytes32[] calldata siblings,
        bytes32 digest,
        uint256[8] memory signature
    ) internal view returns (uint256 signedWeight) {
        uint256[4] memory key;
        (key, signedWeight) = _signers(expectedHash, snapshot, nonSigners, siblings);
        _requireSigned(key, digest, signature);
    }

    /// @notice The part of a check that depends on the snapshot and the absentees only. Reverts like `check`.
    function reduce(
        bytes32 expectedHash,
        Snapshot calldata snapshot,
        bytes calldata nonSigners,
        bytes32[] calldata siblings
    ) internal view returns (Reduced memory) {
        (uint256[4] memory key, uint256 weight) = _signers(expectedHash, snapshot, nonSigners, siblings);
        return Reduced(expectedHash, Bls.pack(key), snapshot.quorumId, uint64(weight));
    }

    /// @notice Name of a reduced snapshot.
    function reducedId(bytes32 snapshotHash, bytes calldata nonSigners) internal pure returns (bytes32) {
        return keccak256(abi.encode(snapshotHash, keccak256(nonSigners)));
    }

    /// @notice Checks a signature of those whom a reduced snapshot leaves. Reverts with UnknownSnapshot or BadSignature.
    /// @param expectedHash `snapshotHash` of the epoch source, for the statement's epoch and `reduced.quorumId`
    function checkReduced(
        bytes32 expectedHash,
        Reduced memory reduced,
        bytes32 digest,
        uint256[8] memory signature
    ) internal view returns (uint256 signedWeight) {
        if (reduced.snapshotHash == 0 || reduced.snapshotHash != expectedHash) revert UnknownSnapshot();
        _requireSigned(Bls.unpack(reduced.aggregateKey), digest, signature);
        return reduced.signedWeight;
    }

    /// @notice Whether the member with this index is among the non-signers of a checked certificate.
    function isListed(bytes calldata nonSigners, uint32 index) internal pure returns (bool) {
        for (uint256 start = 0; start < nonSigners.length; start += MEMBER_BYTES) {
            if (uint32(bytes4(nonSigners[start:])) == index) return true;
        }
        return false;
    }

    /// @dev Key and weight of the members who are not listed, once they are more than two thirds.
    function _signers(
        bytes32 expectedHash,
        Snapshot calldata snapshot,
        bytes calldata nonSigners,
        bytes32[] calldata siblings
    ) private view returns (uint256[4] memory key, uint256 weight) {
        if (keccak256(abi.encode(snapshot)) != expectedHash) revert UnknownSnapshot();
        uint256 total = snapshot.totalWeight;
        weight = total - _absentWeight(snapshot, nonSigners, siblings);
        if (3 * weight <= 2 * total) revert WeightTooLow(weight, total);
        key = Bls.unpack(snapshot.aggregateKey);
        if (nonSigners.length == 0) return (key, weight);
        uint256[4] memory absent = _absentKey(nonSigners);
        Bls.negate(absent);
        Bls.addTo(key, absent);
    }

    /// @dev Seats of the members listed, all of which are proven.
    function _absentWeight(Snapshot calldata snapshot, bytes calldata nonSigners, bytes32[] calldata siblings)
        private
        pure
        returns (uint256 seats)
    {
        uint256 count = nonSigners.length / MEMBER_BYTES;
        if (count * MEMBER_BYTES != nonSigners.length) revert NonSignerOrder();
        uint256[] memory indexes = new uint256[](count);
        bytes32[] memory leaves = new bytes32[](count);
        uint256 next = 0;
        uint256 memberCount = snapshot.memberCount;
        for (uint256 i = 0; i < count; ++i) {
            (uint256 index, uint256 weight, bytes32 leaf) = _memberAt(nonSigners, i * MEMBER_BYTES);
            if (index < next || index >= memberCount) revert NonSignerOrder();
            next = index + 1;
            (indexes[i], leaves[i]) = (index, leaf);
            seats += weight;
        }
        bool proven = count == 0
            ? siblings.length == 0
            : Tree.verifyMany(snapshot.membersRoot, snapshot.memberCount, indexes, leaves, siblings);
        if (!proven) revert NonSignerProof();
    }

    /// @dev Sum of the keys in proven bodies.
    function _absentKey(bytes calldata nonSigners) private view returns (uint256[4] memory sum) {
        uint256[3] memory key;
        for (uint256 start = KEY_AT; start < nonSigners.length; start += MEMBER_BYTES) {
            assembly ("memory-safe") {
                calldatacopy(key, add(nonSigners.offset, start), 96)
            }
            Bls.addKeyTo(sum, key);
        }
    }

    /// @dev Index, seats and leaf of the member whose body begins at `start`; all of it lies within the list.
    function _memberAt(bytes calldata nonSigners, uint256 start)
        private
        pure
        returns (uint256 index, uint256 seats, bytes32 leaf)
    {
        assembly ("memory-safe") {
            let body := add(nonSigners.offset, start)
            let tagged := mload(0x40)
            mstore8(tagged, 0x00)
            calldatacopy(add(tagged, 1), body, MEMBER_BYTES)
            leaf := keccak256(tagged, add(MEMBER_BYTES, 1))
            index := shr(224, calldataload(body))
            seats := shr(224, calldataload(add(body, SEATS_AT)))
        }
    }

    function _requireSigned(uint256[4] memory key, bytes32 digest, uint256[8] memory signature) private view {
        if (!Bls.verify(key, Bls.hashToG2(digest), signature)) revert BadSignature();
    }
}
