// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DutySets} from "../../src/possession/DutySets.sol";
import {DutySpans} from "../../src/possession/DutySpans.sol";
import {FilePaths} from "../../src/possession/FilePaths.sol";
import {Possession} from "../../src/possession/Possession.sol";
import {PossessionPeriods} from "../../src/possession/PossessionPeriods.sol";
import {Duty, EntryProof, PossessionTerms, SectorProof} from "../../src/possession/PossessionTypes.sol";
import {HeaderProof} from "../../src/quorum/HeaderProof.sol";
import {StakeBook} from "../../src/stake/StakeBook.sol";
import {StakeHub} from "../../src/stake/StakeHub.sol";
import {Headers} from "./support/Headers.sol";
import {PossessionFixture} from "./support/PossessionFixture.sol";

/// @notice Duties of possession, from their beginning to their end.
contract PossessionTest is PossessionFixture {
    address private constant STRANGER = address(0x57);

    function setUp() public {
        deployPossession();
        storeFile(1);
        storeFile(5 * 256 + 3);
        storeFile(37 * 256);
    }

    function test_anHonestLife() public {
        uint256 id = takeUp(PROVIDER, PAY);
        Duty memory duty = possession.dutyOf(id);
        assertEq(duty.sectors, 1 + 6 + 37, "sectors without padding");
        assertEq(duty.entries, 3, "files");
        assertEq(duty.firstPeriod, 1, "first period");
        assertEq(stakeHub.reservedFor(PROVIDER, possession.caseOf(id)), DEPOSIT, "reserved");
        pay(id, 6);
        for (uint64 period = 1; period <= 6; ++period) {
            openPeriod(period);
            answerHonestly(id, 0, period);
            assertTrue(possession.isSettled(id, period), "settled");
        }
        assertEq(possession.payments(PROVIDER), 6 * PAY, "paid for each");
        assertEq(address(possession).balance, 6 * PAY, "nothing else is left");
        possession.withdrawPayments(payable(PROVIDER));
        assertEq(PROVIDER.balance, 6 * PAY, "withdrawn");
        vm.prank(PROVIDER);
        possession.requestClose(id);
        goTo(block.number + 1000);
        vm.prank(PROVIDER);
        possession.close(id);
        uint64 end = possession.dutyOf(id).endPeriod;
        goTo(possession.reportEnd(end - 1) + 1);
        possession.release(id);
        assertEq(stakeHub.reservedFor(PROVIDER, possession.caseOf(id)), 0, "released");
        vm.prank(PROVIDER);
        stakeHub.requestUnbond(100 ether);
    }

    function test_aMissedPeriodCostsStakeOnce() public {
        uint256 id = takeUp(PROVIDER, PAY);
        pay(id, 2);
        openPeriod(1);
        goTo(possession.windowEnd(1) + 1);
        vm.prank(STRANGER);
        possession.reportMissed(id, 0, 1);
        // A hundredth of the stake of 100 coins is the tenth of the deposit.
        assertEq(stakeHub.reservedFor(PROVIDER, possession.caseOf(id)), DEPOSIT - 1 ether, "deposit");
        assertEq(stakeHub.rewardOf(PAYER), 1 ether, "the payer has it");
        assertEq(possession.payments(STRANGER), PAY / 10, "for the report");
        assertEq(possession.payments(PAYER), PAY - PAY / 10, "the payer's rest");
        vm.expectRevert(abi.encodeWithSelector(DutySpans.PeriodSettled.selector, 1));
        possession.reportMissed(id, 0, 1);
        vm.expectRevert(abi.encodeWithSelector(DutySpans.PeriodSettled.selector, 1));
        possession.refundLapsed(id, 0, 1);
        // The next one is as good as any.
        openPeriod(2);
        answerHonestly(id, 0, 2);
        assertEq(possession.payments(PROVIDER), PAY, "paid");
    }

    function test_anAnsweredPeriodIsPaidOnceAndNotReported() public {
        uint256 id = takeUp(PROVIDER, PAY);
        pay(id, 2);
        openPeriod(1);
        answerHonestly(id, 0, 1);
        SectorProof[] memory shown = shownIn(id, 1, 3);
        _answerRefused(id, 0, 1, shown, abi.encodeWithSelector(DutySpans.PeriodSettled.selector, 1));
        goTo(possession.windowEnd(1) + 1);
        vm.expectRevert(abi.encodeWithSelector(DutySpans.PeriodSettled.selector, 1));
        possession.reportMissed(id, 0, 1);
        assertEq(possession.payments(PROVIDER), PAY, "once");
        // Nor for another period.
        openPeriod(2);
        vm.prank(PROVIDER);
        (bool success, bytes memory reason) =
            address(possession).call(abi.encodeCall(Possession.answer, (id, 0, 2, shown)));
        // Another file is drawn, or another sector of the same.
        bytes4 name = bytes4(reason);
        assertTrue(!success, "refused");
        assertTrue(name == Possession.NotDrawn.selector || name == Possession.NotInFile.selector, "by name");
    }

    function test_answersOfOthersAreRefused() public {
        address other = address(0xB1);
        bondProvider(other, 50 ether);
        uint256 id = takeUp(PROVIDER, PAY);
        uint256 same = takeUp(other, PAY);
        pay(id, 1);
        pay(same, 1);
        openPeriod(1);
        SectorProof[] memory shown = shownIn(id, 1, 3);
        vm.prank(other);
        vm.expectRevert(abi.encodeWithSelector(DutySets.NotProvider.selector, other, PROVIDER));
        possession.answer(id, 0, 1, shown);
        uint256 drawn = possession.drawnIn(same, 1)[0];
        vm.prank(other);
        vm.expectRevert(abi.encodeWithSelector(Possession.NotDrawn.selector, 0, drawn));
        possession.answer(same, 0, 1, shown);
        vm.expectRevert(abi.encodeWithSelector(DutySets.UnknownDuty.selector, 7));
        possession.answer(7, 0, 1, shown);
    }

    function test_answersOutsideTheWindowAreRefused() public {
        uint256 id = takeUp(PROVIDER, PAY);
        pay(id, 2);
        SectorProof[] memory none = new SectorProof[](5);
        uint256 seedBlock = possession.seedBlock(1);
        assertEq(seedBlock, FIRST + PERIOD + 2, "seed block");
        goTo(seedBlock);
        _answerRefused(id, 0, 1, none, abi.encodeWithSelector(PossessionPeriods.TooEarly.selector, seedBlock));
        goTo(seedBlock + 1);
        _answerRefused(id, 0, 1, none, abi.encodeWithSelector(PossessionPeriods.SeedUnknown.selector, 1));
        openPeriod(1);
        SectorProof[] memory shown = shownIn(id, 1, 3);
        goTo(seedBlock + 17);
        _answerRefused(id, 0, 1, shown, abi.encodeWithSelector(PossessionPeriods.TooLate.selector, seedBlock + 16));
        goTo(seedBlock + 16);
        vm.expectRevert(abi.encodeWithSelector(PossessionPeriods.TooEarly.selector, seedBlock + 16));
        possession.reportMissed(id, 0, 1);
        vm.prank(PROVIDER);
        possession.answer(id, 0, 1, shown);
    }

    function test_wrongAnswersAreRefusedByName() public {
        uint256 id = takeUp(PROVIDER, PAY);
        pay(id, 1);
        openPeriod(1);
        SectorProof[] memory shown = shownIn(id, 1, 3);
        _answerRefused(
            id, 0, 1, new SectorProof[](4), abi.encodeWithSelector(Possession.WrongCount.selector, 4, 5)
        );
        shown[3].data[7] = 0;
        _answerRefused(id, 0, 1, shown, abi.encodeWithSelector(Possession.NotInFile.selector, 3));
        shown = shownIn(id, 1, 3);
        shown[2].sectorPath = new bytes32[](shown[2].sectorPath.length + 1);
        _answerRefused(id, 0, 1, shown, abi.encodeWithSelector(Possession.NotInFile.selector, 2));
        shown = shownIn(id, 1, 3);
        shown[1].fileRoot = 0;
        _answerRefused(id, 0, 1, shown, abi.encodeWithSelector(Possession.NotInSet.selector, 1));
        shown = shownIn(id, 1, 3);
        // Padding is not asked for, so no other file can be passed off as what was drawn.
        shown[4].firstSector += 44;
        uint256 drawn = possession.drawnIn(id, 1)[4];
        _answerRefused(id, 0, 1, shown, abi.encodeWithSelector(Possession.NotDrawn.selector, 4, drawn));
    }

    /// @dev Without a seed nobody knows what to show, so nobody answers for it.
    function test_withoutEntropyNobodyAnswersAndNobodyLoses() public {
        uint256 id = takeUp(PROVIDER, PAY);
        pay(id, 1);
        uint256 number = possession.seedBlock(1);
        goTo(number + 1);
        bytes memory header = Headers.encode(number, 0, true);
        vm.setBlockhash(number, keccak256(header));
        vm.expectRevert(abi.encodeWithSelector(PossessionPeriods.NoEntropy.selector, 1, number));
        possession.openPeriod(1, header);
        SectorProof[] memory none = new SectorProof[](5);
        _answerRefused(id, 0, 1, none, abi.encodeWithSelector(PossessionPeriods.SeedUnknown.selector, 1));
        uint256 windowEnd = possession.windowEnd(1);
        goTo(windowEnd + 1);
        vm.expectRevert(abi.encodeWithSelector(PossessionPeriods.SeedUnknown.selector, 1));
        possession.reportMissed(id, 0, 1);
        goTo(windowEnd + 50);
        vm.expectRevert(abi.encodeWithSelector(PossessionPeriods.TooEarly.selector, windowEnd + 50));
        possession.refundLapsed(id, 0, 1);
        goTo(windowEnd + 51);
        vm.expectRevert(abi.encodeWithSelector(PossessionPeriods.TooLate.selector, windowEnd + 50));
        possession.reportMissed(id, 0, 1);
        possession.refundLapsed(id, 0, 1);
        assertEq(possession.payments(PAYER), PAY, "back");
        assertEq(stakeHub.reservedFor(PROVIDER, possession.caseOf(id)), DEPOSIT, "nothing is lost");
    }

    function test_aSeedIsOfItsOwnBlock() public {
        uint256 number = possession.seedBlock(1);
        goTo(number);
        vm.expectRevert(abi.encodeWithSelector(HeaderProof.NoHash.selector, number));
        possession.openPeriod(1, "");
        goTo(number + 1);
        bytes memory earlier = headerOf(number - 1);
        vm.expectRevert(abi.encodeWithSelector(HeaderProof.BadHeader.selector, number));
        possession.openPeriod(1, earlier);
        openPeriod(1);
        assertEq(possession.seedOf(1), keccak256(abi.encode("randao", number)), "seed");
        bytes memory again = headerOf(number);
        vm.expectRevert(abi.encodeWithSelector(PossessionPeriods.PeriodOpen.selector, 1));
        possession.openPeriod(1, again);
    }

    /// @dev The seed is long after what it is about, whatever is done when.
    function test_changesCountOnceTheyAreFinal() public {
        uint256 id = takeUp(PROVIDER, PAY);
        goTo(FIRST + 3 * PERIOD - 4);
        assertEq(possession.nextPeriod(), 3, "four blocks before it");
        pay(id, 1);
        goTo(FIRST + 3 * PERIOD - 3);
        assertEq(possession.nextPeriod(), 4, "three blocks before it");
        address other = address(0xB1);
        bondProvider(other, 50 ether);
        uint256 late = takeUp(other, PAY);
        assertEq(possession.dutyOf(late).firstPeriod, 4, "a duty");
        pay(id, 2);
        assertEq(possession.spansOf(id)[1].from, 4, "and its pay");
        assertEq(possession.spansOf(id)[1].until, 6, "for two periods");
        pay(id, 1);
        assertEq(possession.spansOf(id)[2].from, 6, "after those paid for");
        goTo(FIRST + 20 * PERIOD);
        pay(id, 1);
        assertEq(possession.spansOf(id)[3].from, 21, "not for what is over");
        vm.expectRevert(abi.encodeWithSelector(DutySpans.NotOwed.selector, 10));
        possession.refundLapsed(id, 3, 10);
        vm.expectRevert(abi.encodeWithSelector(DutySpans.NotOwed.selector, 10));
        possession.refundLapsed(id, 9, 10);
    }

    function test_aSetIsOfTheLog() public {
        bytes32 root = possession.anchor();
        EntryProof[] memory entries = entriesOf(allFiles());
        storeFile(700);
        // The log has grown; what is proven against a root that was anchored stays proven.
        vm.prank(PROVIDER);
        uint256 id = possession.open(PAY, root, entries);
        bytes32 grown = flow.logRoot();
        vm.prank(PROVIDER);
        vm.expectRevert(abi.encodeWithSelector(DutySets.UnknownLogRoot.selector, grown));
        possession.add(id, grown, entries);
        possession.anchor();
        uint256[] memory one = new uint256[](1);
        one[0] = 1;
        entries = entriesOf(one);
        vm.prank(PROVIDER);
        vm.expectRevert(abi.encodeWithSelector(DutySets.SequencesNotAscending.selector, 1, 2));
        possession.add(id, grown, entries);
        one[0] = 3;
        entries = entriesOf(one);
        entries[0].record.size -= 1;
        vm.prank(PROVIDER);
        vm.expectRevert(abi.encodeWithSelector(DutySets.NotInLog.selector, 3));
        possession.add(id, grown, entries);
        entries[0].record.size += 1;
        vm.expectRevert(abi.encodeWithSelector(DutySets.NotProvider.selector, address(this), PROVIDER));
        possession.add(id, grown, entries);
        vm.prank(PROVIDER);
        possession.add(id, grown, entries);
        vm.prank(PROVIDER);
        possession.start(id, DEPOSIT);
        assertEq(possession.dutyOf(id).entries, 4, "entries");
        vm.prank(PROVIDER);
        vm.expectRevert(abi.encodeWithSelector(DutySets.DutyStartedAlready.selector, id));
        possession.add(id, grown, entries);
        vm.prank(PROVIDER);
        vm.expectRevert(abi.encodeWithSelector(DutySets.DutyStartedAlready.selector, id));
        possession.start(id, DEPOSIT);
        pay(id, 1);
        openPeriod(1);
        answerHonestly(id, 0, 1);
    }

    function test_dutiesThatCannotBeAreRefused() public {
        bytes32 root = possession.anchor();
        uint256 id = possession.open(PAY, root, new EntryProof[](0));
        vm.expectRevert(abi.encodeWithSelector(Possession.EmptyDuty.selector));
        possession.start(id, DEPOSIT);
        EntryProof[] memory entries = entriesOf(allFiles());
        possession.add(id, root, entries);
        vm.expectRevert(abi.encodeWithSelector(Possession.EmptyDuty.selector));
        possession.start(id, 0);
        vm.expectRevert(abi.encodeWithSelector(Possession.NotInRole.selector, address(this)));
        possession.start(id, DEPOSIT);
        stakeHub.setRoles(4);
        vm.expectRevert(abi.encodeWithSelector(StakeBook.LiabilityExceeded.selector, 0));
        possession.start(id, DEPOSIT);
        vm.expectRevert(abi.encodeWithSelector(Possession.NotStarted.selector, id));
        possession.fund{value: PAY}(id, 1);
        vm.expectRevert(abi.encodeWithSelector(Possession.NotStarted.selector, id));
        possession.requestClose(id);
        stakeHub.bond{value: DEPOSIT}();
        possession.start(id, DEPOSIT);
        vm.expectRevert(abi.encodeWithSelector(Possession.WrongPayment.selector, 2, 2 * PAY, PAY));
        possession.fund{value: PAY}(id, 2);
        vm.expectRevert(abi.encodeWithSelector(Possession.WrongPayment.selector, 0, 0, 0));
        possession.fund(id, 0);
    }

    function test_noOnePaysForADutyWhoseDepositIsSpent() public {
        uint256 id = takeUp(PROVIDER, PAY);
        pay(id, 12);
        for (uint64 period = 1; period <= 10; ++period) {
            openPeriod(period);
            goTo(possession.windowEnd(period) + 1);
            possession.reportMissed(id, 0, period);
        }
        uint256 left = stakeHub.reservedFor(PROVIDER, possession.caseOf(id));
        assertTrue(left < 1 ether, "spent");
        vm.prank(PAYER);
        vm.expectRevert(abi.encodeWithSelector(Possession.DepositSpent.selector, left, 1 ether));
        possession.fund{value: PAY}(id, 1);
    }

    function test_aDutyLastsUntilItsStakeCouldHaveLeft() public {
        uint256 id = takeUp(PROVIDER, PAY);
        pay(id, 40);
        vm.prank(PROVIDER);
        vm.expectRevert(abi.encodeWithSelector(Possession.NotClosing.selector, id));
        possession.close(id);
        vm.prank(PROVIDER);
        possession.requestClose(id);
        uint64 from = possession.dutyOf(id).closableFrom;
        assertEq(from, block.timestamp + 1000, "the hub's delay");
        openPeriod(1);
        goTo(possession.windowEnd(1) + 1);
        possession.reportMissed(id, 0, 1);
        assertEq(stakeHub.rewardOf(PAYER), 1 ether, "missed periods cost as before");
        vm.prank(PROVIDER);
        vm.expectRevert(abi.encodeWithSelector(Possession.ClosableFrom.selector, from));
        possession.close(id);
        vm.expectRevert(abi.encodeWithSelector(DutySpans.NotClosed.selector, id));
        possession.release(id);
        vm.expectRevert(abi.encodeWithSelector(DutySpans.NotClosed.selector, id));
        possession.refundClosed(id, 0);
        goTo(FIRST + 10 * PERIOD + 1);
        vm.prank(PROVIDER);
        possession.close(id);
        assertEq(possession.dutyOf(id).endPeriod, 11, "the period that has begun counts");
        vm.prank(PROVIDER);
        vm.expectRevert(abi.encodeWithSelector(Possession.DutyEnds.selector, 11));
        possession.close(id);
        vm.prank(PAYER);
        vm.expectRevert(abi.encodeWithSelector(Possession.DutyEnds.selector, 11));
        possession.fund{value: PAY}(id, 1);
        vm.expectRevert(abi.encodeWithSelector(DutySpans.UnknownSpan.selector, 1));
        possession.refundClosed(id, 1);
        uint256 before = possession.payments(PAYER);
        possession.refundClosed(id, 0);
        possession.refundClosed(id, 0);
        assertEq(possession.payments(PAYER) - before, 30 * PAY, "periods 11 to 40 come back, once");
        openPeriod(10);
        goTo(possession.windowEnd(10) + 1);
        possession.reportMissed(id, 0, 10);
        vm.expectRevert(abi.encodeWithSelector(PossessionPeriods.TooEarly.selector, possession.reportEnd(10)));
        possession.release(id);
        goTo(possession.reportEnd(10) + 1);
        possession.release(id);
        assertEq(stakeHub.reservedFor(PROVIDER, possession.caseOf(id)), 0, "released");
    }

    function test_reservedStakeCannotLeave() public {
        takeUp(PROVIDER, PAY);
        vm.prank(PROVIDER);
        vm.expectRevert(abi.encodeWithSelector(StakeBook.LiabilityExceeded.selector, 90 ether));
        stakeHub.requestUnbond(91 ether);
    }

    function test_termsThatCannotBeAreRefused() public {
        for (uint256 i = 0; i < 7; ++i) {
            PossessionTerms memory terms = possessionTerms();
            if (i == 0) terms.seedDelay = 0;
            if (i == 1) terms.windowBlocks = 15;
            if (i == 2) terms.periodBlocks = 71;
            if (i == 3) terms.challenges = 0;
            if (i == 4) terms.missBps = 10_001;
            if (i == 5) terms.reporterBps = 10_001;
            if (i == 6) terms.reportBlocks = 0;
            address entropy = address(possession.entropy());
            bytes memory arguments = abi.encode(terms, stakeHub, flow, entropy);
            vm.expectRevert(abi.encodeWithSelector(PossessionPeriods.BadPossessionTerms.selector));
            this.make(arguments);
        }
    }

    function make(bytes memory arguments) external {
        (PossessionTerms memory terms, StakeHub hub,,) =
            abi.decode(arguments, (PossessionTerms, StakeHub, address, address));
        new Possession(terms, hub, possession.flow(), possession.entropy());
    }

    function testFuzz_everySectorOfAFileHasAPath(uint256 seed, uint256 sectors, uint256 index) public view {
        sectors = bound(sectors, 1, 90);
        index = bound(index, 0, sectors - 1);
        bytes32[] memory hashes = hashesOf(seed, sectors * 256);
        bytes32[] memory path = filePath(hashes, 0, hashes.length, index);
        bytes32 root = _foldRight(hashes, hashes.length);
        assertEq(this.rootOf(hashes[index], index, hashes.length, path), root, "root");
        if (index + 1 < hashes.length) {
            assertTrue(this.rootOf(hashes[index], index + 1, hashes.length, path) != root, "at its own place only");
        }
        assertEq(this.rootOf(hashes[index], hashes.length, hashes.length, path), 0, "no such sector");
    }

    function rootOf(bytes32 leaf, uint256 index, uint256 sectors, bytes32[] calldata path)
        external
        pure
        returns (bytes32)
    {
        return FilePaths.rootOf(leaf, index, sectors, path);
    }

    /// @dev Perfect subtrees for each bit of the count, largest first, folded from the right.
    function _foldRight(bytes32[] memory hashes, uint256 count) private pure returns (bytes32 root) {
        uint256 end = count;
        for (uint256 height = 0; 1 << height <= count; ++height) {
            if ((count >> height) & 1 == 0) continue;
            end -= 1 << height;
            bytes32 node = _perfect(hashes, end, 1 << height);
            root = root == 0 ? node : keccak256(abi.encodePacked(node, root));
        }
    }

    function _perfect(bytes32[] memory hashes, uint256 from, uint256 count) private pure returns (bytes32) {
        if (count == 1) return hashes[from];
        return keccak256(
            abi.encodePacked(_perfect(hashes, from, count / 2), _perfect(hashes, from + count / 2, count / 2))
        );
    }

    function _answerRefused(
        uint256 id,
        uint256 span,
        uint64 period,
        SectorProof[] memory shown,
        bytes memory reason
    ) private {
        vm.prank(PROVIDER);
        vm.expectRevert(reason);
        possession.answer(id, span, period, shown);
    }
}
