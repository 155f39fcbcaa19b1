// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Quorum} from "../../../src/quorum/Quorum.sol";
import {Snapshot} from "../../../src/quorum/QuorumTypes.sol";
import {Tree} from "../../../src/quorum/Tree.sol";

/// @title QuorumCaller
/// @notice Calls the libraries as a contract does, with calldata, so that reverts can be seen.
contract QuorumCaller {
    using Tree for Tree.Frontier;

    Tree.Frontier private _frontier;
    uint256 private _count;
    mapping(bytes32 id => Quorum.Reduced) private _reduced;

    function check(
        bytes32 expectedHash,
        Snapshot calldata snapshot,
        bytes calldata nonSigners,
        bytes32[] calldata siblings,
        bytes32 digest,
        uint256[8] calldata signature
    ) external view returns (uint256) {
        return Quorum.check(expectedHash, snapshot, nonSigners, siblings, digest, signature);
    }

    function reduce(
        bytes32 expectedHash,
        Snapshot calldata snapshot,
        bytes calldata nonSigners,
        bytes32[] calldata siblings
    ) external returns (bytes32 id) {
        id = Quorum.reducedId(expectedHash, nonSigners);
        _reduced[id] = Quorum.reduce(expectedHash, snapshot, nonSigners, siblings);
    }

    function checkReduced(bytes32 expectedHash, bytes32 id, bytes32 digest, uint256[8] calldata signature)
        external
        view
        returns (uint256)
    {
        return Quorum.checkReduced(expectedHash, _reduced[id], digest, signature);
    }

    function append(bytes32 leaf) external {
        _frontier.append(_count++, leaf);
    }

    function root() external view returns (bytes32) {
        return _frontier.root(_count);
    }

    function verify(bytes32 expectedRoot, uint256 count, uint256 index, bytes32 leaf, bytes32[] calldata path)
        external
        pure
        returns (bool)
    {
        return Tree.verify(expectedRoot, count, index, leaf, path);
    }
}
