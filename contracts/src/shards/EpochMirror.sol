// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";
import {Bls} from "../quorum/Bls.sol";
import {IEpochSource} from "../quorum/IEpochSource.sol";
import {Quorum} from "../quorum/Quorum.sol";
import {Checkpoint, EpochHeader, Snapshot, Statement} from "../quorum/QuorumTypes.sol";
import {Statements} from "../quorum/Statements.sol";
import {Tree} from "../quorum/Tree.sol";
import {IOrderSource} from "../stake/IOrderSource.sol";
import {ContentReader} from "./ContentReader.sol";

/// @notice What a mirror is made with.
/// @param hubChainId chain of the hub
/// @param hub Sortition on the hub, which stands for the network in every statement
/// @param orderingHub OrderingHub on the hub, the domain of checkpoints
/// @param trustingPeriod seconds after an epoch's end for which its committee is believed about the next; shorter than
/// stake stays locked
/// @param maxDrift seconds by which the hub's clock may be ahead of this chain's
/// @param graceSeconds seconds after an epoch's end for which its committee's checkpoints are taken
struct MirrorSettings {
    uint64 hubChainId;
    address hub;
    address orderingHub;
    uint64 trustingPeriod;
    uint64 maxDrift;
    uint64 graceSeconds;
}

/// @notice Where in which bundle a checkpoint was signed.
/// @param epoch committee epoch that signed
/// @param count checkpoints in the bundle
/// @param index place of this one
/// @param path siblings of its leaf
struct BundlePlace {
    uint64 epoch;
    uint32 count;
    uint32 index;
    bytes32[] path;
}

