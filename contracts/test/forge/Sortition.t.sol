// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StakeFixture} from "./support/StakeFixture.sol";

contract SortitionTest is StakeFixture {
    function setUp() public {
        deploy(sortitionParameters());
    }

    function test_fourSignersOfOneVoteAllHoldOffice() public {
        begin(4, 1);
        assertEq(sortition.currentEpoch(), 1, "epoch");
        (uint64 start, uint64 end, bytes32 seed, uint32 groups) = sortition.epochInfo(1);
        assertEq(start, block.timestamp, "start");
        assertEq(end, block.timestamp + 60, "end");
        assertEq(seed, sortition.seedOf(1), "seed");
        assertEq(groups, 1, "groups");
        pass(0, 3);
        assertEq(sortition.currentEpoch(), 2, "epoch");
    }
}
