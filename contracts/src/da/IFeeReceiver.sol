// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IFeeReceiver
/// @notice What the entrance asks of the contract that pays its fees out.
interface IFeeReceiver {
    /// @notice The entrance whose fees this contract takes.
    function entrance() external view returns (address);

    /// @notice Takes all fees of blobs of `epoch` and `suite` that are kept for `retentionEpochs`; only the entrance may call.
    function receiveFees(uint64 epoch, uint16 retentionEpochs, uint8 suite) external payable;
}
