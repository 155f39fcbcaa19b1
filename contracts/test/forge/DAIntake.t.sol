// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobIntake} from "../../src/da/BlobIntake.sol";
import {BlobSubmission} from "../../src/da/BlobTypes.sol";
import {DAEntrance} from "../../src/da/DAEntrance.sol";
import {EpochTerms} from "../../src/da/EpochTerms.sol";
import {FeePools} from "../../src/da/FeePools.sol";
import {DAFixture, FeeCounter} from "./support/DAFixture.sol";
import {Vm} from "./support/Test.sol";

/// @notice Paid submissions: shape, fee, order, closing time.
contract DAIntakeTest is DAFixture {
    function setUp() public {
        deploy();
        begin(EPOCH, 1, 1);
    }

    function test_aSubmissionIsNumberedAndAnnounced() public {
        BlobSubmission[] memory list = new BlobSubmission[](2);
        (list[0], list[1]) = (blob(1, 0), blob(2, 70_000));
        list[1].suite = 1;
        list[1].retentionEpochs = 90;
        vm.recordLogs();
        uint64 first = entrance.submitBlobs{value: feeOf(list[0]) + feeOf(list[1])}(list);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(first, 0, "first index");
        assertEq(entrance.submissionCount(), 2, "count");
        // The first log says that the epoch is open.
        assertEq(logs.length, 3, "logs");
        _assertAnnounced(logs[1], list[0], 0);
        _assertAnnounced(logs[2], list[1], 1);
    }

    function testFuzz_onlyTheLayoutOfTheLengthIsTaken(uint256 length, uint256 field, uint256 other) public {
        length = bound(length, 0, (1 << 27) - 8);
        BlobSubmission[] memory list = new BlobSubmission[](1);
        list[0] = blob(1, uint64(length));
        uint256 fee = feeOf(list[0]);
        assertEq(entrance.feeOf(uint64(length), RETENTION, EPOCH), fee, "fee");
        entrance.submitBlobs{value: fee}(list);

        field = bound(field, 0, 4);
        other = bound(other, 0, type(uint8).max);
        if (field == 0) list[0].log2K = _other(list[0].log2K, other);
        if (field == 1) list[0].rowSize = uint32(bound(other, 0, 600) * 64) + (list[0].rowSize % 128 == 0 ? 64 : 0);
        if (field == 2) list[0].cosets = _other(3, other);
        if (field == 3) list[0].suite = uint8(bound(other, 2, 255));
        if (field == 4) list[0].retentionEpochs = other == 0 ? 0 : uint16(90 + other);
        if (field == 1 && list[0].rowSize == blob(1, uint64(length)).rowSize) list[0].rowSize += 1;
        vm.expectRevert(abi.encodeWithSelector(BlobIntake.BadShape.selector));
        entrance.submitBlobs{value: 1e27}(list);
    }

    function test_classesEndWhereTheCodecSays() public {
        uint64[8] memory lengths =
            [uint64(65_528), 65_529, 1_048_568, 1_048_569, 16_777_208, 16_777_209, 134_217_720, 0];
        uint8[8] memory logs = [6, 8, 8, 10, 10, 12, 12, 6];
        uint32[8] memory rows = [uint32(1024), 320, 4096, 1088, 16_384, 4160, 32_768, 64];
        BlobSubmission[] memory list = new BlobSubmission[](1);
        for (uint256 i = 0; i < 8; ++i) {
            list[0] = BlobSubmission(keccak256("c"), lengths[i], rows[i], 0, logs[i], 3, 1);
            entrance.submitBlobs{value: feeOf(list[0])}(list);
        }
        list[0] = BlobSubmission(keccak256("c"), 134_217_721, 32_832, 0, 12, 3, 1);
        vm.expectRevert(abi.encodeWithSelector(BlobIntake.BadShape.selector));
        entrance.submitBlobs{value: 1e27}(list);
        list[0].length = type(uint64).max;
        vm.expectRevert(abi.encodeWithSelector(BlobIntake.BadShape.selector));
        entrance.submitBlobs{value: 1e27}(list);
    }

    function testFuzz_theRestComesBack(uint8 count, uint256 over) public {
        over = bound(over, 0, 1e20);
        (BlobSubmission[] memory list, uint256 fee) = blobs(bound(count, 0, 20));
        uint256 before = address(this).balance;
        entrance.submitBlobs{value: fee + over}(list);
        assertEq(before - address(this).balance, fee, "paid");
        assertEq(address(entrance).balance, fee, "held");
        assertEq(entrance.feePool(EPOCH, RETENTION, 0), fee, "pool");
    }

    function test_tooLittleIsRefusedWhole() public {
        (BlobSubmission[] memory list, uint256 fee) = blobs(3);
        vm.expectRevert(abi.encodeWithSelector(BlobIntake.FeeTooLow.selector, fee));
        entrance.submitBlobs{value: fee - 1}(list);
        assertEq(entrance.submissionCount(), 0, "count");
    }

    function test_aCallerThatTakesNothingBackIsNamed() public {
        (BlobSubmission[] memory list, uint256 fee) = blobs(1);
        vm.deal(address(book), fee + 1);
        vm.prank(address(book));
        vm.expectRevert(abi.encodeWithSelector(BlobIntake.RefundFailed.selector, address(book), 1));
        entrance.submitBlobs{value: fee + 1}(list);
    }

    function test_poolsAreKeptByEpochAndRetention() public {
        uint256[3] memory paid;
        BlobSubmission[] memory list = new BlobSubmission[](3);
        for (uint256 i = 0; i < 3; ++i) {
            list[i] = blob(i, 1000);
            list[i].retentionEpochs = i == 1 ? 4 : 9;
            paid[i] = feeOf(list[i]);
        }
        entrance.submitBlobs{value: paid[0] + paid[1] + paid[2]}(list);
        vm.warp(block.timestamp + EPOCH_SECONDS);
        begin(EPOCH + 1, 1, 1);
        entrance.submitBlobs{value: paid[0] + paid[1] + paid[2]}(list);
        for (uint64 epoch = EPOCH; epoch < EPOCH + 2; ++epoch) {
            assertEq(entrance.feePool(epoch, 4, 0), paid[1], "pool of four");
            assertEq(entrance.feePool(epoch, 9, 0), paid[0] + paid[2], "pool of nine");
        }
        assertEq(address(entrance).balance, 2 * (paid[0] + paid[1] + paid[2]), "balance");
    }

    function test_feesLeaveOnceTheEpochTakesNoMore() public {
        (BlobSubmission[] memory list, uint256 fee) = blobs(4);
        entrance.submitBlobs{value: fee}(list);
        uint256 closes = START + EPOCH_SECONDS + GRACE;
        vm.warp(closes);
        vm.expectRevert(abi.encodeWithSelector(FeePools.EpochOpen.selector, EPOCH, closes));
        entrance.releaseFees(EPOCH, RETENTION, 0);
        vm.warp(closes + 1);
        assertEq(entrance.releaseFees(EPOCH, RETENTION, 0), fee, "released");
        assertEq(entrance.releaseFees(EPOCH, RETENTION, 0), 0, "twice");
        assertEq(fees.received(EPOCH, RETENTION), fee, "received");
        assertEq(address(entrance).balance, 0, "balance");
    }

    function test_submissionsCloseBeforeTheEpochEnds() public {
        (BlobSubmission[] memory list, uint256 fee) = blobs(1);
        vm.warp(START + EPOCH_SECONDS - MARGIN - 1);
        entrance.submitBlobs{value: fee}(list);
        vm.warp(START + EPOCH_SECONDS - MARGIN);
        vm.expectRevert(abi.encodeWithSelector(EpochTerms.EpochClosed.selector));
        entrance.submitBlobs{value: fee}(list);
        // A halted network: nothing is taken, however long it lasts.
        vm.warp(START + 100 * EPOCH_SECONDS);
        vm.expectRevert(abi.encodeWithSelector(EpochTerms.EpochClosed.selector));
        entrance.submitBlobs{value: fee}(list);
        begin(EPOCH + 1, 1, 1);
        assertEq(entrance.submitBlobs{value: fee}(list), 1, "index goes on");
    }

    /// @dev No fee for blobs that could never be confirmed: nothing of the epoch is open, promises included.
    function test_anEpochWithTooLargeAQuorumTakesNothing() public {
        (BlobSubmission[] memory list, uint256 fee) = blobs(1);
        vm.warp(START + EPOCH_SECONDS);
        begin(EPOCH + 1, 2, 4);
        book.setMostMembers(EPOCH + 1, 33);
        bytes memory refusal = abi.encodeWithSelector(EpochTerms.QuorumTooLarge.selector, 33, 32);
        vm.expectRevert(refusal);
        entrance.submitBlobs{value: fee}(list);
        vm.expectRevert(refusal);
        entrance.openEpoch();
        book.setMostMembers(EPOCH + 1, 32);
        entrance.submitBlobs{value: fee}(list);
    }

    function test_networksHaveTwoOrThreeCosets() public {
        for (uint8 cosets = 0; cosets < 5; ++cosets) {
            DAEntrance.Settings memory wanted = settings(fees);
            wanted.cosets = cosets;
            address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
            wanted.rewards = new FeeCounter(predicted);
            bool sound = cosets == 2 || cosets == 3;
            if (!sound) vm.expectRevert(abi.encodeWithSelector(BlobIntake.BadNetwork.selector, cosets, 6, 90));
            new DAEntrance(wanted);
        }
    }

    function test_pricesChangeWithTheNextEpochOnly() public {
        (BlobSubmission[] memory list, uint256 fee) = blobs(1);
        assertEq(entrance.openEpoch(), EPOCH, "epoch");
        vm.prank(ADMIN);
        entrance.setPrices(0, 0);
        entrance.submitBlobs{value: fee}(list);
        assertEq(entrance.feePool(EPOCH, RETENTION, 0), fee, "old price");
        vm.warp(block.timestamp + EPOCH_SECONDS);
        begin(EPOCH + 1, 1, 1);
        entrance.submitBlobs(list);
        assertEq(entrance.feePool(EPOCH + 1, RETENTION, 0), 0, "new price");
        vm.expectRevert();
        entrance.setPrices(1, 1);
    }

    /// @dev Attack table, 23: the quorum follows from the seed and a number that the contract gives.
    function test_aSubmitterCannotSteerToAQuorum() public {
        vm.warp(block.timestamp + EPOCH_SECONDS);
        begin(EPOCH + 1, 4, 1);
        (BlobSubmission[] memory list, uint256 fee) = blobs(400);
        vm.recordLogs();
        entrance.submitBlobs{value: fee}(list);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256[5] memory taken;
        for (uint64 i = 0; i < 400; ++i) {
            (, uint32 quorumId) = abi.decode(logs[i + 1].data, (uint64, uint32));
            ++taken[quorumId];
            uint256 draw = uint256(keccak256(abi.encode(seedOf(EPOCH + 1), uint256(i))));
            assertEq(quorumId, 1 + draw % 4, "quorum");
        }
        assertEq(taken[0], 0, "the committee takes none");
        for (uint256 id = 1; id <= 4; ++id) {
            assertTrue(taken[id] > 65 && taken[id] < 135, "even");
        }
    }

    function _assertAnnounced(Vm.Log memory log, BlobSubmission memory b, uint256 index) private view {
        assertEq(
            log.topics[0],
            keccak256("BlobSubmitted(uint64,address,uint64,uint32,bytes32,uint64,bytes,uint64)"),
            "topic"
        );
        assertEq(uint256(log.topics[1]), index, "index");
        assertEq(uint256(log.topics[2]), uint256(uint160(address(this))), "submitter");
        bytes memory params = abi.encodePacked(uint8(1), b.suite, b.log2K, b.cosets, b.rowSize);
        uint64 expiry = START + EPOCH_SECONDS + b.retentionEpochs * EPOCH_SECONDS;
        assertEq(
            keccak256(log.data), keccak256(abi.encode(EPOCH, 0, b.commitment, b.length, params, expiry)), "data"
        );
    }

    function _other(uint8 value, uint256 other) private pure returns (uint8) {
        return uint8(other) == value ? value + 1 : uint8(other);
    }
}
