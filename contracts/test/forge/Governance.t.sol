// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../../src/Administered.sol";
import {Directory} from "../../src/Directory.sol";
import {GovernorParameters, StakeGovernor} from "../../src/governance/StakeGovernor.sol";
import {Timelock} from "../../src/governance/Timelock.sol";
import {SortitionParameters, Phase} from "../../src/stake/SortitionTypes.sol";
import {StakeHub} from "../../src/stake/StakeHub.sol";
import {StakeFixture} from "./support/StakeFixture.sol";

/// @notice What OpenZeppelin's contracts are asked here.
interface IGovernorErrors {
    error GovernorInsufficientProposerVotes(address proposer, uint256 votes, uint256 threshold);
}

/// @notice Every admin role passes to the timelock, and signers decide by stake what it does.
contract GovernanceTest is StakeFixture {
    uint256 private constant DELAY = 2000;
    uint48 private constant VOTING_DELAY = 100;
    uint32 private constant VOTING_PERIOD = 600;
    bytes32 private constant NAME = "slasher";

    StakeGovernor private _governor;
    Timelock private _timelock;
    Directory private _directory;

    address[] private _targets;
    uint256[] private _values;
    bytes[] private _calls;

    function setUp() public {
        SortitionParameters memory parameters = sortitionParameters();
        parameters.maxCarry = 0;
        deploy(parameters);
        _directory = Directory(deployed("Directory.sol:Directory", abi.encode(ADMIN)));
        bytes memory arguments = abi.encode(0, new address[](0), new address[](0), address(this));
        _timelock = Timelock(payable(deployed("governance/Timelock.sol:Timelock", arguments)));
        GovernorParameters memory terms = GovernorParameters(VOTING_DELAY, VOTING_PERIOD, 5, 3334);
        arguments = abi.encode(stakeHub, _timelock, terms);
        _governor = StakeGovernor(payable(deployed("governance/StakeGovernor.sol:StakeGovernor", arguments)));
        _handOver();
        begin(4, 10);
    }

    function test_theTimelockHoldsEveryRole() public {
        assertEq(stakeHub.admin(), address(_timelock), "stake hub");
        assertEq(_directory.admin(), address(_timelock), "directory");
        assertEq(_timelock.getMinDelay(), DELAY, "delay");
        assertTrue(!_timelock.hasRole(_timelock.PROPOSER_ROLE(), address(this)), "who set it up proposes no more");
        assertTrue(!_timelock.hasRole(_timelock.DEFAULT_ADMIN_ROLE(), address(this)), "nor gives roles");
        vm.prank(ADMIN);
        vm.expectRevert(abi.encodeWithSelector(Administered.NotAdmin.selector, ADMIN, address(_timelock)));
        _directory.set(NAME, address(1));
    }

    function test_oneProposalReplacesAModule() public {
        uint256 id = _proposeReplacement();
        vm.warp(block.timestamp + VOTING_DELAY + 1);
        _vote(id, 0, 1);
        _vote(id, 1, 1);
        vm.warp(block.timestamp + VOTING_PERIOD);
        _governor.queue(_targets, _values, _calls, keccak256("replace"));
        vm.warp(block.timestamp + DELAY - 1);
        vm.expectRevert();
        _governor.execute(_targets, _values, _calls, keccak256("replace"));
        vm.warp(block.timestamp + 1);
        _governor.execute(_targets, _values, _calls, keccak256("replace"));
        assertEq(_directory.get(NAME), address(0x51), "the Directory names it");
        assertEq(stakeHub.moduleFrom(address(sortition)), 0, "the old one is out at once");
        uint256 from = block.timestamp + stakeHub.unbondDelay() + stakeHub.NOTICE();
        assertEq(stakeHub.moduleFrom(address(0x51)), from, "the new one after everybody could have left");
    }

    function test_aThirdMustTakePart() public {
        uint256 id = _proposeReplacement();
        assertEq(_governor.quorum(_governor.proposalSnapshot(id)), 14, "of forty votes");
        vm.warp(block.timestamp + VOTING_DELAY + 1);
        _vote(id, 0, 1);
        vm.warp(block.timestamp + VOTING_PERIOD);
        assertEq(uint256(_governor.state(id)), 3, "defeated");
        vm.expectRevert();
        _governor.queue(_targets, _values, _calls, keccak256("replace"));
    }

    function test_votesAreThoseOfTheProposalsEpoch() public {
        uint256 id = _proposeReplacement();
        // Stake that comes later, in whatever amount, and from an account without votes then.
        join(9, 60);
        bond(0, 50 * VOTE);
        vm.warp(block.timestamp + VOTING_DELAY + 1);
        _vote(id, 9, 0);
        _vote(id, 0, 1);
        (uint256 against, uint256 for_,) = _governor.proposalVotes(id);
        assertEq(against, 0, "no votes in that epoch");
        assertEq(for_, 10, "as many as in that epoch");
        // Who is jailed has none.
        vm.prank(address(sortition));
        stakeHub.jail(signerOf(2), 99);
        _vote(id, 2, 0);
        (against,,) = _governor.proposalVotes(id);
        assertEq(against, 0, "jailed");
        pass(0, 3);
        _vote(id, 1, 1);
        (, for_,) = _governor.proposalVotes(id);
        assertEq(for_, 20, "in the next epoch still");
        (uint64 epoch, uint64 votes) = _governor.electorateAt(_governor.proposalSnapshot(id));
        assertTrue(epoch == 1 && votes == 40, "fixed");
    }

    function test_proposingTakesStake() public {
        _fill();
        vm.prank(signerOf(9));
        vm.expectRevert(
            abi.encodeWithSelector(IGovernorErrors.GovernorInsufficientProposerVotes.selector, signerOf(9), 0, 5)
        );
        _governor.propose(_targets, _values, _calls, "replace");
    }

    /// @dev Epochs stand still; the votes of the last one decide, and the network begins again.
    function test_aHaltedNetworkDecides() public {
        goTo(ENTROPY_AT + 1);
        sortition.seal(headerOf(sortition.entropyBlock()));
        (Phase phase,,) = sortition.phase();
        assertTrue(phase == Phase.Halted, "too few tickets");
        _add(address(sortition), abi.encodeWithSelector(sortition.restart.selector, uint64(9)));
        vm.prank(signerOf(0));
        uint256 id = _governor.propose(_targets, _values, _calls, "restart");
        vm.warp(block.timestamp + VOTING_DELAY + 1);
        _vote(id, 0, 1);
        _vote(id, 1, 2);
        vm.warp(block.timestamp + VOTING_PERIOD);
        _governor.queue(_targets, _values, _calls, keccak256("restart"));
        vm.warp(block.timestamp + DELAY);
        _governor.execute(_targets, _values, _calls, keccak256("restart"));
        assertEq(sortition.currentEpoch(), 9, "epoch");
    }

    function test_nobodyDecidesBeforeThereAreVotes() public {
        vm.expectRevert(abi.encodeWithSelector(StakeGovernor.BadGovernorParameter.selector));
        new StakeGovernor(stakeHub, _timelock, GovernorParameters(0, 1, 0, 3334));
        vm.expectRevert(abi.encodeWithSelector(StakeGovernor.BadGovernorParameter.selector));
        new StakeGovernor(stakeHub, _timelock, GovernorParameters(0, 1, 1, 10_001));
    }

    /// @dev As a deployment does it: roles are offered, and the timelock takes them in the batch that sets its own delay.
    function _handOver() private {
        bytes32 proposer = _timelock.PROPOSER_ROLE();
        _timelock.grantRole(proposer, address(_governor));
        _timelock.grantRole(_timelock.CANCELLER_ROLE(), address(_governor));
        _timelock.grantRole(_timelock.EXECUTOR_ROLE(), address(0));
        _timelock.grantRole(proposer, address(this));
        address[3] memory administered = [address(stakeHub), address(sortition), address(_directory)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(ADMIN);
            Administered(administered[i]).transferAdmin(address(_timelock));
            _add(administered[i], abi.encodeWithSelector(Administered.acceptAdmin.selector));
        }
        _add(address(_timelock), abi.encodeWithSelector(_timelock.updateDelay.selector, DELAY));
        _timelock.scheduleBatch(_targets, _values, _calls, 0, 0, 0);
        _timelock.executeBatch(_targets, _values, _calls, 0, 0);
        _timelock.revokeRole(proposer, address(this));
        _timelock.renounceRole(_timelock.DEFAULT_ADMIN_ROLE(), address(this));
        delete _targets;
        delete _values;
        delete _calls;
    }

    function _proposeReplacement() private returns (uint256) {
        _fill();
        vm.prank(signerOf(0));
        return _governor.propose(_targets, _values, _calls, "replace");
    }

    /// @dev The old module goes, the new one comes, and the Directory names it.
    function _fill() private {
        _add(address(stakeHub), abi.encodeWithSelector(StakeHub.setModule.selector, address(sortition), false));
        _add(address(stakeHub), abi.encodeWithSelector(StakeHub.setModule.selector, address(0x51), true));
        _add(address(_directory), abi.encodeWithSelector(Directory.set.selector, NAME, address(0x51)));
    }

    function _add(address target, bytes memory call) private {
        _targets.push(target);
        _values.push(0);
        _calls.push(call);
    }

    function _vote(uint256 id, uint256 signer, uint8 support) private {
        vm.prank(signerOf(signer));
        _governor.castVote(id, support);
    }
}
