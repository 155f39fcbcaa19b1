// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HeaderProof} from "./HeaderProof.sol";
import {IEntropy} from "./IEntropy.sol";

/// @title RandaoEntropy
/// @notice Entropy of a block is its prevRandao, proven by its header.
contract RandaoEntropy is IEntropy {
    /// @inheritdoc IEntropy
    /// @param proof the block's header in RLP
    function entropy(uint256 blockNumber, bytes calldata proof) external view returns (bytes32) {
        return HeaderProof.prevRandao(blockNumber, proof);
    }
}
