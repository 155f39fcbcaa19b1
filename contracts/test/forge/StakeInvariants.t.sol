// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Sortition} from "../../src/stake/Sortition.sol";
import {Phase} from "../../src/stake/SortitionTypes.sol";
import {StakeHub} from "../../src/stake/StakeHub.sol";
import {Account, Unbonding} from "../../src/stake/StakeTypes.sol";
import {StakeFixture} from "./support/StakeFixture.sol";

/// @notice Does what owners, modules, reporters and keepers may do, in any order, with five accounts.
contract StakeActor is StakeFixture {
    uint256 public constant ACCOUNTS = 5;
    address public constant MODULE = address(0xC0DE);

    /// @notice Bonded wei of an account when an epoch's votes were first final, by epoch.
    mapping(uint64 epoch => mapping(uint256 index => uint256)) public votesFrozen;
    uint64 public lastFrozen;

    constructor() {
        deploy(sortitionParameters());
        vm.prank(ADMIN);
        stakeHub.setModule(MODULE, true);
        begin(ACCOUNTS, 20);
        _observe();
    }

    function hub() external view returns (StakeHub) {
        return stakeHub;
    }

    function draw() external view returns (Sortition) {
        return sortition;
    }

    function bondMore(uint256 index, uint256 amount) external {
        bond(index % ACCOUNTS, bound(amount, 1, 50 * VOTE));
        _observe();
    }

    function unbond(uint256 index, uint256 amount) external {
        address owner = signerOf(index % ACCOUNTS);
        Account memory account = stakeHub.accountOf(owner);
        if (stakeHub.unbondingOf(owner).length == 8) return;
        vm.prank(owner);
        stakeHub.requestUnbond(uint128(bound(amount, 0, account.bonded - account.reserved)));
        _observe();
    }

    function withdraw(uint256 index) external {
        address owner = signerOf(index % ACCOUNTS);
        Unbonding[] memory queue = stakeHub.unbondingOf(owner);
        if (queue.length == 0 || queue[0].unlock > block.timestamp) return;
        if (stakeHub.accountOf(owner).freezes > 0) return;
        vm.prank(owner);
        stakeHub.withdraw();
        _observe();
    }

    function changeRoles(uint256 index, uint32 roles) external {
        vm.prank(signerOf(index % ACCOUNTS));
        stakeHub.setRoles(roles % 8);
        _observe();
    }

    function reserve(uint256 index, uint256 amount, uint8 caseId) external {
        address owner = signerOf(index % ACCOUNTS);
        Account memory account = stakeHub.accountOf(owner);
        uint128 part = uint128(bound(amount, 0, account.bonded - account.reserved));
        vm.prank(MODULE);
        stakeHub.reserve(owner, part, bytes32(uint256(caseId % 3)));
        _observe();
    }

    function release(uint256 index, uint256 amount, uint8 caseId) external {
        address owner = signerOf(index % ACCOUNTS);
        bytes32 id = bytes32(uint256(caseId % 3));
        uint128 part = uint128(bound(amount, 0, stakeHub.reservedFor(owner, id)));
        vm.prank(MODULE);
        stakeHub.release(owner, part, id);
        _observe();
    }

    function slash(uint256 index, uint16 bps, uint8 caseId, bool whole) external {
        vm.prank(MODULE);
        stakeHub.slash(
            signerOf(index % ACCOUNTS), whole ? 10_000 : bps % 1000, bytes32(uint256(caseId % 3)), address(0xBEEF)
        );
        _observe();
    }

    function jail(uint256 index, uint8 epochs) external {
        uint64 until = sortition.currentEpoch() + (epochs % 4);
        vm.prank(MODULE);
        stakeHub.jail(signerOf(index % ACCOUNTS), uint32(until));
        _observe();
    }

    function rejoin(uint256 index) external {
        address owner = signerOf(index % ACCOUNTS);
        uint32 until = stakeHub.accountOf(owner).jailedUntil;
        if (until == 0 || sortition.targetEpoch() <= until) return;
        vm.prank(owner);
        stakeHub.rejoin();
        _observe();
    }

    function collect() external {
        vm.prank(address(0xBEEF));
        stakeHub.collectReward();
    }

    /// @dev Goes on by some blocks; tickets and seals come when their time is there.
    function goOn(uint256 blocks) external {
        blocks = bound(blocks, 1, 20);
        vm.roll(block.number + blocks);
        vm.warp(block.timestamp + blocks);
        (Phase phase,,) = sortition.phase();
        if (phase == Phase.Tickets) postTickets(0, ACCOUNTS - 1);
        if (phase == Phase.Seal) sortition.seal(headerOf(sortition.entropyBlock()));
        _observe();
    }

    /// @dev Remembers every account's votes for an epoch at the first look after they became final.
    function _observe() private {
        uint64 epoch = sortition.targetEpoch() - 1;
        if (epoch <= lastFrozen) return;
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            votesFrozen[epoch][i] = stakeHub.votesAt(signerOf(i), epoch);
        }
        lastFrozen = epoch;
    }

    function accountAt(uint256 index) external pure returns (address) {
        return signerOf(index);
    }
}

