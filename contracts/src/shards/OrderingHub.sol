// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";
import {Claim, QuorumVerifier} from "../da/QuorumVerifier.sol";
import {IEpochSource} from "../quorum/IEpochSource.sol";
import {Checkpoint, Snapshot} from "../quorum/QuorumTypes.sol";
import {Statements} from "../quorum/Statements.sol";
import {Tree} from "../quorum/Tree.sol";
import {IOrderSource} from "../stake/IOrderSource.sol";
import {ContentReader} from "./ContentReader.sol";
import {ShardRegistry} from "./ShardRegistry.sol";

/// @title OrderingHub
/// @notice Gives the checkpoints of all consensus shards a place in one order, once the committee has signed them.
/// @dev A bundle is the Merkle root over any set of checkpoints under one signature of the committee. Of each shard
/// the checkpoints are taken without gaps, each naming the leaf of the one before, so that a shard's stream never forks: a
/// second content for a number that is ordered is refused here and is evidence against whoever signed it.
///
/// The order is an append-only tree whose leaf n is the checkpoint with global index n. Its root goes into every epoch header
/// and into the hub's own checkpoints, by which other chains and light clients learn it.
contract OrderingHub is ShardRegistry, ContentReader, IOrderSource {
    using Tree for Tree.Frontier;

    /// @notice Newest checkpoints of a shard that are known by their leaf: an item of a bundle that is one of these is
    /// skipped, so that nobody stops a bundle by bringing a part of it first.
    uint64 public constant RECENT = 16;

    /// @dev Marks the stream of a shard that there is, so that no other slot needs to be read for it.
    uint256 private constant KNOWN = 1 << 128;

    /// @notice Checks what the committee signed for this contract.
    QuorumVerifier public immutable verifier;

    /// @notice Where epochs come from: the verifier's source, which is this chain's Sortition.
    IEpochSource public immutable epochs;

    /// @notice Bundles of an epoch's committee are taken until so many seconds after its end.
    uint64 public immutable graceSeconds;

    /// @notice Checkpoints ordered so far, which is the global index of the next one.
    uint64 public orderCount;

    Tree.Frontier private _order;

    /// @dev Newest number and its global index, u64 each, and `KNOWN`: packed by hand, for one read and one write.
    mapping(uint32 shardId => uint256) private _streams;
    /// @dev Leaves by shard and number modulo `RECENT`, see `_placeOf`.
    mapping(uint256 place => bytes32) private _recent;
    mapping(uint64 count => bytes32) private _anchored;

    /// @notice Checkpoint `number` of a shard, whose leaf is `hash`, has its place in the order.
    event CheckpointOrdered(uint64 indexed globalIndex, uint32 indexed shardId, uint64 number, bytes32 hash);

    /// @notice The root over the first `count` checkpoints is kept.
    event OrderAnchored(uint64 indexed count, bytes32 root);

    /// @notice Item `i` of a bundle is neither the next checkpoint of its shard nor one of the newest that are ordered.
    error BadSequence(uint256 i);

    /// @notice The epoch's committee may no longer sign: its stake may be free.
    error EpochClosed();

    /// @notice `epoch` has not begun; the current one is `current`.
    error EpochNotBegun(uint64 epoch, uint64 current);

    /// @notice Quorum `quorumId` signed; checkpoints are for the committee, 0.
    error NotCommittee(uint32 quorumId);

    /// @notice Sortition names `orderSource` as what orders checkpoints.
    error OrderOfAnother(address orderSource);

    /// @param verifier_ of this chain, whose `hub` is the Sortition that names this contract as its order source
    /// @param graceSeconds_ bundles are taken that long after an epoch's end
    /// @param initialAdmin may add and change shards, not zero
    constructor(QuorumVerifier verifier_, uint64 graceSeconds_, address initialAdmin) Administered(initialAdmin) {
        address named = address(ISortitionOrder(verifier_.hub()).orderSource());
        if (named != address(this)) revert OrderOfAnother(named);
        verifier = verifier_;
        epochs = verifier_.epochs();
        graceSeconds = graceSeconds_;
    }

    /// @notice Orders the checkpoints of a bundle that are not ordered yet, in the order given. Anyone may bring it. Reverts
    /// with EpochNotBegun, EpochClosed, NotCommittee, ShardUnknown, BadSequence, or like `Quorum.check`.
    /// @param checkpoints all leaves of the bundle, in the order in which they were signed
    /// @param epoch committee epoch that signed
    /// @param snapshot the committee of that epoch
    /// @param nonSigners packed members who did not sign, see Quorum
    /// @param siblings proof of them
    /// @param signature the others' aggregate
    function submitBundle(
        Checkpoint[] memory checkpoints,
        uint64 epoch,
        Snapshot calldata snapshot,
        bytes calldata nonSigners,
        bytes32[] calldata siblings,
        uint256[8] calldata signature
    ) external {
        bytes32[] memory leaves = _leavesOf(checkpoints);
        _requireCommittee(snapshot.quorumId);
        verifier.check(_claimOf(leaves, epoch), snapshot, nonSigners, siblings, signature);
        _orderAll(checkpoints, leaves);
    }

    /// @notice The same, signed by those whom `QuorumVerifier.reduce` left of the committee.
    function submitBundleReduced(
        Checkpoint[] memory checkpoints,
        uint64 epoch,
        bytes32 reducedId,
        uint256[8] calldata signature
    ) external {
        bytes32[] memory leaves = _leavesOf(checkpoints);
        (uint32 quorumId,,) = verifier.checkReduced(_claimOf(leaves, epoch), reducedId, signature);
        _requireCommittee(quorumId);
        _orderAll(checkpoints, leaves);
    }

    /// @notice Keeps the root of the order as it is now, so that proofs against it stay good while the order grows.
    /// Anyone may call.
    function anchorOrder() external returns (bytes32 root, uint64 count) {
        (root, count) = orderRoot();
        if (_anchored[count] != 0 || count == 0) return (root, count);
        _anchored[count] = root;
        emit OrderAnchored(count, root);
    }

    /// @inheritdoc IOrderSource
    function orderRoot() public view returns (bytes32 root, uint64 count) {
        count = orderCount;
        root = _order.root(count);
    }

    /// @notice Root over the first `count` checkpoints, for those in the order now and for counts that were anchored; zero
    /// for others.
    function orderRootAt(uint64 count) public view override returns (bytes32) {
        return count == orderCount ? _order.root(count) : _anchored[count];
    }

    /// @notice The newest ordered checkpoint of a shard. Reverts with ShardUnknown.
    /// @return number its number; before the first, the one before that
    /// @return hash its leaf; zero before the first
    /// @return globalIndex its place in the order; zero before the first
    function head(uint32 shardId) external view returns (uint64 number, bytes32 hash, uint64 globalIndex) {
        uint256 stream = _streamOf(shardId);
        number = uint64(stream);
        return (number, checkpointHash(shardId, number), uint64(stream >> 64));
    }

    /// @notice Leaf of an ordered checkpoint, for the `RECENT` newest of its shard; zero for others.
    function checkpointHash(uint32 shardId, uint64 number) public view returns (bytes32) {
        uint64 newest = uint64(_streams[shardId]);
        bool known = number != 0 && number <= newest && number + RECENT > newest;
        return known ? _recent[_placeOf(shardId, number)] : bytes32(0);
    }

    /// @inheritdoc ShardRegistry
    function _begin(uint32 shardId, uint64 first) internal override {
        _streams[shardId] = KNOWN | (first - 1);
    }

    function _epochSource() internal view override returns (IEpochSource) {
        return epochs;
    }

    /// @dev Takes each checkpoint that is the next of its shard, and passes by those that are ordered already.
    function _orderAll(Checkpoint[] memory checkpoints, bytes32[] memory leaves) private {
        uint64 index = orderCount;
        for (uint256 i = 0; i < leaves.length; ++i) {
            Checkpoint memory checkpoint = checkpoints[i];
            (uint32 shardId, uint64 number) = (checkpoint.shardId, checkpoint.number);
            uint64 newest = uint64(_streamOf(shardId));
            if (number != newest + 1) {
                if (number == 0 || checkpointHash(shardId, number) != leaves[i]) revert BadSequence(i);
                continue;
            }
            // Zero before the first.
            if (checkpoint.prev != _recent[_placeOf(shardId, newest)]) revert BadSequence(i);
            _streams[shardId] = KNOWN | (uint256(index) << 64) | number;
            _recent[_placeOf(shardId, number)] = leaves[i];
            _order.append(index, leaves[i]);
            emit CheckpointOrdered(index, shardId, number, leaves[i]);
            ++index;
        }
        orderCount = index;
    }

    function _placeOf(uint32 shardId, uint64 number) private pure returns (uint256) {
        return (uint256(shardId) << 64) | (number % RECENT);
    }

    /// @dev Reverts with ShardUnknown.
    function _streamOf(uint32 shardId) private view returns (uint256 stream) {
        stream = _streams[shardId];
        if (stream == 0) revert ShardUnknown();
    }

    /// @dev What the committee of `epoch` must have signed, if it still may.
    function _claimOf(bytes32[] memory leaves, uint64 epoch) private view returns (Claim memory) {
        uint64 current = epochs.currentEpoch();
        if (epoch > current) revert EpochNotBegun(epoch, current);
        (, uint64 endTime,,) = epochs.epochInfo(epoch);
        if (block.timestamp > uint256(endTime) + graceSeconds) revert EpochClosed();
        uint32 count = uint32(leaves.length);
        // Makes the root in a copy: hashing overwrites the leaves.
        bytes32[] memory nodes = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            nodes[i] = leaves[i];
        }
        return Claim(Statements.KIND_CHECKPOINTS, count, epoch, Tree.rootOf(nodes));
    }

    function _leavesOf(Checkpoint[] memory checkpoints) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](checkpoints.length);
        for (uint256 i = 0; i < checkpoints.length; ++i) {
            leaves[i] = Statements.checkpointLeaf(checkpoints[i]);
        }
    }

    function _requireCommittee(uint32 quorumId) private pure {
        if (quorumId != 0) revert NotCommittee(quorumId);
    }
}

/// @notice What the ordering hub asks its Sortition.
interface ISortitionOrder {
    /// @notice What orders checkpoints.
    function orderSource() external view returns (IOrderSource);
}
