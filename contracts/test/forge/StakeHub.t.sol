// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../../src/Administered.sol";
import {IStakeClock} from "../../src/stake/IStakeClock.sol";
import {StakeBook} from "../../src/stake/StakeBook.sol";
import {StakeHub} from "../../src/stake/StakeHub.sol";
import {Account, StakeParameters} from "../../src/stake/StakeTypes.sol";
import {VoteRing} from "../../src/stake/VoteRing.sol";
import {StakeFixture} from "./support/StakeFixture.sol";

/// @notice A clock that tests set.
contract SetClock is IStakeClock {
    uint64 public currentEpoch;
    uint64 public targetEpoch;

    function set(uint64 current, uint64 target) external {
        (currentEpoch, targetEpoch) = (current, target);
    }
}

/// @notice Stake in and out, votes by epoch, and what stake answers for.
contract StakeHubTest is StakeFixture {
    address private constant OWNER = address(0x10_0000);
    address private constant MODULE = address(0xC0DE);
    address private constant VICTIM = address(0x71C);
    bytes32 private constant CASE = "case";

    SetClock private _clock;

    function setUp() public {
        vm.warp(1_800_000_000);
        stakeHub = new StakeHub(stakeParameters(), ADMIN);
        _clock = new SetClock();
        _clock.set(0, 2);
        vm.prank(ADMIN);
        stakeHub.setClock(_clock);
        vm.prank(ADMIN);
        stakeHub.setModule(MODULE, true);
    }

    function test_votesAreWholeBoundedAndForSignersOnly() public {
        bond(0, 5 * VOTE / 2);
        assertEq(stakeHub.votesAt(OWNER, 2), 0, "no role");
        takeRole(0);
        assertEq(stakeHub.votesAt(OWNER, 1), 0, "not yet");
        assertEq(stakeHub.votesAt(OWNER, 2), 2, "two and a half");
        _clock.set(1, 3);
        bond(0, 100 * VOTE);
        assertEq(stakeHub.votesAt(OWNER, 3), 64, "at most");
        _clock.set(2, 4);
        vm.prank(OWNER);
        stakeHub.setRoles(6);
        assertEq(stakeHub.votesAt(OWNER, 4), 0, "miner and provider");
        assertEq(stakeHub.votesAt(OWNER, 3), 64, "as it was");
        assertEq(stakeHub.totalVotesAt(2), 2, "total of 2");
        assertEq(stakeHub.totalVotesAt(3), 64, "total of 3");
        assertEq(stakeHub.totalVotesAt(4), 0, "total of 4");
        vm.expectRevert(abi.encodeWithSelector(StakeBook.UnknownRole.selector, 8));
        stakeHub.setRoles(8);
    }

    /// @dev Against a list of all changes: four pairs answer for the running epoch and all after it.
    function testFuzz_theRingForgetsNothingThatIsAsked(uint256 seed) public pure {
        uint256 ring = 0;
        uint32[64] memory model;
        uint64 target = 0;
        for (uint64 epoch = 0; epoch < 30; ++epoch) {
            for (uint256 change = 0; change < 4; ++change) {
                uint256 chance = uint256(keccak256(abi.encode(seed, epoch, change)));
                if (chance % 3 == 0) continue;
                uint64 next = epoch + (change < 2 ? 2 : 3);
                if (next > target) target = next;
                ring = VoteRing.set(ring, target, uint32(chance >> 8));
                for (uint256 later = target; later < 64; ++later) {
                    model[later] = uint32(chance >> 8);
                }
            }
            for (uint64 asked = epoch; asked < epoch + 6; ++asked) {
                assertEq(VoteRing.votesIn(ring, asked), model[asked], "votes");
            }
        }
    }

    function test_stakeLeavesAfterTheDelay() public {
        bond(0, 10 * VOTE);
        takeRole(0);
        vm.prank(OWNER);
        stakeHub.requestUnbond(4 * VOTE);
        assertEq(stakeHub.votesAt(OWNER, 2), 6, "votes go first");
        vm.expectRevert(abi.encodeWithSelector(StakeBook.Locked.selector, block.timestamp + 2 hours));
        vm.prank(OWNER);
        stakeHub.withdraw();
        vm.warp(block.timestamp + 1 hours);
        vm.prank(OWNER);
        stakeHub.requestUnbond(VOTE);
        vm.warp(block.timestamp + 1 hours);
        vm.prank(OWNER);
        stakeHub.withdraw();
        assertEq(OWNER.balance, 4 * VOTE, "the first only");
        assertEq(stakeHub.unbondingOf(OWNER).length, 1, "one is left");
        vm.warp(block.timestamp + 1 hours);
        vm.prank(OWNER);
        stakeHub.withdraw();
        assertEq(OWNER.balance, 5 * VOTE, "both");
        vm.expectRevert(abi.encodeWithSelector(StakeBook.NothingUnbonding.selector));
        vm.prank(OWNER);
        stakeHub.withdraw();
        vm.expectRevert(abi.encodeWithSelector(StakeBook.LiabilityExceeded.selector, 5 * VOTE));
        vm.prank(OWNER);
        stakeHub.requestUnbond(5 * VOTE + 1);
    }

    function test_eightWithdrawalsAtATime() public {
        bond(0, 10 * VOTE);
        for (uint256 i = 0; i < 8; ++i) {
            vm.prank(OWNER);
            stakeHub.requestUnbond(1);
        }
        vm.expectRevert(abi.encodeWithSelector(StakeBook.TooManyUnbonds.selector));
        vm.prank(OWNER);
        stakeHub.requestUnbond(1);
    }

    /// @dev Freezing cannot hold an honest stake for ever: so many cases, each once and for so long.
    function test_freezesEnd() public {
        bond(0, 10 * VOTE);
        vm.prank(OWNER);
        stakeHub.requestUnbond(10 * VOTE);
        uint64 until = uint64(block.timestamp + 10 minutes);
        for (uint256 i = 1; i <= 4; ++i) {
            _asModule(abi.encodeCall(StakeHub.freeze, (OWNER, bytes32(i), until)), "");
        }
        _asModule(abi.encodeCall(StakeHub.freeze, (OWNER, "fifth", until)), abi.encodeWithSelector(StakeHub.TooManyCases.selector));
        _asModule(
            abi.encodeCall(StakeHub.freeze, (OWNER, bytes32(uint256(1)), until)),
            abi.encodeWithSelector(StakeHub.CaseKnown.selector)
        );
        _asModule(
            abi.encodeCall(StakeHub.freeze, (VICTIM, CASE, until + 1)), abi.encodeWithSelector(StakeHub.CaseTooLong.selector)
        );
        vm.expectRevert(abi.encodeWithSelector(StakeHub.NotModule.selector));
        stakeHub.unfreeze(OWNER, bytes32(uint256(1)));
        _asModule(abi.encodeCall(StakeHub.unfreeze, (OWNER, bytes32(uint256(1)))), "");
        vm.warp(block.timestamp + 2 hours);
        vm.expectRevert(abi.encodeWithSelector(StakeBook.InFreeze.selector));
        vm.prank(OWNER);
        stakeHub.withdraw();
        for (uint256 i = 2; i <= 4; ++i) {
            stakeHub.unfreeze(OWNER, bytes32(i));
        }
        vm.expectRevert(abi.encodeWithSelector(StakeHub.CaseUnknown.selector));
        stakeHub.unfreeze(OWNER, bytes32(uint256(2)));
        _asModule(
            abi.encodeCall(StakeHub.freeze, (OWNER, bytes32(uint256(2)), uint64(block.timestamp + 1))),
            abi.encodeWithSelector(StakeHub.CaseKnown.selector)
        );
        vm.prank(OWNER);
        stakeHub.withdraw();
        assertEq(OWNER.balance, 10 * VOTE, "paid");
    }

    function test_aSlashTakesBondedAndUnbonding() public {
        bond(0, 10 * VOTE);
        takeRole(0);
        vm.prank(OWNER);
        stakeHub.requestUnbond(4 * VOTE);
        _asModule(abi.encodeCall(StakeHub.slash, (OWNER, 5_000, CASE, VICTIM)), "");
        assertEq(stakeHub.accountOf(OWNER).bonded, VOTE, "bonded first");
        assertEq(stakeHub.accountOf(OWNER).unbonding, 4 * VOTE, "unbonding");
        assertEq(stakeHub.votesAt(OWNER, 2), 1, "votes");
        _asModule(abi.encodeCall(StakeHub.slash, (OWNER, 10_000, CASE, VICTIM)), "");
        assertEq(stakeHub.accountOf(OWNER).unbonding, 0, "all");
        assertEq(stakeHub.rewardOf(VICTIM), VOTE, "a tenth");
        assertEq(stakeHub.burnt(), 9 * VOTE, "the rest");
        vm.prank(VICTIM);
        stakeHub.collectReward();
        assertEq(VICTIM.balance, VOTE, "collected");
        vm.warp(block.timestamp + 2 hours);
        vm.prank(OWNER);
        stakeHub.withdraw();
        assertEq(OWNER.balance, 0, "nothing is left");
    }

    /// @dev One coin, two cases: each victim has its own part, and together they never get more than the stake.
    function test_noCoinIsPromisedTwice() public {
        bond(0, 10 * VOTE);
        takeRole(0);
        _asModule(abi.encodeCall(StakeHub.reserve, (OWNER, 6 * VOTE, CASE)), "");
        assertEq(stakeHub.votesAt(OWNER, 2), 4, "what is reserved has no votes");
        bytes memory exceeded = abi.encodeWithSelector(StakeBook.LiabilityExceeded.selector, 4 * VOTE);
        _asModule(abi.encodeCall(StakeHub.reserve, (OWNER, 5 * VOTE, "other")), exceeded);
        vm.expectRevert(exceeded);
        vm.prank(OWNER);
        stakeHub.requestUnbond(5 * VOTE);
        _asModule(abi.encodeCall(StakeHub.reserve, (OWNER, 3 * VOTE, "other")), "");
        _asModule(abi.encodeCall(StakeHub.slash, (OWNER, 10_000, CASE, VICTIM)), "");
        // Six in full, and a tenth of the one that nobody reserved; three are the other case's.
        assertEq(stakeHub.rewardOf(VICTIM), 6 * VOTE + VOTE / 10, "first victim");
        _asModule(abi.encodeCall(StakeHub.slash, (OWNER, 10_000, "other", MODULE)), "");
        assertEq(stakeHub.rewardOf(MODULE), 3 * VOTE, "second victim");
        assertEq(stakeHub.accountOf(OWNER).bonded, 0, "bonded");
        assertEq(stakeHub.rewardOf(VICTIM) + stakeHub.rewardOf(MODULE) + stakeHub.burnt(), 10 * VOTE, "the stake");
    }

    /// @dev Reserving everything for a friend saves nothing: what is released was slashed before.
    function test_aReservationIsNoShelter() public {
        bond(0, 10 * VOTE);
        _asModule(abi.encodeCall(StakeHub.reserve, (OWNER, 10 * VOTE, CASE)), "");
        _asModule(abi.encodeCall(StakeHub.slash, (OWNER, 10_000, "equivocation", VICTIM)), "");
        assertEq(stakeHub.accountOf(OWNER).bonded, 10 * VOTE, "the case has it");
        _asModule(
            abi.encodeCall(StakeHub.release, (OWNER, 11 * VOTE, CASE)), abi.encodeWithSelector(StakeHub.CaseUnknown.selector)
        );
        _asModule(abi.encodeCall(StakeHub.release, (OWNER, 10 * VOTE, CASE)), "");
        assertEq(stakeHub.accountOf(OWNER).bonded, 0, "bonded");
        assertEq(stakeHub.burnt(), 10 * VOTE, "burnt");
    }

    function test_releasedStakeVotesAgain() public {
        bond(0, 10 * VOTE);
        takeRole(0);
        _asModule(abi.encodeCall(StakeHub.reserve, (OWNER, 6 * VOTE, CASE)), "");
        _asModule(abi.encodeCall(StakeHub.release, (OWNER, 6 * VOTE, CASE)), "");
        assertEq(stakeHub.votesAt(OWNER, 2), 10, "votes");
        assertEq(stakeHub.reservedFor(OWNER, CASE), 0, "reserved");
    }

    function test_jailTakesVotesAtOnceAndTheTotalLater() public {
        bond(0, 10 * VOTE);
        takeRole(0);
        bond(1, 5 * VOTE);
        takeRole(1);
        _clock.set(2, 5);
        _asModule(abi.encodeCall(StakeHub.jail, (OWNER, 6)), "");
        assertEq(stakeHub.votesAt(OWNER, 2), 0, "votes now");
        assertEq(stakeHub.totalVotesAt(4), 15, "the total of a settled epoch stays");
        assertEq(stakeHub.totalVotesAt(5), 5, "total");
        bond(0, VOTE);
        assertEq(stakeHub.votesAt(OWNER, 5), 0, "new stake does not help");
        vm.expectRevert(abi.encodeWithSelector(StakeBook.StillJailed.selector, 6));
        vm.prank(OWNER);
        stakeHub.rejoin();
        _clock.set(4, 7);
        vm.prank(OWNER);
        stakeHub.rejoin();
        assertEq(stakeHub.votesAt(OWNER, 7), 11, "again");
        assertEq(stakeHub.totalVotesAt(7), 16, "total again");
        vm.expectRevert(abi.encodeWithSelector(StakeBook.NotJailed.selector));
        vm.prank(OWNER);
        stakeHub.rejoin();
        _asModule(abi.encodeCall(StakeHub.jail, (OWNER, type(uint32).max)), "");
        _clock.set(type(uint64).max - 3, type(uint64).max);
        vm.expectRevert(abi.encodeWithSelector(StakeBook.StillJailed.selector, type(uint32).max));
        vm.prank(OWNER);
        stakeHub.rejoin();
    }

    function testFuzz_onlyModulesJudgeAndOnlyTheAdminNames(address caller) public {
        vm.assume(caller != MODULE && caller != ADMIN);
        bytes memory refusal = abi.encodeWithSelector(StakeHub.NotModule.selector);
        _refused(caller, abi.encodeCall(StakeHub.reserve, (OWNER, 1, CASE)), refusal);
        _refused(caller, abi.encodeCall(StakeHub.release, (OWNER, 1, CASE)), refusal);
        _refused(caller, abi.encodeCall(StakeHub.freeze, (OWNER, CASE, 1)), refusal);
        _refused(caller, abi.encodeCall(StakeHub.slash, (OWNER, 1, CASE, caller)), refusal);
        _refused(caller, abi.encodeCall(StakeHub.jail, (OWNER, 1)), refusal);
        refusal = abi.encodeWithSelector(Administered.NotAdmin.selector, caller, ADMIN);
        _refused(caller, abi.encodeCall(StakeHub.setModule, (caller, true)), refusal);
        _refused(caller, abi.encodeCall(StakeBook.setClock, (_clock)), refusal);
    }

    function test_modulesAndClockCanBeReplaced() public {
        vm.prank(ADMIN);
        stakeHub.setModule(MODULE, false);
        _refused(MODULE, abi.encodeCall(StakeHub.jail, (OWNER, 1)), abi.encodeWithSelector(StakeHub.NotModule.selector));
        SetClock next = new SetClock();
        next.set(0, 1);
        _refused(
            ADMIN,
            abi.encodeCall(StakeBook.setClock, (next)),
            abi.encodeWithSelector(StakeBook.ClockBehind.selector, 1, 2)
        );
        next.set(0, 2);
        vm.prank(ADMIN);
        stakeHub.setClock(next);
        bytes memory zero = abi.encodeWithSelector(Administered.ZeroAddress.selector);
        _refused(ADMIN, abi.encodeCall(StakeBook.setClock, (IStakeClock(address(0)))), zero);
        _refused(ADMIN, abi.encodeCall(StakeHub.setModule, (address(0), true)), zero);
        StakeHub fresh = new StakeHub(stakeParameters(), ADMIN);
        vm.deal(OWNER, VOTE);
        vm.prank(OWNER);
        fresh.bond{value: VOTE}();
        vm.expectRevert(abi.encodeWithSelector(StakeBook.ClockUnset.selector));
        vm.prank(OWNER);
        fresh.setRoles(1);
    }

    /// @dev A module that governance names can take no coin of anybody who asks for it within the notice.
    function test_aModuleNamedLaterActsWhenStakersCouldHaveLeft() public {
        bond(0, VOTE);
        address later = address(0xC0DE2);
        vm.prank(ADMIN);
        stakeHub.setModule(later, true);
        uint64 from = uint64(block.timestamp) + stakeHub.unbondDelay() + stakeHub.NOTICE();
        assertEq(stakeHub.moduleFrom(later), from, "when");
        bytes memory refusal = abi.encodeWithSelector(StakeHub.NotModule.selector);
        bytes memory take = abi.encodeCall(StakeHub.slash, (OWNER, 10_000, CASE, later));
        _refused(later, take, refusal);
        vm.warp(block.timestamp + stakeHub.NOTICE() - 1);
        vm.prank(OWNER);
        stakeHub.requestUnbond(uint128(VOTE));
        vm.warp(from - 1);
        // Named again, it does not wait anew.
        vm.prank(ADMIN);
        stakeHub.setModule(later, true);
        assertTrue(!stakeHub.isModule(later), "not yet");
        _refused(later, take, refusal);
        vm.prank(OWNER);
        stakeHub.withdraw();
        assertEq(OWNER.balance, VOTE, "left");
        vm.warp(from);
        assertTrue(stakeHub.isModule(later), "now");
        vm.prank(ADMIN);
        stakeHub.setModule(later, false);
        assertTrue(!stakeHub.isModule(later), "disallowed at once");
    }

    function test_aClockNamedLaterWaitsToo() public {
        bond(0, VOTE);
        SetClock next = new SetClock();
        next.set(0, 2);
        vm.prank(ADMIN);
        stakeHub.setClock(next);
        assertTrue(address(stakeHub.clock()) == address(_clock), "the old one");
        uint64 from = uint64(block.timestamp) + stakeHub.unbondDelay() + stakeHub.NOTICE();
        assertTrue(address(stakeHub.nextClock()) == address(next) && stakeHub.nextClockFrom() == from, "named");
        vm.warp(from - 1);
        bytes memory again = abi.encodeCall(StakeBook.setClock, (next));
        _refused(ADMIN, again, abi.encodeWithSelector(StakeBook.TooSoon.selector, from));
        vm.warp(from);
        _clock.set(1, 3);
        _refused(ADMIN, again, abi.encodeWithSelector(StakeBook.ClockBehind.selector, 2, 3));
        next.set(0, 3);
        vm.prank(ADMIN);
        stakeHub.setClock(next);
        assertTrue(address(stakeHub.clock()) == address(next), "the new one");
        assertTrue(address(stakeHub.nextClock()) == address(0), "none waits");
        vm.prank(ADMIN);
        stakeHub.setClock(_clock);
        assertTrue(address(stakeHub.clock()) == address(next), "another one waits anew");
    }

    /// @dev Nobody can hold up a deployment by bonding in the middle of it.
    function test_modulesNamedBeforeTheClockActAtOnce() public {
        StakeHub fresh = new StakeHub(stakeParameters(), ADMIN);
        vm.deal(OWNER, 1);
        vm.prank(OWNER);
        fresh.bond{value: 1}();
        vm.prank(ADMIN);
        fresh.setModule(MODULE, true);
        assertTrue(fresh.isModule(MODULE), "at once");
        vm.prank(ADMIN);
        fresh.setClock(_clock);
        assertTrue(address(fresh.clock()) == address(_clock), "the first clock too");
    }

    function test_parametersAreBounded() public {
        bytes memory refusal = abi.encodeWithSelector(StakeBook.BadStakeParameter.selector);
        StakeParameters memory parameters = stakeParameters();
        parameters.maxVotes = 1025;
        vm.expectRevert(refusal);
        new StakeHub(parameters, ADMIN);
        parameters = stakeParameters();
        parameters.tokensPerVote = 0;
        vm.expectRevert(refusal);
        new StakeHub(parameters, ADMIN);
        parameters = stakeParameters();
        parameters.reporterBps = 10_001;
        vm.expectRevert(refusal);
        new StakeHub(parameters, ADMIN);
        parameters = stakeParameters();
        parameters.maxCases = 0;
        vm.expectRevert(refusal);
        new StakeHub(parameters, ADMIN);
    }

    function _asModule(bytes memory call, bytes memory refusal) private {
        if (refusal.length > 0) return _refused(MODULE, call, refusal);
        vm.prank(MODULE);
        (bool success,) = address(stakeHub).call(call);
        assertTrue(success, "done");
    }

    function _refused(address caller, bytes memory call, bytes memory refusal) private {
        vm.prank(caller);
        (bool success, bytes memory answer) = address(stakeHub).call(call);
        assertTrue(!success, "refused");
        assertEq(keccak256(answer), keccak256(refusal), "reason");
    }
}
