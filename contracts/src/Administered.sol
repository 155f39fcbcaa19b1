// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Administered
/// @notice One admin address, set at deployment, that can hand its role on in two steps.
/// @dev There is no way to give the role up: a contract without an admin could stay paused, or keep a wrong price, for
/// ever. The second step proves that the new address can call, so that a mistyped address never takes the role.
abstract contract Administered {
    /// @notice The address that holds the role.
    address public admin;

    /// @notice The address that may take the role with `acceptAdmin`; zero while no transfer is under way.
    address public pendingAdmin;

    /// @notice `admin` named `pendingAdmin` as its successor; zero cancels an earlier offer.
    event AdminTransferStarted(address indexed admin, address indexed pendingAdmin);

    /// @notice The role went from `previous` to `current`.
    event AdminTransferred(address indexed previous, address indexed current);

    /// @notice `caller` does not hold the role; `admin` does.
    error NotAdmin(address caller, address admin);

    /// @notice `caller` was not offered the role; `pendingAdmin` was, or nobody where it is zero.
    error NotPendingAdmin(address caller, address pendingAdmin);

    /// @notice An address that this contract depends on was given as zero.
    error ZeroAddress();

    /// @param initialAdmin holder of the role, not zero
    constructor(address initialAdmin) {
        if (initialAdmin == address(0)) revert ZeroAddress();
        admin = initialAdmin;
        emit AdminTransferred(address(0), initialAdmin);
    }

    modifier onlyAdmin() {
        if (msg.sender != admin) revert NotAdmin(msg.sender, admin);
        _;
    }

    /// @notice Offers the role to `successor`, who takes it with `acceptAdmin`; zero withdraws the offer.
    function transferAdmin(address successor) external onlyAdmin {
        pendingAdmin = successor;
        emit AdminTransferStarted(msg.sender, successor);
    }

    /// @notice Takes the role that `transferAdmin` offered to the caller.
    function acceptAdmin() external {
        if (msg.sender != pendingAdmin) revert NotPendingAdmin(msg.sender, pendingAdmin);
        emit AdminTransferred(admin, msg.sender);
        admin = msg.sender;
        pendingAdmin = address(0);
    }
}
