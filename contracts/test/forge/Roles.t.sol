// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {Administered} from "../../src/Administered.sol";
import {Directory} from "../../src/Directory.sol";
import {EpochClock} from "../../src/log/EpochClock.sol";
import {Flow} from "../../src/log/Flow.sol";
import {Submission} from "../../src/log/FlowTypes.sol";
import {PriceMarket} from "../../src/log/PriceMarket.sol";
import {RootHistory} from "../../src/log/RootHistory.sol";
import {PoraMine} from "../../src/pora/PoraMine.sol";
import {ChunkLinearReward} from "../../src/reward/ChunkLinearReward.sol";
import {ChunkRewardBase} from "../../src/reward/ChunkRewardBase.sol";
import {Files} from "./support/Files.sol";
import {FlowFixture} from "./support/FlowFixture.sol";

/// @notice Who may do what, and what constructors refuse.
contract RolesTest is FlowFixture {
    address private constant STRANGER = address(0x57);
    address private constant TIMELOCK = address(0x71);

    Directory private _directory;

    function setUp() public {
        deploy(PRICE, 100, 0);
        _directory = new Directory(ADMIN);
    }

    function testFuzz_onlyTheAdminActs(address caller) public {
        vm.assume(caller != ADMIN);
        bytes memory refusal = abi.encodeWithSelector(Administered.NotAdmin.selector, caller, ADMIN);
        _refused(caller, refusal, address(flow), abi.encodeCall(Flow.pause, ()));
        _refused(caller, refusal, address(flow), abi.encodeCall(Flow.unpause, ()));
        _refused(caller, refusal, address(market), abi.encodeCall(PriceMarket.setPricePerSector, (1)));
        _refused(caller, refusal, address(reward), abi.encodeCall(ChunkRewardBase.setBaseReward, (1)));
        _refused(caller, refusal, address(reward), abi.encodeCall(ChunkRewardBase.setServiceFeeRate, (1)));
        _refused(caller, refusal, address(reward), abi.encodeCall(ChunkRewardBase.setTreasury, (caller)));
        _refused(caller, refusal, address(_directory), abi.encodeCall(Directory.set, ("flow", caller)));
        _refused(caller, refusal, address(flow), abi.encodeCall(Administered.transferAdmin, (caller)));
        _refused(caller, refusal, address(mine), abi.encodeCall(mine.setTargetMineBlocks, (1)));
        _refused(caller, refusal, address(mine), abi.encodeCall(mine.setTargetSubmissions, (1)));
        _refused(caller, refusal, address(mine), abi.encodeCall(mine.setNumSubtasks, (1)));
        _refused(caller, refusal, address(mine), abi.encodeCall(mine.setSubtaskInterval, (1)));
        _refused(caller, refusal, address(mine), abi.encodeCall(mine.setMaxShards, (1)));
        _refused(caller, refusal, address(mine), abi.encodeCall(mine.setDifficultyAdjustRatio, (1)));
        _refused(caller, refusal, address(mine), abi.encodeCall(mine.setMinDifficulty, (1)));
    }

    function test_theRoleMovesInTwoSteps() public {
        vm.prank(ADMIN);
        _directory.transferAdmin(TIMELOCK);
        assertEq(_directory.admin(), ADMIN, "admin until accepted");
        _refused(
            STRANGER,
            abi.encodeWithSelector(Administered.NotPendingAdmin.selector, STRANGER, TIMELOCK),
            address(_directory),
            abi.encodeCall(Administered.acceptAdmin, ())
        );
        vm.prank(TIMELOCK);
        _directory.acceptAdmin();
        assertEq(_directory.admin(), TIMELOCK, "admin");
        assertEq(_directory.pendingAdmin(), address(0), "pending");
        _refused(
            ADMIN,
            abi.encodeWithSelector(Administered.NotAdmin.selector, ADMIN, TIMELOCK),
            address(_directory),
            abi.encodeCall(Directory.set, ("flow", ADMIN))
        );
    }

    function test_theDirectoryNamesAndReplaces() public {
        vm.prank(ADMIN);
        _directory.set("flow", address(flow));
        vm.prank(ADMIN);
        _directory.set("market", address(market));
        vm.prank(ADMIN);
        _directory.set("flow", address(0xF2));
        assertEq(_directory.get("flow"), address(0xF2), "replaced");
        assertEq(_directory.names().length, 2, "names");
        assertEq(_directory.names()[0], "flow", "first name");
        _refused(
            STRANGER,
            abi.encodeWithSelector(Directory.UnknownName.selector, bytes32("flaw")),
            address(_directory),
            abi.encodeCall(Directory.get, ("flaw"))
        );
        bytes memory empty = abi.encodeWithSelector(Directory.EmptyName.selector);
        _refused(ADMIN, empty, address(_directory), abi.encodeCall(Directory.set, ("", ADMIN)));
        bytes memory zero = abi.encodeWithSelector(Administered.ZeroAddress.selector);
        _refused(ADMIN, zero, address(_directory), abi.encodeCall(Directory.set, ("flow", address(0))));
    }

    function test_aPauseStopsSubmissionsOnly() public {
        vm.prank(ADMIN);
        flow.pause();
        assertTrue(flow.paused(), "paused");
        Submission memory submission = Files.submission(1, 1, SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        flow.submit{value: PRICE}(submission);
        vm.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        flow.batchSubmit(new Submission[](0));
        vm.roll(block.number + 150);
        flow.makeContext();
        assertEq(flow.epoch(), 1, "contexts go on");
        vm.prank(ADMIN);
        flow.unpause();
        flow.submit{value: PRICE}(submission);
    }

    function test_submissionsOpenAtTheFirstBlock() public {
        deploy(PRICE, 100, 30);
        assertEq(flow.firstBlock(), 1030, "first block");
        assertEq(flow.deployDelay(), 30, "delay");
        Submission memory submission = Files.submission(1, 1, SUBMITTER);
        vm.roll(1029);
        vm.expectRevert(abi.encodeWithSelector(Flow.NotLaunched.selector, 1030, 1029));
        flow.submit{value: PRICE}(submission);
        vm.roll(1030);
        flow.submit{value: PRICE}(submission);
    }

    function test_theMarketBoundsItsPrice() public {
        bytes memory high = abi.encodeWithSelector(PriceMarket.PriceTooHigh.selector, 1 << 128);
        _refused(ADMIN, high, address(market), abi.encodeCall(PriceMarket.setPricePerSector, (1 << 128)));
    }

    function test_onlyTheFlowAddsRoots() public {
        RootHistory history = RootHistory(flow.rootHistory());
        assertEq(history.flow(), address(flow), "its flow");
        vm.expectRevert(abi.encodeWithSelector(RootHistory.NotFlow.selector, address(this), address(flow)));
        history.insert("root");
    }

    function test_constructorsRefuseWhatCannotWork() public {
        bytes memory zero = abi.encodeWithSelector(Administered.ZeroAddress.selector);
        vm.expectRevert(zero);
        new Directory(address(0));
        vm.expectRevert(zero);
        new ChunkLinearReward(1, 1, address(0), address(1), ADMIN);
        vm.expectRevert(zero);
        new ChunkLinearReward(1, 1, address(1), address(0), ADMIN);
        vm.expectRevert(abi.encodeWithSelector(ChunkRewardBase.BadPriceSize.selector, 0));
        new ChunkLinearReward(0, 1, address(1), address(1), ADMIN);
        vm.expectRevert(abi.encodeWithSelector(ChunkLinearReward.BadReleaseTime.selector, 0));
        new ChunkLinearReward(1, 0, address(1), address(1), ADMIN);
        bytes memory other = abi.encodeWithSelector(PriceMarket.RewardOfAnotherMarket.selector, reward, market);
        vm.expectRevert(other);
        new PriceMarket(1, address(1), address(reward), ADMIN);
        vm.expectRevert(abi.encodeWithSelector(PriceMarket.RewardOfAnotherMarket.selector, STRANGER, address(0)));
        new PriceMarket(1, address(1), STRANGER, ADMIN);
        vm.expectRevert(abi.encodeWithSelector(PoraMine.RewardOfAnotherMine.selector, reward, mine));
        new PoraMine(address(flow), address(reward), 0, miningParameters(), ADMIN);
        vm.expectRevert(abi.encodeWithSelector(PoraMine.UnknownSettings.selector, 8));
        new PoraMine(address(flow), address(reward), 8, miningParameters(), ADMIN);
        vm.expectRevert(zero);
        new PriceMarket(1, address(0), address(1), ADMIN);
        vm.expectRevert(zero);
        new PriceMarket(1, address(1), address(0), ADMIN);
        vm.expectRevert(zero);
        new PriceMarket(1, address(1), address(1), address(0));
        vm.expectRevert(zero);
        new Flow(address(market), 100, 0, address(0));
        vm.expectRevert(zero);
        new Flow(address(0), 100, 0, ADMIN);
        vm.expectRevert(abi.encodeWithSelector(EpochClock.ZeroBlocksPerEpoch.selector));
        new Flow(address(market), 0, 0, ADMIN);
        vm.expectRevert(abi.encodeWithSelector(Flow.MarketOfAnotherFlow.selector, address(market), address(flow)));
        new Flow(address(market), 100, 0, ADMIN);
        vm.expectRevert(abi.encodeWithSelector(Flow.MarketOfAnotherFlow.selector, STRANGER, address(0)));
        new Flow(STRANGER, 100, 0, ADMIN);
    }

    function _refused(address caller, bytes memory reason, address target, bytes memory call) private {
        vm.prank(caller);
        (bool success, bytes memory answer) = target.call(call);
        assertTrue(!success, "refused");
        assertEq(keccak256(answer), keccak256(reason), "reason");
    }
}
