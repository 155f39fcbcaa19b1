// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Member, Snapshot} from "../quorum/QuorumTypes.sol";

/// @notice What one signer signed on its own: a statement of which the leaf in question is a part.
/// @param kind kind of the statement
/// @param epoch epoch of the statement
/// @param quorumId quorum of the statement
/// @param count leaves under its root
/// @param index place of the leaf
/// @param path siblings of the leaf
/// @param signature the signer's own
struct Vote {
    uint8 kind;
    uint64 epoch;
    uint32 quorumId;
    uint32 count;
    uint32 index;
    bytes32[] path;
    uint256[8] signature;
}

/// @notice What a quorum signed together.
/// @param kind kind of the statement
/// @param body leaf body, or the encoded header of a handover
/// @param epoch epoch of the statement; its quorum is the snapshot's
/// @param count leaves under its root
/// @param index place of the leaf
/// @param path siblings of the leaf
/// @param snapshot of the quorum in office
/// @param nonSigners packed bodies of those who did not sign
/// @param siblings the proof for them
/// @param signature aggregate of the others
struct Certificate {
    uint8 kind;
    bytes body;
    uint64 epoch;
    uint32 count;
    uint32 index;
    bytes32[] path;
    Snapshot snapshot;
    bytes nonSigners;
    bytes32[] siblings;
    uint256[8] signature;
}

/// @notice One who signed both of two certificates.
/// @param first the member in the first certificate's snapshot
/// @param firstPath siblings of its leaf
/// @param second the same signer in the second's
/// @param secondPath siblings of its leaf
struct Offender {
    Member first;
    bytes32[] firstPath;
    Member second;
    bytes32[] secondPath;
}
