// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../quorum/Bls.sol";
import {IEpochSource} from "../quorum/IEpochSource.sol";
import {Quorum} from "../quorum/Quorum.sol";
import {Snapshot, Statement} from "../quorum/QuorumTypes.sol";
import {Statements} from "../quorum/Statements.sol";

/// @notice What a contract says a quorum has signed; the contract itself is the statement's domain.
/// @param kind one of the `KIND_` constants of Statements
/// @param count leaves under `root`
/// @param epoch committee epoch in which the quorum holds office
struct Claim {
    uint8 kind;
    uint32 count;
    uint64 epoch;
    bytes32 root;
}

/// @title QuorumVerifier
/// @notice Tells the contracts of this chain whether the quorum in office signed a statement meant for them.
/// @dev The domain of a checked statement is the caller on this chain, so nobody is told about a statement for another. All
/// that is known about epochs comes from an IEpochSource: the same code serves the hub and any other chain. What `reduce`
/// leaves of a quorum serves every caller.
contract QuorumVerifier {
    /// @dev As Quorum.Reduced, with the size of the whole quorum in its last slot.
    struct Reduced {
        bytes32 snapshotHash;
        uint256[3] aggregateKey;
        uint32 quorumId;
        uint64 signedWeight;
        uint32 memberCount;
    }

    /// @notice Where epochs and their quorums come from.
    IEpochSource public immutable epochs;

    /// @notice Chain of the hub, which is in every statement.
    uint64 public immutable hubChainId;

    /// @notice Sortition on the hub, which stands for the network in every statement.
    address public immutable hub;

    mapping(bytes32 id => Reduced) private _reduced;

    /// @notice Statements can be checked under `id` while the snapshot holds office.
    event QuorumReduced(bytes32 indexed id, bytes32 indexed snapshotHash, uint32 quorumId, uint64 signedWeight);

    /// @notice An address that this contract depends on was given as zero.
    error ZeroAddress();

    /// @dev Refuses chains without the BLS precompiles.
    constructor(IEpochSource epochs_, uint64 hubChainId_, address hub_) {
        if (address(epochs_) == address(0) || hub_ == address(0)) revert ZeroAddress();
        Bls.selfTest();
        epochs = epochs_;
        hubChainId = hubChainId_;
        hub = hub_;
    }

    /// @notice Takes those who are absent off a quorum, once for all statements that follow.
    /// @dev Any snapshot is taken; whether it holds office is asked when a statement is checked. Reverts like
    /// `Quorum.reduce`.
    /// @return id keccak-256 over the snapshot's hash and that of `nonSigners`
    function reduce(Snapshot calldata snapshot, bytes calldata nonSigners, bytes32[] calldata siblings)
        external
        returns (bytes32 id)
    {
        bytes32 hash = keccak256(abi.encode(snapshot));
        Quorum.Reduced memory left = Quorum.reduce(hash, snapshot, nonSigners, siblings);
        id = Quorum.reducedId(hash, nonSigners);
        _reduced[id] =
            Reduced(hash, left.aggregateKey, left.quorumId, left.signedWeight, snapshot.memberCount);
        emit QuorumReduced(id, hash, left.quorumId, left.signedWeight);
    }

    /// @notice Checks what the quorum of `snapshot` signed for the caller. Reverts like `Quorum.check`.
    /// @param nonSigners packed members who did not sign, see Quorum
    /// @param siblings proof of them
    /// @param signature the others' aggregate
    /// @return signedWeight seats that signed, more than two thirds
    function check(
        Claim calldata claim,
        Snapshot calldata snapshot,
        bytes calldata nonSigners,
        bytes32[] calldata siblings,
        uint256[8] calldata signature
    ) external view returns (uint256 signedWeight) {
        (bytes32 expectedHash, bytes32 digest) = _officeOf(claim, snapshot.quorumId);
        return Quorum.check(expectedHash, snapshot, nonSigners, siblings, digest, signature);
    }

    /// @notice Checks what those left by `reduce` signed for the caller. Reverts like `Quorum.checkReduced`.
    /// @return quorumId group that signed
    /// @return memberCount members of the whole group
    /// @return signedWeight seats that signed, more than two thirds
    function checkReduced(Claim calldata claim, bytes32 reducedId, uint256[8] calldata signature)
        external
        view
        returns (uint32 quorumId, uint32 memberCount, uint256 signedWeight)
    {
        Reduced memory found = _reduced[reducedId];
        (bytes32 expectedHash, bytes32 digest) = _officeOf(claim, found.quorumId);
        Quorum.Reduced memory left =
            Quorum.Reduced(found.snapshotHash, found.aggregateKey, found.quorumId, found.signedWeight);
        signedWeight = Quorum.checkReduced(expectedHash, left, digest, signature);
        return (found.quorumId, found.memberCount, signedWeight);
    }

    /// @notice What is kept under `id`; zeros where there is nothing.
    function reducedQuorum(bytes32 id)
        external
        view
        returns (bytes32 snapshotHash, uint32 quorumId, uint64 signedWeight)
    {
        Reduced storage found = _reduced[id];
        return (found.snapshotHash, found.quorumId, found.signedWeight);
    }

    /// @dev Hash of the snapshot that may sign for the caller, and what it signs.
    function _officeOf(Claim calldata claim, uint32 quorumId)
        private
        view
        returns (bytes32 expectedHash, bytes32 digest)
    {
        expectedHash = epochs.snapshotHash(claim.epoch, quorumId);
        Statement memory statement = Statement(
            claim.kind, block.chainid, msg.sender, claim.epoch, quorumId, claim.count, claim.root
        );
        digest = Statements.digest(hubChainId, hub, statement);
    }
}