/// @notice What holds of stake after any sequence of calls.
contract StakeInvariantsTest is StakeFixture {
    StakeActor private _actor;

    function setUp() public {
        _actor = new StakeActor();
    }

    /// @dev Forge calls only these at random.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    /// @dev One invariant, for forge would make all the calls again for each.
    function invariant_stakeIsWholeAndVotesAreBacked() public view {
        _everyWeiIsAccountedFor();
        _reservationsAreCovered();
        _finalVotesNeverRise();
        _newestVotesAreBacked();
    }

    function _everyWeiIsAccountedFor() private view {
        StakeHub hub = _actor.hub();
        uint256 sum = hub.burnt() + hub.rewardOf(address(0xBEEF));
        for (uint256 i = 0; i < _actor.ACCOUNTS(); ++i) {
            Account memory account = hub.accountOf(_actor.accountAt(i));
            sum += uint256(account.bonded) + account.unbonding;
            Unbonding[] memory queue = hub.unbondingOf(_actor.accountAt(i));
            uint256 queued = 0;
            for (uint256 j = 0; j < queue.length; ++j) {
                queued += queue[j].amount;
            }
            assertEq(queued, account.unbonding, "queue");
        }
        assertEq(address(hub).balance, sum, "balance");
    }

    function _reservationsAreCovered() private view {
        StakeHub hub = _actor.hub();
        for (uint256 i = 0; i < _actor.ACCOUNTS(); ++i) {
            uint256 reserved = 0;
            for (uint256 id = 0; id < 3; ++id) {
                reserved += hub.reservedFor(_actor.accountAt(i), bytes32(id));
            }
            Account memory account = hub.accountOf(_actor.accountAt(i));
            assertEq(account.reserved, reserved, "reserved");
            assertTrue(reserved <= account.bonded, "covered");
        }
    }

    /// @dev Votes of an epoch never exceed the total that its draw counts with, and never rise once they are final.
    function _finalVotesNeverRise() private view {
        StakeHub hub = _actor.hub();
        uint64 current = _actor.draw().currentEpoch();
        for (uint64 epoch = current; epoch < current + 4; ++epoch) {
            uint256 sum = 0;
            for (uint256 i = 0; i < _actor.ACCOUNTS(); ++i) {
                uint256 votes = hub.votesAt(_actor.accountAt(i), epoch);
                sum += votes;
                if (epoch == _actor.lastFrozen()) assertTrue(votes <= _actor.votesFrozen(epoch, i), "final");
            }
            assertTrue(sum <= hub.totalVotesAt(epoch), "total");
        }
    }

    /// @dev What an account will have for votes in the newest epoch is covered by what it has bonded and not reserved.
    function _newestVotesAreBacked() private view {
        StakeHub hub = _actor.hub();
        uint64 target = _actor.draw().targetEpoch();
        for (uint256 i = 0; i < _actor.ACCOUNTS(); ++i) {
            Account memory account = hub.accountOf(_actor.accountAt(i));
            uint256 backing = (account.bonded - account.reserved) / VOTE;
            assertTrue(hub.votesAt(_actor.accountAt(i), target) <= backing, "backed");
        }
    }
}
