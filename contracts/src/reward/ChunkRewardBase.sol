// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";
import {IMineReward} from "../pora/IMineReward.sol";
import {IFeeReward} from "./IFeeReward.sol";
import {PullPayments} from "../PullPayments.sol";

/// @notice The pool of a pricing chunk as 0G's ABI shows it.
/// @param lockedReward wei that time has not released yet
/// @param claimableReward wei that were released and not paid
/// @param distributedReward wei paid
/// @param startTime Unix second at which the chunk was full and its release began; zero before
/// @param lastUpdate Unix second up to which what is due was released; zero before
struct Reward {
    uint128 lockedReward;
    uint128 claimableReward;
    uint128 distributedReward;
    uint40 startTime;
    uint40 lastUpdate;
}

/// @title ChunkRewardBase
/// @notice Fees in pools by pricing chunk, a stretch of the flow, and half of what a pool has released for each accepted
/// answer about its chunk. How time releases it is for those that inherit.
/// @dev Nobody can take a pool out: wei leave for beneficiaries of answers, and for the treasury as a share of a fee when that
/// is paid. Balance = what pools hold, what waits to be paid, and what was donated.
abstract contract ChunkRewardBase is Administered, PullPayments, IMineReward, IFeeReward {
    uint256 private constant WHOLE = 10_000;

    /// @dev A `Reward` in the order of use: filling and finishing a chunk writes the first slot alone.
    struct Pool {
        uint128 locked;
        uint40 startTime;
        uint40 lastUpdate;
        uint128 claimable;
        uint128 distributed;
    }

    /// @inheritdoc IMineReward
    address public immutable mine;

    /// @inheritdoc IFeeReward
    address public immutable market;

    /// @dev Sectors of a pricing chunk.
    uint256 internal immutable _sectorsPerPrice;

    /// @notice Wei for each accepted answer besides its chunk's, as long as donations last.
    uint256 public baseReward;

    /// @notice Wei that were donated and not paid yet.
    uint256 public totalBaseReward;

    /// @notice Who gets a share of every fee.
    address public treasury;

    /// @notice That share in ten-thousandths.
    uint16 public serviceFeeRateBps;

    mapping(uint256 index => Pool) internal _pools;

    /// @notice An answer about pricing chunk `pricingIndex` earned `amount` wei, which wait in `payments`.
    event DistributeReward(
        uint256 indexed pricingIndex, address indexed beneficiary, bytes32 minerId, uint256 amount
    );

    /// @notice Someone gave `amount` wei for base rewards.
    event Donated(address indexed donor, uint256 amount);

    /// @notice The admin set the base reward.
    event BaseRewardSet(uint256 amount);

    /// @notice The admin set who gets which share of fees.
    event ServiceFeeSet(address indexed treasury, uint256 bps);

    /// @notice `caller` is not the market.
    error NotMarket(address caller, address market);

    /// @notice `caller` is not the mine.
    error NotMine(address caller, address mine);

    /// @notice Pricing chunk `index` is full: what would be filled belongs to a stretch that was paid for before.
    error ChunkFinished(uint256 index);

    /// @notice No more than all of a fee can go to the treasury.
    error ServiceFeeTooHigh(uint256 bps);

    /// @notice A pricing chunk has at least one sector, and at most 2^53.
    error BadPriceSize(uint256 sectorsPerPrice);

    /// @param sectorsPerPrice_ sectors of a pricing chunk: 2^25, 8 GiB, in a large network
    /// @param market_ the only one that fills; may be deployed later
    /// @param mine_ the only one that claims; may be deployed later
    /// @param initialAdmin sets base reward, service fee and treasury, and is the first treasury; not zero
    constructor(uint256 sectorsPerPrice_, address market_, address mine_, address initialAdmin)
        Administered(initialAdmin)
    {
        if (market_ == address(0) || mine_ == address(0)) revert ZeroAddress();
        if (sectorsPerPrice_ == 0 || sectorsPerPrice_ > 1 << 53) revert BadPriceSize(sectorsPerPrice_);
        _sectorsPerPrice = sectorsPerPrice_;
        market = market_;
        mine = mine_;
        treasury = initialAdmin;
    }

    /// @inheritdoc IFeeReward
    /// @dev Each pricing chunk gets its sectors' part, the last one what division leaves over. A chunk whose last sector is
    /// filled is finished: its time begins. Costs a storage write per chunk.
    function fillReward(uint256 beforeLength, uint256 chargedSectors) external payable {
        if (msg.sender != market) revert NotMarket(msg.sender, market);
        uint256 size = _sectorsPerPrice;
        uint256 left = _afterServiceFee(msg.value);
        uint256 end = beforeLength + chargedSectors;
        for (uint256 position = beforeLength; position < end;) {
            uint256 index = position / size;
            uint256 chunkEnd = (index + 1) * size;
            uint256 next = end < chunkEnd ? end : chunkEnd;
            uint256 part = (left * (next - position)) / (end - position);
            left -= part;
            _fill(index, part, next == chunkEnd);
            position = next;
        }
    }

    /// @inheritdoc IMineReward
    function claimMineReward(uint256 index, address beneficiary, bytes32 minerId) external {
        if (msg.sender != mine) revert NotMine(msg.sender, mine);
        Pool memory pool = _settled(index);
        uint256 amount = pool.startTime == 0 ? 0 : pool.claimable / 2;
        pool.claimable -= uint128(amount);
        pool.distributed += uint128(amount);
        _pools[index] = pool;
        amount += _takeBaseReward(pool);
        if (amount == 0) return;
        _owe(beneficiary, amount);
        emit DistributeReward(index, beneficiary, minerId, amount);
    }

    /// @notice Adds the value of the call to what base rewards are paid from.
    function donate() external payable {
        totalBaseReward += msg.value;
        emit Donated(msg.sender, msg.value);
    }

    /// @notice Sets the wei paid for each accepted answer out of donations.
    function setBaseReward(uint256 amount) external onlyAdmin {
        baseReward = amount;
        emit BaseRewardSet(amount);
    }

    /// @notice Sets the treasury's share of later fees in ten-thousandths.
    function setServiceFeeRate(uint256 bps) external onlyAdmin {
        if (bps > WHOLE) revert ServiceFeeTooHigh(bps);
        serviceFeeRateBps = uint16(bps);
        emit ServiceFeeSet(treasury, bps);
    }

    /// @notice Sets who gets the share of later fees.
    function setTreasury(address treasury_) external onlyAdmin {
        if (treasury_ == address(0)) revert ZeroAddress();
        treasury = treasury_;
        emit ServiceFeeSet(treasury_, serviceFeeRateBps);
    }

    /// @notice Sectors of a pricing chunk.
    function sectorsPerPrice() external view override(IFeeReward, IMineReward) returns (uint256) {
        return _sectorsPerPrice;
    }

    /// @notice The pool of pricing chunk `index`, as of its last change.
    function rewards(uint256 index) external view returns (Reward memory) {
        Pool storage pool = _pools[index];
        return Reward(pool.locked, pool.claimable, pool.distributed, pool.startTime, pool.lastUpdate);
    }

    /// @notice Half of what an answer about pricing chunk `index` would find released now: what it would earn from its pool.
    function claimableNow(uint256 index) external view returns (uint256) {
        Pool memory pool = _pools[index];
        if (pool.startTime == 0) return 0;
        return (pool.claimable + _released(pool) + _releasedBeside(index, pool)) / 2;
    }

    /// @dev Part of `pool.locked` that time has released since its last update. Its chunk is finished.
    function _released(Pool memory pool) internal view virtual returns (uint256);

    /// @dev What time has released of anything else that is locked for a chunk. Its chunk is finished.
    function _releasedBeside(uint256, Pool memory) internal view virtual returns (uint256) {
        return 0;
    }

    /// @dev Takes what `_releasedBeside` says out of where it is locked.
    function _releaseBeside(uint256, Pool memory) internal virtual returns (uint256) {
        return 0;
    }

    /// @dev Whether an answer about a chunk earns a base reward.
    function _earnsBaseReward(Pool memory pool) internal view virtual returns (bool);

    /// @dev The pool with all that is due released, which the caller must store.
    function _settled(uint256 index) internal returns (Pool memory pool) {
        pool = _pools[index];
        if (pool.startTime == 0) return pool;
        uint256 released = _released(pool);
        uint256 beside = _releaseBeside(index, pool);
        pool.locked -= uint128(released);
        pool.claimable += uint128(released + beside);
        pool.lastUpdate = uint40(block.timestamp);
    }

    /// @dev What the treasury leaves of a fee.
    function _afterServiceFee(uint256 fee) internal returns (uint256) {
        uint256 share = (fee * serviceFeeRateBps) / WHOLE;
        if (share > 0) _owe(treasury, share);
        return fee - share;
    }

    function _fill(uint256 index, uint256 amount, bool isFinished) private {
        Pool storage pool = _pools[index];
        if (pool.startTime != 0) revert ChunkFinished(index);
        pool.locked += uint128(amount);
        if (!isFinished) return;
        pool.startTime = uint40(block.timestamp);
        pool.lastUpdate = uint40(block.timestamp);
    }

    function _takeBaseReward(Pool memory pool) private returns (uint256 amount) {
        amount = baseReward;
        if (amount == 0 || !_earnsBaseReward(pool)) return 0;
        uint256 donated = totalBaseReward;
        if (amount > donated) amount = donated;
        totalBaseReward = donated - amount;
    }
}
