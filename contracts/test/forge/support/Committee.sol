// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../../../src/quorum/Bls.sol";
import {Member, Snapshot} from "../../../src/quorum/QuorumTypes.sol";
import {BlsKeys} from "./BlsKeys.sol";

/// @title Committee
/// @notice Signers of one group with their secret keys, and what an aggregator makes of them: snapshot, absentees, proof,
/// aggregate signature. Hashes whole trees, level by level, unlike the contracts.
contract Committee {
    uint256 public constant LEVELS = 12;

    Member[] private _members;
    uint256[] private _secrets;

    /// @notice Adds a signer behind the others.
    function add(address signer, uint32 seats, uint256 secretKey) external {
        uint256[3] memory key = Bls.pack(BlsKeys.publicKey(secretKey));
        _members.push(Member(uint32(_members.length), signer, seats, key));
        _secrets.push(secretKey);
    }

    function count() external view returns (uint256) {
        return _members.length;
    }

    function member(uint256 index) external view returns (Member memory) {
        return _members[index];
    }

    function snapshot(uint64 epoch, uint32 quorumId) external view returns (Snapshot memory made) {
        made.epoch = epoch;
        made.quorumId = quorumId;
        made.memberCount = uint32(_members.length);
        for (uint256 i = 0; i < _members.length; ++i) {
            made.totalWeight += _members[i].seats;
        }
        made.membersRoot = _levels()[_depth()][0];
        made.aggregateKey = Bls.pack(BlsKeys.publicKey(_secretSum(0)));
    }

    /// @notice Signature of all but the `absent`: bit i stands for member i.
    function sign(bytes32 digest, uint256 absent) external view returns (uint256[8] memory) {
        return BlsKeys.sign(_secretSum(absent), digest);
    }

    /// @notice Packed bodies of the absent, and the siblings that prove them.
    function nonSigners(uint256 absent) external view returns (bytes memory bodies, bytes32[] memory siblings) {
        for (uint256 i = 0; i < _members.length; ++i) {
            if ((absent >> i) & 1 == 1) bodies = bytes.concat(bodies, body(_members[i]));
        }
        siblings = _siblings(absent);
    }

    /// @notice Siblings of one member, from the leaf upwards.
    function path(uint256 index) external view returns (bytes32[] memory) {
        return _siblings(1 << index);
    }

    function body(Member memory one) public pure returns (bytes memory) {
        return bytes.concat(
            bytes4(one.index), bytes20(one.signer), bytes4(one.seats), bytes32(one.key[0]), bytes32(one.key[1]), bytes32(one.key[2])
        );
    }

    /// @dev Every node next to a known one, which is not known itself, level by level and from left to right.
    function _siblings(uint256 known) private view returns (bytes32[] memory siblings) {
        if (known == 0) return siblings;
        bytes32[][] memory levels = _levels();
        siblings = new bytes32[](levels[0].length);
        uint256 used = 0;
        for (uint256 depth = 0; depth < _depth(); ++depth) {
            uint256 parents = 0;
            for (uint256 i = 0; i < levels[depth].length; ++i) {
                if ((known >> i) & 1 == 0) continue;
                parents |= 1 << (i / 2);
                if ((known >> (i ^ 1)) & 1 == 0) siblings[used++] = levels[depth][i ^ 1];
            }
            known = parents;
        }
        assembly ("memory-safe") {
            mstore(siblings, used)
        }
    }

    /// @dev All nodes: level 0 has the leaves, padded with zeros.
    function _levels() private view returns (bytes32[][] memory levels) {
        levels = new bytes32[][](LEVELS);
        levels[0] = new bytes32[](1 << _depth());
        for (uint256 i = 0; i < _members.length; ++i) {
            levels[0][i] = keccak256(bytes.concat(hex"00", body(_members[i])));
        }
        for (uint256 depth = 1; depth <= _depth(); ++depth) {
            levels[depth] = new bytes32[](levels[depth - 1].length / 2);
            for (uint256 i = 0; i < levels[depth].length; ++i) {
                levels[depth][i] =
                    keccak256(bytes.concat(hex"01", levels[depth - 1][2 * i], levels[depth - 1][2 * i + 1]));
            }
        }
    }

    function _depth() private view returns (uint256 depth) {
        while (2 ** depth < _members.length) ++depth;
    }

    function _secretSum(uint256 absent) private view returns (uint256 sum) {
        for (uint256 i = 0; i < _secrets.length; ++i) {
            if ((absent >> i) & 1 == 0) sum = addmod(sum, _secrets[i], BlsKeys.ORDER);
        }
    }
}
