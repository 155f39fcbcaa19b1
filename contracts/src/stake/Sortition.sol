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
import {Offices} from "./Offices.sol";
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
    using Offices for mapping(uint64 => uint256);

    uint256 private constant WHOLE = 10_000;

    /// @dev Blocks by which the entropy block moves on when nobody sealed while its hash could be read.
    uint256 private constant ENTROPY_STEP = 8_000;

    /// @notice Gives the entropy of a block.
    IEntropy public immutable entropySource;

    /// @notice Orders checkpoints; zero where nothing does.
    IOrderSource public immutable orderSource;

    /// @notice Hash of the newest epoch header; zero before the first.
    bytes32 public headerHash;

    uint64 private immutable CREATED_AT;
    uint64 private immutable EPOCH_SECONDS;
    uint64 private immutable SECONDS_PER_BLOCK;
    bytes32 private immutable GENESIS_SALT;
    uint16 private immutable MISS_PENALTY_BPS;
    uint16 private immutable SUSPENSION_EPOCHS;
    uint16 private immutable MIN_SEAT_BPS;
    uint16 private immutable MAX_CARRY;

    /// @dev Their starts count from `CREATED_AT`.
    mapping(uint64 word => uint256) private _offices;
    mapping(uint64 epoch => mapping(uint32 quorumId => bytes32)) private _snapshotHashes;

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
            && parameters.suspensionEpochs > 0 && parameters.maxCarry <= type(uint8).max && block.chainid <= type(uint64).max;
        if (!sound) revert BadSortitionParameter();
        uint256 needed = _neededUnbondDelay(parameters);
        if (stakeHub_.unbondDelay() < needed) revert UnbondDelayTooShort(stakeHub_.unbondDelay(), needed);
        entropySource = entropySource_;
        orderSource = orderSource_;
        CREATED_AT = uint64(block.timestamp);
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
        if (epoch != firstEpoch() || _seed(epoch + 1) != 0) revert WrongPhase();
        bytes32 entropy = entropySource.entropy(_provable(startBlock() + TICKET_START), proof);
        _keepSeed(epoch + 1, Statements.nextSeed(GENESIS_SALT, epoch + 1, 0, entropy));
    }

    /// @notice Seals the next epoch. Reverts with WrongPhase or as the entropy source does.
    /// @dev With too few seats the members before are carried over; a first epoch, which has none, begins again.
    /// @param proof of the entropy of `entropyBlock`
    function seal(bytes calldata proof) external {
        uint64 epoch = _require(Phase.Seal) + 1;
        (uint256 seats, uint256 votes) = _groups[0].standing(epoch);
        bool enough = _areEnough(seats, votes);
        if (!enough && epoch - 1 == firstEpoch()) {
            _beginAgain();
            _keepSeed(firstEpoch() + 1, 0);
            return;
        }
        uint256 carries = enough ? 0 : _offices.read(epoch - 1).carries + 1;
        if (carries > MAX_CARRY) {
            _halt();
            emit Halted(epoch);
            return;
        }
        bytes32 entropy = entropySource.entropy(_provable(startBlock() + ENTROPY_AT), proof);
        bytes32 seed = _seed(epoch);
        _keepSeed(epoch + 1, Statements.nextSeed(seed, epoch + 1, _contributionsTo(epoch), entropy));
        (bytes32[] memory hashes, uint256 most) =
            enough ? _takeSnapshots(epoch, _oddsOf(votes).quorums) : _carryOver(epoch, carries);
        EpochHeader memory header = _headerOf(epoch, seed, hashes);
        _offices.write(epoch, Offices.Office(header.startTime - CREATED_AT, hashes.length, carries, most));
        headerHash = _announce(epoch, header);
    }

    /// @notice Begins a first epoch with this number, without members: after a halt, or before the first seed is drawn, so
    /// that this contract can take over from another that went further. Reverts with WrongPhase, EpochTooLow or EpochTooHigh.
    /// @param epoch at least three more than the current one, at most 65,536 beyond that, and no less than the target of the
    /// clock before
    function restart(uint64 epoch) external onlyAdmin {
        (Phase current, uint64 running,) = phase();
        bool unborn = running == firstEpoch() && _seed(running + 1) == 0;
        if (current != Phase.Halted && !unborn) revert WrongPhase();
        _beginAt(epoch);
        _keepSeed(epoch + 1, 0);
    }

    /// @notice Punishes a contributor without a ticket, and pays the caller its share. From the seal of `epoch` to its end.
    /// Reverts with WrongPhase, HadTicket or NotContributor.
    function reportMissed(address signer, uint64 epoch) external {
        uint64 current = currentEpoch();
        bool open = epoch == current || (epoch == current + 1 && _isNextSealed());
        if (!open || _offices.read(epoch).groups == 0) revert WrongPhase();
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
        Offices.Office memory office = _offices.read(epoch);
        if (office.groups == 0) return (0, 0, 0, 0);
        startTime = CREATED_AT + uint64(office.start);
        return (startTime, startTime + EPOCH_SECONDS, seedOf(epoch), uint32(office.groups));
    }

    /// @inheritdoc Tickets
    function seedOf(uint64 epoch) public view override returns (bytes32) {
        uint64 current = currentEpoch();
        uint64 newest = current + (_isNextSealed() ? 2 : 1);
        if (epoch > newest || epoch + SEEDS_KEPT <= newest) return 0;
        if (epoch <= current && _offices.read(epoch).groups == 0) return 0;
        return _seed(epoch);
    }

    /// @inheritdoc IEpochSource
    function mostMembers(uint64 epoch) external view returns (uint32) {
        return uint32(_offices.read(epoch).mostMembers);
    }

    /// @notice Epochs in a row up to `epoch` that kept older members.
    function carriesOf(uint64 epoch) external view returns (uint16) {
        return uint16(_offices.read(epoch).carries);
    }

    /// @notice Block whose entropy the next call of `drawFirstSeed` or `seal` needs.
    /// @dev One fixed block of the epoch. Where its hash can no longer be read it moves on in fixed steps; it never
    /// becomes a value that is known in advance.
    function entropyBlock() external view returns (uint256) {
        (Phase current, uint64 epoch,) = phase();
        bool first = epoch == firstEpoch() && current == Phase.Tickets;
        return _provable(startBlock() + (first ? TICKET_START : ENTROPY_AT));
    }

    /// @inheritdoc Tickets
    function _everyoneOwes(uint64 epoch) internal view override returns (bool) {
        return _offices.read(epoch - 1).carries != 0;
    }

    /// @dev The block `number`, or the first one after it, in fixed steps, whose hash can be read.
    function _provable(uint256 number) private view returns (uint256) {
        uint256 oldest = block.number > BlockHashes.HISTORY_WINDOW ? block.number - BlockHashes.HISTORY_WINDOW : 0;
        if (number >= oldest) return number;
        return number + ((oldest - number + ENTROPY_STEP - 1) / ENTROPY_STEP) * ENTROPY_STEP;
    }

    /// @dev Header of `epoch`, which begins as the schedule says from now on.
    function _headerOf(uint64 epoch, bytes32 seed, bytes32[] memory hashes) private returns (EpochHeader memory header) {
        header.epoch = epoch;
        header.prev = headerHash;
        header.startTime = uint64(block.timestamp + (_setSealed() - block.number) * SECONDS_PER_BLOCK);
        header.endTime = header.startTime + EPOCH_SECONDS;
        header.seed = seed;
        if (address(orderSource) != address(0)) (header.orderRoot, header.orderCount) = orderSource.orderRoot();
        header.snapshotHashes = hashes;
    }

    /// @dev Seals the groups that tickets built.
    /// @return hashes of their snapshots
    /// @return most members of the largest one with data-availability duty
    function _takeSnapshots(uint64 epoch, uint256 quorums)
        private
        returns (bytes32[] memory hashes, uint256 most)
    {
        hashes = new bytes32[](_groupCount(quorums));
        for (uint32 id = 0; id < hashes.length; ++id) {
            Snapshot memory snapshot = _groups[id].snapshot(epoch, id);
            hashes[id] = _announce(epoch, id, snapshot);
            _snapshotHashes[epoch][id] = hashes[id];
            bool hasDuty = id != 0 || hashes.length == 1;
            if (hasDuty && snapshot.memberCount > most) most = snapshot.memberCount;
        }
    }

    /// @dev Emits EpochSealed, whose bytes are those that are hashed: encoding them once costs half.
    /// @return hash of the header, as `Statements.headerHash` gives it
    function _announce(uint64 epoch, EpochHeader memory header) private returns (bytes32 hash) {
        (bytes32 topic, bytes memory encoded) = (EpochSealed.selector, abi.encode(header));
        assembly ("memory-safe") {
            log2(add(encoded, 0x20), mload(encoded), topic, epoch)
        }
        return keccak256(encoded);
    }

    /// @dev Emits QuorumSealed in the same way.
    /// @return hash of the snapshot
    function _announce(uint64 epoch, uint32 quorumId, Snapshot memory snapshot) private returns (bytes32 hash) {
        (bytes32 topic, bytes memory encoded) = (QuorumSealed.selector, abi.encode(snapshot));
        assembly ("memory-safe") {
            log3(add(encoded, 0x20), mload(encoded), topic, epoch, quorumId)
        }
        return keccak256(encoded);
    }

    /// @dev Lets the snapshots of the epoch before hold office again.
    function _carryOver(uint64 epoch, uint256 carries) private returns (bytes32[] memory hashes, uint256 most) {
        Offices.Office memory before = _offices.read(epoch - 1);
        hashes = new bytes32[](before.groups);
        for (uint32 id = 0; id < hashes.length; ++id) {
            hashes[id] = _snapshotHashes[epoch - 1][id];
            _snapshotHashes[epoch][id] = hashes[id];
        }
        emit EpochCarried(epoch, uint32(carries));
        return (hashes, before.mostMembers);
    }

    /// @dev Whether `seats` are enough of those that `votes` votes played for.
    function _areEnough(uint256 seats, uint256 votes) private view returns (bool) {
        uint256 expected = votes < SEAT_TARGET ? votes : SEAT_TARGET;
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
