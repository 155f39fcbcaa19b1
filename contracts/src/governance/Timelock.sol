// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title Timelock
/// @notice Holds every admin role of a chain's contracts, and acts only when what it will do has been public for a while.
/// @dev OpenZeppelin's TimelockController. On the hub its only proposer is the StakeGovernor; on another chain, where no votes
/// are known, the account that the deployment names. Roles change by proposals alone once nobody else is its admin.
contract Timelock is TimelockController {
    /// @param minDelay seconds from a proposal's queueing to its execution
    /// @param proposers may queue and cancel
    /// @param executors may execute; address zero for everybody
    /// @param setUpBy may grant roles until it renounces that; zero for nobody
    constructor(uint256 minDelay, address[] memory proposers, address[] memory executors, address setUpBy)
        TimelockController(minDelay, proposers, executors, setUpBy)
    {}
}
