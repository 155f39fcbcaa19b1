// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEntropy} from "../quorum/IEntropy.sol";
import {PossessionTerms} from "./PossessionTypes.sol";

/// @title PossessionPeriods
/// @notice When periods are, and the seed of each: the entropy of one block that its number fixes.
/// @dev Nobody can know a period's seed when what is in force in it is fixed, and nobody can choose the block.
abstract contract PossessionPeriods {
    uint256 internal constant WHOLE = 10_000;

    /// @notice Proves the entropy of blocks.
    IEntropy public immutable entropy;

    /// @notice Start of period 0, in which this contract was made; the first period with duties is 1.
    uint64 public immutable firstBlock;

    uint32 public immutable periodBlocks;
    uint32 public immutable finalityBlocks;
    uint32 public immutable seedDelay;
    uint32 public immutable windowBlocks;
    uint32 public immutable reportBlocks;

    /// @notice Seed of a period; zero until it is proven.
    mapping(uint64 period => bytes32) public seedOf;

    /// @notice A period's seed is proven.
    event PeriodOpened(uint64 indexed period, bytes32 seed);

    /// @notice A term is outside its range.
    error BadPossessionTerms();

    /// @notice The seed of `period` is proven already.
    error PeriodOpen(uint64 period);

    /// @notice The block has no entropy; without it nobody can know what a period asks for, and nobody answers for it.
    error NoEntropy(uint64 period, uint256 blockNumber);

    /// @notice Nobody has proven the period's seed yet.
    error SeedUnknown(uint64 period);

    /// @notice That is for blocks after `from`.
    error TooEarly(uint256 from);

    /// @notice That was for blocks up to `until`.
    error TooLate(uint256 until);

    constructor(PossessionTerms memory terms, IEntropy entropy_) {
        uint256 answering = uint256(terms.seedDelay) + terms.windowBlocks;
        bool sound = terms.seedDelay > 0 && terms.windowBlocks > 0 && terms.reportBlocks > 0;
        sound = sound && terms.windowBlocks >= 4 * uint256(terms.finalityBlocks);
        if (!sound || 4 * answering > terms.periodBlocks || address(entropy_) == address(0)) revert BadPossessionTerms();
        entropy = entropy_;
        firstBlock = uint64(block.number);
        periodBlocks = terms.periodBlocks;
        finalityBlocks = terms.finalityBlocks;
        seedDelay = terms.seedDelay;
        windowBlocks = terms.windowBlocks;
        reportBlocks = terms.reportBlocks;
    }

    /// @notice Proves the seed of `period`. Anyone may. Reverts with PeriodOpen, NoEntropy, or as the entropy does.
    /// @param proof of the entropy of block `seedBlock(period)`, in the form of `entropy`
    function openPeriod(uint64 period, bytes calldata proof) external {
        if (seedOf[period] != 0) revert PeriodOpen(period);
        uint256 number = seedBlock(period);
        bytes32 seed = entropy.entropy(number, proof);
        if (seed == 0) revert NoEntropy(period, number);
        seedOf[period] = seed;
        emit PeriodOpened(period, seed);
    }

    /// @notice Block whose entropy is the seed of `period`; answers are taken after it.
    function seedBlock(uint64 period) public view returns (uint256) {
        return firstBlock + uint256(period) * periodBlocks + seedDelay;
    }

    /// @notice Last block in which `period` can be answered.
    function windowEnd(uint64 period) public view returns (uint256) {
        return seedBlock(period) + windowBlocks;
    }

    /// @notice Last block in which `period` can be reported as missed.
    function reportEnd(uint64 period) public view returns (uint256) {
        return windowEnd(period) + reportBlocks;
    }

    /// @notice First period in which what happens now is in force.
    function nextPeriod() public view returns (uint64 period) {
        uint256 settled = block.number + finalityBlocks;
        uint256 first = firstBlock;
        if (settled > first) period = uint64((settled - first + periodBlocks - 1) / periodBlocks);
        if (period == 0) period = 1;
    }

    function _requireAfter(uint256 from) internal view {
        if (block.number <= from) revert TooEarly(from);
    }

    function _requireUntil(uint256 until) internal view {
        if (block.number > until) revert TooLate(until);
    }

    function _requireSeed(uint64 period) internal view returns (bytes32 seed) {
        seed = seedOf[period];
        if (seed == 0) revert SeedUnknown(period);
    }
}
