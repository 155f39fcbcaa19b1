// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobPromise, BlobSubmission} from "../../src/da/BlobTypes.sol";
import {DAEntrance} from "../../src/da/DAEntrance.sol";
import {DAMining} from "../../src/da/DAMining.sol";
import {DAFixture} from "./support/DAFixture.sol";
import {Test} from "./support/Test.sol";

/// @notice Does what submitters, payers, aggregators and keepers may do, in any order.
contract DAActor is DAFixture {
    uint256 private constant PAYERS = 3;

    DAMining public mining;
    uint64 public last = EPOCH;

    constructor() {
        deploy();
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        mining = new DAMining(verifier, predicted, address(0x7EA), lotterySettings());
        entrance = new DAEntrance(settings(mining));
        begin(EPOCH, 1, 1);
    }

    function submit(uint8 count, uint16 retention, uint64 over) external {
        (, uint64 endTime,,) = book.epochInfo(last);
        if (block.timestamp + MARGIN >= endTime) return;
        (BlobSubmission[] memory list, uint256 fee) = blobs(bound(count, 0, 3));
        for (uint256 i = 0; i < list.length; ++i) {
            fee -= feeOf(list[i]);
            list[i].retentionEpochs = uint16(bound(retention, 1, 3));
            list[i].suite = uint8((over >> i) % 2);
            fee += feeOf(list[i]);
        }
        entrance.submitBlobs{value: fee + over}(list);
    }

    function deposit(uint256 payer, uint64 amount) external {
        entrance.deposit{value: amount}(payerOf(payer));
    }

    function requestWithdraw(uint256 payer, uint64 amount) external {
        (uint256 balance,,) = entrance.accountOf(payerOf(payer));
        vm.prank(payerOf(payer));
        entrance.requestWithdraw(bound(amount, 0, balance));
    }

    function withdraw(uint256 payer) external {
        (,, uint64 leavesAt) = entrance.accountOf(payerOf(payer));
        if (block.timestamp < leavesAt) return;
        vm.prank(payerOf(payer));
        entrance.withdraw();
    }

    /// @dev Promises of any payers for any of a few slots, some of them repeated and some that cannot be paid.
    function confirmPromised(uint256 seed, uint8 count) external {
        count = uint8(bound(count, 1, 4));
        BlobPromise[] memory promises = new BlobPromise[](count);
        bytes[] memory signatures = new bytes[](count);
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            BlobSubmission memory b = blob(draw % 2, 1000);
            b.retentionEpochs = uint16(1 + (draw >> 8) % 3);
            b.suite = uint8((draw >> 10) % 2);
            uint16 slot = uint16((draw >> 16) % 20);
            promises[i] = promiseOf(b, last, slot);
            signatures[i] = signPromise(keyOf(draw >> 32), promises[i]);
            leaves[i] = leafOf(headerOf(b, payerOf(draw >> 32), (uint64(1) << 63) | (last << 16) | slot));
        }
        Certificate memory c = certify(5, leaves, last, 0, 0);
        (,, uint32 known,) = entrance.batch(c.root);
        (, uint64 endTime,,) = book.epochInfo(last);
        if (known != 0 || block.timestamp > endTime + GRACE) return;
        entrance.confirmPromised(promises, signatures, last, c.snapshot, c.nonSigners, c.siblings, c.signature);
    }

    function pass(uint16 time) external {
        vm.warp(block.timestamp + bound(time, 1, EPOCH_SECONDS / 2));
        (, uint64 endTime,,) = book.epochInfo(last);
        if (block.timestamp < endTime) return;
        begin(++last, 1, 1);
    }

    function release(uint8 back, uint16 retention, uint8 suite) external {
        uint64 epoch = last - uint64(bound(back, 0, last - EPOCH));
        (, uint64 endTime,,) = book.epochInfo(epoch);
        if (block.timestamp <= endTime + GRACE) return;
        entrance.releaseFees(epoch, uint16(bound(retention, 1, 3)), suite % 2);
    }

    function fixPools(uint8 most) external {
        mining.fixPools(bound(most, 0, 4));
    }

    function payTreasury() external {
        mining.payTreasury();
    }

    /// @dev What the entrance owes: pools and deposits.
    function entranceBooks() external view returns (uint256 sum) {
        for (uint64 epoch = EPOCH; epoch <= last; ++epoch) {
            for (uint16 retention = 1; retention < 4; ++retention) {
                sum += entrance.feePool(epoch, retention, 0) + entrance.feePool(epoch, retention, 1);
            }
        }
        for (uint256 i = 0; i < PAYERS; ++i) {
            (uint256 balance,,) = entrance.accountOf(payerOf(i));
            sum += balance;
        }
    }

    /// @dev What the pay-out contract owes.
    function miningBooks() external view returns (uint256 sum) {
        sum = mining.scheduled() + mining.heldPot() + mining.treasuryOwed();
        for (uint64 epoch = EPOCH; epoch <= last; ++epoch) sum += mining.servedLeft(epoch);
    }

    function entranceBalance() external view returns (uint256) {
        return address(entrance).balance;
    }

    function payerOf(uint256 payer) public pure returns (address) {
        return signingVm.addr(keyOf(payer));
    }

    function keyOf(uint256 payer) public pure returns (uint256) {
        return 0xBEEF + payer % PAYERS;
    }
}

/// @notice What holds after any sequence of calls: every wei is owed to somebody, and once.
contract DAInvariantsTest is Test {
    DAActor private _actor;

    function setUp() public {
        _actor = new DAActor();
    }

    /// @dev Forge calls only these at random.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    /// @dev One invariant, for forge would make all the calls again for each.
    function invariant_everyWeiIsHeldThatIsOwed() public view {
        _theEntranceHoldsPoolsAndDeposits();
        _thePayOutHoldsWhatItOwes();
    }

    function _theEntranceHoldsPoolsAndDeposits() private view {
        assertEq(_actor.entranceBalance(), _actor.entranceBooks(), "entrance");
    }

    function _thePayOutHoldsWhatItOwes() private view {
        assertEq(address(_actor.mining()).balance, _actor.miningBooks(), "mining");
    }
}
