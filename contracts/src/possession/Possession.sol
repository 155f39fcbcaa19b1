// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LogRecords} from "../log/LogRecords.sol";
import {IEntropy} from "../quorum/IEntropy.sol";
import {StakeHub} from "../stake/StakeHub.sol";
import {Account} from "../stake/StakeTypes.sol";
import {ILog} from "./DutySets.sol";
import {DutySpans} from "./DutySpans.sol";
import {FilePaths} from "./FilePaths.sol";
import {PossessionPeriods} from "./PossessionPeriods.sol";
import {Duty, PossessionTerms, SectorProof} from "./PossessionTypes.sol";

/// @title Possession
/// @notice Providers answer with stake for having files at hand: in each period that someone has paid for they show sectors that
/// chance draws after their set is fixed, and lose stake for a period they miss.
/// @dev What an answer says is that the provider could get the sectors within the window: not that it has a copy of its own. Pay
/// comes from who wants the files to be there. Balance = pay of the periods that are not settled, and what waits in `payments`.
contract Possession is DutySpans {
    /// @notice The stake that answers; this contract has to be one of its modules.
    StakeHub public immutable hub;

    /// @notice Sectors to be shown in a period.
    uint16 public immutable challenges;

    /// @notice Ten-thousandths of a deposit that a missed period costs.
    uint16 public immutable missBps;

    /// @notice Ten-thousandths of a missed period's pay that go to who reports it.
    uint16 public immutable reporterBps;

    /// @notice The duty is fixed: `sectors` sectors under `setRoot`, for which `deposit` wei of stake answer.
    event DutyStarted(uint256 indexed id, bytes32 setRoot, uint64 sectors, uint256 deposit, uint64 firstPeriod);

    /// @notice The provider showed what period `period` asked for.
    event Answered(uint256 indexed id, uint64 indexed period);

    /// @notice The provider missed a period and lost `penalty` wei of stake.
    event Missed(uint256 indexed id, uint64 indexed period, address indexed reporter, uint256 penalty);

    /// @notice The provider will end the duty, at Unix second `from` or later.
    event CloseRequested(uint256 indexed id, uint64 from);

    /// @notice The duty ends with the period before `endPeriod`.
    event Closed(uint256 indexed id, uint64 endPeriod);

    /// @notice What was left of the deposit is free stake again.
    event Released(uint256 indexed id, uint256 amount);

    /// @notice The caller has not taken the role of providers in the hub.
    error NotInRole(address caller);

    /// @notice A set has at least one sector, and a deposit at least one wei.
    error EmptyDuty();

    /// @notice The duty has not started.
    error NotStarted(uint256 id);

    /// @notice The duty ends, or has ended.
    error DutyEnds(uint64 endPeriod);

    /// @notice A duty is paid for by whole periods, at least one and at most 2^32.
    error WrongPayment(uint256 periods, uint256 cost, uint256 paid);

    /// @notice What is left of the deposit is less than a missed period costs.
    error DepositSpent(uint256 left, uint256 penalty);

    /// @notice An answer shows `wanted` sectors.
    error WrongCount(uint256 shown, uint256 wanted);

    /// @notice The file does not hold sector `drawn` of the set.
    error NotDrawn(uint256 challenge, uint256 drawn);

    /// @notice The entry is not the one of the set at this place.
    error NotInSet(uint256 challenge);

    /// @notice The sector is not the one of the file at this place.
    error NotInFile(uint256 challenge);

    /// @notice The provider has not asked to end the duty.
    error NotClosing(uint256 id);

    /// @notice The duty can end at Unix second `from`.
    error ClosableFrom(uint64 from);

    /// @param hub_ stake that answers for duties; the contract does nothing until it is a module of it
    /// @param flow_ log whose files count
    /// @param entropy_ proves seeds
    constructor(PossessionTerms memory terms, StakeHub hub_, ILog flow_, IEntropy entropy_)
        PossessionPeriods(terms, entropy_)
    {
        bool sound = terms.challenges > 0 && terms.challenges <= 64 && terms.missBps > 0;
        if (!sound || terms.missBps > WHOLE || terms.reporterBps > WHOLE) revert BadPossessionTerms();
        (hub, flow) = (hub_, flow_);
        (challenges, missBps, reporterBps) = (terms.challenges, terms.missBps, terms.reporterBps);
    }

    /// @notice Fixes a duty's set, and reserves `deposit` wei of the provider's stake for it. Reverts with UnknownDuty,
    /// NotProvider, DutyStartedAlready, EmptyDuty, NotInRole, or as the hub does.
    function start(uint256 id, uint128 deposit) external {
        Duty storage duty = _ownDuty(id);
        if (duty.firstPeriod != 0) revert DutyStartedAlready(id);
        if (duty.sectors == 0 || deposit == 0) revert EmptyDuty();
        if (hub.accountOf(msg.sender).roles & hub.ROLE_PROVIDER() == 0) revert NotInRole(msg.sender);
        uint64 period = nextPeriod();
        duty.firstPeriod = period;
        duty.setRoot = _rootOfSet(id);
        duty.deposit = deposit;
        emit DutyStarted(id, duty.setRoot, duty.sectors, deposit, period);
        hub.reserve(msg.sender, deposit, caseOf(id));
    }

    /// @notice Pays for `periods` periods after those that are paid for, or from the next one that can still change. Anyone
    /// may; the pay of what is not answered comes back. Reverts with NotStarted, DutyEnds, WrongPayment or DepositSpent.
    function fund(uint256 id, uint32 periods) external payable {
        Duty storage duty = _duties[id];
        if (duty.firstPeriod == 0) revert NotStarted(id);
        if (duty.endPeriod != 0) revert DutyEnds(duty.endPeriod);
        uint256 cost = uint256(duty.price) * periods;
        if (periods == 0 || msg.value != cost) revert WrongPayment(periods, cost, msg.value);
        uint256 penalty = _penaltyOf(duty);
        uint256 left = hub.reservedFor(duty.provider, caseOf(id));
        if (left < penalty) revert DepositSpent(left, penalty);
        _addSpan(id, periods);
    }

    /// @notice Shows what `period` asks for, and earns its pay. Reverts with UnknownDuty, NotProvider, NotOwed, PeriodSettled,
    /// TooEarly, TooLate, SeedUnknown, WrongCount, NotDrawn, NotInSet or NotInFile.
    /// @param span number of the span that holds the period
    /// @param sectors one for each challenge, in their order
    function answer(uint256 id, uint256 span, uint64 period, SectorProof[] calldata sectors) external {
        Duty storage duty = _ownDuty(id);
        _settle(id, span, period);
        _requireAfter(seedBlock(period));
        _requireUntil(windowEnd(period));
        bytes32 seed = _requireSeed(period);
        if (sectors.length != challenges) revert WrongCount(sectors.length, challenges);
        (bytes32 setRoot, uint64 total, uint64 entries) = (duty.setRoot, duty.sectors, duty.entries);
        for (uint256 i = 0; i < sectors.length; ++i) {
            uint256 drawn = _draw(seed, msg.sender, setRoot, period, i) % total;
            _requireShown(sectors[i], i, drawn, setRoot, entries);
        }
        _owe(msg.sender, duty.price);
        emit Answered(id, period);
    }

    /// @notice Takes stake for a period that was not answered, which goes to who paid for it, and pays the caller for the
    /// report. Anyone may. Reverts with NotOwed, PeriodSettled, TooEarly, TooLate or SeedUnknown.
    function reportMissed(uint256 id, uint256 span, uint64 period) external {
        Duty storage duty = _duties[id];
        address payer = _settle(id, span, period);
        _requireAfter(windowEnd(period));
        _requireUntil(reportEnd(period));
        _requireSeed(period);
        uint256 reward = (uint256(duty.price) * reporterBps) / WHOLE;
        _owe(msg.sender, reward);
        _owe(payer, duty.price - reward);
        uint256 penalty = hub.slash(duty.provider, _slashBps(duty), caseOf(id), payer);
        emit Missed(id, period, msg.sender, penalty);
    }

    /// @notice Says that the caller will end a duty, which it may once stake could have left the hub. Until then all stays as it
    /// is. Reverts with UnknownDuty, NotProvider or NotStarted.
    function requestClose(uint256 id) external {
        Duty storage duty = _ownDuty(id);
        if (duty.firstPeriod == 0) revert NotStarted(id);
        if (duty.closableFrom != 0) return;
        duty.closableFrom = uint64(block.timestamp) + hub.unbondDelay();
        emit CloseRequested(id, duty.closableFrom);
    }

    /// @notice Ends a duty with the last period that cannot change any more. Reverts with UnknownDuty, NotProvider, NotClosing,
    /// ClosableFrom or DutyEnds.
    function close(uint256 id) external {
        Duty storage duty = _ownDuty(id);
        if (duty.closableFrom == 0) revert NotClosing(id);
        if (block.timestamp < duty.closableFrom) revert ClosableFrom(duty.closableFrom);
        if (duty.endPeriod != 0) revert DutyEnds(duty.endPeriod);
        duty.endPeriod = nextPeriod();
        emit Closed(id, duty.endPeriod);
    }

    /// @notice Frees what is left of an ended duty's deposit, once none of its periods can be reported any more. Anyone may.
    /// Reverts with NotClosed or TooEarly.
    function release(uint256 id) external {
        Duty storage duty = _duties[id];
        if (duty.endPeriod == 0) revert NotClosed(id);
        _requireAfter(reportEnd(duty.endPeriod - 1));
        uint128 left = hub.reservedFor(duty.provider, caseOf(id));
        emit Released(id, left);
        hub.release(duty.provider, left, caseOf(id));
    }

    /// @notice Sectors of duty `id`'s set that `period` asks for, by their places in the set. Reverts with NotStarted or
    /// SeedUnknown.
    function drawnIn(uint256 id, uint64 period) external view returns (uint256[] memory drawn) {
        Duty storage duty = _duties[id];
        if (duty.firstPeriod == 0) revert NotStarted(id);
        bytes32 seed = _requireSeed(period);
        drawn = new uint256[](challenges);
        for (uint256 i = 0; i < drawn.length; ++i) {
            drawn[i] = _draw(seed, duty.provider, duty.setRoot, period, i) % duty.sectors;
        }
    }

    /// @notice The case under which the hub keeps a duty's deposit.
    function caseOf(uint256 id) public view returns (bytes32) {
        return keccak256(abi.encode("possession", block.chainid, address(this), id));
    }

    /// @dev What chance draws: nobody else's draw is the same, nor that of another period, set or chain.
    function _draw(bytes32 seed, address provider, bytes32 setRoot, uint64 period, uint256 challenge)
        private
        view
        returns (uint256)
    {
        return uint256(
            keccak256(abi.encode(seed, block.chainid, address(this), provider, setRoot, period, challenge))
        );
    }

    function _requireShown(
        SectorProof calldata shown,
        uint256 challenge,
        uint256 drawn,
        bytes32 setRoot,
        uint256 entries
    ) private pure {
        uint64 first = shown.firstSector;
        if (drawn < first || drawn - first >= _sectorsOf(shown.size)) revert NotDrawn(challenge, drawn);
        bytes memory entry =
            _encodeEntry(shown.sequence, shown.fileRoot, shown.size, shown.fileSectors, first);
        if (!LogRecords.verify(setRoot, entries, shown.index, entry, shown.entryPath)) revert NotInSet(challenge);
        bytes32 leaf = keccak256(abi.encodePacked(shown.data));
        bytes32 root = FilePaths.rootOf(leaf, drawn - first, shown.fileSectors, shown.sectorPath);
        if (root != shown.fileRoot) revert NotInFile(challenge);
    }

    function _penaltyOf(Duty storage duty) private view returns (uint256) {
        return (uint256(duty.deposit) * missBps + WHOLE - 1) / WHOLE;
    }

    /// @dev The part of all the provider's stake, in ten-thousandths and rounded up, that a missed period costs: the hub
    /// counts so, and takes it out of the duty's deposit first.
    function _slashBps(Duty storage duty) private view returns (uint16) {
        Account memory account = hub.accountOf(duty.provider);
        uint256 stake = uint256(account.bonded) + account.unbonding;
        if (stake == 0) return 0;
        uint256 bps = (_penaltyOf(duty) * WHOLE + stake - 1) / stake;
        return bps > WHOLE ? uint16(WHOLE) : uint16(bps);
    }
}
