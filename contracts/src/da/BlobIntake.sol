// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobHeaders} from "./BlobHeaders.sol";
import {BlobLayout} from "./BlobLayout.sol";
import {BlobSubmission} from "./BlobTypes.sol";
import {FeePools} from "./FeePools.sol";

/// @title BlobIntake
/// @notice Takes paid submissions: checks their layout, takes the fee, and orders each to a quorum of the epoch.
/// @dev Nothing is stored for a blob. What ties a header to its submission is the check of the quorum's members, who read
/// the event; a wrong header is proven by the number in it.
abstract contract BlobIntake is FeePools {
    /// @notice Parity cosets of every blob: 3, or 2 for networks that expect little malice.
    /// @dev With 3, rows of honest members rebuild a blob whatever seats the draw gave them, up to the share of malice that
    /// the sortition is made for. With 2 that holds for some draws only. This contract does not tell them apart: a
    /// network of 2 gives up the certainty, or has its members refuse epochs whose seats fail the check.
    uint8 public immutable cosets;

    /// @notice Least logarithm of the number of data rows; quorums may have up to half as many members.
    uint8 public immutable minLog2K;

    /// @notice Most epochs of retention.
    uint16 public immutable maxRetention;

    /// @notice Blob `index` goes to `quorumId` of `epoch`.
    /// @param params the first eight bytes of the blob's header: version, suite, log2K, cosets, rowSize u32
    /// @param expiry Unix seconds until which the rows are kept
    event BlobSubmitted(
        uint64 indexed index,
        address indexed submitter,
        uint64 epoch,
        uint32 quorumId,
        bytes32 commitment,
        uint64 length,
        bytes params,
        uint64 expiry
    );

    /// @notice The call must bring `due` wei.
    error FeeTooLow(uint256 due);

    /// @notice Layout, suite, cosets or retention are not what the network allows for a payload of this length.
    error BadShape();

    /// @notice The caller did not take back `amount` wei; send the exact fee, or call from an address that accepts wei.
    error RefundFailed(address caller, uint256 amount);

    /// @notice Layouts are not possible: two or three cosets, log2K 6 to 12, retention at least 1.
    error BadNetwork(uint8 cosets, uint8 minLog2K, uint16 maxRetention);

    constructor(uint8 cosets_, uint8 minLog2K_, uint16 maxRetention_) {
        if (cosets_ < 2 || cosets_ > 3 || minLog2K_ < 6 || minLog2K_ > 12 || maxRetention_ == 0) {
            revert BadNetwork(cosets_, minLog2K_, maxRetention_);
        }
        cosets = cosets_;
        minLog2K = minLog2K_;
        maxRetention = maxRetention_;
    }

    /// @notice Orders blobs to quorums; one value pays for all, and the rest comes back. All are taken, or none.
    /// @dev Reverts with BadShape, EpochClosed, QuorumTooLarge, FeeTooLow or RefundFailed.
    /// @return firstIndex number of the first blob; the others follow
    function submitBlobs(BlobSubmission[] calldata blobs) external payable returns (uint64 firstIndex) {
        Head memory head = _loadHead();
        firstIndex = head.submissions;
        Terms memory terms = _known(head.epoch);
        if (!_takesSubmissions(terms.endTime)) terms = _turnToCurrent(head);
        uint256 due = 0;
        // No overflow: a fee is below 2^112, and 2^48 submissions would cost more gas than there is.
        unchecked {
            for (uint256 i = 0; i < blobs.length; ++i) {
                due += _take(blobs[i], firstIndex + uint64(i), head, terms);
            }
            head.submissions = uint48(firstIndex + blobs.length);
        }
        if (msg.value < due) revert FeeTooLow(due);
        _storeHead(head);
        if (msg.value != due) _refund(msg.value - due);
    }

    /// @notice Number of submissions, which is the number that the next one gets.
    function submissionCount() external view returns (uint64) {
        return _loadHead().submissions;
    }

    /// @notice Fee in wei for a payload of `length` bytes at the terms of `epoch`; reverts with BadShape if it is too long.
    function feeOf(uint64 length, uint16 retentionEpochs, uint64 epoch) external view returns (uint256) {
        Terms memory terms = _known(epoch);
        bool isOpen = terms.endTime != 0;
        uint256 log2K = BlobLayout.log2RowsOf(length, minLog2K);
        if (log2K == 0) revert BadShape();
        return _fee(
            BlobLayout.rowSizeOf(length, log2K),
            log2K,
            retentionEpochs,
            isOpen ? terms.basePerBlob : nextBasePerBlob,
            isOpen ? terms.pricePerByteEpoch : nextPricePerByteEpoch
        );
    }

    /// @dev Wei for rows of `rowSize` bytes; below 2^127 for every layout, so pools of 128 bits hold it.
    function _fee(
        uint256 rowSize,
        uint256 log2K,
        uint256 retentionEpochs,
        uint256 basePerBlob,
        uint256 pricePerByteEpoch
    ) internal view returns (uint256) {
        unchecked {
            uint256 rowBytes = (rowSize << log2K) * (1 + uint256(cosets));
            return basePerBlob + rowBytes * retentionEpochs * pricePerByteEpoch;
        }
    }

    function _isRetention(uint16 retentionEpochs) internal view returns (bool) {
        return retentionEpochs != 0 && retentionEpochs <= maxRetention;
    }

    /// @dev Leaves the epoch of the last submission, once it is closed, for the current one, and returns its terms.
    function _turnToCurrent(Head memory head) private returns (Terms memory terms) {
        uint64 epoch = epochs.currentEpoch();
        terms = _open(epoch);
        if (!_takesSubmissions(terms.endTime)) revert EpochClosed();
        if (epoch != head.epoch) _turnHead(head, epoch, head.retention, head.suite);
    }

    /// @dev Takes blob `index` into the pool of `head` and returns its fee.
    function _take(BlobSubmission calldata blob, uint64 index, Head memory head, Terms memory terms)
        private
        returns (uint256 fee)
    {
        (uint256 log2K, uint256 rowSize, uint256 suite) = (blob.log2K, blob.rowSize, blob.suite);
        uint16 retentionEpochs = blob.retentionEpochs;
        uint256 params = BlobLayout.pack(suite, log2K, blob.cosets, rowSize);
        bool sound = params == BlobLayout.paramsOf(blob.length, suite, cosets, minLog2K);
        if (!sound || !_isRetention(retentionEpochs)) revert BadShape();
        if (retentionEpochs != head.retention || suite != head.suite) {
            _turnHead(head, head.epoch, retentionEpochs, uint8(suite));
        }
        fee = _fee(rowSize, log2K, retentionEpochs, terms.basePerBlob, terms.pricePerByteEpoch);
        // No overflow: fees of 2^128 wei could not be paid.
        unchecked {
            head.fees += uint128(fee);
        }
        _announce(blob, index, params, head, terms);
    }

    /// @dev Emits BlobSubmitted. By hand, because the compiler copies the eight bytes of `params` around, at 300 gas a blob.
    /// @param blob its commitment and length stand together here as they do in the event
    /// @param head its retention is the blob's
    function _announce(
        BlobSubmission calldata blob,
        uint64 index,
        uint256 params,
        Head memory head,
        Terms memory terms
    ) private {
        uint256 epoch = head.epoch;
        uint256 quorumId = _quorumOf(head.epoch, terms.quorums, index);
        uint256 expiry = _expiryOf(terms.endTime, head.retention);
        bytes32 topic = BlobSubmitted.selector;
        assembly ("memory-safe") {
            let fields := mload(0x40)
            mstore(fields, epoch)
            mstore(add(fields, 0x20), quorumId)
            calldatacopy(add(fields, 0x40), blob, 0x40)
            // `params` stands behind the six fields, with its length before it.
            mstore(add(fields, 0x80), 0xc0)
            mstore(add(fields, 0xa0), expiry)
            mstore(add(fields, 0xc0), 8)
            mstore(add(fields, 0xe0), shl(192, params))
            log3(fields, 0x100, topic, index, caller())
        }
    }

    /// @dev Quorum that takes submission `index`; the seed is read where there is a choice.
    function _quorumOf(uint64 epoch, uint256 quorums, uint64 index) private view returns (uint32) {
        return quorums == 1 ? 0 : BlobHeaders.quorumOf(seedOf[epoch], quorums, index);
    }

    function _refund(uint256 amount) private {
        (bool success,) = msg.sender.call{value: amount}("");
        if (!success) revert RefundFailed(msg.sender, amount);
    }
}
