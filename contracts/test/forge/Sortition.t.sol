// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../../src/Administered.sol";
import {BlockHashes} from "../../src/log/BlockHashes.sol";
import {HeaderProof} from "../../src/quorum/HeaderProof.sol";
import {IEntropy} from "../../src/quorum/IEntropy.sol";
import {EpochHeader} from "../../src/quorum/QuorumTypes.sol";
import {Statements} from "../../src/quorum/Statements.sol";
import {EpochSchedule} from "../../src/stake/EpochSchedule.sol";
import {IOrderSource} from "../../src/stake/IOrderSource.sol";
import {Seats} from "../../src/stake/Seats.sol";
import {Sortition} from "../../src/stake/Sortition.sol";
import {Phase, SortitionParameters} from "../../src/stake/SortitionTypes.sol";
import {StakeBook} from "../../src/stake/StakeBook.sol";
import {Tickets} from "../../src/stake/Tickets.sol";
import {BlsKeys} from "./support/BlsKeys.sol";
import {Committee} from "./support/Committee.sol";
import {Headers} from "./support/Headers.sol";
import {StakeFixture} from "./support/StakeFixture.sol";
import {Vm} from "./support/Test.sol";

/// @notice An order of checkpoints that stands still.
contract FixedOrder is IOrderSource {
    function orderRoot() external pure returns (bytes32, uint64) {
        return ("order", 12);
    }
}

