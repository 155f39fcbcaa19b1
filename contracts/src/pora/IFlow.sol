// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochRange, MineContext} from "../log/FlowTypes.sol";

/// @title IFlow
/// @notice What mining and its rewards ask of the flow.
interface IFlow {
    /// @notice Blocks in a mining epoch.
    function blocksPerEpoch() external view returns (uint256);

    /// @notice Number of the current context's epoch.
    function epoch() external view returns (uint256);

    /// @notice Catches up with the chain and returns the current context.
    function makeContextWithResult() external returns (MineContext memory);

    /// @notice Sectors that entered the flow before the context with `digest`; (0, 0) where there is none.
    function getEpochRange(bytes32 digest) external view returns (EpochRange memory);

    /// @notice Length of the flow in sectors, and levels of its tree.
    function tree() external view returns (uint256 currentLength, uint256 unstagedHeight);
}
