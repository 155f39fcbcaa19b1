// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Checkpoint} from "../../src/quorum/QuorumTypes.sol";
import {Leaves} from "./support/Leaves.sol";
import {ShardFixture} from "./support/ShardFixture.sol";

/// @notice Brings bundles of new, repeated and unlinked checkpoints, and writes down what must be ordered.
contract OrderHandler is ShardFixture {
    uint32 private constant SHARDS = 3;
    /// @dev Joined when its chain was long.
    uint32 private constant LATE = SHARDS - 1;
    uint64 private constant FIRST = 70;

    bytes32[] private _order;
    mapping(bytes32 leaf => uint256) public places;
    Checkpoint[] private _newest;

    constructor() {
        deployHub(SHARDS - 2);
        vm.prank(ADMIN);
        orderingHub.addShard(LATE, HUB_CHAIN, address(0xF), ENTRANCE, address(0xE), 2, PERIOD, FIRST);
        newestNumber[LATE] = FIRST - 1;
        begin(EPOCH, 1);
        for (uint32 id = 0; id < SHARDS; ++id) {
            _newest.push(checkpointOf(id, newestNumber[id], 0));
        }
    }

    /// @dev Two new checkpoints, of one shard or of two, and the newest of a third before or behind them.
    function bringNew(uint256 first, uint256 second, uint256 third, bool before) external {
        Checkpoint[] memory list = new Checkpoint[](3);
        uint256 repeated = third % SHARDS;
        bool known = newestLeaf[uint32(repeated)] != 0;
        if (before) list[0] = _newest[repeated];
        list[before ? 1 : 0] = _next(first % SHARDS);
        list[before ? 2 : 1] = _next(second % SHARDS);
        if (!before) list[2] = _newest[repeated];
        if (!known) list = listOf(list[before ? 1 : 0], list[before ? 2 : 1]);
        submit(list);
    }

    /// @dev A bundle with a number left out is refused as a whole.
    function bringGap(uint256 first, uint256 second) external {
        (uint256 one, uint256 other) = (first % SHARDS, second % SHARDS);
        uint64 count = orderingHub.orderCount();
        Checkpoint memory good = checkpointOf(uint32(one), _newest[one].number + 1, newestLeaf[uint32(one)]);
        Checkpoint memory bad = checkpointOf(uint32(other), _newest[other].number + 3, "gap");
        Checkpoint[] memory list = listOf(good, bad);
        Signed memory s = signBundle(list, EPOCH, 0);
        try orderingHub.submitBundle(list, EPOCH, s.snapshot, s.nonSigners, s.siblings, s.signature) {
            revert("a gap was taken");
        } catch {}
        require(orderingHub.orderCount() == count, "nothing of it counts");
    }

    /// @dev Another content for the newest number.
    function bringConflict(uint256 shard) external {
        Checkpoint memory conflicting = _newest[shard % SHARDS];
        if (newestLeaf[conflicting.shardId] == 0) return;
        conflicting.daRoot = "another";
        Checkpoint[] memory list = listOf(conflicting);
        Signed memory s = signBundle(list, EPOCH, 0);
        try orderingHub.submitBundle(list, EPOCH, s.snapshot, s.nonSigners, s.siblings, s.signature) {
            revert("a second content was taken");
        } catch {}
    }

    function bringNothingNew(uint256 shard) external {
        Checkpoint memory known = _newest[shard % SHARDS];
        if (newestLeaf[known.shardId] != 0) submit(listOf(known, known));
    }

    /// @dev What the order must be, and where each shard's stream must stand.
    function check() external view {
        (bytes32 root, uint64 count) = orderingHub.orderRoot();
        assertEq(count, _order.length, "as many as were brought");
        if (count != 0) assertEq(root, Leaves.rootOf(_order), "in the order in which they were");
        for (uint32 id = 0; id < SHARDS; ++id) {
            (uint64 number, bytes32 hash, uint64 globalIndex) = orderingHub.head(id);
            assertEq(number, newestNumber[id], "none of a shard is lost");
            assertEq(hash, newestLeaf[id], "the newest");
            if (hash != 0) assertEq(places[hash], globalIndex + 1, "its place");
        }
    }

    function _next(uint256 shard) private returns (Checkpoint memory made) {
        made = nextCheckpoint(uint32(shard));
        _newest[shard] = made;
        bytes32 leaf = leafOf(made);
        require(places[leaf] == 0, "a leaf twice");
        _order.push(leaf);
        places[leaf] = _order.length;
    }
}

/// @notice Whatever is brought: a checkpoint is ordered once, none of a shard is left out, and no place ever changes.
contract OrderInvariantsTest is ShardFixture {
    OrderHandler private _handler;

    function setUp() public {
        _handler = new OrderHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_eachOnceAndNoneLost() public view {
        _handler.check();
    }
}
