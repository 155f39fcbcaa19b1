// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlockHashes} from "./BlockHashes.sol";
import {EpochRange, EpochRangeWithContextDigest, MineContext} from "./FlowTypes.sol";
import {RootHistory} from "./RootHistory.sol";

/// @title EpochClock
/// @notice Cuts the chain into mining epochs of `blocksPerEpoch` blocks and freezes a context for each.
/// @dev Epoch n begins at block firstBlock + n * blocksPerEpoch and is due from the block after that. Its context takes the
/// hash of its first block, so nobody knows the digest beforehand; a context whose hash cannot be read is empty: both
/// digests are keccak-256 of nothing, no range is recorded, and the sectors wait for the next context that has a hash.
///
/// However long nobody called, one catch-up makes at most two contexts. No submission enters while epochs are due, so all
/// due epochs see the same flow: the first with a readable hash takes every sector added since the last context, the last
/// becomes the current context, and the ones between would only record empty ranges in contexts that were never current
/// at the end of any block. They are jumped over. `makeContextFixedTimes` makes them one by one for whoever wants them.
abstract contract EpochClock {
    /// @dev keccak-256 of nothing: the digests of an empty context.
    bytes32 internal constant EMPTY_HASH = 0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470;

    /// @notice Blocks in an epoch.
    uint256 public immutable blocksPerEpoch;

    /// @notice Blocks between deployment and `firstBlock`.
    uint256 public immutable deployDelay;

    /// @notice Block at which epoch 0 begins and submissions open.
    uint256 public immutable firstBlock;

    /// @notice The RootHistory with the flow roots of the last 1,000 contexts.
    address public immutable rootHistory;

    uint64 private _epoch;
    uint64 private _epochStartPosition;
    uint64 private _contextLength;
    bytes32 private _contextRoot;
    bytes32 private _contextBlockDigest;
    bytes32 private _contextDigest;
    mapping(bytes32 digest => EpochRange) private _ranges;
    EpochRangeWithContextDigest[] private _history;

    /// @notice The context of epoch `index` was made, by `sender`'s call.
    /// @param startMerkleRoot root of the flow tree
    /// @param submissionIndex submissions in the flow
    /// @param flowLength length of the flow in sectors
    /// @param context digest of the context, keccak-256 of nothing where it is empty
    event NewEpoch(
        address indexed sender,
        uint256 indexed index,
        bytes32 startMerkleRoot,
        uint256 submissionIndex,
        uint256 flowLength,
        bytes32 context
    );

    /// @notice Epochs `first` to `last` got no context: either their block hash was gone, or a later epoch of the same
    /// catch-up stands for them.
    event EpochsSkipped(uint256 indexed first, uint256 indexed last);

    /// @notice An epoch needs at least one block.
    error ZeroBlocksPerEpoch();

    /// @notice Sector `position` is not in the flow yet, which holds `length`.
    error PositionBeyondFlow(uint256 position, uint256 length);

    /// @notice No context holds sector `position` yet: it entered the flow after the last one with a block hash.
    error NoContextAtPosition(uint256 position);

    /// @notice There are `count` recorded ranges, `index` was asked for.
    error UnknownEpochRange(uint256 index, uint256 count);

    constructor(uint256 blocksPerEpoch_, uint256 deployDelay_) {
        if (blocksPerEpoch_ == 0) revert ZeroBlocksPerEpoch();
        blocksPerEpoch = blocksPerEpoch_;
        deployDelay = deployDelay_;
        firstBlock = block.number + deployDelay_;
        rootHistory = address(new RootHistory());
        _contextLength = 1;
        _contextBlockDigest = EMPTY_HASH;
        _contextDigest = EMPTY_HASH;
    }

    /// @notice Catches up with the chain; does nothing when no epoch is due. Makes at most two contexts.
    function makeContext() public {
        uint256 last = _lastDueEpoch();
        if (last == _epoch) return;
        (bytes32 root, uint256 length, uint256 submissions) = _flowState();
        uint256 first = _firstReadableEpoch(last);
        _makeContextOf(first, root, length, submissions);
        if (first < last) _makeContextOf(last, root, length, submissions);
    }

    /// @notice Makes up to `times` + 1 due contexts one by one. A run of epochs without a readable hash, however long,
    /// takes no step of its own.
    function makeContextFixedTimes(uint256 times) external {
        uint256 last = _lastDueEpoch();
        if (last == _epoch) return;
        (bytes32 root, uint256 length, uint256 submissions) = _flowState();
        for (uint256 done = 0; done <= times && _epoch < last; ++done) {
            _makeContextOf(_firstReadableEpoch(last), root, length, submissions);
        }
    }

    /// @notice Catches up like `makeContext` and returns the current context.
    function makeContextWithResult() external returns (MineContext memory) {
        makeContext();
        return getContext();
    }

    /// @notice Catches up like `makeContext` and finds the range and context that hold sector `position`.
    /// @dev Reverts with PositionBeyondFlow or NoContextAtPosition. Ranges follow each other without gaps from sector 0, so
    /// the first one that ends behind the position holds it; empty ranges never do.
    function queryContextAtPosition(uint128 position) external returns (EpochRangeWithContextDigest memory) {
        makeContext();
        (, uint256 length,) = _flowState();
        if (position >= length) revert PositionBeyondFlow(position, length);
        uint256 low = 0;
        uint256 high = _history.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (_history[middle].end > position) high = middle;
            else low = middle + 1;
        }
        if (low == _history.length) revert NoContextAtPosition(position);
        return _history[low];
    }

    /// @notice Number of the current context's epoch; 0 before the first.
    function epoch() external view returns (uint256) {
        return _epoch;
    }

    /// @notice First sector that no recorded range holds.
    function epochStartPosition() external view returns (uint256) {
        return _epochStartPosition;
    }

    /// @notice The current context, which may be overdue.
    function getContext() public view returns (MineContext memory) {
        uint256 number = _epoch;
        return MineContext({
            epoch: number,
            mineStart: number == 0 ? 0 : _startOf(number),
            flowRoot: _contextRoot,
            flowLength: _contextLength,
            blockDigest: _contextBlockDigest,
            digest: _contextDigest
        });
    }

    /// @notice Range of the context with `digest`; (0, 0) where there is none.
    function getEpochRange(bytes32 digest) external view returns (EpochRange memory) {
        return _ranges[digest];
    }

    /// @notice Recorded range `index`, counted from 0 over the contexts that have a block hash.
    function getEpochRangeHistory(uint256 index) external view returns (EpochRangeWithContextDigest memory) {
        if (index >= _history.length) revert UnknownEpochRange(index, _history.length);
        return _history[index];
    }

    /// @dev Root of the flow tree, its length in sectors, and the number of submissions.
    function _flowState() internal view virtual returns (bytes32 root, uint256 length, uint256 submissions);

    /// @dev Block at which epoch `number` begins.
    function _startOf(uint256 number) private view returns (uint256) {
        return firstBlock + number * blocksPerEpoch;
    }

    /// @dev Last epoch that began before this block; the current one if none is due.
    function _lastDueEpoch() private view returns (uint256) {
        return block.number > firstBlock ? (block.number - 1 - firstBlock) / blocksPerEpoch : _epoch;
    }

    /// @dev First due epoch whose block hash can be read, or `last` if there is none. Asks for two hashes at most: the
    /// oldest that the history contract should know and, where it does not answer, the oldest the opcode knows.
    function _firstReadableEpoch(uint256 last) private view returns (uint256 number) {
        number = _firstEpochWithin(BlockHashes.HISTORY_WINDOW);
        if (number <= last && BlockHashes.hashOf(_startOf(number)) != 0) return number;
        number = _firstEpochWithin(BlockHashes.NATIVE_WINDOW);
        return number < last ? number : last;
    }

    /// @dev First epoch after the current one that began at most `window` blocks ago.
    function _firstEpochWithin(uint256 window) private view returns (uint256 number) {
        number = uint256(_epoch) + 1;
        if (block.number <= firstBlock + window) return number;
        uint256 oldest = (block.number - window - firstBlock - 1) / blocksPerEpoch + 1;
        return oldest > number ? oldest : number;
    }

    /// @dev Makes the context of epoch `number`, jumping over those between.
    function _makeContextOf(uint256 number, bytes32 root, uint256 length, uint256 submissions) private {
        if (number > uint256(_epoch) + 1) emit EpochsSkipped(uint256(_epoch) + 1, number - 1);
        bytes32 blockDigest = BlockHashes.hashOf(_startOf(number));
        bytes32 digest = EMPTY_HASH;
        if (blockDigest == 0) {
            blockDigest = EMPTY_HASH;
        } else {
            digest = keccak256(abi.encode(blockDigest, root, length));
            uint128 start = _epochStartPosition;
            _ranges[digest] = EpochRange(start, uint128(length));
            _history.push(EpochRangeWithContextDigest(start, uint128(length), digest));
            _epochStartPosition = uint64(length);
        }
        _epoch = uint64(number);
        _contextLength = uint64(length);
        _contextRoot = root;
        _contextBlockDigest = blockDigest;
        _contextDigest = digest;
        RootHistory(rootHistory).insert(root);
        emit NewEpoch(msg.sender, number, root, submissions, length, digest);
    }
}
