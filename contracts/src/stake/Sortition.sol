// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";
import {BlockHashes} from "../log/BlockHashes.sol";
import {Bls} from "../quorum/Bls.sol";
import {IEntropy} from "../quorum/IEntropy.sol";
import {IEpochSource} from "../quorum/IEpochSource.sol";
import {EpochHeader, Snapshot} from "../quorum/QuorumTypes.sol";
import {Statements} from "../quorum/Statements.sol";
import {EpochSchedule} from "./EpochSchedule.sol";
import {Groups} from "./Groups.sol";
import {IOrderSource} from "./IOrderSource.sol";
import {SignerRegistry} from "./SignerRegistry.sol";
import {Phase, SortitionParameters} from "./SortitionTypes.sol";
import {StakeHub} from "./StakeHub.sol";
import {Tickets} from "./Tickets.sol";

/// @title Sortition
/// @notice Draws the committee and the quorums of every epoch, and stores what contracts need to check their statements.
/// @dev Its address stands for the network in every digest. The seed of epoch n + 2 is fixed at the seal of n + 1, out of
/// the seed before it, the tickets of publicly drawn contributors, and the entropy of one block after these were closed:
/// a withheld ticket is blind to that block and costs stake.
///
/// An epoch with too few seats keeps the members of the one before, because whoever suppresses tickets raises its own
/// share; after too many in a row the contract halts rather than trust old members for longer than their stake is locked.
contract Sortition is Administered, Tickets, IEpochSource {
    using Groups for Groups.Stored;

    uint256 private constant WHOLE = 10_000;

    /// @dev Blocks by which the entropy block moves on when nobody sealed while its hash could be read.
    uint256 private constant ENTROPY_STEP = 8_000;

    /// @notice Gives the entropy of a block.
    IEntropy public immutable entropySource;

    /// @notice Orders checkpoints; zero where nothing does.
    IOrderSource public immutable orderSource;

    /// @notice Hash of the newest epoch header; zero before the first.
    bytes32 public headerHash;

    uint64 private immutable EPOCH_SECONDS;
    uint64 private immutable SECONDS_PER_BLOCK;
    bytes32 private immutable GENESIS_SALT;
    uint16 private immutable MISS_PENALTY_BPS;
    uint16 private immutable SUSPENSION_EPOCHS;
    uint16 private immutable MIN_SEAT_BPS;
    uint16 private immutable MAX_CARRY;

    mapping(uint64 epoch => Office) private _offices;
    mapping(uint64 epoch => mapping(uint32 quorumId => bytes32)) private _snapshotHashes;

    /// @dev What a sealed epoch is known by besides its snapshots and seed.
    /// @param carries epochs in a row up to this one that kept older members
    /// @param mostMembers members of its largest quorum with data-availability duty
    struct Office {
        uint64 startTime;
        uint64 endTime;
        uint32 groups;
        uint16 carries;
        uint32 mostMembers;
    }

    /// @notice A snapshot that holds office in `epoch`, drawn for it.
    event QuorumSealed(uint64 indexed epoch, uint32 indexed quorumId, Snapshot snapshot);

    /// @notice `epoch` is sealed; the committee before it signs its header.
    event EpochSealed(uint64 indexed epoch, EpochHeader header);

    /// @notice `epoch` keeps the members of the one before it, the `carries`th in a row.
    event EpochCarried(uint64 indexed epoch, uint32 carries);

    /// @notice `epoch` cannot be sealed; governance restarts.
    event Halted(uint64 epoch);

    /// @notice `signer` owed a ticket for `epoch` and posted none.
    event ContributionMissed(uint64 indexed epoch, address indexed signer, address indexed reporter);

    /// @notice The signer owes no ticket for this epoch.
    error NotContributor();

    /// @notice The signer posted its ticket.
    error HadTicket();

    /// @notice Stake leaves after `delay` seconds; these parameters need `needed`.
    error UnbondDelayTooShort(uint256 delay, uint256 needed);

    /// @param entropySource_ fixed for good: whoever could change it could choose seeds
    /// @param orderSource_ orders checkpoints, or zero
    /// @param initialAdmin may restart after a halt, not zero
    constructor(
        SortitionParameters memory parameters,
        StakeHub stakeHub_,
        SignerRegistry registry_,
        IEntropy entropySource_,
        IOrderSource orderSource_,
        address initialAdmin
    ) Administered(initialAdmin) EpochSchedule(parameters) Tickets(parameters, stakeHub_, registry_) {
        Bls.selfTest();
        if (address(entropySource_) == address(0)) revert ZeroAddress();
        bool sound = parameters.missPenaltyBps <= WHOLE && parameters.minSeatBps <= WHOLE && parameters.secondsPerBlock > 0
            && parameters.suspensionEpochs > 0 && block.chainid <= type(uint64).max;
        if (!sound) revert BadSortitionParameter();
        uint256 needed = _neededUnbondDelay(parameters);
        if (stakeHub_.unbondDelay() < needed) revert UnbondDelayTooShort(stakeHub_.unbondDelay(), needed);
        entropySource = entropySource_;
        orderSource = orderSource_;
        EPOCH_SECONDS = uint64(parameters.epochBlocks) * parameters.secondsPerBlock;
        SECONDS_PER_BLOCK = parameters.secondsPerBlock;
        GENESIS_SALT = parameters.genesisSalt;
        MISS_PENALTY_BPS = parameters.missPenaltyBps;
        SUSPENSION_EPOCHS = parameters.suspensionEpochs;
        MIN_SEAT_BPS = parameters.minSeatBps;
        MAX_CARRY = parameters.maxCarry;
    }

    /// @notice Draws the first seed, while a first epoch takes tickets. Reverts with WrongPhase or as the entropy source does.
    /// @param proof of the entropy of `entropyBlock`
    function drawFirstSeed(bytes calldata proof) external {
        uint64 epoch = _require(Phase.Tickets);
        if (epoch != firstEpoch() || seedOf[epoch + 1] != 0) revert WrongPhase();
        bytes32 entropy = entropySource.entropy(entropyBlock(), proof);
        _setSeed(epoch + 1, Statements.nextSeed(GENESIS_SALT, epoch + 1, 0, entropy));
    }

    /// @notice Seals the next epoch. Reverts with WrongPhase or as the entropy source does.
    /// @dev With too few seats the members before are carried over; a first epoch, which has none, begins again.
    /// @param proof of the entropy of `entropyBlock`
    function seal(bytes calldata proof) external {
        uint64 epoch = _require(Phase.Seal) + 1;
        bool enough = _hasEnoughSeats(epoch);
        if (!enough && epoch - 1 == firstEpoch()) return _beginAgain();
        uint16 carries = enough ? 0 : _offices[epoch - 1].carries + 1;
        if (carries > MAX_CARRY) {
            _halt();
            emit Halted(epoch);
            return;
        }
        bytes32 entropy = entropySource.entropy(entropyBlock(), proof);
        _setSeed(epoch + 1, Statements.nextSeed(seedOf[epoch], epoch + 1, _contributionsTo(epoch), entropy));
        _open(epoch, carries, enough ? _takeSnapshots(epoch) : _carryOver(epoch, carries));
    }

    /// @notice Begins a first epoch with this number, without members: after a halt, or before the first seed is drawn, so
    /// that this contract can take over from another that went further. Reverts with WrongPhase, EpochTooLow or EpochTooHigh.
    /// @param epoch at least three more than the current one, at most 65,536 beyond that, and no less than the target of the
    /// clock before
    function restart(uint64 epoch) external onlyAdmin {
        (Phase current, uint64 running,) = phase();
        bool unborn = running == firstEpoch() && seedOf[running + 1] == 0;
        if (current != Phase.Halted && !unborn) revert WrongPhase();
        _beginAt(epoch);
    }

    /// @notice Punishes a contributor without a ticket, and pays the caller its share. From the seal of `epoch` to its end.
    /// Reverts with WrongPhase, HadTicket or NotContributor.
    function reportMissed(address signer, uint64 epoch) external {
        uint64 current = currentEpoch();
        bool open = epoch == current || (epoch == current + 1 && _isNextSealed());
        if (!open || _offices[epoch].groups == 0) revert WrongPhase();
        if (hasTicket(signer, epoch)) revert HadTicket();
        if (!isContributor(signer, epoch)) revert NotContributor();
        emit ContributionMissed(epoch, signer, msg.sender);
        bytes32 caseId = keccak256(abi.encode("missed", address(this), epoch));
        stakeHub.slash(signer, MISS_PENALTY_BPS, caseId, msg.sender);
        stakeHub.jail(signer, uint32(epoch + SUSPENSION_EPOCHS));
    }

    /// @inheritdoc IEpochSource
    function currentEpoch() public view override(EpochSchedule, IEpochSource) returns (uint64) {
        return EpochSchedule.currentEpoch();
    }

    /// @inheritdoc IEpochSource
    function snapshotHash(uint64 epoch, uint32 quorumId) external view returns (bytes32) {
        return _snapshotHashes[epoch][quorumId];
    }

    /// @inheritdoc IEpochSource
    function epochInfo(uint64 epoch)
        external
        view
        returns (uint64 startTime, uint64 endTime, bytes32 seed, uint32 groups)
    {
        Office storage office = _offices[epoch];
        if (office.groups == 0) return (0, 0, 0, 0);
        return (office.startTime, office.endTime, seedOf[epoch], office.groups);
    }

    /// @inheritdoc IEpochSource
    function mostMembers(uint64 epoch) external view returns (uint32) {
        return _offices[epoch].mostMembers;
    }

    /// @notice Epochs in a row up to `epoch` that kept older members.
    function carriesOf(uint64 epoch) external view returns (uint16) {
        return _offices[epoch].carries;
    }

    /// @notice Block whose entropy the next call of `drawFirstSeed` or `seal` needs.
    /// @dev One fixed block of the epoch. Where its hash can no longer be read it moves on in fixed steps; it never
    /// becomes a value that is known in advance.
    function entropyBlock() public view returns (uint256 number) {
        (Phase current, uint64 epoch,) = phase();
        bool first = epoch == firstEpoch() && current == Phase.Tickets;
        number = startBlock() + (first ? TICKET_START : ENTROPY_AT);
        uint256 oldest = block.number > BlockHashes.HISTORY_WINDOW ? block.number - BlockHashes.HISTORY_WINDOW : 0;
        if (number < oldest) number += ((oldest - number + ENTROPY_STEP - 1) / ENTROPY_STEP) * ENTROPY_STEP;
    }

    /// @inheritdoc Tickets
    function _everyoneOwes(uint64 epoch) internal view override returns (bool) {
        return _offices[epoch - 1].carries != 0;
    }

    /// @dev Writes what is known of a sealed epoch, and hashes its header into the chain of headers.
    function _open(uint64 epoch, uint16 carries, bytes32[] memory hashes) private {
        EpochHeader memory header;
        header.epoch = epoch;
        header.prev = headerHash;
        header.startTime = uint64(block.timestamp + (_setSealed() - block.number) * SECONDS_PER_BLOCK);
        header.endTime = header.startTime + EPOCH_SECONDS;
        header.seed = seedOf[epoch];
        if (address(orderSource) != address(0)) (header.orderRoot, header.orderCount) = orderSource.orderRoot();
        header.snapshotHashes = hashes;
        headerHash = Statements.headerHash(header);
        Office storage office = _offices[epoch];
        (office.startTime, office.endTime) = (header.startTime, header.endTime);
        (office.groups, office.carries) = (uint32(hashes.length), carries);
        emit EpochSealed(epoch, header);
    }

    /// @dev Seals the groups that tickets built.
    function _takeSnapshots(uint64 epoch) private returns (bytes32[] memory hashes) {
        uint256 quorums = _oddsOf(stakeHub.totalVotesAt(epoch)).quorums;
        hashes = new bytes32[](_groupCount(quorums));
        uint32 most = 0;
        for (uint32 id = 0; id < hashes.length; ++id) {
            Snapshot memory snapshot = _groups[id].snapshot(epoch, id);
            hashes[id] = keccak256(abi.encode(snapshot));
            _snapshotHashes[epoch][id] = hashes[id];
            emit QuorumSealed(epoch, id, snapshot);
            bool hasDuty = id != 0 || hashes.length == 1;
            if (hasDuty && snapshot.memberCount > most) most = snapshot.memberCount;
        }
        _offices[epoch].mostMembers = most;
    }

    /// @dev Lets the snapshots of the epoch before hold office again.
    function _carryOver(uint64 epoch, uint16 carries) private returns (bytes32[] memory hashes) {
        hashes = new bytes32[](_offices[epoch - 1].groups);
        for (uint32 id = 0; id < hashes.length; ++id) {
            hashes[id] = _snapshotHashes[epoch - 1][id];
            _snapshotHashes[epoch][id] = hashes[id];
        }
        _offices[epoch].mostMembers = _offices[epoch - 1].mostMembers;
        emit EpochCarried(epoch, carries);
    }

    function _hasEnoughSeats(uint64 epoch) private view returns (bool) {
        uint256 expected = stakeHub.totalVotesAt(epoch);
        if (expected > SEAT_TARGET) expected = SEAT_TARGET;
        uint256 seats = _groups[0].weightIn(epoch);
        return seats > 0 && seats * WHOLE >= expected * MIN_SEAT_BPS;
    }

    /// @dev A signer that leaves in epoch n may hold office in n + 2, be carried over, and be believed for some time after.
    function _neededUnbondDelay(SortitionParameters memory parameters) private pure returns (uint256) {
        uint256 epochSeconds = uint256(parameters.epochBlocks) * parameters.secondsPerBlock;
        uint256 believed = parameters.maxRetentionEpochs * epochSeconds + parameters.challengeWindow;
        if (believed < parameters.trustingPeriod) believed = parameters.trustingPeriod;
        return (3 + uint256(parameters.maxCarry)) * epochSeconds + believed + parameters.evidenceTime;
    }
}