/// @title EpochMirror
/// @notice The hub's committee epochs, and the order of checkpoints, on another chain.
/// @dev A light client of the hub: what it knows of an epoch is what more than two thirds of the committee before it have
/// signed. Anyone may relay, and nobody is trusted: no bridge, no server, no admin for as long as handovers come. Where none
/// came for longer than `trustingPeriod`, or the hub restarted, the admin, a timelock, anchors it again at a header
/// that was published long enough before.
///
/// Without a next epoch the chain's entrance closes by itself, since an epoch's end is part of what is mirrored.
contract EpochMirror is Administered, ContentReader, IEpochSource, IOrderSource {
    /// @notice Chain of the hub.
    uint64 public immutable hubChainId;

    /// @notice Sortition on the hub.
    address public immutable hub;

    /// @notice OrderingHub on the hub.
    address public immutable orderingHub;

    /// @notice Seconds after an epoch's end for which its committee is believed about the next.
    uint64 public immutable trustingPeriod;

    /// @notice Seconds by which the hub's clock may be ahead of this chain's.
    uint64 public immutable maxDrift;

    /// @notice Seconds after an epoch's end for which its committee's checkpoints are taken.
    uint64 public immutable graceSeconds;

    /// @notice Hash of the newest epoch's header; zero until the mirror is anchored.
    bytes32 public headerHash;

    /// @notice The newest epoch that is known, which may be about to begin. Shares a slot with the next.
    uint64 public headEpoch;

    /// @notice Most checkpoints of which a root is known.
    uint64 public orderCount;

    /// @dev An epoch in one slot; times are Unix seconds.
    struct Office {
        uint64 startTime;
        uint64 endTime;
        uint32 groups;
        uint32 mostMembers;
    }

    mapping(uint64 epoch => Office) private _offices;
    mapping(uint64 epoch => bytes32) private _seeds;
    mapping(uint64 epoch => mapping(uint32 quorumId => bytes32)) private _snapshotHashes;
    mapping(uint64 count => bytes32) private _orderRoots;
    mapping(bytes32 id => Quorum.Reduced) private _reduced;

    /// @notice `epoch` was handed over; `headerHash` is that of its header.
    event EpochAccepted(uint64 indexed epoch, bytes32 headerHash, EpochHeader header);

    /// @notice The admin anchored the mirror at `epoch`.
    event Anchored(uint64 indexed epoch, bytes32 headerHash, EpochHeader header);

    /// @notice Checkpoints can be taken under `id` while the committee holds office.
    event CommitteeReduced(bytes32 indexed id, bytes32 indexed snapshotHash, uint64 signedWeight);

    /// @notice The root over the first `count` checkpoints is known.
    event OrderAccepted(uint64 indexed count, bytes32 root);

    /// @notice The header is not that of the next epoch: another number, another one before it, or no time in it.
    error BadEpoch();

    /// @notice The last committee handed over to ended longer ago than it is believed.
    error TrustExpired();

    /// @notice The header or checkpoint is of a time that this chain has not reached.
    error TimeInFuture();

    /// @notice Snapshot `quorumId` is not the one in the header, or is missing or left over.
    error BadSnapshots(uint32 quorumId);

    /// @notice The checkpoint is one of shard `shardId`; the order stands in the hub's, 0.
    error NotHubCheckpoint(uint32 shardId);

    /// @notice The checkpoint is not a leaf of what was signed.
    error BadPath();

    /// @notice The checkpoint tells of `count` ordered ones; `known` are known.
    error OrderNotNewer(uint64 count, uint64 known);

    /// @notice The epoch's committee may no longer sign, or is not known.
    error EpochClosed();

    /// @dev Refuses chains without the BLS precompiles.
    /// @param initialAdmin anchors the mirror, and again if trust expires, not zero
    constructor(MirrorSettings memory settings, address initialAdmin) Administered(initialAdmin) {
        if (settings.hub == address(0) || settings.orderingHub == address(0)) revert ZeroAddress();
        Bls.selfTest();
        hubChainId = settings.hubChainId;
        hub = settings.hub;
        orderingHub = settings.orderingHub;
        trustingPeriod = settings.trustingPeriod;
        maxDrift = settings.maxDrift;
        graceSeconds = settings.graceSeconds;
    }

    /// @notice Takes the next epoch's header from the committee of the newest one. Anyone may relay it. Reverts with
    /// BadEpoch, TrustExpired, TimeInFuture or BadSnapshots, or like `Quorum.check`.
    /// @param header of the next epoch
    /// @param snapshots those whose hashes the header holds, in order
    /// @param current committee of the newest epoch
    /// @param nonSigners packed members of it who did not sign, see Quorum
    /// @param siblings proof of them
    /// @param signature the others' aggregate
    function acceptEpoch(
        EpochHeader calldata header,
        Snapshot[] calldata snapshots,
        Snapshot calldata current,
        bytes calldata nonSigners,
        bytes32[] calldata siblings,
        uint256[8] calldata signature
    ) external {
        uint64 head = headEpoch;
        Office memory office = _offices[head];
        bool follows = office.groups != 0 && header.epoch == head + 1 && header.prev == headerHash;
        if (!follows) revert BadEpoch();
        if (block.timestamp > uint256(office.endTime) + trustingPeriod) revert TrustExpired();
        // One epoch ahead at most.
        if (office.startTime > block.timestamp) revert TimeInFuture();
        bytes32 hash = Statements.headerHash(header);
        Quorum.check(
            _snapshotHashes[head][0],
            current,
            nonSigners,
            siblings,
            _digestOf(Statements.KIND_HANDOVER, hub, head, 1, hash),
            signature
        );
        _keep(header, hash, snapshots);
        emit EpochAccepted(header.epoch, hash, header);
    }

    /// @notice Takes the root of the order from a checkpoint of the hub that a committee has signed. Anyone may relay it.
    /// Reverts with NotHubCheckpoint, OrderNotNewer, EpochClosed, TimeInFuture or BadPath, or like `Quorum.check`.
    /// @param checkpoint of shard 0
    /// @param place the bundle in which it was signed
    /// @param snapshot the committee of that epoch
    /// @param nonSigners packed members who did not sign, see Quorum
    /// @param siblings proof of them
    /// @param signature the others' aggregate
    function acceptHubCheckpoint(
        Checkpoint calldata checkpoint,
        BundlePlace calldata place,
        Snapshot calldata snapshot,
        bytes calldata nonSigners,
        bytes32[] calldata siblings,
        uint256[8] calldata signature
    ) external {
        bytes32 digest = _bundleDigest(checkpoint, place);
        Quorum.check(_snapshotHashes[place.epoch][0], snapshot, nonSigners, siblings, digest, signature);
        _keepOrder(checkpoint.logRoot, checkpoint.logCount);
    }

    /// @notice Takes those who are absent off a committee, once for all checkpoints of the hub that follow. Any snapshot is
    /// taken; whether it holds office is asked later. Reverts like `Quorum.reduce`.
    /// @return id keccak-256 over the snapshot's hash and that of `nonSigners`
    function reduce(Snapshot calldata snapshot, bytes calldata nonSigners, bytes32[] calldata siblings)
        external
        returns (bytes32 id)
    {
        bytes32 hash = keccak256(abi.encode(snapshot));
        Quorum.Reduced memory left = Quorum.reduce(hash, snapshot, nonSigners, siblings);
        id = Quorum.reducedId(hash, nonSigners);
        _reduced[id] = left;
        emit CommitteeReduced(id, hash, left.signedWeight);
    }

    /// @notice As `acceptHubCheckpoint`, signed by those whom `reduce` left. Reverts the same way.
    function acceptHubCheckpointReduced(
        Checkpoint calldata checkpoint,
        BundlePlace calldata place,
        bytes32 reducedId,
        uint256[8] calldata signature
    ) external {
        bytes32 digest = _bundleDigest(checkpoint, place);
        Quorum.checkReduced(_snapshotHashes[place.epoch][0], _reduced[reducedId], digest, signature);
        _keepOrder(checkpoint.logRoot, checkpoint.logCount);
    }

    /// @notice Begins the mirror at a header, or again where no handover leads on. Reverts with BadEpoch, TimeInFuture or
    /// BadSnapshots.
    /// @param header of an epoch behind the newest one that is known
    /// @param snapshots those whose hashes the header holds, in order
    function anchor(EpochHeader calldata header, Snapshot[] calldata snapshots) external onlyAdmin {
        if (headerHash != 0 && header.epoch <= headEpoch) revert BadEpoch();
        bytes32 hash = Statements.headerHash(header);
        _keep(header, hash, snapshots);
        emit Anchored(header.epoch, hash, header);
    }

    /// @inheritdoc IEpochSource
    function currentEpoch() public view returns (uint64) {
        uint64 head = headEpoch;
        if (head == 0 || _offices[head].startTime <= block.timestamp) return head;
        return _offices[head - 1].groups == 0 ? head : head - 1;
    }

    /// @inheritdoc IEpochSource
    function snapshotHash(uint64 epoch, uint32 quorumId) external view returns (bytes32) {
        return _snapshotHashes[epoch][quorumId];
    }

    /// @inheritdoc IEpochSource
    function epochInfo(uint64 epoch)
        public
        view
        returns (uint64 startTime, uint64 endTime, bytes32 seed, uint32 groups)
    {
        Office memory office = _offices[epoch];
        return (office.startTime, office.endTime, _seeds[epoch], office.groups);
    }

    /// @inheritdoc IEpochSource
    function mostMembers(uint64 epoch) external view returns (uint32) {
        return _offices[epoch].mostMembers;
    }

    /// @inheritdoc IOrderSource
    function orderRoot() external view returns (bytes32 root, uint64 count) {
        return (_orderRoots[orderCount], orderCount);
    }

    /// @notice Root over the first `count` checkpoints, for counts that a header or a checkpoint of the hub told; zero for
    /// others.
    function orderRootAt(uint64 count) public view override returns (bytes32) {
        return _orderRoots[count];
    }

    function _epochSource() internal view override returns (IEpochSource) {
        return this;
    }

    /// @dev Makes `header` the newest one.
    function _keep(EpochHeader calldata header, bytes32 hash, Snapshot[] calldata snapshots) private {
        uint64 epoch = header.epoch;
        if (header.endTime <= header.startTime) revert BadEpoch();
        if (header.startTime > block.timestamp + maxDrift) revert TimeInFuture();
        uint32 most = _keepSnapshots(epoch, header.snapshotHashes, snapshots);
        _offices[epoch] = Office(header.startTime, header.endTime, uint32(snapshots.length), most);
        _seeds[epoch] = header.seed;
        (headEpoch, headerHash) = (epoch, hash);
        if (header.orderCount > orderCount) _keepOrder(header.orderRoot, header.orderCount);
    }

    /// @return most members of the largest one with data-availability duty
    function _keepSnapshots(uint64 epoch, bytes32[] calldata hashes, Snapshot[] calldata snapshots)
        private
        returns (uint32 most)
    {
        uint32 groups = uint32(hashes.length);
        if (groups == 0 || snapshots.length != groups) revert BadSnapshots(groups);
        for (uint32 id = 0; id < groups; ++id) {
            if (keccak256(abi.encode(snapshots[id])) != hashes[id]) revert BadSnapshots(id);
            _snapshotHashes[epoch][id] = hashes[id];
            bool hasDuty = id != 0 || groups == 1;
            if (hasDuty && snapshots[id].memberCount > most) most = snapshots[id].memberCount;
        }
    }

    function _keepOrder(bytes32 root, uint64 count) private {
        orderCount = count;
        _orderRoots[count] = root;
        emit OrderAccepted(count, root);
    }

    /// @dev Requires that the committee of `epoch` may sign checkpoints.
    function _requireOpen(uint64 epoch) private view {
        Office memory office = _offices[epoch];
        bool open = office.groups != 0 && office.startTime <= block.timestamp
            && block.timestamp <= uint256(office.endTime) + graceSeconds;
        if (!open) revert EpochClosed();
    }

    /// @dev What the committee signed, if it is one that may be taken and stands where it is said to.
    function _bundleDigest(Checkpoint calldata checkpoint, BundlePlace calldata place) private view returns (bytes32) {
        if (checkpoint.shardId != 0) revert NotHubCheckpoint(checkpoint.shardId);
        if (checkpoint.logCount <= orderCount) revert OrderNotNewer(checkpoint.logCount, orderCount);
        if (checkpoint.time > block.timestamp + maxDrift) revert TimeInFuture();
        _requireOpen(place.epoch);
        if (!Tree.hasShape(place.count, place.index, place.path)) revert BadPath();
        bytes32 root = Tree.rootFrom(place.index, Statements.checkpointLeaf(checkpoint), place.path);
        return _digestOf(Statements.KIND_CHECKPOINTS, orderingHub, place.epoch, place.count, root);
    }

    /// @dev What the committee of `epoch` signs for a contract of the hub.
    function _digestOf(uint8 kind, address domain, uint64 epoch, uint32 count, bytes32 root)
        private
        view
        returns (bytes32)
    {
        return Statements.digest(hubChainId, hub, Statement(kind, hubChainId, domain, epoch, 0, count, root));
    }
}
