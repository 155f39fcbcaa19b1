// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";

/// @title RewardVault
/// @notice Holds the fees until its admin moves them on.
/// @dev A plain vault: a contract that shares the fees among miners takes its place through a new market.
contract RewardVault is Administered {
    /// @notice `amount` wei left for `to`.
    event Withdrawn(address indexed to, uint256 amount);

    /// @notice The vault holds `balance` wei, `amount` was asked for.
    error NotEnoughBalance(uint256 balance, uint256 amount);

    /// @notice `to` did not take `amount` wei.
    error WithdrawalFailed(address to, uint256 amount);

    /// @param initialAdmin may withdraw, not zero
    constructor(address initialAdmin) Administered(initialAdmin) {}

    /// @notice Anyone may add to the vault. Nothing is logged or stored, to keep a submission cheap.
    receive() external payable {}

    /// @notice Sends `amount` wei to `to`, which must not be zero.
    function withdraw(address to, uint256 amount) external onlyAdmin {
        if (to == address(0)) revert ZeroAddress();
        if (amount > address(this).balance) revert NotEnoughBalance(address(this).balance, amount);
        emit Withdrawn(to, amount);
        (bool success,) = to.call{value: amount}("");
        if (!success) revert WithdrawalFailed(to, amount);
    }
}
