// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochTerms} from "./EpochTerms.sol";
import {IFeeReceiver} from "./IFeeReceiver.sol";

/// @title FeePools
/// @notice Fees by epoch, retention and suite, until the epoch is closed and they go to the contract that pays them out.
/// @dev The counter of submissions shares a slot with the pool that was paid into last, so that a submission writes one
/// slot. A pool moves to its own slot when another one takes its place.
abstract contract FeePools is EpochTerms {
    /// @dev `fees` belong to the pool of (`epoch`, `retention`, `suite`).
    struct Head {
        uint48 submissions;
        uint48 epoch;
        uint16 retention;
        uint8 suite;
        uint128 fees;
    }

    /// @notice Where fees go.
    IFeeReceiver public immutable rewards;

    uint256 private _packedHead;
    mapping(uint256 key => uint256) private _pools;

    /// @notice The fees of blobs of `epoch` and `suite` that are kept for `retentionEpochs` went to the receiver.
    event FeesReleased(uint64 indexed epoch, uint16 indexed retentionEpochs, uint8 indexed suite, uint256 amount);

    /// @notice `epoch` may still take fees until `closes`, in Unix seconds.
    error EpochOpen(uint64 epoch, uint256 closes);

    /// @notice `rewards` takes the fees of `itsEntrance` and not of this contract.
    error RewardsOfAnotherEntrance(address rewards, address itsEntrance);

    /// @param rewards_ an IFeeReceiver whose `entrance` is this contract's address, computed before deployment
    constructor(IFeeReceiver rewards_) {
        if (address(rewards_) == address(0)) revert ZeroAddress();
        if (address(rewards_).code.length == 0) revert RewardsOfAnotherEntrance(address(rewards_), address(0));
        address itsEntrance = rewards_.entrance();
        if (itsEntrance != address(this)) revert RewardsOfAnotherEntrance(address(rewards_), itsEntrance);
        rewards = rewards_;
    }

    /// @notice Sends the fees of one pool to the receiver. Anyone may call once the epoch takes no more fees.
    function releaseFees(uint64 epoch, uint16 retentionEpochs, uint8 suite) external returns (uint256 amount) {
        uint256 closes = uint256(_known(epoch).endTime) + graceSeconds;
        if (block.timestamp <= closes) revert EpochOpen(epoch, closes);
        amount = feePool(epoch, retentionEpochs, suite);
        if (amount == 0) return 0;
        Head memory head = _loadHead();
        if (_isHead(head, epoch, retentionEpochs, suite)) head.fees = 0;
        _storeHead(head);
        delete _pools[_key(epoch, retentionEpochs, suite)];
        emit FeesReleased(epoch, retentionEpochs, suite, amount);
        rewards.receiveFees{value: amount}(epoch, retentionEpochs, suite);
    }

    /// @notice Wei paid for blobs of `epoch` and `suite` that are kept for `retentionEpochs`, and not released yet.
    function feePool(uint64 epoch, uint16 retentionEpochs, uint8 suite) public view returns (uint256) {
        uint256 stored = _pools[_key(epoch, retentionEpochs, suite)];
        Head memory head = _loadHead();
        return _isHead(head, epoch, retentionEpochs, suite) ? stored + head.fees : stored;
    }

    /// @dev The head is packed by hand: one read and one write, where the compiler makes one for each field.
    function _loadHead() internal view returns (Head memory head) {
        uint256 word = _packedHead;
        head.submissions = uint48(word);
        head.epoch = uint48(word >> 48);
        head.retention = uint16(word >> 96);
        head.suite = uint8(word >> 112);
        head.fees = uint128(word >> 128);
    }

    function _storeHead(Head memory head) internal {
        _packedHead = uint256(head.submissions) | (uint256(head.epoch) << 48) | (uint256(head.retention) << 96)
            | (uint256(head.suite) << 112) | (uint256(head.fees) << 128);
    }

    /// @dev Adds to a pool that need not be the one in the head.
    function _addFee(uint64 epoch, uint16 retentionEpochs, uint8 suite, uint256 fee) internal {
        if (fee != 0) _pools[_key(epoch, retentionEpochs, suite)] += fee;
    }

    /// @dev Makes the pool of (`epoch`, `retention`, `suite`) the head's, moving what the head held to its slot.
    function _turnHead(Head memory head, uint64 epoch, uint16 retentionEpochs, uint8 suite) internal {
        _addFee(head.epoch, head.retention, head.suite, head.fees);
        head.epoch = uint48(epoch);
        head.retention = retentionEpochs;
        head.suite = suite;
        head.fees = 0;
    }

    function _isHead(Head memory head, uint64 epoch, uint16 retentionEpochs, uint8 suite)
        private
        pure
        returns (bool)
    {
        return head.epoch == epoch && head.retention == retentionEpochs && head.suite == suite;
    }

    function _key(uint64 epoch, uint16 retentionEpochs, uint8 suite) private pure returns (uint256) {
        return (uint256(epoch) << 24) | (uint256(retentionEpochs) << 8) | suite;
    }
}
