// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChunkRewardBase} from "./ChunkRewardBase.sol";
import {Decay} from "./Decay.sol";

/// @title ChunkDecayReward
/// @notice A pricing chunk's fees are released for ever, in each second the same part of what is left.
contract ChunkDecayReward is ChunkRewardBase {
    /// @dev Seconds of 12 months of 31 days.
    uint256 private constant YEAR = 372 days;

    /// @notice Thousandths of what is locked that decay in a year of 372 days, compounded: after t years e^(-rate * t / 1000)
    /// is left.
    uint256 public immutable annualMilliDecayRate;

    /// @notice The rate is zero or above 1,000,000.
    error BadDecayRate(uint256 annualMilliDecayRate);

    /// @param sectorsPerPrice_ sectors of a pricing chunk
    /// @param annualMilliDecayRate_ 40 releases half in 17.3 years of 372 days
    constructor(
        uint256 sectorsPerPrice_,
        uint256 annualMilliDecayRate_,
        address market_,
        address mine_,
        address initialAdmin
    ) ChunkRewardBase(sectorsPerPrice_, market_, mine_, initialAdmin) {
        if (annualMilliDecayRate_ == 0 || annualMilliDecayRate_ > 1_000_000) {
            revert BadDecayRate(annualMilliDecayRate_);
        }
        annualMilliDecayRate = annualMilliDecayRate_;
    }

    /// @inheritdoc ChunkRewardBase
    function _released(Pool memory pool) internal view override returns (uint256) {
        uint256 left = Decay.expNegative(annualMilliDecayRate * (block.timestamp - pool.lastUpdate), 1000 * YEAR);
        return pool.locked - ((uint256(pool.locked) * left) >> 96);
    }

    /// @inheritdoc ChunkRewardBase
    function _earnsBaseReward(Pool memory) internal pure override returns (bool) {
        return true;
    }
}
