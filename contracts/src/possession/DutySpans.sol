// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PullPayments} from "../PullPayments.sol";
import {DutySets} from "./DutySets.sol";
import {PossessionPeriods} from "./PossessionPeriods.sol";
import {Span} from "./PossessionTypes.sol";

/// @title DutySpans
/// @notice Periods of duties that someone paid for, and what became of each: it is settled once.
/// @dev Spans of a duty follow each other without overlapping, so a period is in one of them at most.
abstract contract DutySpans is DutySets, PossessionPeriods, PullPayments {
    mapping(uint256 id => Span[]) private _spans;

    /// @dev Periods that were answered, reported or paid back, a bit each.
    mapping(uint256 id => mapping(uint256 word => uint256)) private _settled;

    /// @notice `payer` paid for periods [from, until): span number `span` of the duty.
    event Funded(uint256 indexed id, uint256 indexed span, address indexed payer, uint64 from, uint64 until);

    /// @notice The payer of a span got the pay of `periods` of its periods back.
    event Refunded(uint256 indexed id, uint256 indexed span, uint64 periods);

    /// @notice Nobody paid for the period in this span, or the duty had ended.
    error NotOwed(uint64 period);

    /// @notice The period was answered, reported or paid back.
    error PeriodSettled(uint64 period);

    /// @notice The duty has not ended.
    error NotClosed(uint256 id);

    /// @notice Nobody paid for a span with this number.
    error UnknownSpan(uint256 span);

    /// @notice Gives the pay of a period back that was neither answered nor reported in time, such as one without a seed.
    /// Anyone may. Reverts with NotOwed, PeriodSettled or TooEarly.
    function refundLapsed(uint256 id, uint256 span, uint64 period) external {
        address payer = _settle(id, span, period);
        _requireAfter(reportEnd(period));
        _owe(payer, _duties[id].price);
        emit Refunded(id, span, 1);
    }

    /// @notice Gives the pay of a span's periods back that come after the duty's end. Anyone may. Reverts with NotClosed or
    /// UnknownSpan.
    function refundClosed(uint256 id, uint256 span) external {
        uint64 end = _duties[id].endPeriod;
        if (end == 0) revert NotClosed(id);
        if (span >= _spans[id].length) revert UnknownSpan(span);
        Span storage paid = _spans[id][span];
        uint64 from = paid.from < end ? end : paid.from;
        if (paid.until <= from) return;
        uint64 periods = paid.until - from;
        paid.until = uint48(from);
        _owe(paid.payer, uint256(_duties[id].price) * periods);
        emit Refunded(id, span, periods);
    }

    /// @notice The spans that duty `id` was paid for, by their numbers.
    function spansOf(uint256 id) external view returns (Span[] memory) {
        return _spans[id];
    }

    /// @notice Whether `period` was answered, reported or paid back.
    function isSettled(uint256 id, uint64 period) external view returns (bool) {
        return (_settled[id][period >> 8] >> (period & 0xff)) & 1 == 1;
    }

    /// @dev Appends a span that the caller paid for: after the last one, or from the next period that can still change.
    function _addSpan(uint256 id, uint32 periods) internal {
        Span[] storage spans = _spans[id];
        uint64 from = nextPeriod();
        uint256 number = spans.length;
        if (number > 0 && spans[number - 1].until > from) from = spans[number - 1].until;
        spans.push(Span(uint48(from), uint48(from + periods), msg.sender));
        emit Funded(id, number, msg.sender, from, from + periods);
    }

    /// @dev Marks a period of a span as settled.
    function _settle(uint256 id, uint256 span, uint64 period) internal returns (address payer) {
        if (span >= _spans[id].length) revert NotOwed(period);
        Span memory paid = _spans[id][span];
        uint64 end = _duties[id].endPeriod;
        bool isPaid = period >= paid.from && period < paid.until;
        if (!isPaid || (end != 0 && period >= end)) revert NotOwed(period);
        uint256 word = _settled[id][period >> 8];
        uint256 bit = 1 << (period & 0xff);
        if (word & bit != 0) revert PeriodSettled(period);
        _settled[id][period >> 8] = word | bit;
        return paid.payer;
    }
}
