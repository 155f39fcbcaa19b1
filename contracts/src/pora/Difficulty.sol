// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Difficulty
/// @notice How the target follows the answers of past epochs. A target is the largest hash that counts.
/// @dev One rule for every epoch that has passed, answered or not. With t = target / 2^16, an epoch of a answers where w were
/// wanted leaves (t * (n - 1) + e) / n, e being t * w / a, but not below t / 2 nor above 2 t, which is also what an epoch
/// without answers leaves. At most 2 w answers are taken, so an epoch makes mining harder by 2n / (2n - 1) at most, and easier
/// by half at most.
library Difficulty {
    /// @dev Largest of the hashes.
    uint256 internal constant EASIEST = type(uint256).max;

    /// @dev Largest weight n of the past.
    uint256 internal constant MAX_RATIO = 10_000;

    /// @dev Bits that are left out, so that the arithmetic fits.
    uint256 private constant DROPPED = 16;

    /// @notice The target of a difficulty, which is the mean number of hashes until one counts; the easiest for zero.
    function targetOf(uint256 difficulty) internal pure returns (uint256) {
        return difficulty == 0 ? EASIEST : EASIEST / difficulty;
    }

    /// @notice The target after `epochs` more epochs: the first had `answers`, the others none.
    /// @param wanted answers wanted in an epoch, 1 to 65,535
    /// @param ratio weight n of the past, 1 to MAX_RATIO
    /// @param easiest bound of what is left
    function afterEpochs(uint256 target, uint256 answers, uint256 wanted, uint256 ratio, uint256 epochs, uint256 easiest)
        internal
        pure
        returns (uint256)
    {
        if (epochs == 0) return target;
        uint256 left = _afterOne(target, answers, wanted, ratio);
        uint256 idle = epochs - 1;
        if (idle >= 256 || left > (easiest >> idle)) return easiest;
        return left << idle;
    }

    function _afterOne(uint256 target, uint256 answers, uint256 wanted, uint256 ratio) private pure returns (uint256) {
        uint256 t = target >> DROPPED;
        if (t == 0) t = 1;
        // More than this is cut off below anyway, and less cannot overflow.
        uint256 expected = t * (ratio + 1);
        if (answers > 0 && (t * wanted) / answers < expected) expected = (t * wanted) / answers;
        uint256 next = (t * (ratio - 1) + expected) / ratio;
        if (next < t / 2) next = t / 2;
        if (next == 0) next = 1;
        if (next > EASIEST >> DROPPED) next = EASIEST >> DROPPED;
        return next << DROPPED;
    }
}
