// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title PullPayments
/// @notice What is owed waits until someone has it paid out, so that no receiver can stop what earned it.
abstract contract PullPayments {
    /// @notice Wei that wait for an address.
    mapping(address payee => uint256) public payments;

    /// @notice `payee` was paid.
    event PaymentWithdrawn(address indexed payee, uint256 amount);

    /// @notice `receiver` did not take `amount` wei.
    error PaymentFailed(address receiver, uint256 amount);

    /// @notice Pays `payee` all that waits for it. Anyone may call.
    function withdrawPayments(address payable payee) external {
        uint256 amount = payments[payee];
        payments[payee] = 0;
        emit PaymentWithdrawn(payee, amount);
        _pay(payee, amount);
    }

    function _owe(address payee, uint256 amount) internal {
        payments[payee] += amount;
    }

    function _pay(address receiver, uint256 amount) internal {
        (bool success,) = receiver.call{value: amount}("");
        if (!success) revert PaymentFailed(receiver, amount);
    }
}
