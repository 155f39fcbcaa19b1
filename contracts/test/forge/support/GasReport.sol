// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";

/// @notice Gas of the last transaction, on the test machine.
interface GasVm {
    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }

    function lastCallGas() external view returns (Gas memory);
}

/// @title GasReport
/// @notice Prints what calls cost, and fails where one costs too much. Gas does not depend on the machine.
abstract contract GasReport is Test {
    /// @dev Forge prints this event with -vv.
    event log_named_uint(string key, uint256 val);

    /// @dev Prints `used`, and fails where it is more than a tenth above `figure`.
    function reportGas(string memory what, uint256 used, uint256 figure) internal {
        emit log_named_uint(what, used);
        assertTrue(used * 10 <= figure * 11, what);
    }

    /// @dev Gas of a whole transaction with this call, where forge runs every call as one: needs the config `isolate`.
    function gasOf(address target, bytes memory call) internal returns (uint256 used) {
        (bool success, bytes memory answer) = target.call(call);
        if (success) return lastGas();
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    /// @dev Gas of the transaction before, with what it is charged for its bytes.
    function lastGas() internal view returns (uint256) {
        return GasVm(address(vm)).lastCallGas().gasTotalUsed;
    }
}
