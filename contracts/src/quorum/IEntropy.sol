// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IEntropy
/// @notice Randomness that nobody can choose: the one value that belongs to a block, whoever brings its proof and when.
interface IEntropy {
    /// @notice The value of block `blockNumber`; reverts where `proof` does not prove it.
    /// @param blockNumber a past block
    /// @param proof in the form of the implementation
    function entropy(uint256 blockNumber, bytes calldata proof) external view returns (bytes32);
}
