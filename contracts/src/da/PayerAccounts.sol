// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {VoidReason} from "./BlobTypes.sol";

/// @title PayerAccounts
/// @notice Deposits out of which promised blobs are paid, and which leaf each of a payer's slots has paid for.
/// @dev A withdrawal waits longer than any promise lives that a quorum could have signed before it was announced; until it
/// is made the whole deposit can be charged. A slot keeps 15 bits of its leaf, sixteen slots to a word. They tell a repeated
/// promise from another one. Two leaves that agree in them would both need the signatures of more than two thirds of one
/// quorum, whose members each sign one leaf for a slot and lose their stake for a second: the bits are the second guard.
abstract contract PayerAccounts {
    /// @dev Marks in a word, and bits in a mark.
    uint256 private constant MARKS = 16;
    uint256 private constant MARK_BITS = 16;

    /// @dev Marks of neighbouring slots.
    struct Word {
        uint256 marks;
    }

    /// @param balance wei that promises can be charged to
    /// @param leaving part of it that its owner has asked for
    /// @param leavesAt Unix seconds from which it can be withdrawn
    struct Account {
        uint128 balance;
        uint128 leaving;
        uint64 leavesAt;
    }

    /// @notice Seconds between a request for a withdrawal and the withdrawal.
    uint64 public immutable withdrawalSeconds;

    mapping(address payer => Account) private _accounts;
    mapping(address payer => mapping(uint256 key => Word)) private _slots;

    /// @notice `payer` can be charged `amount` wei more.
    event Deposited(address indexed payer, address indexed from, uint256 amount);

    /// @notice `payer` may withdraw `amount` wei from `leavesAt` on, as far as it is not charged before.
    event WithdrawalRequested(address indexed payer, uint256 amount, uint64 leavesAt);

    /// @notice `amount` wei went back to `payer`.
    event Withdrawn(address indexed payer, uint256 amount);

    /// @notice The deposit holds `balance` wei, `amount` was asked for.
    error DepositTooSmall(uint256 balance, uint256 amount);

    /// @notice What is asked for can be withdrawn from `leavesAt` on, in Unix seconds.
    error WithdrawalLocked(uint64 leavesAt);

    /// @notice `payer` did not take `amount` wei.
    error TransferFailed(address payer, uint256 amount);

    constructor(uint64 withdrawalSeconds_) {
        withdrawalSeconds = withdrawalSeconds_;
    }

    /// @notice Adds the value of the call to the deposit of `payer`.
    function deposit(address payer) external payable {
        _accounts[payer].balance += uint128(msg.value);
        emit Deposited(payer, msg.sender, msg.value);
    }

    /// @notice Asks for `amount` wei of the caller's deposit; replaces an earlier request, and 0 cancels it.
    function requestWithdraw(uint256 amount) external {
        Account storage account = _accounts[msg.sender];
        if (amount > account.balance) revert DepositTooSmall(account.balance, amount);
        account.leaving = uint128(amount);
        account.leavesAt = uint64(block.timestamp) + withdrawalSeconds;
        emit WithdrawalRequested(msg.sender, amount, account.leavesAt);
    }

    /// @notice Sends the caller what it asked for, or what promises have left of it.
    function withdraw() external {
        Account storage account = _accounts[msg.sender];
        if (block.timestamp < account.leavesAt) revert WithdrawalLocked(account.leavesAt);
        uint128 amount = account.leaving < account.balance ? account.leaving : account.balance;
        account.balance -= amount;
        account.leaving = 0;
        emit Withdrawn(msg.sender, amount);
        _send(msg.sender, amount);
    }

    /// @notice Deposit of `payer`, the part of it that is asked for, and when that can leave.
    function accountOf(address payer) external view returns (uint256 balance, uint256 leaving, uint64 leavesAt) {
        Account storage account = _accounts[payer];
        return (account.balance, account.leaving, account.leavesAt);
    }

    /// @notice Whether `payer` has paid for a blob under `slot` of `epoch`.
    function isSlotCharged(address payer, uint64 epoch, uint16 slot) external view returns (bool) {
        return uint16(_slots[payer][_wordOf(epoch, slot)].marks >> _shiftOf(slot)) != 0;
    }

    /// @dev Charges `fee` for `leaf` once per slot. A leaf that its slot has paid for is charged nothing and is not void.
    /// @return reason why the leaf is void, or None
    /// @return charged wei taken from the deposit
    function _charge(address payer, uint64 epoch, uint16 slot, bytes32 leaf, uint256 fee, uint256 maxFee)
        internal
        returns (VoidReason reason, uint256 charged)
    {
        Word storage word = _slots[payer][_wordOf(epoch, slot)];
        uint256 mark = uint16(uint256(leaf)) | 1;
        uint256 found = uint16(word.marks >> _shiftOf(slot));
        if (found != 0) return (found == mark ? VoidReason.None : VoidReason.SlotTaken, 0);
        if (fee > maxFee) return (VoidReason.FeeAboveMax, 0);
        if (!_take(payer, fee)) return (VoidReason.DepositShort, 0);
        word.marks |= mark << _shiftOf(slot);
        return (VoidReason.None, fee);
    }

    /// @dev Takes `fee` from the deposit, if it holds that much.
    function _take(address payer, uint256 fee) private returns (bool) {
        Account storage account = _accounts[payer];
        uint256 balance = account.balance;
        if (fee > balance) return false;
        account.balance = uint128(balance - fee);
        return true;
    }

    function _send(address to, uint256 amount) internal {
        if (amount == 0) return;
        (bool success,) = to.call{value: amount}("");
        if (!success) revert TransferFailed(to, amount);
    }

    function _wordOf(uint64 epoch, uint16 slot) private pure returns (uint256) {
        return (uint256(epoch) << 16) | (slot / MARKS);
    }

    function _shiftOf(uint16 slot) private pure returns (uint256) {
        return (slot % MARKS) * MARK_BITS;
    }
}
