// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobSubmission} from "../../src/da/BlobTypes.sol";
import {DAEntrance} from "../../src/da/DAEntrance.sol";
import {DAMining} from "../../src/da/DAMining.sol";
import {RewardSchedule} from "../../src/da/RewardSchedule.sol";
import {ServedEntry, ServedReport, ServedReports} from "../../src/da/ServedReports.sol";
import {Quorum} from "../../src/quorum/Quorum.sol";
import {Snapshot, Statement} from "../../src/quorum/QuorumTypes.sol";
import {Statements} from "../../src/quorum/Statements.sol";
import {DAFixture} from "./support/DAFixture.sol";
import {Leaves} from "./support/Leaves.sol";

/// @notice Fees on their way to those who keep rows.
contract DARewardsTest is DAFixture {
    address private constant TREASURY = address(0x7EA);

    DAMining private mining;
    ServedEntry[] private entries;

    function setUp() public {
        deploy();
        begin(EPOCH, 1, 1);
        address entrance_ = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        mining = new DAMining(verifier, entrance_, TREASURY, lotterySettings());
        entrance = new DAEntrance(settings(mining));
        entries.push(ServedEntry(address(0), 20, 15));
        entries.push(ServedEntry(address(0xA00000), 10, 10));
        entries.push(ServedEntry(address(0xA00001), 6, 5));
        entries.push(ServedEntry(address(0xA00002), 4, 0));
    }

    function test_feesAreSpreadEvenlyOverTheRetention() public {
        uint256 fee = _earn(RETENTION);
        uint256 rest = fee - fee / 10;
        uint256 paid = 0;
        _nextEpoch();
        _nextEpoch();
        for (uint64 epoch = EPOCH; epoch < EPOCH + 12; ++epoch) {
            if (epoch == EPOCH + 1) entrance.releaseFees(EPOCH, RETENTION, 0);
            uint256 before = mining.heldPot();
            mining.fixPools(1);
            uint256 pool = mining.servedPool(epoch) + mining.heldPot() - before;
            bool earns = epoch > EPOCH && epoch <= EPOCH + RETENTION;
            // The first epoch takes what the division leaves.
            uint256 share = epoch == EPOCH + 1 ? rest - rest / RETENTION * (RETENTION - 1) : rest / RETENTION;
            assertEq(pool, earns ? share : 0, "pool");
            paid += pool;
            _nextEpoch();
        }
        assertEq(paid, rest, "everything");
        assertEq(mining.scheduled(), 0, "nothing left");
        assertEq(mining.treasuryOwed(), fee / 10, "treasury");
        mining.payTreasury();
        assertEq(TREASURY.balance, fee / 10, "treasury paid");
        _assertBooks();
    }

    /// @dev Whenever fees arrive, and whatever pools are fixed by then, no wei is lost or paid twice.
    /// forge-config: default.fuzz.runs = 100
    function testFuzz_noWeiIsLost(uint256 seed) public {
        uint256 total = 0;
        for (uint256 i = 0; i < 6; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            if (draw % 3 != 0) total += _earn(uint16(1 + (draw >> 8) % 7), uint8((draw >> 12) % 2));
            _nextEpoch();
            for (uint16 retention = 1; retention < 8; ++retention) {
                uint64 epoch = book.currentEpoch() - 1 - uint64((draw >> 16) % 2);
                if ((draw >> (20 + retention)) % 2 == 0) _release(epoch, retention);
            }
            mining.fixPools((draw >> 40) % 4);
            _assertBooks();
        }
        uint64 last = book.currentEpoch();
        _nextEpoch();
        for (uint64 epoch = EPOCH; epoch <= last; ++epoch) {
            for (uint16 retention = 1; retention < 8; ++retention) _release(epoch, retention);
        }
        for (uint256 i = 0; i < 8; ++i) _nextEpoch();
        mining.fixPools(100);
        assertEq(mining.scheduled(), 0, "scheduled");
        assertEq(address(mining).balance, total, "balance");
        _assertBooks();
    }

    /// @dev Only rows of suite 1 can win the lottery, so nobody else pays into its pot.
    function test_onlySuiteOnePaysIntoThePotForHeldRows() public {
        uint256 plain = _earn(2, 0);
        uint256 provable = _earn(2, 1);
        vm.warp(START + EPOCH_SECONDS + GRACE + 1);
        entrance.releaseFees(EPOCH, 2, 0);
        assertEq(mining.scheduled(), plain - plain / 10, "suite 0");
        entrance.releaseFees(EPOCH, 2, 1);
        begin(EPOCH + 1, 1, 1);
        for (uint256 i = 0; i < 3; ++i) _nextEpoch();
        mining.fixPools(10);
        uint256 rest = provable - provable / 10;
        uint256 half = rest / 2;
        assertTrue(mining.heldPot() <= half && mining.heldPot() + 2 >= half, "half of what suite 1 pays");
        uint256 served = mining.servedPool(EPOCH + 1) + mining.servedPool(EPOCH + 2);
        assertEq(served + mining.heldPot(), rest + plain - plain / 10, "all the rest is for served rows");
        _assertBooks();
    }

    function test_onlyTheEntranceBringsFees() public {
        vm.expectRevert(abi.encodeWithSelector(RewardSchedule.NotEntrance.selector, address(this)));
        mining.receiveFees{value: 1}(EPOCH, 1, 0);
        (bool success,) = address(mining).call{value: 1}("");
        assertTrue(!success, "a plain transfer");
    }

    function test_poolsAreFixedAfterTheirEpoch() public {
        vm.warp(START + EPOCH_SECONDS);
        mining.fixPools(5);
        assertEq(mining.nextEpoch(), EPOCH, "not over");
        vm.warp(START + EPOCH_SECONDS + 1);
        mining.fixPools(5);
        assertEq(mining.nextEpoch(), EPOCH + 1, "over");
    }

    function test_epochsThatNeverWereHoldUpNoPool() public {
        uint256 fee = _earn(RETENTION);
        vm.warp(START + EPOCH_SECONDS + GRACE + 1);
        entrance.releaseFees(EPOCH, RETENTION, 0);
        // A restart jumps over three epochs, of which one would have been next.
        begin(EPOCH + 4, 1, 1);
        mining.fixPools(10);
        assertEq(mining.nextEpoch(), EPOCH + 4, "next");
        uint256 rest = fee - fee / 10;
        assertEq(mining.scheduled(), rest - rest / RETENTION * 3 - rest % RETENTION, "three pools are fixed");
        // Nobody can have served in them, so they go on at once: their end, zero, is long ago.
        vm.warp(1_800_000_000);
        for (uint64 epoch = EPOCH + 1; epoch < EPOCH + 4; ++epoch) mining.recycle(epoch);
        _assertBooks();
    }

    /// @dev Nothing is owed in them; and what is earned afterwards is spread as ever.
    function test_aLongJumpIsPassedAtOnce() public {
        uint256 fee = _earn(2);
        vm.warp(START + EPOCH_SECONDS + GRACE + 1);
        entrance.releaseFees(EPOCH, 2, 0);
        uint64 later = EPOCH + 65_536;
        begin(later, 1, 1);
        mining.fixPools(2);
        assertEq(mining.nextEpoch(), EPOCH + 2, "one that earns is left");
        mining.fixPools(2);
        assertEq(mining.scheduled(), 0, "all of it");
        assertEq(mining.nextEpoch(), later, "next");
        fee += _earn(2);
        vm.warp(block.timestamp + EPOCH_SECONDS + GRACE + 1);
        entrance.releaseFees(later, 2, 0);
        begin(later + 1, 1, 1);
        _nextEpoch();
        _nextEpoch();
        mining.fixPools(10);
        assertEq(mining.nextEpoch(), later + 3, "three more");
        assertTrue(mining.servedPool(later) == 0 && mining.servedPool(later + 1) > 0, "the first that earns");
        assertTrue(mining.servedPool(later + 2) > 0, "the last that earns");
        assertEq(mining.scheduled(), 0, "nothing left");
        uint256 paid = mining.servedPool(EPOCH + 1) + mining.servedPool(EPOCH + 2);
        paid += mining.servedPool(later + 1) + mining.servedPool(later + 2) + mining.heldPot();
        assertEq(paid + mining.treasuryOwed(), fee, "everything");
        assertEq(address(mining).balance, fee, "balance");
    }

    function test_holdersArePaidForServedRows() public {
        uint64 epoch = _reported();
        uint256 pool = mining.servedPool(epoch);
        assertTrue(pool > 0, "there is something to pay");
        for (uint32 i = 1; i < 4; ++i) {
            uint256 amount = _claim(epoch, i);
            assertEq(amount, pool * entries[i].served / 20, "share of all drawn rows");
            assertEq(entries[i].holder.balance, amount, "paid");
            vm.expectRevert(abi.encodeWithSelector(ServedReports.AlreadyClaimed.selector, i));
            _claim(epoch, i);
        }
        _assertBooks();
        // What was not served goes on.
        (, uint64 endTime,,) = book.epochInfo(epoch);
        vm.expectRevert(abi.encodeWithSelector(ServedReports.ClaimsOpen.selector, epoch, endTime + 14 days));
        mining.recycle(epoch);
        vm.warp(endTime + 14 days + 1);
        uint256 left = mining.servedLeft(epoch);
        uint256 scheduled = mining.scheduled();
        mining.recycle(epoch);
        mining.recycle(epoch);
        assertEq(mining.scheduled(), scheduled + left, "recycled once");
        _assertBooks();
    }

    function test_claimsNeedTheirEntry() public {
        uint64 epoch = _reported();
        bytes32[] memory path = Leaves.pathOf(_leaves(), 1);
        ServedEntry memory entry = entries[1];
        entry.served = 9;
        vm.expectRevert(abi.encodeWithSelector(ServedReports.BadEntry.selector, 1));
        mining.claimServed(epoch, 0, 1, entry, path);
        vm.expectRevert(abi.encodeWithSelector(ServedReports.BadEntry.selector, 2));
        mining.claimServed(epoch, 0, 2, entries[1], path);
        vm.expectRevert(abi.encodeWithSelector(ServedReports.BadEntry.selector, 5));
        mining.claimServed(epoch, 0, 5, entries[1], path);
        vm.expectRevert(abi.encodeWithSelector(ServedReports.NoReport.selector, epoch, 1));
        mining.claimServed(epoch, 1, 1, entries[1], path);
        // The total is nobody's.
        path = Leaves.pathOf(_leaves(), 0);
        vm.expectRevert(abi.encodeWithSelector(ServedReports.BadEntry.selector, 0));
        mining.claimServed(epoch, 0, 0, entries[0], path);
    }

    function test_aReportIsWhatTheQuorumSignedForThisContract() public {
        (ServedReport memory report, bytes32 digest) = _report(EPOCH);
        Snapshot memory snapshot = committees[EPOCH][0].snapshot(EPOCH, 0);
        uint256[8] memory signature = committees[EPOCH][0].sign(digest, 0);
        Statement memory other =
            Statement(Statements.KIND_SERVED, block.chainid, address(entrance), EPOCH, 0, 4, report.root);
        uint256[8] memory elsewhere = committees[EPOCH][0].sign(Statements.digest(HUB_CHAIN, HUB, other), 0);
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        _confirmReport(report, snapshot, elsewhere);
        report.total.served += 1;
        vm.expectRevert(abi.encodeWithSelector(ServedReports.BadEntry.selector, 0));
        _confirmReport(report, snapshot, signature);
        report.total.served -= 1;
        _confirmReport(report, snapshot, signature);
        vm.expectRevert(abi.encodeWithSelector(ServedReports.AlreadyReported.selector, EPOCH, 0));
        _confirmReport(report, snapshot, signature);
    }

    function test_reportsCloseWithTheGracePeriod() public {
        (ServedReport memory report, bytes32 digest) = _report(EPOCH);
        Snapshot memory snapshot = committees[EPOCH][0].snapshot(EPOCH, 0);
        uint256[8] memory signature = committees[EPOCH][0].sign(digest, 0);
        vm.warp(START + EPOCH_SECONDS + GRACE + 1);
        vm.expectRevert(abi.encodeWithSelector(ServedReports.ReportClosed.selector, EPOCH));
        _confirmReport(report, snapshot, signature);
        report.epoch = EPOCH + 9;
        vm.expectRevert(abi.encodeWithSelector(ServedReports.ReportClosed.selector, EPOCH + 9));
        _confirmReport(report, snapshot, signature);
    }

    /// @dev Entries that say more than their total do not pay more than the total.
    function test_aReportPaysNoMoreThanItsTotal() public {
        entries[1].served = 200;
        uint64 epoch = _reported();
        vm.expectRevert(abi.encodeWithSelector(ServedReports.MoreThanTotal.selector, 200, 15));
        _claim(epoch, 1);
        _claim(epoch, 2);
        _assertBooks();
    }

    /// @dev Fees of an epoch are earned, its successor is reported on, and its pools are fixed.
    function _reported() private returns (uint64 epoch) {
        _earn(RETENTION);
        _nextEpoch();
        epoch = book.currentEpoch();
        (ServedReport memory report, bytes32 digest) = _report(epoch);
        _confirmReport(report, committees[epoch][0].snapshot(epoch, 0), committees[epoch][0].sign(digest, 0));
        bytes32[] memory path = Leaves.pathOf(_leaves(), 1);
        vm.expectRevert(abi.encodeWithSelector(RewardSchedule.EpochNotOver.selector, epoch));
        mining.claimServed(epoch, 0, 1, entries[1], path);
        vm.warp(block.timestamp + GRACE + 1);
        entrance.releaseFees(EPOCH, RETENTION, 0);
        vm.warp(block.timestamp + EPOCH_SECONDS);
        mining.fixPools(2);
    }

    function _report(uint64 epoch) private view returns (ServedReport memory report, bytes32 digest) {
        bytes32[] memory leaves = _leaves();
        report = ServedReport(Leaves.rootOf(leaves), 4, epoch, entries[0], Leaves.pathOf(leaves, 0));
        digest = Statements.digest(
            HUB_CHAIN,
            HUB,
            Statement(Statements.KIND_SERVED, block.chainid, address(mining), epoch, 0, 4, report.root)
        );
    }

    function _confirmReport(ServedReport memory report, Snapshot memory snapshot, uint256[8] memory signature) private {
        mining.confirmReport(report, snapshot, "", new bytes32[](0), signature);
    }

    function _claim(uint64 epoch, uint32 index) private returns (uint256) {
        return mining.claimServed(epoch, 0, index, entries[index], Leaves.pathOf(_leaves(), index));
    }

    function _leaves() private view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](entries.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            ServedEntry memory entry = entries[i];
            leaves[i] = keccak256(bytes.concat(hex"00", abi.encodePacked(entry.holder, entry.drawn, entry.served)));
        }
    }

    /// @dev A blob that pays for `retention` epochs.
    function _earn(uint16 retention) private returns (uint256 fee) {
        return _earn(retention, 0);
    }

    /// @dev A blob of `suite` that pays for `retention` epochs.
    function _earn(uint16 retention, uint8 suite) private returns (uint256 fee) {
        BlobSubmission[] memory list = new BlobSubmission[](1);
        list[0] = blob(1, 1000);
        list[0].retentionEpochs = retention;
        list[0].suite = suite;
        fee = feeOf(list[0]);
        entrance.submitBlobs{value: fee}(list);
    }

    function _release(uint64 epoch, uint16 retention) private {
        (, uint64 endTime,,) = book.epochInfo(epoch);
        if (endTime == 0 || block.timestamp <= endTime + GRACE) return;
        entrance.releaseFees(epoch, retention, 0);
        entrance.releaseFees(epoch, retention, 1);
    }

    function _nextEpoch() private {
        (, uint64 endTime,,) = book.epochInfo(book.currentEpoch());
        vm.warp(endTime + 1);
        begin(book.currentEpoch() + 1, 1, 1);
    }

    /// @dev Every wei is in one of the four books.
    function _assertBooks() private view {
        uint256 known = mining.scheduled() + mining.heldPot() + mining.treasuryOwed();
        for (uint64 epoch = EPOCH; epoch < EPOCH + 20; ++epoch) {
            known += mining.servedLeft(epoch);
        }
        assertEq(address(mining).balance, known, "books");
    }
}
