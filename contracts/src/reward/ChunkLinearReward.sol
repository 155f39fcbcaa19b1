// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPriceMarket} from "../log/IPriceMarket.sol";
import {IFlow} from "../pora/IFlow.sol";
import {ChunkRewardBase} from "./ChunkRewardBase.sol";

/// @title ChunkLinearReward
/// @notice A pricing chunk's fees are released evenly over `releaseSeconds` from the moment it is full. Then its time is over,
/// unless someone renews sectors of it.
/// @dev A chunk's time is counted in terms of `releaseSeconds` each: the upload pays for term 0, a renewal for later ones of
/// certain sectors. What is paid for a term is released within it, so that no later payment changes when an earlier one is
/// due. Where a term is under way, what is left of its payment is spread over what is left of its time.
contract ChunkLinearReward is ChunkRewardBase {
    /// @notice Most terms that one call renews for.
    uint256 public constant MAX_TERMS = 64;

    /// @notice Seconds of a term.
    uint256 public immutable releaseSeconds;

    /// @notice Wei that renewals paid for a term of a chunk and that are not released, as of the chunk's last change.
    mapping(uint256 index => mapping(uint256 term => uint256)) public lockedFor;

    /// @dev Last term that any sectors of a chunk are paid for.
    mapping(uint256 index => uint256) private _lastTerm;

    /// @dev Last term that sectors within one chunk are paid for, by the first and their number.
    mapping(uint256 start => mapping(uint256 sectors => uint256)) private _lastTermOf;

    /// @dev Chunks of which sectors were renewed.
    uint256[] private _renewed;

    /// @notice `payer` renewed `sectors` sectors from `start` on, which lie in one pricing chunk, up to and with term `lastTerm`.
    event Renewed(
        address indexed payer, uint256 indexed start, uint256 indexed sectors, uint256 lastTerm, uint256 amount
    );

    /// @notice A term has at least one second, and at most 2^32.
    error BadReleaseTime(uint256 releaseSeconds);

    /// @notice There are no such sectors: the flow holds `length`.
    error NotInFlow(uint256 start, uint256 sectors, uint256 length);

    /// @notice A renewal is for 1 to 64 terms.
    error BadTerms(uint256 terms);

    /// @notice The renewal costs `cost` wei.
    error RenewalUnderpaid(uint256 cost, uint256 paid);

    /// @param sectorsPerPrice_ sectors of a pricing chunk
    /// @param releaseSeconds_ seconds of a term: how long an upload pays for
    constructor(
        uint256 sectorsPerPrice_,
        uint256 releaseSeconds_,
        address market_,
        address mine_,
        address initialAdmin
    ) ChunkRewardBase(sectorsPerPrice_, market_, mine_, initialAdmin) {
        if (releaseSeconds_ == 0 || releaseSeconds_ > type(uint32).max) revert BadReleaseTime(releaseSeconds_);
        releaseSeconds = releaseSeconds_;
    }

    /// @notice Pays for `sectors` sectors of the flow from `start` on, such as a file's, for so many terms more than they are
    /// paid for. Anyone may, at the market's price of now; the rest of the value comes back.
    /// @dev Sectors whose time is over are paid for from now to the end of the term that is under way, which counts as one.
    /// Reverts with NotInFlow, BadTerms, RenewalUnderpaid or PaymentFailed.
    function renew(uint256 start, uint256 sectors, uint256 terms) external payable {
        _requireInFlow(start, sectors);
        if (terms == 0 || terms > MAX_TERMS) revert BadTerms(terms);
        uint256 price = IPriceMarket(market).pricePerSector();
        uint256 cost = 0;
        for (uint256 end = start + sectors; start < end;) {
            uint256 count = _countInChunk(start, end);
            cost += _renewInChunk(start, count, terms, price);
            start += count;
        }
        if (cost > msg.value) revert RenewalUnderpaid(cost, msg.value);
        if (cost < msg.value) _pay(msg.sender, msg.value - cost);
    }

    /// @notice What `renew` costs now, in wei.
    function renewalCost(uint256 start, uint256 sectors, uint256 terms) external view returns (uint256 cost) {
        uint256 price = IPriceMarket(market).pricePerSector();
        for (uint256 end = start + sectors; start < end;) {
            uint256 count = _countInChunk(start, end);
            (uint256 first, uint256 current) = _nextTerm(start, count);
            for (uint256 term = first; term < first + terms; ++term) {
                cost += _costOf(start / _sectorsPerPrice, term, current, count * price);
            }
            start += count;
        }
    }

    /// @notice Unix second until which sectors are paid for, the earliest of all; zero while their chunk is not full.
    /// @dev Counts what was renewed for exactly these sectors, cut where pricing chunks meet.
    function paidUntil(uint256 start, uint256 sectors) external view returns (uint256 until) {
        until = type(uint256).max;
        for (uint256 end = start + sectors; start < end;) {
            uint256 count = _countInChunk(start, end);
            uint256 piece = _endOf(start / _sectorsPerPrice, _lastTermOf[start][count]);
            if (piece < until) until = piece;
            start += count;
        }
    }

    /// @notice Unix second until which any sectors of pricing chunk `index` are paid for; zero while it is not full.
    function rewardDeadline(uint256 index) external view returns (uint256) {
        return _endOf(index, _lastTerm[index]);
    }

    /// @notice The first pricing chunk of which anything is still paid for, and the time as of which that holds.
    /// @dev For calls off the chain: reads all chunks that were renewed.
    function firstRewardableChunk() external view returns (uint64 index, uint256 time) {
        uint256 high = 1024;
        while (_isOver(high, 0)) high *= 2;
        uint256 low = 0;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (_isOver(middle, 0)) low = middle + 1;
            else high = middle;
        }
        for (uint256 i = 0; i < _renewed.length; ++i) {
            uint256 renewed = _renewed[i];
            if (renewed < low && !_isOver(renewed, _lastTerm[renewed])) low = renewed;
        }
        return (uint64(low), block.timestamp);
    }

    /// @inheritdoc ChunkRewardBase
    function _released(Pool memory pool) internal view override returns (uint256) {
        return _partOf(pool.locked, pool.lastUpdate, pool.startTime, pool.startTime + releaseSeconds);
    }

    /// @inheritdoc ChunkRewardBase
    function _releasedBeside(uint256 index, Pool memory pool) internal view override returns (uint256 released) {
        (uint256 first, uint256 last) = _openTerms(index, pool);
        for (uint256 term = first; term <= last; ++term) {
            released += _releasedOf(index, term, pool);
        }
    }

    /// @inheritdoc ChunkRewardBase
    function _releaseBeside(uint256 index, Pool memory pool) internal override returns (uint256 released) {
        (uint256 first, uint256 last) = _openTerms(index, pool);
        for (uint256 term = first; term <= last; ++term) {
            uint256 part = _releasedOf(index, term, pool);
            if (part == 0) continue;
            lockedFor[index][term] -= part;
            released += part;
        }
    }

    /// @inheritdoc ChunkRewardBase
    /// @dev Within term 0 only: a renewal of one sector must not open the donations to a whole chunk.
    function _earnsBaseReward(Pool memory pool) internal view override returns (bool) {
        return pool.startTime != 0 && block.timestamp < pool.startTime + releaseSeconds;
    }

    function _renewInChunk(uint256 start, uint256 sectors, uint256 terms, uint256 price)
        private
        returns (uint256 cost)
    {
        uint256 index = start / _sectorsPerPrice;
        // What was paid for a term that is under way must have been released up to now before more is added to it.
        _pools[index] = _settled(index);
        (uint256 term, uint256 current) = _nextTerm(start, sectors);
        for (uint256 end = term + terms; term < end; ++term) {
            uint256 fee = _costOf(index, term, current, sectors * price);
            lockedFor[index][term] += _afterServiceFee(fee);
            cost += fee;
        }
        _lastTermOf[start][sectors] = --term;
        uint256 lastOfChunk = _lastTerm[index];
        if (lastOfChunk == 0) _renewed.push(index);
        if (lastOfChunk < term) _lastTerm[index] = term;
        emit Renewed(msg.sender, start, sectors, term, cost);
    }

    /// @dev First term that sectors are not paid for and that is not over, and the one that is under way in their chunk.
    function _nextTerm(uint256 start, uint256 sectors) private view returns (uint256 term, uint256 current) {
        uint256 startTime = _pools[start / _sectorsPerPrice].startTime;
        current = startTime == 0 ? 0 : (block.timestamp - startTime) / releaseSeconds;
        term = _lastTermOf[start][sectors] + 1;
        if (term < current) term = current;
    }

    /// @dev What a term costs at `fee` for a whole one: of the one that is under way, only the rest.
    function _costOf(uint256 index, uint256 term, uint256 current, uint256 fee) private view returns (uint256) {
        if (term != current) return fee;
        return (fee * (_endOf(index, term) - block.timestamp)) / releaseSeconds;
    }

    /// @dev Terms that renewals paid for and of which something may have been released since the pool's last update.
    function _openTerms(uint256 index, Pool memory pool) private view returns (uint256 first, uint256 last) {
        first = (pool.lastUpdate - pool.startTime) / releaseSeconds;
        if (first == 0) first = 1;
        last = (block.timestamp - pool.startTime) / releaseSeconds;
        uint256 paid = _lastTerm[index];
        if (last > paid) last = paid;
    }

    function _releasedOf(uint256 index, uint256 term, Pool memory pool) private view returns (uint256) {
        uint256 begin = pool.startTime + term * releaseSeconds;
        return _partOf(lockedFor[index][term], pool.lastUpdate, begin, begin + releaseSeconds);
    }

    /// @dev Part of `locked`, which is released evenly until `end`, that is due since the later of `begin` and `update`.
    function _partOf(uint256 locked, uint256 update, uint256 begin, uint256 end) private view returns (uint256) {
        if (block.timestamp >= end) return locked;
        if (update < begin) update = begin;
        if (block.timestamp <= update) return 0;
        return (locked * (block.timestamp - update)) / (end - update);
    }

    function _endOf(uint256 index, uint256 term) private view returns (uint256) {
        uint256 startTime = _pools[index].startTime;
        return startTime == 0 ? 0 : startTime + (term + 1) * releaseSeconds;
    }

    function _isOver(uint256 index, uint256 lastTerm) private view returns (bool) {
        uint256 end = _endOf(index, lastTerm);
        return end != 0 && end < block.timestamp;
    }

    /// @dev Sectors from `start` to the end of its chunk, or to `end` if that comes first.
    function _countInChunk(uint256 start, uint256 end) private view returns (uint256) {
        uint256 chunkEnd = (start / _sectorsPerPrice + 1) * _sectorsPerPrice;
        return (end < chunkEnd ? end : chunkEnd) - start;
    }

    function _requireInFlow(uint256 start, uint256 sectors) private view {
        (uint256 length,) = IFlow(IPriceMarket(market).flow()).tree();
        if (sectors == 0 || sectors > length || start > length - sectors) revert NotInFlow(start, sectors, length);
    }
}
