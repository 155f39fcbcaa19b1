// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IFeeReward
/// @notice What the market asks of the contract that turns fees into rewards.
interface IFeeReward {
    /// @notice The one contract that may fill.
    function market() external view returns (address);

    /// @notice Sectors of a pricing chunk, whose fees are one pool.
    function sectorsPerPrice() external view returns (uint256);

    /// @notice Spreads the value evenly over the next sectors of the flow; only the market may call.
    /// @param beforeLength first of them, where the call before ended
    /// @param chargedSectors how many, at least 1
    function fillReward(uint256 beforeLength, uint256 chargedSectors) external payable;
}
