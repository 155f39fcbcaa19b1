// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "./Administered.sol";

/// @title Directory
/// @notice Names every contract of the network on this chain. Contracts never change; a new one takes over here.
/// @dev A name is the camelCase name in ASCII, left-aligned in 32 bytes and zero-padded: "flow", "market", "poraMine".
contract Directory is Administered {
    mapping(bytes32 name => address) private _addresses;
    bytes32[] private _names;

    /// @notice `name` now stands for `current`; `previous` is zero where the name is new.
    event ContractSet(bytes32 indexed name, address indexed previous, address indexed current);

    /// @notice No contract has been given this name.
    error UnknownName(bytes32 name);

    /// @notice The empty name cannot be used.
    error EmptyName();

    /// @param initialAdmin may add and replace entries, not zero
    constructor(address initialAdmin) Administered(initialAdmin) {}

    /// @notice Adds the entry `name`, or replaces its address.
    /// @param name not zero
    /// @param target not zero: an entry can be replaced and never emptied, so a reader cannot be sent to address zero
    function set(bytes32 name, address target) external onlyAdmin {
        if (name == bytes32(0)) revert EmptyName();
        if (target == address(0)) revert ZeroAddress();
        address previous = _addresses[name];
        if (previous == address(0)) _names.push(name);
        _addresses[name] = target;
        emit ContractSet(name, previous, target);
    }

    /// @notice The contract that `name` stands for now; reverts with UnknownName if there is none.
    function get(bytes32 name) external view returns (address) {
        address target = _addresses[name];
        if (target == address(0)) revert UnknownName(name);
        return target;
    }

    /// @notice Every name, in the order in which they were first set.
    function names() external view returns (bytes32[] memory) {
        return _names;
    }
}
