// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title VoteRing
/// @notice Votes by epoch in one word: the four newest changes, each the first epoch it counts in and the votes from there.
/// @dev Changes made in epoch n count from n + 2 or n + 3, so at most those of n + 1, n + 2 and n + 3 lie ahead, and the
/// fourth still answers for n. Nobody asks for earlier epochs. Pair 0 is the newest: 32 bits of epoch above 32 of votes.
library VoteRing {
    uint256 private constant PAIR_BITS = 64;

    /// @notice Votes in `epoch`; zero before the oldest change that is still known.
    function votesIn(uint256 ring, uint64 epoch) internal pure returns (uint32) {
        for (; ring != 0; ring >>= PAIR_BITS) {
            if (uint32(ring >> 32) <= epoch) return uint32(ring);
        }
        return 0;
    }

    /// @notice Votes after the newest change.
    function newest(uint256 ring) internal pure returns (uint32) {
        return uint32(ring);
    }

    /// @notice The ring with `votes` from `epoch` on. A second change for the same epoch takes the place of the first.
    function set(uint256 ring, uint64 epoch, uint32 votes) internal pure returns (uint256) {
        uint256 pair = (uint256(uint32(epoch)) << 32) | votes;
        if (uint32(ring >> 32) == epoch) return ((ring >> PAIR_BITS) << PAIR_BITS) | pair;
        return (ring << PAIR_BITS) | pair;
    }
}
