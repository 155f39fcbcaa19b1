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

    /// @notice A group in storage. `branch[h]` is meaningful where bit h of the count is set.
    struct Stored {
        uint64 epoch;
        uint32 count;
        uint64 weight;
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

    /// @notice Adds a member behind the others.
    function add(Stored storage stored, Open memory group, uint64 epoch, address signer, uint32 seats, uint256[3] memory key)
        internal
        view
    {
        if (!group.loaded) _load(stored, group, epoch);
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

    /// @notice Writes a group back: of the frontier the changed levels that the count keeps.
    function commit(Stored storage stored, Open memory group, uint64 epoch) internal {
        if (!group.loaded) return;
        (uint32 count, uint64 weight) = (uint32(group.count), uint64(group.weight));
        (stored.epoch, stored.count, stored.weight) = (epoch, count, weight);
        stored.aggregateKey = Bls.pack(group.aggregateKey);
        uint256 kept = group.changed & group.count;
        for (uint256 height = 0; kept >> height != 0; ++height) {
            if ((kept >> height) & 1 == 1) stored.branch[height] = group.branch[height];
        }
    }

    /// @notice Seats in a group in `epoch`.
    function weightIn(Stored storage stored, uint64 epoch) internal view returns (uint64) {
        return stored.epoch == epoch ? stored.weight : 0;
    }

    /// @notice The group as it stands in `epoch`; without members all but the first two fields are zero.
    function snapshot(Stored storage stored, uint64 epoch, uint32 quorumId)
        internal
        view
        returns (Snapshot memory made)
    {
        made.epoch = epoch;
        made.quorumId = quorumId;
        if (stored.epoch != epoch) return made;
        made.memberCount = stored.count;
        made.totalWeight = stored.weight;
        made.membersRoot = _root(stored, stored.count);
        made.aggregateKey = stored.aggregateKey;
    }

    function _load(Stored storage stored, Open memory group, uint64 epoch) private view {
        group.loaded = true;
        if (stored.epoch != epoch) return;
        uint256 count = stored.count;
        group.count = count;
        group.weight = stored.weight;
        group.aggregateKey = Bls.unpack(stored.aggregateKey);
        for (uint256 height = 0; count >> height != 0; ++height) {
            if ((count >> height) & 1 == 1) group.branch[height] = stored.branch[height];
        }
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
