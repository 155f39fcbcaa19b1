// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Statements} from "../quorum/Statements.sol";

/// @title Seats
/// @notice The arithmetic of the draw: every vote wins a seat of its own with the same chance.
library Seats {
    /// @dev Draws per hash: 32 bits each.
    uint256 private constant DRAWS_PER_HASH = 8;

    /// @notice What is the same for all tickets of an epoch.
    /// @param threshold a vote wins if its 32 bits lie below
    /// @param quorums data-availability quorums, at least 1
    struct Odds {
        uint256 threshold;
        uint256 quorums;
    }

    /// @notice The odds where `totalVotes` play for `seatTarget` seats. With no more votes than seats every vote wins.
    /// @dev The threshold is a multiple of the number of quorums, so that winners spread evenly over them.
    function oddsOf(uint256 totalVotes, uint256 seatTarget, uint256 maxQuorums, uint256 seatsPerQuorum)
        internal
        pure
        returns (Odds memory odds)
    {
        uint256 seats = totalVotes < seatTarget ? totalVotes : seatTarget;
        odds.quorums = seats / seatsPerQuorum;
        if (odds.quorums > maxQuorums) odds.quorums = maxQuorums;
        if (odds.quorums == 0) odds.quorums = 1;
        odds.threshold = 1 << 32;
        if (totalVotes <= seatTarget) return odds;
        odds.threshold = (seatTarget << 32) / totalVotes;
        odds.threshold -= odds.threshold % odds.quorums;
    }

    /// @notice Seats that `votes` votes win with `beta`.
    /// @return packed seats by quorum, 16 bits each, the first quorum lowest
    /// @return total seats in all
    function draw(bytes32 beta, uint256 votes, Odds memory odds) internal pure returns (uint256 packed, uint256 total) {
        (uint256 threshold, uint256 quorums) = (odds.threshold, odds.quorums);
        // At most 1,024 votes, so neither a counter nor a field of 16 bits can overflow.
        unchecked {
            uint256 word = 0;
            for (uint256 i = 0; i < votes; ++i) {
                if (i % DRAWS_PER_HASH == 0) word = _word(beta, i / DRAWS_PER_HASH);
                uint256 chance = uint32(word);
                word >>= 32;
                if (chance >= threshold) continue;
                ++total;
                packed += 1 << ((chance % quorums) << 4);
            }
        }
    }

    /// @notice Seats of one quorum, from 0, out of a packed draw.
    function seatsOf(uint256 packed, uint256 quorum) internal pure returns (uint32) {
        return uint16(packed >> (quorum << 4));
    }

    /// @notice Whether a signer owes a contribution: drawn in public, in proportion to its votes, `expected` in all.
    function mustContribute(bytes32 seed, address signer, uint256 votes, uint256 totalVotes, uint256 expected)
        internal
        pure
        returns (bool)
    {
        uint256 chance = uint128(uint256(Statements.contributorDraw(seed, signer)));
        return chance * totalVotes < (votes * expected) << 128;
    }

    function _word(bytes32 beta, uint256 place) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            mstore(0x00, beta)
            mstore(0x20, place)
            word := keccak256(0x00, 0x40)
        }
    }
}