/// @notice Epochs from genesis on: phases, tickets, seeds, seals, carry-overs, halts.
contract SortitionTest is StakeFixture {
    function setUp() public {
        deploy(sortitionParameters());
    }

    function test_fourSignersOfOneVoteAllHoldOffice() public {
        begin(4, 1);
        assertEq(sortition.currentEpoch(), 1, "epoch");
        (uint64 start, uint64 end, bytes32 seed, uint32 groups) = sortition.epochInfo(1);
        assertEq(start, block.timestamp, "start");
        assertEq(end, block.timestamp + 60, "end");
        assertEq(seed, sortition.seedOf(1), "seed");
        assertEq(groups, 1, "groups");
        (start, end, seed, groups) = sortition.epochInfo(2);
        assertEq(start + end + groups + uint256(seed), 0, "an epoch that is not sealed");
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(stakeHub.votesAt(signerOf(i), 1), 1, "votes");
        }
        pass(0, 3);
        assertEq(sortition.currentEpoch(), 2, "epoch");
    }

    function test_phasesAndTargets() public {
        _phaseIs(Phase.Open, 0, 1025);
        assertEq(sortition.targetEpoch(), 1, "before the first epoch");
        vm.roll(1024);
        _phaseIs(Phase.Open, 0, 1025);
        assertEq(sortition.targetEpoch(), 1, "first epoch");
        vm.roll(1025);
        _phaseIs(Phase.Closed, 0, 1027);
        assertEq(sortition.targetEpoch(), 3, "first epoch, closed");
        deploy(sortitionParameters());
        begin(4, 1);
        uint64 start = uint64(block.number);
        _phaseIs(Phase.Open, 1, start + 15);
        goTo(14);
        _phaseIs(Phase.Open, 1, start + 15);
        assertEq(sortition.targetEpoch(), 3, "two on");
        goTo(15);
        _phaseIs(Phase.Closed, 1, start + 17);
        assertEq(sortition.targetEpoch(), 4, "three on");
        goTo(17);
        _phaseIs(Phase.Tickets, 1, start + 40);
        goTo(39);
        _phaseIs(Phase.Tickets, 1, start + 40);
        postTickets(0, 3);
        goTo(40);
        _phaseIs(Phase.Quiet, 1, start + 43);
        goTo(42);
        _phaseIs(Phase.Quiet, 1, start + 43);
        goTo(43);
        _phaseIs(Phase.Seal, 1, type(uint64).max);
        seal();
        _phaseIs(Phase.Sealed, 1, start + 60);
        goTo(59);
        assertEq(sortition.currentEpoch(), 1, "its last block");
        goTo(60);
        _phaseIs(Phase.Open, 2, start + 75);
    }

    /// @dev A change at the last open block counts two epochs on, one block later three: keys and votes alike.
    function test_keysAndVotesAreFinalBeforeTheSeedIsKnown() public {
        begin(4, 1);
        goTo(OPEN_BLOCKS - 1);
        join(4, 1);
        goTo(OPEN_BLOCKS);
        join(5, 1);
        assertEq(stakeHub.votesAt(signerOf(4), 2), 0, "not in 2");
        assertEq(stakeHub.votesAt(signerOf(4), 3), 1, "in 3");
        assertEq(registry.keyAt(signerOf(4), 2)[0], 0, "no key in 2");
        assertTrue(registry.keyAt(signerOf(4), 3)[0] != 0, "key in 3");
        assertEq(stakeHub.votesAt(signerOf(5), 3), 0, "not in 3");
        assertEq(stakeHub.votesAt(signerOf(5), 4), 1, "in 4");
        assertEq(registry.keyAt(signerOf(5), 3)[0], 0, "no key in 3");
        assertTrue(registry.keyAt(signerOf(5), 4)[0] != 0, "key in 4");
        assertEq(stakeHub.totalVotesAt(3), 5, "total");
        assertTrue(sortition.seedOf(3) == 0, "the seed of 3 is not known before");
        goTo(TICKET_START);
        postTickets(0, 5);
        assertTrue(!sortition.hasTicket(signerOf(4), 2), "too early");
    }

    function test_callsHaveTheirPhase() public {
        begin(4, 1);
        (address[] memory signers, uint256[8][] memory signatures) = tickets(0, 3);
        bytes memory wrong = abi.encodeWithSelector(EpochSchedule.WrongPhase.selector);
        for (uint256 i = 0; i < 4; ++i) {
            goTo([uint256(0), TICKET_START - 1, TICKET_END, ENTROPY_AT + 1][i]);
            vm.expectRevert(wrong);
            sortition.submitTickets(signers, signatures);
        }
        deploy(sortitionParameters());
        begin(4, 1);
        for (uint256 i = 0; i < 4; ++i) {
            goTo([uint256(0), OPEN_BLOCKS, TICKET_START, ENTROPY_AT][i]);
            vm.expectRevert(wrong);
            sortition.seal("");
        }
        pass(0, 3);
        goTo(TICKET_START);
        vm.expectRevert(wrong);
        sortition.drawFirstSeed("");
    }

    function test_theFirstSeedComesFromOneBlock() public {
        for (uint256 i = 0; i < 4; ++i) {
            join(i, 1);
        }
        goTo(TICKET_START);
        vm.expectRevert(abi.encodeWithSelector(HeaderProof.NoHash.selector, 1027));
        sortition.drawFirstSeed("");
        vm.expectRevert(abi.encodeWithSelector(Tickets.NoSeed.selector));
        sortition.submitTickets(new address[](0), new uint256[8][](0));
        vm.expectRevert(abi.encodeWithSelector(Tickets.NoSeed.selector));
        sortition.ticketDigest(1);
        drawFirstSeed();
        bytes32 entropy = keccak256(abi.encode("randao", 1027));
        bytes32 seed = keccak256(abi.encode(keccak256("cairn/1/seed"), bytes32("salt"), 1, 0, entropy));
        assertEq(sortition.seedOf(1), seed, "seed");
        bytes memory header = headerOf(1027);
        vm.expectRevert(abi.encodeWithSelector(EpochSchedule.WrongPhase.selector));
        sortition.drawFirstSeed(header);
    }

    /// @dev The seed of n + 2 is the hash of the seed before it, the contributors' betas and one block's entropy; the
    /// header of n + 1 follows the header of n.
    function test_seedsAndHeadersFollowEachOther() public {
        begin(4, 1);
        bytes32 prev = sortition.headerHash();
        goTo(TICKET_START);
        (address[] memory signers, uint256[8][] memory signatures) = tickets(0, 3);
        bytes32 sum = 0;
        for (uint256 i = 0; i < 4; ++i) {
            assertTrue(sortition.isContributor(signers[i], 2), "contributor");
            sum ^= keccak256(abi.encode(keccak256("cairn/1/beta"), signatures[i]));
        }
        sortition.submitTickets(signers, signatures);
        seal();
        bytes32 entropy = keccak256(abi.encode("randao", sortition.startBlock() + ENTROPY_AT));
        bytes32 seed = keccak256(abi.encode(keccak256("cairn/1/seed"), sortition.seedOf(2), 3, sum, entropy));
        assertEq(sortition.seedOf(3), seed, "seed");
        EpochHeader memory header;
        (header.epoch, header.prev, header.seed) = (2, prev, sortition.seedOf(2));
        (header.startTime, header.endTime,,) = sortition.epochInfo(2);
        header.snapshotHashes = new bytes32[](1);
        header.snapshotHashes[0] = sortition.snapshotHash(2, 0);
        assertEq(sortition.headerHash(), keccak256(abi.encode(header)), "header");
        assertEq(header.startTime, block.timestamp + EPOCH_BLOCKS - ENTROPY_AT - 1, "start time");
    }

    function test_theOrderGoesIntoTheHeader() public {
        sortition = new Sortition(
            sortitionParameters(), stakeHub, registry, sortition.entropySource(), new FixedOrder(), ADMIN
        );
        vm.prank(ADMIN);
        stakeHub.setClock(sortition);
        begin(4, 1);
        EpochHeader memory header;
        (header.epoch, header.seed, header.orderRoot, header.orderCount) = (1, sortition.seedOf(1), "order", 12);
        (header.startTime, header.endTime,,) = sortition.epochInfo(1);
        header.snapshotHashes = new bytes32[](1);
        header.snapshotHashes[0] = sortition.snapshotHash(1, 0);
        assertEq(sortition.headerHash(), keccak256(abi.encode(header)), "header");
    }

    /// @dev Nobody can choose the block whose entropy counts.
    function test_onlyTheEntropyBlockSeals() public {
        begin(4, 1);
        goTo(TICKET_START);
        postTickets(0, 3);
        goTo(ENTROPY_AT + 3);
        uint256 number = sortition.startBlock() + ENTROPY_AT;
        assertEq(sortition.entropyBlock(), number, "entropy block");
        bytes memory header = headerOf(number);
        for (uint256 other = number - 1; other <= number + 1; other += 2) {
            bytes memory wrong = headerOf(other);
            vm.expectRevert(abi.encodeWithSelector(HeaderProof.BadHeader.selector, number));
            sortition.seal(wrong);
        }
        header[header.length - 1] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(HeaderProof.BadHeader.selector, number));
        sortition.seal(header);
    }

    /// @dev When nobody sealed for longer than block hashes are kept, the block moves on by fixed steps.
    function test_aForgottenEntropyBlockMovesOn() public {
        begin(4, 1);
        goTo(TICKET_START);
        postTickets(0, 3);
        uint256 number = sortition.startBlock() + ENTROPY_AT;
        vm.roll(number + 8191);
        assertEq(sortition.entropyBlock(), number, "the last block for it");
        vm.roll(number + 8192);
        assertEq(sortition.entropyBlock(), number + 8000, "one step");
        vm.roll(number + 16_192);
        assertEq(sortition.entropyBlock(), number + 16_000, "two steps");
        vm.expectRevert(abi.encodeWithSelector(HeaderProof.BadHeader.selector, number + 16_000));
        sortition.seal("");
        sortition.seal(headerOf(number + 16_000));
        assertEq(sortition.currentEpoch(), 2, "a late seal is the turn");
        assertEq(sortition.startBlock(), block.number, "and its start");
    }

    /// @dev Seats, groups and snapshots against a model that draws and hashes on its own.
    /// forge-config: default.fuzz.runs = 30
    function testFuzz_snapshotsMatchTheModel(uint256 salt, uint8 firstBatch) public {
        SortitionParameters memory parameters = sortitionParameters();
        (parameters.genesisSalt, parameters.seatTarget) = (bytes32(salt), 40);
        (parameters.maxQuorums, parameters.seatsPerQuorum, parameters.minSeatBps) = (4, 8, 1000);
        deploy(parameters);
        for (uint256 i = 0; i < 12; ++i) {
            join(i, 4 + i);
        }
        drawFirstSeed();
        uint256 split = bound(firstBatch, 0, 10);
        (address[] memory signers, uint256[8][] memory signatures) = tickets(0, 11);
        postTickets(0, split);
        postTickets(split, 11);
        seal();
        for (uint32 group = 0; group < 5; ++group) {
            Committee model = new Committee();
            for (uint256 i = 0; i < 12; ++i) {
                bytes32 beta = keccak256(abi.encode(keccak256("cairn/1/beta"), signatures[i]));
                (uint256 packed, uint256 total) = Seats.draw(beta, 4 + i, Seats.oddsOf(114, 40, 4, 8));
                uint256 seats = group == 0 ? total : Seats.seatsOf(packed, group - 1);
                if (seats > 0) model.add(signers[i], uint32(seats), BlsKeys.secret(i));
            }
            if (model.count() == 0) continue;
            bytes32 hash = keccak256(abi.encode(model.snapshot(1, group)));
            assertEq(sortition.snapshotHash(1, group), hash, "snapshot");
        }
        assertEq(sortition.snapshotHash(1, 5), 0, "no sixth group");
    }

    function test_repeatedAndUnknownTicketsArePassedOver() public {
        for (uint256 i = 0; i < 4; ++i) {
            join(i, 1);
        }
        bond(7, VOTE);
        takeRole(7);
        register(8);
        drawFirstSeed();
        postTickets(1, 1);
        (address[] memory signers, uint256[8][] memory signatures) = tickets(0, 8);
        signers[5] = signerOf(0);
        signatures[5] = signatures[1];
        vm.recordLogs();
        sortition.submitTickets(signers, signatures);
        assertEq(vm.getRecordedLogs().length, 3, "signers 0, 2 and 3, once each");
        vm.recordLogs();
        sortition.submitTickets(signers, signatures);
        assertEq(vm.getRecordedLogs().length, 0, "nothing is left");
        vm.expectRevert(abi.encodeWithSelector(Tickets.TicketCount.selector, 9, 0));
        sortition.submitTickets(signers, new uint256[8][](0));
        assertTrue(!sortition.hasTicket(signerOf(7), 1), "no key");
        assertTrue(!sortition.hasTicket(signerOf(8), 1), "no votes");
    }

    function test_ticketsAreTheSignersOwn() public {
        for (uint256 i = 0; i < 4; ++i) {
            join(i, 1);
        }
        drawFirstSeed();
        (address[] memory signers, uint256[8][] memory signatures) = tickets(0, 3);
        bytes memory bad = abi.encodeWithSelector(Tickets.BadTicket.selector);
        (signers[0], signers[1]) = (signers[1], signers[0]);
        vm.expectRevert(bad);
        sortition.submitTickets(signers, signatures);
        (signers[0], signers[1]) = (signers[1], signers[0]);
        // Errors that cancel in the sum would change two draws.
        uint256[8] memory error_ = BlsKeys.sign(99, "error");
        signatures[0] = BlsKeys.addG2(signatures[0], error_);
        signatures[1] = BlsKeys.addG2(signatures[1], BlsKeys.multiplyG2(error_, BlsKeys.ORDER - 1));
        vm.expectRevert(bad);
        sortition.submitTickets(signers, signatures);
        // A ticket for another epoch, or for another network.
        signatures[0] = BlsKeys.sign(BlsKeys.secret(0), Statements.ticket(31337, address(sortition), 2, sortition.seedOf(1)));
        vm.expectRevert(bad);
        sortition.submitTickets(signers, signatures);
        signatures[0] = BlsKeys.sign(BlsKeys.secret(0), Statements.ticket(31337, address(this), 1, sortition.seedOf(1)));
        vm.expectRevert(bad);
        sortition.submitTickets(signers, signatures);
        signatures[0] = BlsKeys.sign(BlsKeys.secret(0), Statements.ticket(1, address(sortition), 1, sortition.seedOf(1)));
        vm.expectRevert(bad);
        sortition.submitTickets(signers, signatures);
    }

    function test_aMissedContributionCostsStakeAndOffice() public {
        begin(4, 10);
        goTo(TICKET_START);
        postTickets(0, 2);
        vm.expectRevert(abi.encodeWithSelector(EpochSchedule.WrongPhase.selector));
        sortition.reportMissed(signerOf(3), 2);
        seal();
        vm.expectRevert(abi.encodeWithSelector(Sortition.HadTicket.selector));
        sortition.reportMissed(signerOf(0), 2);
        vm.expectRevert(abi.encodeWithSelector(Sortition.NotContributor.selector));
        sortition.reportMissed(signerOf(9), 2);
        sortition.reportMissed(signerOf(3), 2);
        assertEq(stakeHub.accountOf(signerOf(3)).bonded, 10 * VOTE - VOTE / 100, "ten basis points");
        assertEq(stakeHub.rewardOf(address(this)), VOTE / 1000, "a tenth of them");
        vm.expectRevert(abi.encodeWithSelector(Sortition.NotContributor.selector));
        sortition.reportMissed(signerOf(3), 2);
        vm.prank(signerOf(3));
        stakeHub.rejoin();
        goTo(EPOCH_BLOCKS + TICKET_START);
        postTickets(0, 3);
        assertTrue(!sortition.hasTicket(signerOf(3), 3), "no office in the epoch it may have wanted to choose");
        seal();
        vm.expectRevert(abi.encodeWithSelector(Sortition.NotContributor.selector));
        sortition.reportMissed(signerOf(3), 3);
        goTo(EPOCH_BLOCKS + TICKET_START);
        postTickets(0, 3);
        assertTrue(sortition.hasTicket(signerOf(3), 4), "back");
        vm.expectRevert(abi.encodeWithSelector(EpochSchedule.WrongPhase.selector));
        sortition.reportMissed(signerOf(3), 2);
    }

    /// @dev A ticket for the next epoch does not hide that the one for this epoch is missing, nor the other way round.
    function test_reportsLookAtTheRightEpoch() public {
        begin(4, 10);
        pass(0, 2);
        goTo(TICKET_START);
        postTickets(0, 3);
        vm.expectRevert(abi.encodeWithSelector(Sortition.HadTicket.selector));
        sortition.reportMissed(signerOf(0), 2);
        sortition.reportMissed(signerOf(3), 2);
    }

    function test_tooFewSeatsCarryTheOldMembersOver() public {
        begin(4, 10);
        bytes32 snapshot = sortition.snapshotHash(1, 0);
        pass(0, 1);
        assertEq(sortition.currentEpoch(), 2, "the epoch turns");
        assertEq(sortition.snapshotHash(2, 0), snapshot, "with the members of old");
        assertEq(sortition.carriesOf(2), 1, "carries");
        (,,, uint32 groups) = sortition.epochInfo(2);
        assertEq(groups, 1, "groups");
        pass(0, 2);
        assertTrue(sortition.snapshotHash(3, 0) != snapshot, "three of four are enough");
        assertEq(sortition.carriesOf(3), 0, "carries end");
    }

    /// @dev After a carried epoch a ticket is everybody's duty, even with no draw that names the signer.
    function test_everybodyOwesAfterACarriedEpoch() public {
        SortitionParameters memory parameters = sortitionParameters();
        parameters.contributors = 1;
        deploy(parameters);
        begin(20, 60);
        pass(0, 5);
        assertEq(sortition.carriesOf(2), 1, "carried");
        uint256 owing = 0;
        for (uint256 i = 0; i < 20; ++i) {
            if (sortition.isContributor(signerOf(i), 2)) ++owing;
            assertTrue(sortition.isContributor(signerOf(i), 3), "everybody");
        }
        assertTrue(owing < 10, "a few in other epochs");
    }

    function test_tooManyCarriesHaltUntilGovernanceRestarts() public {
        SortitionParameters memory parameters = sortitionParameters();
        parameters.maxCarry = 2;
        deploy(parameters);
        begin(4, 10);
        pass(0, 1);
        pass(0, 1);
        goTo(TICKET_START);
        postTickets(0, 1);
        seal();
        _phaseIs(Phase.Halted, 3, type(uint64).max);
        goTo(EPOCH_BLOCKS);
        assertEq(sortition.currentEpoch(), 3, "stands still");
        vm.expectRevert(abi.encodeWithSelector(EpochSchedule.WrongPhase.selector));
        sortition.seal("");
        vm.expectRevert(abi.encodeWithSelector(Administered.NotAdmin.selector, address(this), ADMIN));
        sortition.restart(6);
        uint64 target = sortition.targetEpoch();
        vm.expectRevert(abi.encodeWithSelector(EpochSchedule.EpochTooLow.selector, 6));
        vm.prank(ADMIN);
        sortition.restart(5);
        vm.expectRevert(abi.encodeWithSelector(EpochSchedule.EpochTooHigh.selector, 65_542));
        vm.prank(ADMIN);
        sortition.restart(65_543);
        vm.prank(ADMIN);
        sortition.restart(6);
        assertTrue(sortition.targetEpoch() >= target, "targets never fall");
        assertEq(sortition.currentEpoch(), 6, "a first epoch again");
        assertEq(sortition.snapshotHash(6, 0), 0, "without members");
        drawFirstSeed();
        postTickets(0, 3);
        seal();
        goTo(EPOCH_BLOCKS);
        assertEq(sortition.currentEpoch(), 7, "under way");
        pass(0, 3);
        vm.expectRevert(abi.encodeWithSelector(EpochSchedule.WrongPhase.selector));
        vm.prank(ADMIN);
        sortition.restart(20);
    }

    /// @dev Nine places: an old seed gives way to a new one, and none is taken for that of another epoch.
    function test_seedsAreKeptAsLongAsBlobsAre() public {
        SortitionParameters memory parameters = sortitionParameters();
        (parameters.maxRetentionEpochs, parameters.maxCarry) = (1, 2);
        deploy(parameters);
        begin(4, 10);
        bytes32[] memory seeds = new bytes32[](13);
        for (uint64 epoch = 1; epoch < 12; ++epoch) {
            seeds[epoch + 1] = sortition.seedOf(epoch + 1);
            pass(0, 3);
        }
        assertEq(sortition.seedOf(4), 0, "kept no longer");
        for (uint64 epoch = 5; epoch <= 12; ++epoch) {
            assertEq(sortition.seedOf(epoch), seeds[epoch], "its own");
        }
        assertTrue(sortition.seedOf(13) != 0, "the next one's");
        assertEq(sortition.seedOf(14), 0, "not known yet");
        pass(0, 1);
        pass(0, 1);
        bytes32 last = sortition.seedOf(14);
        goTo(TICKET_START);
        postTickets(0, 1);
        seal();
        vm.prank(ADMIN);
        sortition.restart(20);
        assertEq(sortition.seedOf(14), last, "of an epoch before the restart");
        for (uint64 epoch = 15; epoch <= 22; ++epoch) {
            assertEq(sortition.seedOf(epoch), 0, "not sealed, or not drawn");
        }
        vm.expectRevert(abi.encodeWithSelector(Tickets.NoSeed.selector));
        sortition.ticketDigest(21);
        drawFirstSeed();
        assertTrue(sortition.seedOf(21) != 0 && sortition.seedOf(22) == 0, "drawn");
    }

    /// @dev Stake, keys and votes stay where they are; only the draw is another contract's from then on.
    function test_anotherSortitionCanTakeOver() public {
        begin(4, 10);
        pass(0, 3);
        pass(0, 3);
        Sortition next = new Sortition(
            sortitionParameters(), stakeHub, registry, sortition.entropySource(), IOrderSource(address(0)), ADMIN
        );
        vm.prank(ADMIN);
        stakeHub.setClock(next);
        vm.prank(ADMIN);
        stakeHub.setModule(address(next), true);
        vm.warp(block.timestamp + stakeHub.unbondDelay() + stakeHub.NOTICE());
        vm.expectRevert(abi.encodeWithSelector(StakeBook.ClockBehind.selector, 1, 5));
        vm.prank(ADMIN);
        stakeHub.setClock(next);
        vm.prank(ADMIN);
        next.restart(5);
        vm.prank(ADMIN);
        stakeHub.setClock(next);
        vm.prank(ADMIN);
        stakeHub.setModule(address(sortition), false);
        sortition = next;
        drawFirstSeed();
        postTickets(0, 3);
        seal();
        goTo(EPOCH_BLOCKS);
        assertEq(sortition.currentEpoch(), 6, "under way");
        pass(0, 2);
        sortition.reportMissed(signerOf(3), 7);
    }

    function test_aFirstEpochWithoutSeatsBeginsAgain() public {
        for (uint256 i = 0; i < 3; ++i) {
            join(i, 1);
        }
        goTo(OPEN_BLOCKS);
        join(3, 1);
        assertEq(stakeHub.votesAt(signerOf(3), 3), 1, "late");
        goTo(ENTROPY_AT + 1);
        uint64 target = sortition.targetEpoch();
        sortition.seal("");
        assertEq(sortition.currentEpoch(), 3, "three on");
        assertTrue(sortition.targetEpoch() >= target, "targets never fall");
        drawFirstSeed();
        postTickets(0, 3);
        seal();
        goTo(EPOCH_BLOCKS);
        assertEq(stakeHub.totalVotesAt(4), 4, "whoever joined meanwhile is in");
        assertEq(sortition.currentEpoch(), 4, "under way");
    }

    /// @dev A fifth of the stake never posts a ticket: it is reported, loses its votes, and the network goes on.
    function test_silentStakeCannotHaltTheNetwork() public {
        SortitionParameters memory parameters = sortitionParameters();
        (parameters.minSeatBps, parameters.maxCarry) = (8500, 6);
        deploy(parameters);
        begin(10, 10);
        uint256 carried = 0;
        for (uint256 epoch = 2; epoch <= 11; ++epoch) {
            goTo(TICKET_START);
            postTickets(0, 7);
            seal();
            carried += sortition.carriesOf(uint64(epoch)) > 0 ? 1 : 0;
            if (epoch < 4) {
                for (uint256 i = 8; i < 10; ++i) {
                    if (sortition.isContributor(signerOf(i), uint64(epoch))) sortition.reportMissed(signerOf(i), uint64(epoch));
                }
            }
            goTo(EPOCH_BLOCKS);
        }
        assertEq(sortition.currentEpoch(), 11, "epochs go on");
        assertEq(stakeHub.totalVotesAt(11), 80, "votes shrink");
        assertTrue(carried <= 3, "few are carried");
    }

    function test_parametersMustFit() public {
        bytes memory bad = abi.encodeWithSelector(EpochSchedule.BadSortitionParameter.selector);
        SortitionParameters memory parameters = sortitionParameters();
        parameters.ticketEnd = 17;
        _refusesParameters(parameters, bad);
        parameters = sortitionParameters();
        parameters.quietBlocks = 20;
        _refusesParameters(parameters, bad);
        parameters = sortitionParameters();
        parameters.maxQuorums = 17;
        _refusesParameters(parameters, bad);
        parameters = sortitionParameters();
        parameters.seatTarget = 32_769;
        _refusesParameters(parameters, bad);
        parameters = sortitionParameters();
        parameters.missPenaltyBps = 10_001;
        _refusesParameters(parameters, bad);
        parameters = sortitionParameters();
        parameters.secondsPerBlock = 0;
        _refusesParameters(parameters, bad);
        parameters = sortitionParameters();
        parameters.maxCarry = 40;
        // 43 epochs, 60 of retention, ten minutes to claim and ten to prove: more than two hours.
        _refusesParameters(
            parameters, abi.encodeWithSelector(Sortition.UnbondDelayTooShort.selector, 7200, 43 * 60 + 60 * 60 + 1200)
        );
        parameters = sortitionParameters();
        IEntropy entropy = sortition.entropySource();
        vm.chainId(uint256(type(uint64).max) - 1);
        new Sortition(parameters, stakeHub, registry, entropy, IOrderSource(address(0)), ADMIN);
        vm.expectRevert(abi.encodeWithSelector(Administered.ZeroAddress.selector));
        new Sortition(parameters, stakeHub, registry, IEntropy(address(0)), IOrderSource(address(0)), ADMIN);
    }

    function _refusesParameters(SortitionParameters memory parameters, bytes memory refusal) private {
        IEntropy entropy = sortition.entropySource();
        vm.expectRevert(refusal);
        new Sortition(parameters, stakeHub, registry, entropy, IOrderSource(address(0)), ADMIN);
    }

    function _phaseIs(Phase expected, uint64 epoch, uint64 until) private view {
        (Phase actual, uint64 number, uint64 end) = sortition.phase();
        assertEq(uint256(actual), uint256(expected), "phase");
        assertEq(number, epoch, "epoch");
        assertEq(end, until, "until");
    }
}
