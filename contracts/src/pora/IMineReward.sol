// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IMineReward
/// @notice What mining asks of the contract that pays for it.
interface IMineReward {
    /// @notice The one contract that may claim.
    function mine() external view returns (address);

    /// @notice Sectors of a pricing chunk, whose fees are one pool.
    function sectorsPerPrice() external view returns (uint256);

    /// @notice Pays for one accepted answer about pricing chunk `index`. Only the mine may call.
    /// @param beneficiary who is paid
    /// @param minerId for the record
    function claimMineReward(uint256 index, address beneficiary, bytes32 minerId) external;
}
