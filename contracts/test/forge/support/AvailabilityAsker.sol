// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DAEntrance} from "../../../src/da/DAEntrance.sol";

/// @title AvailabilityAsker
/// @notice Asks for a blob's availability, as another contract would in the middle of a call.
contract AvailabilityAsker {
    uint256 public used;

    /// @param called whether this transaction has called the entrance before
    function ask(DAEntrance entrance, bytes calldata call, bool called) external {
        if (called) entrance.shardId();
        bytes memory encoded = call;
        uint256 before = gasleft();
        (bool success, bytes memory answer) = address(entrance).staticcall(encoded);
        used = before - gasleft();
        require(success && abi.decode(answer, (bool)));
    }
}
