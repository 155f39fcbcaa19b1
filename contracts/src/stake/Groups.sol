// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../quorum/Bls.sol";
import {Member, Snapshot} from "../quorum/QuorumTypes.sol";
import {Statements} from "../quorum/Statements.sol";
import {Tree} from "../quorum/Tree.sol";

/// @title Groups
/// @notice Builds a group's snapshot member by member: count, weight, sum of keys, right frontier of the member tree.
/// @dev The place of a group in storage serves one epoch after another. What an earlier epoch left counts as empty, and is
/// overwritten for less than a new word costs. Tickets of one call work on a copy in memory.
library Groups {
    /// @dev Levels of the frontier: 65,535 members. A target of 32,768 seats never comes near.
    uint256 private constant LEVELS = 16;

    uint256 private constant COUNT_SHIFT = 64;
    uint256 private constant WEIGHT_SHIFT = 96;
    uint256 private constant VOTES_SHIFT = 160;

    /// @notice A group in storage. `branch[h]` is meaningful where bit h of the count is set.
    /// @param head epoch u64, members u32, seats u64, and the votes of all signers that played for them u64, the first lowest;
    /// packed by hand: one read, where the compiler makes one for each field
    struct Stored {
        uint256 head;
        uint256[3] aggregateKey;
        bytes32[LEVELS] branch;
    }

    /// @notice A group in memory while members are added.
    /// @param loaded whether the rest holds what storage had
    /// @param changed bit h: `branch[h]` differs from storage
    struct Open {
        bool loaded;
        uint256 count;
        uint256 weight;
        uint256 changed;
        uint256[4] aggregateKey;
        bytes32[LEVELS] branch;
    }

    /// @notice Copies what storage has of a group in `epoch`, once.
    function load(Stored storage stored, Open memory group, uint64 epoch) internal view {
        if (group.loaded) return;
        group.loaded = true;
        uint256 head = stored.head;
        if (uint64(head) != epoch) return;
        uint256 count = uint32(head >> COUNT_SHIFT);
        group.count = count;
        group.weight = uint64(head >> WEIGHT_SHIFT);
        group.aggregateKey = Bls.unpack(stored.aggregateKey);
        for (uint256 height = 0; count >> height != 0; ++height) {
            if ((count >> height) & 1 == 1) group.branch[height] = stored.branch[height];
        }
    }

    /// @notice Adds a member behind the others.
    function add(Stored storage stored, Open memory group, uint64 epoch, address signer, uint32 seats, uint256[3] memory key)
        internal
        view
    {
        load(stored, group, epoch);
        uint256 count = group.count;
        bytes32 node = Statements.memberLeaf(Member(uint32(count), signer, seats, key));
        uint256 height = 0;
        // A count has at most as many bits as there are levels, so the array's own bounds are enough.
        unchecked {
            while ((count >> height) & 1 == 1) {
                node = Tree.node(group.branch[height++], node);
            }
            group.changed |= 1 << height;
            group.count = count + 1;
            group.weight += seats;
        }
        group.branch[height] = node;
        Bls.addKeyTo(group.aggregateKey, key);
    }

    /// @notice Writes a group back, if it was loaded: of the frontier the changed levels that the count keeps.
    function commit(Stored storage stored, Open memory group, uint64 epoch, uint64 votes) internal {
        if (!group.loaded) return;
        stored.head = uint256(epoch) | (group.count << COUNT_SHIFT) | (group.weight << WEIGHT_SHIFT)
            | (uint256(votes) << VOTES_SHIFT);
        if (group.changed == 0) return;
        stored.aggregateKey = Bls.pack(group.aggregateKey);
        uint256 kept = group.changed & group.count;
        for (uint256 height = 0; kept >> height != 0; ++height) {
            if ((kept >> height) & 1 == 1) stored.branch[height] = group.branch[height];
        }
    }

    /// @notice Whether anything was written for `epoch`.
    function isOf(Stored storage stored, uint64 epoch) internal view returns (bool) {
        return uint64(stored.head) == epoch;
    }

    /// @notice Seats in a group in `epoch`, and the votes that played for them; zeros where nothing was written for it.
    function standing(Stored storage stored, uint64 epoch) internal view returns (uint64 weight, uint64 votes) {
        uint256 head = stored.head;
        if (uint64(head) == epoch) (weight, votes) = (uint64(head >> WEIGHT_SHIFT), uint64(head >> VOTES_SHIFT));
    }

    /// @notice The group as it stands in `epoch`; without members all but the first two fields are zero.
    function snapshot(Stored storage stored, uint64 epoch, uint32 quorumId)
        internal
        view
        returns (Snapshot memory made)
    {
        made.epoch = epoch;
        made.quorumId = quorumId;
        uint256 head = stored.head;
        if (uint64(head) != epoch) return made;
        made.memberCount = uint32(head >> COUNT_SHIFT);
        made.totalWeight = uint64(head >> WEIGHT_SHIFT);
        made.membersRoot = _root(stored, made.memberCount);
        made.aggregateKey = stored.aggregateKey;
    }

    function _root(Stored storage stored, uint256 count) private view returns (bytes32 node) {
        uint256 depth = Tree.depthOf(count);
        if (count == 1 << depth) return stored.branch[depth];
        bytes32 zero = bytes32(0);
        for (uint256 height = 0; height < depth; ++height) {
            if ((count >> height) & 1 == 1) node = Tree.node(stored.branch[height], node);
            else node = Tree.node(node, zero);
            zero = Tree.node(zero, zero);
        }
    }
}
