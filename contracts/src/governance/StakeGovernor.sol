// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {StakeHub} from "../stake/StakeHub.sol";

/// @notice What a governor is made with. Times are seconds.
/// @param votingDelay from a proposal to its vote
/// @param votingPeriod of the vote
/// @param proposalThreshold votes without which nobody proposes, not zero
/// @param quorumBps ten-thousandths of all votes that take part, for or abstaining, in what passes
struct GovernorParameters {
    uint48 votingDelay;
    uint32 votingPeriod;
    uint256 proposalThreshold;
    uint16 quorumBps;
}

/// @title StakeGovernor
/// @notice Signers decide by their stake: what passes goes to the timelock, which holds the admin roles.
/// @dev OpenZeppelin's Governor over the votes of the StakeHub. A proposal is voted on with the votes of the epoch in which it
/// was made. These were final two epochs before, and stake that leaves stays bound for longer than a vote takes, so nobody
/// votes twice with one coin, or with a borrowed one.
///
/// Time is in seconds and not in epochs: a network whose epochs stand still is one that must be able to decide. The
/// StakeHub knows an account's last four changes of votes: who makes four in different epochs after a proposal and before
/// it votes has none left for it, and who is jailed has none at once.
contract StakeGovernor is Governor, GovernorSettings, GovernorCountingSimple, GovernorTimelockControl {
    uint256 private constant WHOLE = 10_000;

    /// @dev Who votes on proposals with one snapshot time.
    struct Electorate {
        uint64 epoch;
        uint64 votes;
    }

    /// @notice Keeps the votes.
    StakeHub public immutable stakeHub;

    /// @notice Ten-thousandths of all votes without which nothing passes.
    uint16 public immutable quorumBps;

    mapping(uint256 timepoint => Electorate) private _electorates;

    /// @notice The threshold or the quorum is outside its range.
    error BadGovernorParameter();

    /// @notice Nobody has votes in this epoch.
    error NoVotes(uint64 epoch);

    /// @param timelock_ executes what passes; this contract must be its proposer
    constructor(StakeHub stakeHub_, TimelockController timelock_, GovernorParameters memory parameters)
        Governor("Cairn")
        GovernorSettings(parameters.votingDelay, parameters.votingPeriod, parameters.proposalThreshold)
        GovernorTimelockControl(timelock_)
    {
        bool sound = parameters.quorumBps > 0 && parameters.quorumBps <= WHOLE && parameters.proposalThreshold > 0;
        if (!sound) revert BadGovernorParameter();
        stakeHub = stakeHub_;
        quorumBps = parameters.quorumBps;
    }

    /// @notice Unix seconds.
    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    /// @notice That the clock counts seconds.
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    /// @notice Votes for and abstaining without which a proposal with this snapshot does not pass, rounded up; for other times,
    /// of the epoch that holds office now.
    function quorum(uint256 timepoint) public view override returns (uint256) {
        return (_electorateAt(timepoint).votes * uint256(quorumBps) + WHOLE - 1) / WHOLE;
    }

    /// @notice The epoch whose votes count for proposals with this snapshot, and all votes of it; for other times, of the
    /// epoch that holds office now.
    function electorateAt(uint256 timepoint) external view returns (uint64 epoch, uint64 votes) {
        Electorate memory electorate = _electorateAt(timepoint);
        return (electorate.epoch, electorate.votes);
    }

    /// @inheritdoc Governor
    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return GovernorSettings.proposalThreshold();
    }

    /// @inheritdoc Governor
    function state(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (ProposalState)
    {
        return GovernorTimelockControl.state(proposalId);
    }

    /// @inheritdoc Governor
    function proposalNeedsQueuing(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (bool)
    {
        return GovernorTimelockControl.proposalNeedsQueuing(proposalId);
    }

    /// @dev Notes whose votes count: those of this epoch.
    function _propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer
    ) internal override returns (uint256 proposalId) {
        proposalId = super._propose(targets, values, calldatas, description, proposer);
        uint256 timepoint = proposalSnapshot(proposalId);
        Electorate memory electorate = _electorateAt(timepoint);
        if (electorate.votes == 0) revert NoVotes(electorate.epoch);
        _electorates[timepoint] = electorate;
    }

    function _getVotes(address account, uint256 timepoint, bytes memory) internal view override returns (uint256) {
        return stakeHub.votesAt(account, _electorateAt(timepoint).epoch);
    }

    function _electorateAt(uint256 timepoint) private view returns (Electorate memory electorate) {
        electorate = _electorates[timepoint];
        if (electorate.votes != 0) return electorate;
        electorate.epoch = stakeHub.clock().currentEpoch();
        electorate.votes = stakeHub.totalVotesAt(electorate.epoch);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return GovernorTimelockControl._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        GovernorTimelockControl._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return GovernorTimelockControl._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return GovernorTimelockControl._executor();
    }
}
