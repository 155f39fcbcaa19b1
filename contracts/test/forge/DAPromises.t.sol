// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batches} from "../../src/da/Batches.sol";
import {BlobPromise, BlobSubmission, VoidReason} from "../../src/da/BlobTypes.sol";
import {EpochTerms} from "../../src/da/EpochTerms.sol";
import {PayerAccounts} from "../../src/da/PayerAccounts.sol";
import {PromiseIntake} from "../../src/da/PromiseIntake.sol";
import {Quorum} from "../../src/quorum/Quorum.sol";
import {BlobHeader} from "../../src/quorum/QuorumTypes.sol";
import {DAFixture} from "./support/DAFixture.sol";
import {Leaves} from "./support/Leaves.sol";
import {Vm} from "./support/Test.sol";

/// @notice Promised blobs: charged once, each for itself, out of deposits that stay long enough.
contract DAPromisesTest is DAFixture {
    uint256 private constant ALICE = 0xA11CE;
    uint256 private constant BOB = 0xB0B;
    uint8 private constant KIND = 5;

    /// @dev Promises of a batch, their signatures, and what they stand for.
    struct Promised {
        BlobPromise[] promises;
        bytes[] signatures;
        bytes32[] leaves;
        BlobHeader[] headers;
    }

    function setUp() public {
        deploy();
        begin(EPOCH, 1, 4);
        entrance.deposit{value: 1e18}(_address(ALICE));
    }

    function test_aPromisedBatchIsChargedAndConfirmed() public {
        Promised memory batch = _batch(3, ALICE, 0);
        _confirm(batch, EPOCH, 0);
        uint256 fee = feeOf(blob(0, 1000));
        assertEq(_balance(ALICE), 1e18 - 3 * fee, "charged");
        assertEq(entrance.feePool(EPOCH, RETENTION, 0), 3 * fee, "pool");
        for (uint16 i = 0; i < 3; ++i) {
            assertTrue(_isAvailable(batch, i), "available");
            assertTrue(entrance.isSlotCharged(_address(ALICE), EPOCH, i), "slot");
        }
        assertTrue(!entrance.isSlotCharged(_address(ALICE), EPOCH, 3), "other slot");
        assertTrue(!entrance.isSlotCharged(_address(ALICE), EPOCH + 1, 0), "other epoch");
        assertTrue(!entrance.isSlotCharged(_address(BOB), EPOCH, 0), "other payer");
    }

    function test_theDigestIsTypedData() public view {
        BlobPromise memory p = promiseOf(blob(1, 1000), EPOCH, 9);
        bytes memory signature = signPromise(ALICE, p);
        bytes32 r;
        bytes32 s;
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
        }
        assertEq(ecrecover(entrance.promiseDigest(p), uint8(signature[64]), r, s), _address(ALICE), "signer");
    }

    /// @dev Attack table, 30: a promise altered in any field, or given to another payer, is not what the quorum signed.
    /// forge-config: default.fuzz.runs = 100
    function testFuzz_anAlteredPromiseIsRefused(uint8 field) public {
        Promised memory batch = _batch(2, ALICE, 0);
        Certificate memory c = certify(KIND, batch.leaves, EPOCH, 0, 0);
        BlobPromise memory p = batch.promises[1];
        field = uint8(bound(field, 0, 9));
        if (field == 0) p.commitment = keccak256("other");
        if (field == 1) p.length += 1;
        if (field == 2) p.rowSize += 64;
        if (field == 3) p.suite = 1;
        if (field == 4) p.log2K += 1;
        if (field == 5) p.cosets = 2;
        if (field == 6) p.retentionEpochs += 1;
        if (field == 7) p.epoch += 1;
        if (field == 8) p.slot += 1;
        uint256 signer = field == 9 ? BOB : ALICE;
        batch.signatures[1] = signPromise(signer, p);
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        _confirmWith(batch, c, EPOCH);
        assertEq(_balance(ALICE), 1e18, "nothing is charged");
    }

    function test_aPromiseWithoutItsSignatureIsRefused() public {
        Promised memory batch = _batch(2, ALICE, 0);
        Certificate memory c = certify(KIND, batch.leaves, EPOCH, 0, 0);
        // Signed, and altered afterwards: another address is recovered.
        batch.promises[1].maxFee -= 1;
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        _confirmWith(batch, c, EPOCH);
        batch.signatures[1] = new bytes(65);
        vm.expectRevert(abi.encodeWithSelector(PromiseIntake.BadPayerSignature.selector, 1));
        _confirmWith(batch, c, EPOCH);
        batch.signatures = new bytes[](1);
        vm.expectRevert(abi.encodeWithSelector(PromiseIntake.SignatureCount.selector, 2, 1));
        _confirmWith(batch, c, EPOCH);
    }

    /// @dev Attack table, 30: neither kind of statement confirms the other's batch.
    function test_promisedBatchesAreNotConfirmedWithoutTheirCharge() public {
        Promised memory batch = _batch(2, ALICE, 0);
        Certificate memory promised = certify(KIND, batch.leaves, EPOCH, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        confirm(promised, EPOCH);
        bytes32 id = verifier.reduce(promised.snapshot, promised.nonSigners, promised.siblings);
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        entrance.confirmReduced(promised.root, promised.count, EPOCH, id, promised.signature);
        // A dishonest quorum that signs promised headers as paid ones confirms a batch, and no blob of it.
        confirm(certify(1, batch.leaves, EPOCH, 0, 0), EPOCH);
        assertTrue(!_isAvailable(batch, 0), "a promised header in a paid batch");
        Promised memory other = _batch(2, ALICE, 8);
        Certificate memory wrongKind = certify(1, other.leaves, EPOCH, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        _confirmWith(other, wrongKind, EPOCH);
    }

    /// @dev Attack table, 31: the same slot of two payers is two slots.
    function test_slotsBelongToTheirPayer() public {
        entrance.deposit{value: 1e18}(_address(BOB));
        Promised memory batch = _empty(2);
        _put(batch, 0, ALICE, promiseOf(blob(1, 1000), EPOCH, 4));
        _put(batch, 1, BOB, promiseOf(blob(2, 1000), EPOCH, 4));
        _confirm(batch, EPOCH, 0);
        assertTrue(_isAvailable(batch, 0) && _isAvailable(batch, 1), "both");
        assertEq(_balance(ALICE), _balance(BOB), "both paid");
    }

    /// @dev Attack table, 32: the same promise in two batches counts in both and is paid once.
    function test_anIdenticalPromiseIsPaidOnce() public {
        Promised memory first = _batch(2, ALICE, 0);
        _confirm(first, EPOCH, 0);
        uint256 after_ = _balance(ALICE);
        Promised memory second = _empty(2);
        _put(second, 0, ALICE, first.promises[1]);
        _put(second, 1, ALICE, promiseOf(blob(9, 1000), EPOCH, 9));
        _confirm(second, EPOCH, 0);
        assertEq(after_ - _balance(ALICE), feeOf(blob(9, 1000)), "one fee");
        for (uint256 i = 0; i < 2; ++i) assertTrue(_isAvailable(second, i), "available");
        Certificate memory again = certify(KIND, second.leaves, EPOCH, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(Batches.AlreadyConfirmed.selector));
        _confirmWith(second, again, EPOCH);
    }

    /// @dev One fee buys one leaf of a batch, whether it is paid in this batch or was in an earlier one, and whatever else of
    /// the promise was signed anew.
    function test_aRepeatedPromiseIsVoid() public {
        Promised memory first = _batch(1, ALICE, 0);
        _confirm(first, EPOCH, 0);
        uint256 before = _balance(ALICE);
        Promised memory batch = _empty(6);
        BlobPromise memory other = promiseOf(blob(9, 1000), EPOCH, 9);
        _put(batch, 0, ALICE, other);
        _put(batch, 1, ALICE, first.promises[0]);
        _put(batch, 2, ALICE, other);
        _put(batch, 3, ALICE, first.promises[0]);
        other = promiseOf(blob(9, 1000), EPOCH, 9);
        other.maxFee -= 1;
        _put(batch, 4, ALICE, other);
        _put(batch, 5, ALICE, promiseOf(blob(8, 1000), EPOCH, 8));
        vm.recordLogs();
        _confirm(batch, EPOCH, 0);
        bool[6] memory counts = [true, true, false, false, false, true];
        for (uint256 i = 0; i < 6; ++i) assertTrue(_isAvailable(batch, i) == counts[i], "the first of each");
        assertEq(before - _balance(ALICE), 2 * feeOf(blob(9, 1000)), "two fees");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 repeated = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != keccak256("PromiseVoid(address,uint64,uint16,uint32,uint8)")) continue;
            (,,, uint8 reason) = abi.decode(logs[i].data, (uint64, uint16, uint32, uint8));
            if (reason == uint8(VoidReason.Repeated)) ++repeated;
        }
        assertEq(repeated, 3, "reasons");
    }

    /// @dev Attack table, 32: every kind of bad item makes its own leaf void, and the others count.
    function test_oneBadItemHoldsUpNoOther() public {
        uint256 fee = feeOf(blob(0, 1000));
        entrance.deposit{value: fee}(_address(BOB));
        Promised memory batch = _empty(9);
        _put(batch, 0, ALICE, promiseOf(blob(0, 1000), EPOCH, 0));
        _put(batch, 1, ALICE, promiseOf(blob(1, 1000), EPOCH, 0));
        _put(batch, 2, BOB, promiseOf(blob(2, 1000), EPOCH, 0));
        _put(batch, 3, BOB, promiseOf(blob(3, 1000), EPOCH, 1));
        BlobPromise memory p = promiseOf(blob(4, 1000), EPOCH, 2);
        p.maxFee = fee - 1;
        _put(batch, 4, ALICE, p);
        p = promiseOf(blob(5, 1000), EPOCH, 3);
        p.rowSize += 64;
        _put(batch, 5, ALICE, p);
        _put(batch, 6, ALICE, promiseOf(blob(6, 1000), EPOCH + 1, 4));
        p = promiseOf(blob(7, 1000), EPOCH, 5);
        p.retentionEpochs = 91;
        _put(batch, 7, ALICE, p);
        p = promiseOf(blob(8, 1000), EPOCH, 6);
        p.maxFee = fee;
        _put(batch, 8, ALICE, p);

        vm.recordLogs();
        _confirm(batch, EPOCH, 0);
        VoidReason[9] memory reasons = [
            VoidReason.None,
            VoidReason.SlotTaken,
            VoidReason.None,
            VoidReason.DepositShort,
            VoidReason.FeeAboveMax,
            VoidReason.BadShape,
            VoidReason.OtherQuorum,
            VoidReason.BadShape,
            VoidReason.None
        ];
        _assertVoids(vm.getRecordedLogs(), batch, reasons);
        assertEq(_balance(ALICE), 1e18 - 2 * fee, "two of Alice's");
        assertEq(_balance(BOB), 0, "one of Bob's");
        assertEq(address(entrance).balance, 1e18 + fee, "everything is still here");
        assertEq(entrance.feePool(EPOCH, RETENTION, 0), 3 * fee, "three fees");
        // The log says that leaves are void, and which.
        uint256[] memory voids = new uint256[](1);
        voids[0] = 0xfa;
        Certificate memory c = certify(KIND, batch.leaves, EPOCH, 0, 0);
        bytes memory body = abi.encodePacked(
            uint8(3), c.root, uint64(EPOCH), uint32(0), uint32(9), uint64(block.timestamp), keccak256(abi.encodePacked(voids))
        );
        assertEq(entrance.daRoot(), keccak256(bytes.concat(hex"00", body)), "log");
    }

    function test_aVoidPromiseCanBeTriedAgain() public {
        Promised memory batch = _batch(1, BOB, 0);
        _confirm(batch, EPOCH, 0);
        assertTrue(!_isAvailable(batch, 0), "nothing to pay with");
        entrance.deposit{value: 1e18}(_address(BOB));
        Promised memory again = _empty(2);
        _put(again, 0, BOB, batch.promises[0]);
        _put(again, 1, BOB, promiseOf(blob(1, 1000), EPOCH, 1));
        _confirm(again, EPOCH, 0);
        assertTrue(_isAvailable(again, 0) && _isAvailable(again, 1), "paid now");
        assertTrue(!_isAvailable(batch, 0), "the first batch stays as it is");
    }

    function test_promisesGoToTheirQuorum() public {
        vm.warp(block.timestamp + EPOCH_SECONDS);
        begin(EPOCH + 1, 4, 4);
        Promised memory batch = _empty(16);
        for (uint16 i = 0; i < 16; ++i) {
            _put(batch, i, ALICE, promiseOf(blob(i, 1000), EPOCH + 1, i));
        }
        _confirm(batch, EPOCH + 1, 3);
        uint256 mine = 0;
        for (uint256 i = 0; i < 16; ++i) {
            bytes32 draw = keccak256(abi.encode(seedOf(EPOCH + 1), _address(ALICE), i));
            bool isMine = uint256(draw) % 4 == 2;
            if (isMine) ++mine;
            assertTrue(_isAvailable(batch, i) == isMine, "its quorum's");
        }
        assertTrue(mine > 0 && mine < 16, "both kinds were tried");
        assertEq(_balance(ALICE), 1e18 - mine * feeOf(blob(0, 1000)), "others are not charged");
    }

    function test_promisesCloseWithTheGracePeriod() public {
        Promised memory batch = _batch(1, ALICE, 0);
        Certificate memory c = certify(KIND, batch.leaves, EPOCH, 0, 0);
        vm.warp(START + EPOCH_SECONDS + GRACE + 1);
        vm.expectRevert(abi.encodeWithSelector(EpochTerms.EpochClosed.selector));
        _confirmWith(batch, c, EPOCH);
    }

    function test_aDepositLeavesLateAndCanBeChargedUntilThen() public {
        uint256 fee = feeOf(blob(0, 1000));
        vm.prank(_address(ALICE));
        entrance.requestWithdraw(1e18);
        uint64 leavesAt = START + 2 * EPOCH_SECONDS + GRACE;
        vm.warp(leavesAt - 1);
        vm.prank(_address(ALICE));
        vm.expectRevert(abi.encodeWithSelector(PayerAccounts.WithdrawalLocked.selector, leavesAt));
        entrance.withdraw();
        begin(EPOCH + 1, 1, 4);
        Promised memory batch = _empty(1);
        _put(batch, 0, ALICE, promiseOf(blob(0, 1000), EPOCH + 1, 0));
        _confirm(batch, EPOCH + 1, 0);
        assertTrue(_isAvailable(batch, 0), "still charged");
        vm.warp(leavesAt);
        vm.prank(_address(ALICE));
        entrance.withdraw();
        assertEq(_address(ALICE).balance, 1e18 - fee, "the rest");
        assertEq(_balance(ALICE), 0, "deposit");
        vm.prank(_address(ALICE));
        entrance.withdraw();
        assertEq(address(entrance).balance, fee, "only the fee is left");
    }

    function test_withdrawalsAreBoundedAndReplaced() public {
        vm.prank(_address(ALICE));
        vm.expectRevert(abi.encodeWithSelector(PayerAccounts.DepositTooSmall.selector, 1e18, 1e18 + 1));
        entrance.requestWithdraw(1e18 + 1);
        vm.prank(_address(ALICE));
        entrance.requestWithdraw(1e18);
        vm.prank(_address(ALICE));
        entrance.requestWithdraw(0);
        vm.warp(block.timestamp + 100 * EPOCH_SECONDS);
        vm.prank(_address(ALICE));
        entrance.withdraw();
        assertEq(_balance(ALICE), 1e18, "nothing was asked for");
    }

    /// @dev No slot is charged twice, and all wei is accounted for, whatever promises come in whatever batches.
    /// forge-config: default.fuzz.runs = 100
    function testFuzz_noSlotIsChargedTwice(uint256 seed) public {
        uint256 fee = feeOf(blob(0, 1000));
        uint256 slots = 0;
        for (uint256 round = 0; round < 3; ++round) {
            uint256 count = 1 + uint256(keccak256(abi.encode(seed, round))) % 5;
            Promised memory batch = _empty(count);
            for (uint256 i = 0; i < count; ++i) {
                uint256 draw = uint256(keccak256(abi.encode(seed, round, i)));
                _put(batch, i, ALICE, promiseOf(blob(draw % 2, 1000), EPOCH, uint16((draw >> 8) % 12)));
            }
            Certificate memory c = certify(KIND, batch.leaves, EPOCH, 0, 0);
            (,, uint32 known,) = entrance.batch(c.root);
            if (known == 0) _confirmWith(batch, c, EPOCH);
        }
        for (uint16 slot = 0; slot < 12; ++slot) {
            if (entrance.isSlotCharged(_address(ALICE), EPOCH, slot)) ++slots;
        }
        assertEq(_balance(ALICE), 1e18 - slots * fee, "a fee for each slot");
        assertEq(entrance.feePool(EPOCH, RETENTION, 0), slots * fee, "pool");
        assertEq(address(entrance).balance, 1e18, "balance");
    }

    function _assertVoids(Vm.Log[] memory logs, Promised memory batch, VoidReason[9] memory reasons) private view {
        bytes32 topic = keccak256("PromiseVoid(address,uint64,uint16,uint32,uint8)");
        uint256 next = 0;
        for (uint256 i = 0; i < 9; ++i) {
            assertTrue(_isAvailable(batch, i) == (reasons[i] == VoidReason.None), "available unless void");
            if (reasons[i] == VoidReason.None) continue;
            while (logs[next].topics[0] != topic) ++next;
            (uint64 epoch, uint16 slot, uint32 leafIndex, uint8 reason) =
                abi.decode(logs[next++].data, (uint64, uint16, uint32, uint8));
            BlobPromise memory p = batch.promises[i];
            assertTrue(epoch == p.epoch && slot == p.slot && leafIndex == i, "which one");
            assertEq(reason, uint8(reasons[i]), "reason");
        }
    }

    function _batch(uint16 count, uint256 payerKey, uint16 firstSlot) private view returns (Promised memory batch) {
        batch = _empty(count);
        for (uint16 i = 0; i < count; ++i) {
            _put(batch, i, payerKey, promiseOf(blob(firstSlot + i, 1000), EPOCH, firstSlot + i));
        }
    }

    function _empty(uint256 count) private pure returns (Promised memory) {
        return Promised(
            new BlobPromise[](count), new bytes[](count), new bytes32[](count), new BlobHeader[](count)
        );
    }

    function _put(Promised memory batch, uint256 i, uint256 payerKey, BlobPromise memory p) private view {
        batch.promises[i] = p;
        batch.signatures[i] = signPromise(payerKey, p);
        (, uint64 endTime,,) = book.epochInfo(book.currentEpoch());
        batch.headers[i] = BlobHeader({
            version: 1,
            suite: p.suite,
            log2K: p.log2K,
            cosets: p.cosets,
            rowSize: p.rowSize,
            length: p.length,
            commitment: p.commitment,
            submitter: _address(payerKey),
            shardId: SHARD,
            submissionIndex: (uint64(1) << 63) | (p.epoch << 16) | p.slot,
            expiry: endTime + p.retentionEpochs * EPOCH_SECONDS
        });
        batch.leaves[i] = leafOf(batch.headers[i]);
    }

    function _confirm(Promised memory batch, uint64 epoch, uint32 quorumId) private {
        _confirmWith(batch, certify(KIND, batch.leaves, epoch, quorumId, 0), epoch);
    }

    function _confirmWith(Promised memory batch, Certificate memory c, uint64 epoch) private {
        entrance.confirmPromised(
            batch.promises, batch.signatures, epoch, c.snapshot, c.nonSigners, c.siblings, c.signature
        );
    }

    function _isAvailable(Promised memory batch, uint256 i) private view returns (bool) {
        bytes32[] memory path = Leaves.pathOf(batch.leaves, i);
        return entrance.isAvailable(batch.headers[i], Leaves.rootOf(batch.leaves), uint32(i), path);
    }

    function _balance(uint256 payerKey) private view returns (uint256 balance) {
        (balance,,) = entrance.accountOf(_address(payerKey));
    }

    function _address(uint256 payerKey) private pure returns (address) {
        return signingVm.addr(payerKey);
    }
}
