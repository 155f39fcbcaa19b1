// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Snapshot} from "../quorum/QuorumTypes.sol";
import {Statements} from "../quorum/Statements.sol";
import {Tree} from "../quorum/Tree.sol";
import {EpochTerms} from "./EpochTerms.sol";
import {Claim, QuorumVerifier} from "./QuorumVerifier.sol";
import {RewardSchedule} from "./RewardSchedule.sol";

/// @notice A leaf of a report: the rows of one holder that the draw asked for, and how many of them it served. Packed
/// big-endian in this order: 28 bytes.
struct ServedEntry {
    address holder;
    uint32 drawn;
    uint32 served;
}

/// @notice What a quorum reports about one epoch.
/// @param epoch epoch of office, which is the one reported on
/// @param count leaves under `root`
/// @param total leaf 0: holder zero, and the sums over all others
/// @param totalPath siblings of leaf 0, from the leaf upwards
struct ServedReport {
    bytes32 root;
    uint32 count;
    uint64 epoch;
    ServedEntry total;
    bytes32[] totalPath;
}

/// @title ServedReports
/// @notice Pays holders for the drawn rows that they served, by the report of the quorum in office (statement of kind 4).
/// @dev An epoch's pool is split evenly between its quorums, to which blobs are ordered at random. A holder is paid
/// served / (all drawn) of its quorum's part. Rows lie with members in proportion to their seats and are drawn at random,
/// so seats count already. What was not served is paid to nobody: a holder gains nothing when another one fails.
/// What is left after `CLAIM_SECONDS` goes to the next pool.
abstract contract ServedReports is RewardSchedule {
    /// @notice Time for claims after an epoch has ended.
    uint256 public constant CLAIM_SECONDS = 14 days;

    /// @dev `claimed` rows of the report's total have been paid.
    struct Report {
        bytes32 root;
        uint32 count;
        uint32 drawn;
        uint32 served;
        uint32 claimed;
        uint32 quorums;
    }

    /// @notice Checks what quorums sign for this contract.
    QuorumVerifier public immutable verifier;

    mapping(uint64 epoch => mapping(uint32 quorumId => Report)) private _reports;
    mapping(uint64 epoch => mapping(uint32 quorumId => mapping(uint256 word => uint256 bits))) private _claimed;

    /// @notice Quorum `quorumId` has reported on its epoch.
    event ServedReported(uint64 indexed epoch, uint32 indexed quorumId, bytes32 root, uint32 drawn, uint32 served);

    /// @notice `holder` was paid for `served` rows.
    event ServedPaid(uint64 indexed epoch, uint32 indexed quorumId, address indexed holder, uint32 served, uint256 amount);

    /// @notice What was left of the pool of `epoch` goes to the next one.
    event PoolRecycled(uint64 indexed epoch, uint256 amount);

    /// @notice Reports on `epoch` are not taken now: it is unknown, or its grace period is over.
    error ReportClosed(uint64 epoch);

    /// @notice The quorum has reported on the epoch.
    error AlreadyReported(uint64 epoch, uint32 quorumId);

    /// @notice There is no such quorum in the epoch, or it has not reported.
    error NoReport(uint64 epoch, uint32 quorumId);

    /// @notice The entry is not under the report's root, or no entry of its kind.
    error BadEntry(uint256 index);

    /// @notice The entry has been paid.
    error AlreadyClaimed(uint256 index);

    /// @notice Entries together say that more rows were served than the report's total: `left` are not paid.
    error MoreThanTotal(uint256 served, uint256 left);

    /// @notice Claims for `epoch` are open until `until`, in Unix seconds.
    error ClaimsOpen(uint64 epoch, uint256 until);

    constructor(QuorumVerifier verifier_) {
        verifier = verifier_;
    }

    /// @notice Takes the report of a quorum on the epoch in which it holds office; one for each quorum and epoch.
    /// @dev Reverts with ReportClosed, AlreadyReported, NoReport, BadEntry, or like `Quorum.check`.
    /// @param signature the quorum's aggregate over the statement of kind 4
    function confirmReport(
        ServedReport calldata report,
        Snapshot calldata snapshot,
        bytes calldata nonSigners,
        bytes32[] calldata siblings,
        uint256[8] calldata signature
    ) external {
        _requireOpen(report, snapshot.quorumId);
        Claim memory claim = Claim(Statements.KIND_SERVED, report.count, report.epoch, report.root);
        verifier.check(claim, snapshot, nonSigners, siblings, signature);
        _keep(report, snapshot.quorumId);
    }

    /// @notice Pays the holder of entry `index`. Anyone may call.
    /// @dev Reverts with NoReport, EpochNotOver, BadEntry, AlreadyClaimed, MoreThanTotal or TransferFailed.
    function claimServed(
        uint64 epoch,
        uint32 quorumId,
        uint32 index,
        ServedEntry calldata entry,
        bytes32[] calldata path
    ) external returns (uint256 amount) {
        Report storage report = _reports[epoch][quorumId];
        if (report.count == 0) revert NoReport(epoch, quorumId);
        if (epoch >= nextEpoch) revert EpochNotOver(epoch);
        if (index == 0 || !Tree.verify(report.root, report.count, index, _leafOf(entry), path)) revert BadEntry(index);
        _markClaimed(epoch, quorumId, index);
        uint32 left = report.served - report.claimed;
        if (entry.served > left) revert MoreThanTotal(entry.served, left);
        report.claimed += entry.served;
        amount = _shareOf(epoch, report, entry.served);
        emit ServedPaid(epoch, quorumId, entry.holder, entry.served, amount);
        _payServed(epoch, entry.holder, amount);
    }

    /// @notice Puts what nobody claimed of an old pool into the next one. Anyone may call.
    function recycle(uint64 epoch) external {
        (, uint64 endTime,,) = _epochs.epochInfo(epoch);
        uint256 until = uint256(endTime) + CLAIM_SECONDS;
        if (epoch >= nextEpoch) revert EpochNotOver(epoch);
        if (block.timestamp <= until) revert ClaimsOpen(epoch, until);
        uint256 amount = servedLeft[epoch];
        servedLeft[epoch] = 0;
        // Nothing is left to pay claims from.
        servedPool[epoch] = 0;
        emit PoolRecycled(epoch, amount);
        _addOnce(amount);
    }

    /// @notice A quorum's report; zeros where there is none.
    function reportOf(uint64 epoch, uint32 quorumId) external view returns (Report memory) {
        return _reports[epoch][quorumId];
    }

    /// @dev What can be refused before the signature is checked.
    function _requireOpen(ServedReport calldata report, uint32 quorumId) private view {
        uint64 epoch = report.epoch;
        (, uint64 endTime,, uint32 groups) = _epochs.epochInfo(epoch);
        if (endTime == 0 || block.timestamp > uint256(endTime) + EpochTerms(entrance).graceSeconds()) {
            revert ReportClosed(epoch);
        }
        if (groups == 1 ? quorumId != 0 : quorumId == 0 || quorumId >= groups) revert NoReport(epoch, quorumId);
        if (_reports[epoch][quorumId].count != 0) revert AlreadyReported(epoch, quorumId);
        ServedEntry calldata total = report.total;
        bool proven = Tree.verify(report.root, report.count, 0, _leafOf(total), report.totalPath);
        if (!proven || total.holder != address(0) || total.served > total.drawn) revert BadEntry(0);
    }

    function _keep(ServedReport calldata report, uint32 quorumId) private {
        uint64 epoch = report.epoch;
        (,,, uint32 groups) = _epochs.epochInfo(epoch);
        ServedEntry calldata total = report.total;
        _reports[epoch][quorumId] =
            Report(report.root, report.count, total.drawn, total.served, 0, groups == 1 ? 1 : groups - 1);
        emit ServedReported(epoch, quorumId, report.root, total.drawn, total.served);
    }

    function _markClaimed(uint64 epoch, uint32 quorumId, uint32 index) private {
        mapping(uint256 => uint256) storage bits = _claimed[epoch][quorumId];
        uint256 bit = 1 << (index & 0xff);
        if (bits[index >> 8] & bit != 0) revert AlreadyClaimed(index);
        bits[index >> 8] |= bit;
    }

    /// @dev Part of the epoch's pool for `served` of the drawn rows of one quorum.
    function _shareOf(uint64 epoch, Report storage report, uint256 served) private view returns (uint256) {
        if (served == 0) return 0;
        return servedPool[epoch] * served / (uint256(report.quorums) * report.drawn);
    }

    function _leafOf(ServedEntry calldata entry) private pure returns (bytes32) {
        return Tree.leaf(abi.encodePacked(entry.holder, entry.drawn, entry.served));
    }
}
