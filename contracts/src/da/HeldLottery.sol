// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEntropy} from "../quorum/IEntropy.sol";
import {BlobHeader} from "../quorum/QuorumTypes.sol";
import {Arc, Arcs} from "./Arcs.sol";
import {Batches} from "./Batches.sol";
import {BlobHeaders} from "./BlobHeaders.sol";
import {Placement} from "./Placement.sol";
import {RewardSchedule} from "./RewardSchedule.sol";
import {RowProof} from "./RowProof.sol";

/// @notice A whole row with everything that proves who holds it.
/// @param leafIndex place of the header in its batch, shown by `batchPath`
/// @param rowPath siblings within the row's coset
/// @param arc the holder's rows, shown by `arcPath` in the published table
struct HeldRow {
    uint64 period;
    BlobHeader header;
    bytes32 batchRoot;
    uint32 leafIndex;
    bytes32[] batchPath;
    bytes32[] cosetRoots;
    bytes32 combinationRoot;
    uint32 rowIndex;
    bytes row;
    bytes32[] rowPath;
    Arc arc;
    bytes32[] arcPath;
}

/// @title HeldLottery
/// @notice Pays holders who bring a drawn row of a blob of suite 1 whole, without trust in anyone.
/// @dev A period's seed is the entropy of its first block, and counts for blobs that were confirmed before that block: nobody
/// can make a batch to suit it. A row is drawn and paid by its blob's header, in however many batches that stands. The seed
/// draws rows in public; of these, the ones whose bytes hash below
/// the target together with their holder's address win. Nobody else can claim for a holder's gain or another's row. Each
/// prize is a share of the pot, in proportion to the row's bytes, so the pot never runs dry; the target follows the number of
/// prizes. Rows above 4 KiB take no part: bringing one costs more gas than a prize is meant to be worth.
abstract contract HeldLottery is RewardSchedule, Arcs {
    /// @notice Longest row that can win.
    uint256 public constant MAX_ROW_BYTES = 4096;

    /// @dev The target changes at most by this factor from one period to the next.
    uint256 private constant MAX_STEP = 4;

    /// @dev Rows whose chances are in one hash, 32 bits each: whoever draws all rows hashes an eighth as often.
    uint256 private constant ROWS_PER_HASH = 8;

    /// @notice What a deployment decides about the lottery.
    /// @param entropy proves the entropy of blocks
    /// @param periodBlocks blocks in a period
    /// @param drawTarget a row is drawn where its 32 bits of a hash are not above it
    /// @param prizesPerPeriod the target is moved so that about as many are paid
    /// @param potShare a row of MAX_ROW_BYTES is paid the pot divided by this
    struct LotterySettings {
        IEntropy entropy;
        uint32 periodBlocks;
        uint32 drawTarget;
        uint32 prizesPerPeriod;
        uint32 potShare;
    }

    /// @dev An open period; `prizes` have been paid.
    struct Period {
        bytes32 seed;
        uint256 target;
        uint32 prizes;
    }

    IEntropy public immutable entropy;
    uint32 public immutable periodBlocks;
    uint32 public immutable drawTarget;
    uint32 public immutable prizesPerPeriod;
    uint32 public immutable potShare;

    /// @notice The period that was opened last; prizes are paid for it alone.
    uint64 public latestPeriod;

    mapping(uint64 period => Period) private _periods;
    mapping(bytes32 line => bool) private _paid;

    /// @notice Rows can be claimed for `period`.
    event PeriodOpened(uint64 indexed period, bytes32 seed, uint256 target);

    /// @notice `holder` was paid for a row.
    event HeldPaid(
        uint64 indexed period, address indexed holder, bytes32 indexed batchRoot, uint32 leafIndex, uint32 row, uint256 amount
    );

    /// @notice The period is not the latest, or not after the latest one where it is to be opened.
    error WrongPeriod(uint64 period, uint64 latest);

    /// @notice The entrance knows no such blob, or it has expired, or its rows cannot win.
    error NotEligible();

    /// @notice The batch was confirmed in `confirmedIn`; rows of blobs that were confirmed before `seedBlock` are drawn.
    error ConfirmedTooLate(uint256 confirmedIn, uint256 seedBlock);

    /// @notice The row is not the one under the blob's commitment.
    error BadRow();

    /// @notice The row is not the holder's, or the table of its quorum's arcs has not been published.
    error NotHolder();

    /// @notice The period's seed does not draw the row, or its bytes do not win.
    error NotDrawn();

    /// @notice The row has been paid for in this period.
    error AlreadyPaid();

    /// @notice A lottery needs blocks, prizes and a share.
    error BadLottery();

    constructor(LotterySettings memory settings) {
        if (settings.periodBlocks == 0 || settings.prizesPerPeriod == 0 || settings.potShare == 0) revert BadLottery();
        entropy = settings.entropy;
        periodBlocks = settings.periodBlocks;
        drawTarget = settings.drawTarget;
        prizesPerPeriod = settings.prizesPerPeriod;
        potShare = settings.potShare;
        _periods[0].target = type(uint256).max;
    }

    /// @notice Opens a later period with the entropy of its first block. Anyone may call.
    /// @param proof in the form of `entropy`
    function openPeriod(uint64 period, bytes calldata proof) external {
        uint64 latest = latestPeriod;
        if (period <= latest) revert WrongPeriod(period, latest);
        bytes32 seed = entropy.entropy(uint256(period) * periodBlocks, proof);
        uint256 target = _nextTarget(_periods[latest], period - latest);
        _periods[period] = Period(seed, target, 0);
        latestPeriod = period;
        emit PeriodOpened(period, seed, target);
    }

    /// @notice Pays the holder of a row that wins. Anyone may bring it.
    /// @dev Reverts with WrongPeriod, NotEligible, ConfirmedTooLate, BadRow, NotHolder, NotDrawn, AlreadyPaid or TransferFailed.
    function claim(HeldRow calldata held) external returns (uint256 amount) {
        if (held.period != latestPeriod || held.period == 0) revert WrongPeriod(held.period, latestPeriod);
        _requireEligible(held);
        if (
            !RowProof.isUnder(
                held.header, held.cosetRoots, held.combinationRoot, held.rowIndex, held.row, held.rowPath
            )
        ) revert BadRow();
        _requireHolder(held);
        _requireWin(held);
        amount = heldPot * held.row.length / (MAX_ROW_BYTES * potShare);
        emit HeldPaid(held.period, held.arc.holder, held.batchRoot, held.leafIndex, held.rowIndex, amount);
        _payHeld(held.arc.holder, amount);
    }

    /// @notice Seed, target and paid prizes of a period; zeros where it has not been opened.
    function periodOf(uint64 period) external view returns (Period memory) {
        return _periods[period];
    }

    function _requireEligible(HeldRow calldata held) private view {
        bool available =
            Batches(entrance).isAvailable(held.header, held.batchRoot, held.leafIndex, held.batchPath);
        if (!available || held.header.suite != PROVABLE_SUITE || held.row.length > MAX_ROW_BYTES) revert NotEligible();
        uint256 confirmedIn = Batches(entrance).batchBlock(held.batchRoot);
        uint256 seedBlock = uint256(held.period) * periodBlocks;
        if (confirmedIn >= seedBlock) revert ConfirmedTooLate(confirmedIn, seedBlock);
    }

    function _requireHolder(HeldRow calldata held) private view {
        uint256 rows = (uint256(held.header.cosets) + 1) << held.header.log2K;
        (uint64 epoch, uint32 quorumId,,) = Batches(entrance).batch(held.batchRoot);
        bytes32 snapshotHash = _epochs.snapshotHash(epoch, quorumId);
        if (!_isArc(snapshotHash, rows, held.arc, held.arcPath)) revert NotHolder();
        (,, bytes32 seed,) = _epochs.epochInfo(epoch);
        uint256 offset = Placement.offsetOf(held.header.commitment, seed, rows);
        if (!Placement.holds(offset, held.arc.start, held.arc.rows, held.rowIndex, rows)) revert NotHolder();
    }

    /// @dev Marks the row as paid for.
    function _requireWin(HeldRow calldata held) private {
        Period storage period = _periods[held.period];
        (uint256 row, bytes32 leaf) = (held.rowIndex, BlobHeaders.leafOfHeader(held.header));
        uint256 chances = uint256(keccak256(abi.encode(period.seed, leaf, row / ROWS_PER_HASH)));
        if (uint32(chances >> (32 * (row % ROWS_PER_HASH))) > drawTarget) revert NotDrawn();
        bytes32 line = keccak256(abi.encode(chances, row));
        if (uint256(keccak256(abi.encodePacked(line, held.arc.holder, held.row))) > period.target) revert NotDrawn();
        if (_paid[line]) revert AlreadyPaid();
        _paid[line] = true;
        ++period.prizes;
    }

    /// @dev Moves the target towards `prizesPerPeriod` prizes in each of the `elapsed` periods.
    function _nextTarget(Period storage latest, uint256 elapsed) private view returns (uint256) {
        uint256 target = latest.target;
        uint256 wanted = elapsed * prizesPerPeriod;
        uint256 paid = latest.prizes;
        if (paid * MAX_STEP < wanted) return target > type(uint256).max / MAX_STEP ? type(uint256).max : target * MAX_STEP;
        if (paid > wanted * MAX_STEP) return target / MAX_STEP;
        // Division first: the target takes up the whole word.
        uint256 unit = target / paid;
        return unit > type(uint256).max / wanted ? type(uint256).max : unit * wanted;
    }
}
