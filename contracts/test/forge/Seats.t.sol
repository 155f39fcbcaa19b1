// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Seats} from "../../src/stake/Seats.sol";
import {Test} from "./support/Test.sol";

/// @notice The draw: known answers, and an independent model.
contract SeatsTest is Test {
    /// @dev Source: vectors/consensus.json, "tickets" and "threshold10pct_Q4": a tenth of all votes wins, four quorums.
    function test_knownDraws() public pure {
        Seats.Odds memory odds = Seats.oddsOf(20_480, 2_048, 4, 512);
        assertEq(odds.threshold, 429496728, "threshold");
        assertEq(odds.quorums, 4, "quorums");
        _draws(0x84da6056b73faa7812a7075735be934161c4ea5dd041eccae2a13dcb09ebd059, 7, [uint256(2), 2, 2, 1]);
        _draws(0x5b46c1f1f3146b4c12918aae55f06b1d5a35c157270690d8ecf897a20a2dc268, 6, [uint256(1), 2, 1, 2]);
        _draws(0xa6105e2bd4ee3f58ef79022175b9b42961b375e60ed96d5c0eaaaf73f84dce93, 7, [uint256(2), 1, 3, 1]);
        _draws(0x2d707dbedf34f6134041ccfdb96abfc1301cbfca250b8eab6ed3f0c63501d3d4, 10, [uint256(3), 3, 3, 1]);
    }

    /// @dev Source: vectors/consensus.json, "certificateCase": five signers of 8 votes play for 20 seats.
    function test_knownSeatsOfACommittee() public pure {
        Seats.Odds memory odds = Seats.oddsOf(40, 20, 1, 512);
        assertEq(odds.threshold, 2147483648, "threshold");
        _wins(0x84da6056b73faa7812a7075735be934161c4ea5dd041eccae2a13dcb09ebd059, 4);
        _wins(0x5b46c1f1f3146b4c12918aae55f06b1d5a35c157270690d8ecf897a20a2dc268, 4);
        _wins(0xa6105e2bd4ee3f58ef79022175b9b42961b375e60ed96d5c0eaaaf73f84dce93, 2);
        _wins(0x2d707dbedf34f6134041ccfdb96abfc1301cbfca250b8eab6ed3f0c63501d3d4, 4);
        _wins(0xd93dbb98c5166616e2b859b209a71bd8ea89e149a8ecfd663668f4bad5913828, 4);
    }

    function test_withFewVotesEverybodyWins() public pure {
        Seats.Odds memory odds = Seats.oddsOf(4, 2_048, 4, 512);
        assertEq(odds.quorums, 1, "quorums");
        (uint256 packed, uint256 total) = Seats.draw(keccak256("any"), 1, odds);
        assertEq(packed, 1, "packed");
        assertEq(total, 1, "total");
        odds = Seats.oddsOf(2_048, 2_048, 4, 512);
        assertEq(odds.threshold, 1 << 32, "as many votes as seats");
        assertEq(odds.quorums, 4, "quorums");
        odds = Seats.oddsOf(100_000, 2_048, 16, 1);
        assertEq(odds.quorums, 16, "at most");
        assertEq(odds.threshold % 16, 0, "even over quorums");
    }

    function testFuzz_seatsMatchTheModel(bytes32 beta, uint256 votes, uint256 total, uint256 target, uint256 quorums)
        public
        pure
    {
        votes = bound(votes, 0, 1024);
        total = bound(total, 1, type(uint32).max);
        target = bound(target, 1, 32_768);
        quorums = bound(quorums, 1, 16);
        Seats.Odds memory odds = Seats.oddsOf(total, target, quorums, 1);
        (uint256 packed, uint256 seats) = Seats.draw(beta, votes, odds);
        uint256[16] memory model;
        uint256 sum = 0;
        uint256 limit = total <= target ? 2 ** 32 : (target * 2 ** 32 / total) / odds.quorums * odds.quorums;
        for (uint256 i = 0; i < votes; ++i) {
            uint256 chance = uint32(uint256(keccak256(abi.encode(beta, i / 8))) / 2 ** (32 * (i % 8)));
            if (chance >= limit) continue;
            ++model[chance % odds.quorums];
            ++sum;
        }
        assertEq(seats, sum, "total");
        for (uint256 quorum = 0; quorum < odds.quorums; ++quorum) {
            assertEq(Seats.seatsOf(packed, quorum), model[quorum], "seats");
        }
        assertEq(odds.quorums, _least(quorums, _least(total, target)), "quorums");
    }

    /// @dev With no more votes than the expected number of contributors each signer owes; otherwise about as many as expected.
    function test_contributorsAreDrawnByVotes() public pure {
        for (uint256 i = 0; i < 32; ++i) {
            assertTrue(Seats.mustContribute("seed", address(uint160(i)), 1, 32, 32), "small network");
        }
        uint256 drawn = 0;
        for (uint256 i = 0; i < 1000; ++i) {
            if (Seats.mustContribute("seed", address(uint160(i)), 5, 5000, 32)) ++drawn;
        }
        assertTrue(drawn > 15 && drawn < 55, "about thirty-two of a thousand");
        assertTrue(!Seats.mustContribute("seed", address(1), 0, 5000, 32), "without votes");
    }

    function _draws(bytes32 beta, uint256 total, uint256[4] memory seats) private pure {
        (uint256 packed, uint256 all) = Seats.draw(beta, 64, Seats.oddsOf(20_480, 2_048, 4, 512));
        assertEq(all, total, "total");
        for (uint256 quorum = 0; quorum < 4; ++quorum) {
            assertEq(Seats.seatsOf(packed, quorum), seats[quorum], "seats");
        }
    }

    function _wins(bytes32 beta, uint256 seats) private pure {
        (, uint256 all) = Seats.draw(beta, 8, Seats.oddsOf(40, 20, 1, 512));
        assertEq(all, seats, "seats");
    }

    function _least(uint256 one, uint256 other) private pure returns (uint256) {
        return one < other ? one : other;
    }
}
