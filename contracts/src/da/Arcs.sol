// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Snapshot} from "../quorum/QuorumTypes.sol";
import {Tree} from "../quorum/Tree.sol";
import {Placement} from "./Placement.sol";

/// @notice A member's rows. Packed big-endian in this order, 32 bytes, it is a leaf of a table of arcs.
/// @param index the member's number in the snapshot
/// @param start rows of the members before it
/// @param rows rows of its own
struct Arc {
    uint32 index;
    address holder;
    uint32 start;
    uint32 rows;
}

/// @title Arcs
/// @notice Tables of who holds which rows: one root for each snapshot and number of rows.
/// @dev An arc begins where all arcs before it end, and each of these is rounded up for itself, so it cannot be told from
/// its own member. Whoever needs a table brings all members once; after that a path in the table proves an arc.
abstract contract Arcs {
    /// @dev Bytes in a member body, and where its signer and its seats stand.
    uint256 private constant MEMBER_BYTES = 124;
    uint256 private constant SIGNER_AT = 4;
    uint256 private constant SEATS_AT = 24;

    mapping(bytes32 snapshotHash => mapping(uint256 rows => bytes32 root)) private _tables;
    mapping(bytes32 snapshotHash => uint32) private _members;

    /// @notice Arcs of the snapshot's members over `rows` rows can be proven.
    event ArcsPublished(bytes32 indexed snapshotHash, uint256 rows, bytes32 root);

    /// @notice What was brought is not all members of the snapshot, in order.
    error NotTheMembers();

    /// @notice `rows` are too few for `members`: each needs two of the data rows.
    error TooFewRows(uint256 rows, uint256 members);

    /// @notice Makes the table of a snapshot for blobs of `rows` rows. Anyone may call, for any snapshot.
    /// @param members the packed bodies of all members, in order
    function publishArcs(Snapshot calldata snapshot, bytes calldata members, uint32 rows) external {
        uint256 count = snapshot.memberCount;
        if (count == 0 || members.length != count * MEMBER_BYTES) revert NotTheMembers();
        if (rows <= 2 * count) revert TooFewRows(rows, count);
        bytes32[] memory leaves = new bytes32[](count);
        bytes32[] memory arcs = new bytes32[](count);
        uint256 start = 0;
        for (uint256 i = 0; i < count; ++i) {
            bytes calldata body = members[i * MEMBER_BYTES:(i + 1) * MEMBER_BYTES];
            leaves[i] = Tree.leaf(body);
            uint256 arcRows = _arcRowsOf(snapshot, body, rows);
            arcs[i] = _leafOf(i, address(bytes20(body[SIGNER_AT:])), start, arcRows);
            start += arcRows;
        }
        if (Tree.rootOf(leaves) != snapshot.membersRoot) revert NotTheMembers();
        _keepTable(keccak256(abi.encode(snapshot)), rows, Tree.rootOf(arcs), uint32(count));
    }

    /// @notice Root of a table; zero where it has not been made.
    function arcsRoot(bytes32 snapshotHash, uint256 rows) external view returns (bytes32) {
        return _tables[snapshotHash][rows];
    }

    /// @dev Whether `arc` is in the table of the snapshot for `rows` rows.
    function _isArc(bytes32 snapshotHash, uint256 rows, Arc calldata arc, bytes32[] calldata path)
        internal
        view
        returns (bool)
    {
        bytes32 root = _tables[snapshotHash][rows];
        bytes32 leaf = _leafOf(arc.index, arc.holder, arc.start, arc.rows);
        return root != 0 && Tree.verify(root, _members[snapshotHash], arc.index, leaf, path);
    }

    function _arcRowsOf(Snapshot calldata snapshot, bytes calldata body, uint256 rows) private pure returns (uint256) {
        uint256 seats = uint32(bytes4(body[SEATS_AT:]));
        return Placement.arcRowsOf(rows, snapshot.memberCount, seats, snapshot.totalWeight);
    }

    function _keepTable(bytes32 snapshotHash, uint256 rows, bytes32 root, uint32 members) private {
        _tables[snapshotHash][rows] = root;
        _members[snapshotHash] = members;
        emit ArcsPublished(snapshotHash, rows, root);
    }

    function _leafOf(uint256 index, address holder, uint256 start, uint256 rows) private pure returns (bytes32) {
        return Tree.leaf(abi.encodePacked(uint32(index), holder, uint32(start), uint32(rows)));
    }
}
