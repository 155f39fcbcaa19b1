// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEpochSource} from "../quorum/IEpochSource.sol";
import {IFeeReceiver} from "./IFeeReceiver.sol";

/// @title RewardSchedule
/// @notice Spreads fees evenly over the epochs for which their blobs are kept, and splits them between those who serve rows,
/// those who prove that they hold them, and the treasury.
/// @dev Rows of suite 1 alone can be proven to be held, so fees of other suites go to served rows and the treasury.
/// Fees of epoch e with a retention of n are earned in epochs e + 1 to e + n. An epoch's pool is fixed once, after its
/// end; fees that come later than that go to the next pool that is not fixed, so none is lost. Amounts change at the ends
/// of a stretch only, so one pool is worked out from the one before it.
abstract contract RewardSchedule is IFeeReceiver {
    /// @dev Shares in parts of 10,000; what is left is for served rows.
    uint256 private constant WHOLE = 10_000;
    uint256 private constant HELD = 4_500;
    uint256 private constant TREASURY = 1_000;

    /// @dev Suite whose rows can be proven on chain.
    uint8 internal constant PROVABLE_SUITE = 1;

    /// @dev Wei on their way into pools: `perEpoch` into each from now on, changed where stretches begin and end, and `once`.
    struct Stream {
        uint256 perEpoch;
        mapping(uint64 epoch => uint256) starts;
        mapping(uint64 epoch => uint256) ends;
        mapping(uint64 epoch => uint256) once;
    }

    /// @inheritdoc IFeeReceiver
    address public immutable entrance;

    /// @notice Receives the treasury's share.
    address public immutable treasury;

    /// @notice Names the committee epochs.
    IEpochSource internal immutable _epochs;

    /// @notice First epoch whose pool is not fixed.
    uint64 public nextEpoch;

    /// @notice Wei in pools that are not fixed.
    uint256 public scheduled;

    /// @notice Wei for rows that are proven to be held.
    uint256 public heldPot;

    /// @notice Wei that the treasury may take.
    uint256 public treasuryOwed;

    /// @notice Wei for rows served in an epoch, as fixed at its end.
    mapping(uint64 epoch => uint256) public servedPool;

    /// @notice Wei of it that nobody has claimed.
    mapping(uint64 epoch => uint256) public servedLeft;

    /// @dev For served rows alone, and for those that can be proven to be held as well.
    Stream private _served;
    Stream private _provable;

    /// @notice The pool of `epoch` is fixed.
    event PoolFixed(uint64 indexed epoch, uint256 served, uint256 held);

    /// @notice The treasury took `amount` wei.
    event TreasuryPaid(uint256 amount);

    /// @notice `caller` is not the entrance.
    error NotEntrance(address caller);

    /// @notice `epoch` has not ended.
    error EpochNotOver(uint64 epoch);

    /// @notice `to` did not take `amount` wei.
    error TransferFailed(address to, uint256 amount);

    constructor(address entrance_, address treasury_, IEpochSource epochs_) {
        entrance = entrance_;
        treasury = treasury_;
        _epochs = epochs_;
        nextEpoch = epochs_.currentEpoch();
    }

    /// @inheritdoc IFeeReceiver
    function receiveFees(uint64 epoch, uint16 retentionEpochs, uint8 suite) external payable {
        if (msg.sender != entrance) revert NotEntrance(msg.sender);
        uint256 share = msg.value * TREASURY / WHOLE;
        treasuryOwed += share;
        _schedule(suite == PROVABLE_SUITE ? _provable : _served, epoch, retentionEpochs, msg.value - share);
    }

    /// @notice Fixes the pools of epochs that are over, at most `most` of them. Anyone may call.
    function fixPools(uint256 most) external {
        for (uint256 i = 0; i < most && _isOver(nextEpoch); ++i) {
            _fixPool(nextEpoch++);
            if (scheduled == 0 && _served.perEpoch == 0 && _provable.perEpoch == 0) _skipJump();
        }
    }

    /// @notice Sends the treasury its share. Anyone may call.
    function payTreasury() external {
        uint256 amount = treasuryOwed;
        treasuryOwed = 0;
        emit TreasuryPaid(amount);
        _send(treasury, amount);
    }

    /// @dev Puts wei for served rows into the next pool that is not fixed.
    function _addOnce(uint256 amount) internal {
        _served.once[nextEpoch] += amount;
        scheduled += amount;
    }

    /// @dev Takes wei from a served pool and sends it.
    function _payServed(uint64 epoch, address to, uint256 amount) internal {
        servedLeft[epoch] -= amount;
        _send(to, amount);
    }

    /// @dev Takes wei from the pot for held rows and sends it.
    function _payHeld(address to, uint256 amount) internal {
        heldPot -= amount;
        _send(to, amount);
    }

    /// @dev A first epoch, and one that a restart has jumped over, has no end: it is over when a later one is in office.
    function _isOver(uint64 epoch) internal view returns (bool) {
        (, uint64 endTime,,) = _epochs.epochInfo(epoch);
        return endTime == 0 ? epoch < _epochs.currentEpoch() : block.timestamp > endTime;
    }

    function _send(address to, uint256 amount) internal {
        if (amount == 0) return;
        (bool success,) = to.call{value: amount}("");
        if (!success) revert TransferFailed(to, amount);
    }

    /// @dev Spreads `amount` over the epochs after `epoch`; what belongs to pools that are fixed goes to the next one.
    function _schedule(Stream storage stream, uint64 epoch, uint16 retentionEpochs, uint256 amount) private {
        uint64 last = epoch + retentionEpochs;
        uint64 first = epoch + 1 < nextEpoch ? nextEpoch : epoch + 1;
        uint256 share = amount / retentionEpochs;
        uint256 spread = first > last ? 0 : share * (last + 1 - first);
        if (spread != 0) {
            stream.starts[first] += share;
            stream.ends[last + 1] += share;
        }
        stream.once[first] += amount - spread;
        scheduled += amount;
    }

    /// @dev Passes the epochs that a restart has jumped over at once, where all their pools are empty and none has begun or
    /// ended a stretch.
    function _skipJump() private {
        uint64 current = _epochs.currentEpoch();
        (, uint64 endTime,,) = _epochs.epochInfo(nextEpoch);
        if (endTime == 0 && nextEpoch < current) nextEpoch = current;
    }

    function _fixPool(uint64 epoch) private {
        uint256 provable = _due(_provable, epoch);
        uint256 pool = provable + _due(_served, epoch);
        scheduled -= pool;
        uint256 held = provable * HELD / (WHOLE - TREASURY);
        heldPot += held;
        servedPool[epoch] = pool - held;
        servedLeft[epoch] = pool - held;
        emit PoolFixed(epoch, pool - held, held);
    }

    /// @dev What a stream brings into the pool of `epoch`, which is the one after the last that was asked about.
    function _due(Stream storage stream, uint64 epoch) private returns (uint256) {
        uint256 perEpoch = stream.perEpoch + stream.starts[epoch] - stream.ends[epoch];
        stream.perEpoch = perEpoch;
        return perEpoch + stream.once[epoch];
    }
}
