// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Administered} from "../Administered.sol";
import {EpochClock} from "./EpochClock.sol";
import {FlowTree} from "./FlowTree.sol";
import {Submission, SubmissionData} from "./FlowTypes.sol";
import {IPriceMarket} from "./IPriceMarket.sol";
import {LogRecords} from "./LogRecords.sol";
import {Submissions} from "./Submissions.sol";

/// @title Flow
/// @notice The storage log: gives every file a place in one array of sectors, takes the fee for it, and keeps two roots,
/// one over all sectors (`getFlowRootByTxSeq`) and one over all submission records (`logRoot`).
/// @dev Speaks the ABI of 0G's FixedPriceFlow. A fee is measured against the value of the call that brings it and leaves in
/// that call; what is over goes back to the caller. The contract holds no wei between calls.
contract Flow is Administered, Pausable, ReentrancyGuardTransient, EpochClock {
    using FlowTree for FlowTree.Stored;
    using LogRecords for LogRecords.Frontier;

    /// @notice The IPriceMarket that sets and collects the fee.
    address public immutable market;

    uint64 private _length = 1;
    uint64 private _count;
    FlowTree.Stored private _tree;
    LogRecords.Frontier private _log;
    mapping(uint256 index => bytes32) private _roots;

    /// @notice Submission `submissionIndex` holds sectors [startPos, startPos + length).
    /// @param sender the submission's submitter, who need not be the caller
    /// @param identity keccak-256 over the node roots in order
    /// @param startPos first sector of the file in the flow
    /// @param length padded length in sectors, which were charged; `submission.length` is the file size in bytes
    event Submit(
        address indexed sender,
        bytes32 indexed identity,
        uint256 submissionIndex,
        uint256 startPos,
        uint256 length,
        SubmissionData submission
    );

    /// @notice Submissions open at block `firstBlock`.
    error NotLaunched(uint256 firstBlock, uint256 blockNumber);

    /// @notice `market` has no code, or collects for `itsFlow` and not for this contract.
    error MarketOfAnotherFlow(address market, address itsFlow);

    /// @notice The caller did not take back `amount` wei; send the exact fee, or call from an address that accepts wei.
    error RefundFailed(address caller, uint256 amount);

    /// @dev Where a submission went.
    struct Receipt {
        uint256 index;
        bytes32 identity;
        uint256 start;
        uint256 sectors;
    }

    /// @param market_ an IPriceMarket whose `flow` is this contract's address, computed before deployment
    /// @param blocksPerEpoch_ blocks in a mining epoch, at least 1
    /// @param deployDelay_ blocks from this one until submissions open
    /// @param initialAdmin may pause and unpause submissions, not zero
    constructor(address market_, uint256 blocksPerEpoch_, uint256 deployDelay_, address initialAdmin)
        Administered(initialAdmin)
        EpochClock(blocksPerEpoch_, deployDelay_)
    {
        if (market_ == address(0)) revert ZeroAddress();
        if (market_.code.length == 0) revert MarketOfAnotherFlow(market_, address(0));
        address itsFlow = IPriceMarket(market_).flow();
        if (itsFlow != address(this)) revert MarketOfAnotherFlow(market_, itsFlow);
        market = market_;
    }

    /// @notice Appends one file. Send at least its sectors times `pricePerSector` of the market; the rest comes back.
    /// @dev Reverts with EnforcedPause, NotLaunched, InvalidSubmission, NotEnoughFee, FlowFull or RefundFailed.
    /// @return index the submission's number, from 0
    /// @return digest keccak-256 over the node roots
    /// @return startIndex first sector of the file in the flow
    /// @return length padded length in sectors
    function submit(Submission calldata submission)
        external
        payable
        whenNotPaused
        nonReentrant
        returns (uint256 index, bytes32 digest, uint256 startIndex, uint256 length)
    {
        uint256 price = _begin();
        (Receipt memory receipt, uint256 unspent) = _append(submission, price, msg.value);
        _refund(unspent);
        return (receipt.index, receipt.identity, receipt.start, receipt.sectors);
    }

    /// @notice Appends files in order; one value pays for all, and the rest comes back. All are appended, or none.
    /// @dev Reverts like `submit`. An empty list changes nothing but overdue contexts.
    function batchSubmit(Submission[] calldata submissions)
        external
        payable
        whenNotPaused
        nonReentrant
        returns (
            uint256[] memory indexes,
            bytes32[] memory digests,
            uint256[] memory startIndexes,
            uint256[] memory lengths
        )
    {
        uint256 price = _begin();
        uint256 unspent = msg.value;
        uint256 count = submissions.length;
        indexes = new uint256[](count);
        digests = new bytes32[](count);
        startIndexes = new uint256[](count);
        lengths = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            Receipt memory receipt;
            (receipt, unspent) = _append(submissions[i], price, unspent);
            indexes[i] = receipt.index;
            digests[i] = receipt.identity;
            startIndexes[i] = receipt.start;
            lengths[i] = receipt.sectors;
        }
        _refund(unspent);
    }

    /// @notice Stops submissions. Contexts go on, so that mining does.
    function pause() external onlyAdmin {
        _pause();
    }

    /// @notice Opens submissions again.
    function unpause() external onlyAdmin {
        _unpause();
    }

    /// @notice Number of submissions, which is the number that the next one gets.
    function submissionIndex() external view returns (uint256) {
        return _count;
    }

    /// @notice Number of submissions.
    function numSubmissions() external view returns (uint256) {
        return _count;
    }

    /// @notice Length of the flow in sectors, and levels in its tree, leaves included.
    function tree() external view returns (uint256 currentLength, uint256 unstagedHeight) {
        return (_length, FlowTree.levels(_length));
    }

    /// @notice Root of the flow tree right after submission `index`; zero where there is none.
    function getFlowRootByTxSeq(uint256 index) external view returns (bytes32) {
        return _roots[index];
    }

    /// @notice Root of the flow tree now.
    function computeFlowRoot() external view returns (bytes32 root) {
        (root,,) = _flowState();
    }

    /// @notice Root of the tree over all submission records; zero before the first.
    function logRoot() external view returns (bytes32) {
        return _log.root(_count);
    }

    /// @notice Number of submission records; equals `submissionIndex`.
    function logCount() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc EpochClock
    function _flowState() internal view override returns (bytes32 root, uint256 length, uint256 submissions) {
        length = _length;
        root = _tree.root(FlowTree.open(length));
        submissions = _count;
    }

    /// @dev Makes the contexts that are due, so that none of them contains what is submitted now.
    /// @return price wei per sector for the whole call
    function _begin() private returns (uint256 price) {
        if (block.number < firstBlock) revert NotLaunched(firstBlock, block.number);
        makeContext();
        price = IPriceMarket(market).pricePerSector();
    }

    /// @dev Appends one file and pays for it out of `unspent`, returning what is left.
    function _append(Submission calldata submission, uint256 price, uint256 unspent)
        private
        returns (Receipt memory receipt, uint256 left)
    {
        uint256 sectors = Submissions.requireValid(submission);
        uint256 fee = sectors * price;
        if (fee > unspent) revert IPriceMarket.NotEnoughFee(price, sectors, unspent);
        left = unspent - fee;
        uint256 lengthBefore = _length;
        receipt = _record(submission, lengthBefore, sectors);
        emit Submit(
            submission.submitter, receipt.identity, receipt.index, receipt.start, sectors, submission.data
        );
        // All but the caller's rest goes: wei that was forced upon this contract leaves with the fee.
        uint256 value = address(this).balance - left;
        IPriceMarket(market).chargeFee{value: value}(lengthBefore, sectors, receipt.start - lengthBefore);
    }

    /// @dev Updates both trees.
    function _record(Submission calldata submission, uint256 lengthBefore, uint256 sectors)
        private
        returns (Receipt memory receipt)
    {
        SubmissionData calldata data = submission.data;
        receipt.index = _count;
        receipt.identity = Submissions.identityOf(data.nodes);
        receipt.start = FlowTree.startOf(lengthBefore, data.nodes[0].height, sectors);
        receipt.sectors = sectors;

        FlowTree.Frontier memory frontier = FlowTree.open(lengthBefore);
        _tree.append(frontier, receipt.start, data.nodes);
        _tree.commit(frontier);
        _roots[receipt.index] = _tree.root(frontier);
        _log.append(
            receipt.index,
            LogRecords.encode(
                LogRecords.Record({
                    sequence: uint64(receipt.index),
                    fileRoot: Submissions.fileRootOf(data.nodes),
                    size: uint64(data.length),
                    startPosition: uint64(receipt.start),
                    sectors: uint64(sectors),
                    submitter: submission.submitter,
                    time: uint64(block.timestamp)
                })
            )
        );
        _length = uint64(frontier.length);
        _count = uint64(receipt.index + 1);
    }

    /// @dev Gives the caller what it paid too much.
    function _refund(uint256 amount) private {
        if (amount == 0) return;
        (bool success,) = msg.sender.call{value: amount}("");
        if (!success) revert RefundFailed(msg.sender, amount);
    }
}
