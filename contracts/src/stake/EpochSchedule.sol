// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStakeClock} from "./IStakeClock.sol";
import {Phase, SortitionParameters} from "./SortitionTypes.sol";

/// @title EpochSchedule
/// @notice Which epoch holds office, and where it is on its way.
/// @dev Epoch n prepares epoch n + 1. That begins `epochBlocks` after n began, or at its seal if that comes later; no call
/// is needed for the turn. A first epoch, without members of its own, begins the network and each restart.
///
/// The order of phases is what keeps a seed from being chosen for a key, or a key for a seed: votes and keys of epoch
/// n + 2 are final before tickets of n + 1 may be seen, and those make the seed of n + 2.
abstract contract EpochSchedule is IStakeClock {
    /// @dev Epochs between two first ones: changes made before a restart count from three epochs on at the latest.
    uint64 private constant RESTART_STEP = 3;

    /// @dev Epochs that a restart jumps over beyond those: what counts epoch by epoch still passes them, and a mistyped
    /// number does not use up the 32 bits in which batches hold theirs.
    uint64 private constant MAX_RESTART_JUMP = 1 << 16;

    /// @dev Where fields of the packed clock begin, above epoch u64 and start u48.
    uint256 private constant NEXT_START_SHIFT = 112;
    uint256 private constant FIRST_SHIFT = 160;
    uint256 private constant HALTED = 1 << 224;

    uint256 internal immutable EPOCH_BLOCKS;
    uint256 internal immutable OPEN_BLOCKS;
    uint256 internal immutable TICKET_START;
    uint256 internal immutable TICKET_END;
    uint256 internal immutable ENTROPY_AT;

    /// @dev The clock as it was last written, packed by hand: one read, where the compiler makes one for each field.
    uint256 private _packedClock;

    /// @dev When the current epoch began and the next one does.
    /// @param epoch an epoch
    /// @param start block at which it began
    /// @param nextStart block at which the next one begins; zero until that is sealed
    /// @param first the last first epoch
    /// @param halted whether nothing can be sealed
    struct Clock {
        uint64 epoch;
        uint48 start;
        uint48 nextStart;
        uint64 first;
        bool halted;
    }

    /// @notice Epoch `epoch` begins a network, at block `startBlock`, with whoever has votes and tickets for the next one.
    event FirstEpoch(uint64 indexed epoch, uint256 startBlock);

    /// @notice A parameter is outside its range, or two do not fit each other.
    error BadSortitionParameter();

    /// @notice This is not the time for the call.
    error WrongPhase();

    /// @notice Changes may have been made for epochs up to here; a first epoch has at least the number `least`.
    error EpochTooLow(uint64 least);

    /// @notice A first epoch has at most the number `most` now.
    error EpochTooHigh(uint64 most);

    constructor(SortitionParameters memory parameters) {
        uint256 ticketStart = uint256(parameters.openBlocks) + parameters.finalityBlocks;
        uint256 entropyAt = uint256(parameters.ticketEnd) + parameters.quietBlocks;
        bool sound = parameters.openBlocks > 0 && ticketStart < parameters.ticketEnd && parameters.quietBlocks > 0
            && entropyAt < parameters.epochBlocks;
        if (!sound) revert BadSortitionParameter();
        EPOCH_BLOCKS = parameters.epochBlocks;
        OPEN_BLOCKS = parameters.openBlocks;
        TICKET_START = ticketStart;
        TICKET_END = parameters.ticketEnd;
        ENTROPY_AT = entropyAt;
        _beginFirst(0, block.number + parameters.genesisDelay);
    }

    /// @inheritdoc IStakeClock
    function currentEpoch() public view virtual returns (uint64) {
        return _now().epoch;
    }

    /// @inheritdoc IStakeClock
    function targetEpoch() external view returns (uint64) {
        Clock memory clock = _now();
        if (_offset(clock) >= OPEN_BLOCKS) return clock.epoch + 3;
        return clock.epoch == clock.first ? clock.epoch + 1 : clock.epoch + 2;
    }

    /// @notice Where the current epoch is.
    /// @return phase_ its phase
    /// @return epoch its number
    /// @return until block at which the phase ends, type(uint64).max where it waits for a call
    function phase() public view returns (Phase phase_, uint64 epoch, uint64 until) {
        Clock memory clock = _now();
        (uint256 offset, uint256 start) = (_offset(clock), clock.start);
        epoch = clock.epoch;
        if (clock.halted) return (Phase.Halted, epoch, type(uint64).max);
        if (offset < OPEN_BLOCKS) return (Phase.Open, epoch, uint64(start + OPEN_BLOCKS));
        if (offset < TICKET_START) return (Phase.Closed, epoch, uint64(start + TICKET_START));
        if (offset < TICKET_END) return (Phase.Tickets, epoch, uint64(start + TICKET_END));
        if (offset <= ENTROPY_AT) return (Phase.Quiet, epoch, uint64(start + ENTROPY_AT + 1));
        if (clock.nextStart == 0) return (Phase.Seal, epoch, type(uint64).max);
        return (Phase.Sealed, epoch, clock.nextStart);
    }

    /// @notice The last epoch that began a network or a restart.
    function firstEpoch() public view returns (uint64) {
        return uint64(_packedClock >> FIRST_SHIFT);
    }

    /// @notice Block at which the current epoch began.
    function startBlock() public view returns (uint256) {
        return _now().start;
    }

    /// @dev Reverts unless the current epoch is in `wanted`; returns its number.
    function _require(Phase wanted) internal view returns (uint64 epoch) {
        Phase actual;
        (actual, epoch,) = phase();
        if (actual != wanted) revert WrongPhase();
    }

    /// @dev Whether the next epoch is sealed and has not begun.
    function _isNextSealed() internal view returns (bool) {
        return _now().nextStart != 0;
    }

    /// @dev Notes that the epoch after `clock` is sealed.
    /// @return nextStart block at which it begins
    function _setSealed() internal returns (uint256 nextStart) {
        Clock memory clock = _now();
        nextStart = clock.start + EPOCH_BLOCKS;
        if (nextStart < block.number) nextStart = block.number;
        clock.nextStart = uint48(nextStart);
        _write(clock);
    }

    /// @dev Stops the schedule.
    function _halt() internal {
        Clock memory clock = _now();
        clock.halted = true;
        _write(clock);
    }

    /// @dev Begins a first epoch again, behind every epoch that a change may have been made for.
    function _beginAgain() internal {
        _beginFirst(_leastFirst(), block.number);
    }

    /// @dev Begins first epoch `epoch` now. Reverts with EpochTooLow or EpochTooHigh.
    function _beginAt(uint64 epoch) internal {
        uint64 least = _leastFirst();
        if (epoch < least) revert EpochTooLow(least);
        if (epoch - least > MAX_RESTART_JUMP) revert EpochTooHigh(least + MAX_RESTART_JUMP);
        _beginFirst(epoch, block.number);
    }

    function _leastFirst() private view returns (uint64) {
        return _now().epoch + RESTART_STEP;
    }

    function _beginFirst(uint64 epoch, uint256 start) private {
        _write(Clock({epoch: epoch, start: uint48(start), nextStart: 0, first: epoch, halted: false}));
        emit FirstEpoch(epoch, start);
    }

    /// @dev The clock with the turn that may have come since it was written.
    function _now() private view returns (Clock memory clock) {
        uint256 word = _packedClock;
        clock.epoch = uint64(word);
        clock.start = uint48(word >> 64);
        clock.nextStart = uint48(word >> NEXT_START_SHIFT);
        clock.first = uint64(word >> FIRST_SHIFT);
        clock.halted = word & HALTED != 0;
        if (clock.nextStart == 0 || block.number < clock.nextStart) return clock;
        clock.epoch += 1;
        clock.start = clock.nextStart;
        clock.nextStart = 0;
    }

    function _write(Clock memory clock) private {
        _packedClock = uint256(clock.epoch) | (uint256(clock.start) << 64)
            | (uint256(clock.nextStart) << NEXT_START_SHIFT) | (uint256(clock.first) << FIRST_SHIFT)
            | (clock.halted ? HALTED : 0);
    }

    /// @dev Blocks since the epoch began; 0 before a first epoch begins.
    function _offset(Clock memory clock) private view returns (uint256) {
        return block.number < clock.start ? 0 : block.number - clock.start;
    }
}
