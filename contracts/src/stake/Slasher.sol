// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../quorum/Bls.sol";
import {Quorum} from "../quorum/Quorum.sol";
import {BlobHeader, Checkpoint, EpochHeader, Member, Snapshot, Statement} from "../quorum/QuorumTypes.sol";
import {Statements} from "../quorum/Statements.sol";
import {Tree} from "../quorum/Tree.sol";
import {ShardRegistry} from "../shards/ShardRegistry.sol";
import {Evidence} from "./Evidence.sol";
import {SignerRegistry} from "./SignerRegistry.sol";
import {Certificate, Offender, Vote} from "./SlasherTypes.sol";
import {Sortition} from "./Sortition.sol";
import {StakeHub} from "./StakeHub.sol";

/// @title Slasher
/// @notice Takes all stake of a signer that signed two different claims on one slot, on evidence that anyone can bring.
/// @dev Two signatures of one key are enough, whether or not it held office: signing outside it is forbidden as well. An
/// aggregate proves the same of every member that is not listed as absent. The evidence names the chain and contract
/// that the statements were for, so it serves every chain of the network. The window for it is the unbonding delay.
contract Slasher {
    uint16 private constant ALL = 10_000;

    /// @notice Keeps the stake.
    StakeHub public immutable stakeHub;

    /// @notice Knows whose key a key is.
    SignerRegistry public immutable registry;

    /// @notice Stands for the network in statements, and knows the snapshots that held office.
    Sortition public immutable sortition;

    /// @notice OrderingHub of the network, which checkpoints are signed for and which knows the shards' entrances; zero where
    /// there are no shards.
    address public immutable orderingHub;

    /// @notice Whether an equivocation has been punished, by keccak-256 of owner and slot.
    mapping(bytes32 caseId => bool) public isPunished;

    /// @notice Whether a pair of certificates has been checked, by keccak-256 of the chain, the domain and the pair.
    mapping(bytes32 pairId => bool) public isChecked;

    /// @notice `owner` signed two leaves for one slot and lost its stake.
    event Equivocated(address indexed owner, uint8 kind, bytes32 slot, bytes32 firstLeaf, bytes32 secondLeaf);

    /// @notice The two are the same, or do not exclude each other.
    error NotConflicting();

    /// @notice A signature, proof or body does not show what it should.
    error BadEvidence();

    /// @notice The owner has been punished for this slot.
    error AlreadySlashed();

    /// @notice No consensus shard has or had this entrance: nobody was to sign for it.
    error UnknownDomain(uint256 chainId, address entrance);

    /// @dev Chain and contract that a statement is for.
    struct Domain {
        uint256 chainId;
        address entrance;
    }

    constructor(StakeHub stakeHub_, SignerRegistry registry_, Sortition sortition_) {
        Bls.selfTest();
        stakeHub = stakeHub_;
        registry = registry_;
        sortition = sortition_;
        orderingHub = address(sortition_.orderSource());
    }

    /// @notice Two headers for one submission, in batches of either kind. Reverts with NotConflicting, BadEvidence,
    /// UnknownDomain or AlreadySlashed.
    /// @param domain chain and entrance that both batches were for
    /// @param key the signer's, in three words
    function slashDA(
        Domain calldata domain,
        uint256[3] calldata key,
        BlobHeader calldata first,
        Vote calldata firstVote,
        BlobHeader calldata second,
        Vote calldata secondVote
    ) external {
        Evidence.Claim memory firstClaim = Evidence.ofBlob(domain.chainId, domain.entrance, first);
        Evidence.Claim memory secondClaim = Evidence.ofBlob(domain.chainId, domain.entrance, second);
        _requireConflict(firstClaim, secondClaim);
        _requireKnown(domain);
        if (!_isBatch(firstVote.kind) || !_isBatch(secondVote.kind)) revert BadEvidence();
        _requireVote(domain, key, firstClaim.leaf, firstVote);
        _requireVote(domain, key, secondClaim.leaf, secondVote);
        _punish(_ownerOf(key), firstVote.kind, firstClaim, secondClaim.leaf);
    }

    /// @notice Two checkpoints of one number of a shard, in whatever epochs and bundles. Reverts like `slashDA`.
    function slashCheckpoint(
        uint256[3] calldata key,
        Checkpoint calldata first,
        Vote calldata firstVote,
        Checkpoint calldata second,
        Vote calldata secondVote
    ) external {
        Evidence.Claim memory firstClaim = Evidence.ofCheckpoint(first);
        Evidence.Claim memory secondClaim = Evidence.ofCheckpoint(second);
        _requireConflict(firstClaim, secondClaim);
        uint8 kind = Statements.KIND_CHECKPOINTS;
        if (firstVote.kind != kind || secondVote.kind != kind) revert BadEvidence();
        _requireVote(_hubDomain(), key, firstClaim.leaf, firstVote);
        _requireVote(_hubDomain(), key, secondClaim.leaf, secondVote);
        _punish(_ownerOf(key), kind, firstClaim, secondClaim.leaf);
    }

    /// @notice Two headers for one epoch. Reverts like `slashDA`.
    function slashHandover(
        uint256[3] calldata key,
        EpochHeader calldata first,
        uint256[8] calldata firstSignature,
        EpochHeader calldata second,
        uint256[8] calldata secondSignature
    ) external {
        Evidence.Claim memory firstClaim = Evidence.ofHandover(first);
        Evidence.Claim memory secondClaim = Evidence.ofHandover(second);
        _requireConflict(firstClaim, secondClaim);
        _requireSigned(key, _handover(first.epoch, firstClaim.leaf), firstSignature);
        _requireSigned(key, _handover(second.epoch, secondClaim.leaf), secondSignature);
        _punish(_ownerOf(key), Statements.KIND_HANDOVER, firstClaim, secondClaim.leaf);
    }

    /// @notice Two certificates that exclude each other: whoever signed both is punished, one a call. The pair is checked
    /// the first time; later calls bring the same bytes and another offender. Reverts like `slashDA`, and like the
    /// quorum check.
    /// @param domain chain and entrance of both; unused for handovers and checkpoints
    function slashFromCertificates(
        Domain calldata domain,
        Certificate calldata first,
        Certificate calldata second,
        Offender calldata offender
    ) external {
        Evidence.Claim memory firstClaim = _claimOf(domain, first);
        Evidence.Claim memory secondClaim = _claimOf(domain, second);
        _requireConflict(firstClaim, secondClaim);
        bytes32 pairId = keccak256(abi.encode(domain, first, second));
        if (!isChecked[pairId]) {
            _requireCertificate(domain, first, firstClaim.leaf);
            _requireCertificate(domain, second, secondClaim.leaf);
            isChecked[pairId] = true;
        }
        if (keccak256(abi.encode(offender.first.key)) != keccak256(abi.encode(offender.second.key))) revert BadEvidence();
        _requireSigner(first, offender.first, offender.firstPath);
        _requireSigner(second, offender.second, offender.secondPath);
        _punish(_ownerOf(offender.first.key), first.kind, firstClaim, secondClaim.leaf);
    }

    /// @dev Takes everything, once for each slot.
    function _punish(address owner, uint8 kind, Evidence.Claim memory first, bytes32 secondLeaf) private {
        bytes32 caseId = keccak256(abi.encode(owner, first.slot));
        if (isPunished[caseId]) revert AlreadySlashed();
        isPunished[caseId] = true;
        emit Equivocated(owner, kind, first.slot, first.leaf, secondLeaf);
        stakeHub.slash(owner, ALL, caseId, msg.sender);
        stakeHub.jail(owner, stakeHub.FOREVER());
    }

    function _requireConflict(Evidence.Claim memory first, Evidence.Claim memory second) private pure {
        if (first.slot != second.slot || first.leaf == second.leaf) revert NotConflicting();
    }

    /// @dev Requires that `key` signed a tree with this leaf.
    function _requireVote(Domain memory domain, uint256[3] calldata key, bytes32 leaf, Vote calldata vote) private view {
        if (!Tree.hasShape(vote.count, vote.index, vote.path)) revert BadEvidence();
        Statement memory statement = Statement({
            kind: vote.kind,
            domainChainId: domain.chainId,
            domain: domain.entrance,
            epoch: vote.epoch,
            quorumId: vote.quorumId,
            count: vote.count,
            root: Tree.rootFrom(vote.index, leaf, vote.path)
        });
        _requireSigned(key, statement, vote.signature);
    }

    function _requireSigned(uint256[3] calldata key, Statement memory statement, uint256[8] calldata signature) private view {
        if (!Bls.verify(Bls.unpack(key), Bls.hashToG2(_digest(statement)), signature)) revert BadEvidence();
    }

    /// @dev Requires that the quorum in office signed a statement with this leaf.
    function _requireCertificate(Domain calldata domain, Certificate calldata certificate, bytes32 leaf) private view {
        Snapshot calldata snapshot = certificate.snapshot;
        Quorum.check(
            sortition.snapshotHash(certificate.epoch, snapshot.quorumId),
            snapshot,
            certificate.nonSigners,
            certificate.siblings,
            _digest(_statementOf(domain, certificate, leaf)),
            certificate.signature
        );
    }

    /// @dev Requires that a member belongs to the certificate's snapshot and is not listed as absent.
    function _requireSigner(Certificate calldata certificate, Member calldata member, bytes32[] calldata path) private pure {
        Snapshot calldata snapshot = certificate.snapshot;
        bytes32 leaf = Statements.memberLeaf(member);
        if (!Tree.verify(snapshot.membersRoot, snapshot.memberCount, member.index, leaf, path)) revert BadEvidence();
        if (Quorum.isListed(certificate.nonSigners, member.index)) revert BadEvidence();
    }

    /// @dev What a certificate's body lays claim to. A handover's leaf is its root.
    function _claimOf(Domain calldata domain, Certificate calldata certificate)
        private
        view
        returns (Evidence.Claim memory)
    {
        if (certificate.kind == Statements.KIND_HANDOVER) {
            return Evidence.ofHandover(abi.decode(certificate.body, (EpochHeader)));
        }
        if (certificate.kind == Statements.KIND_CHECKPOINTS) {
            (bool whole, Checkpoint memory checkpoint) = Evidence.parseCheckpoint(certificate.body);
            if (!whole) revert BadEvidence();
            return Evidence.ofCheckpoint(checkpoint);
        }
        (bool valid, BlobHeader memory header) = Evidence.parseBlob(certificate.body);
        if (!valid || !_isBatch(certificate.kind)) revert BadEvidence();
        _requireKnown(domain);
        return Evidence.ofBlob(domain.chainId, domain.entrance, header);
    }

    function _statementOf(Domain calldata domain, Certificate calldata certificate, bytes32 leaf)
        private
        view
        returns (Statement memory statement)
    {
        if (certificate.kind == Statements.KIND_HANDOVER) {
            if (certificate.snapshot.quorumId != 0) revert BadEvidence();
            return _handover(certificate.epoch + 1, leaf);
        }
        if (!Tree.hasShape(certificate.count, certificate.index, certificate.path)) revert BadEvidence();
        Domain memory place = certificate.kind == Statements.KIND_CHECKPOINTS ? _hubDomain() : domain;
        statement.kind = certificate.kind;
        statement.domainChainId = place.chainId;
        statement.domain = place.entrance;
        statement.epoch = certificate.epoch;
        statement.quorumId = certificate.snapshot.quorumId;
        statement.count = certificate.count;
        statement.root = Tree.rootFrom(certificate.index, leaf, certificate.path);
    }

    /// @dev Refuses entrances of no shard, if there are shards: who signs for a contract of somebody's making, such as a trial
    /// of the same code, has promised this network nothing.
    function _requireKnown(Domain calldata domain) private view {
        if (orderingHub == address(0)) return;
        bool known = ShardRegistry(orderingHub).isEntrance(domain.chainId, domain.entrance);
        if (!known) revert UnknownDomain(domain.chainId, domain.entrance);
    }

    /// @dev What checkpoints are signed for.
    function _hubDomain() private view returns (Domain memory) {
        return Domain(block.chainid, orderingHub);
    }

    /// @dev The statement by which the committee before `epoch` hands over to it.
    function _handover(uint64 epoch, bytes32 headerHash) private view returns (Statement memory) {
        return Statement({
            kind: Statements.KIND_HANDOVER,
            domainChainId: block.chainid,
            domain: address(sortition),
            epoch: epoch - 1,
            quorumId: 0,
            count: 1,
            root: headerHash
        });
    }

    function _digest(Statement memory statement) private view returns (bytes32) {
        return Statements.digest(block.chainid, address(sortition), statement);
    }

    function _ownerOf(uint256[3] memory key) private view returns (address owner) {
        owner = registry.keyOwner(keccak256(abi.encode(key)));
        if (owner == address(0)) revert BadEvidence();
    }

    function _isBatch(uint8 kind) private pure returns (bool) {
        return kind == Statements.KIND_BATCH || kind == Statements.KIND_PROMISED;
    }
}
