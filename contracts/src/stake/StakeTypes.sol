// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a stake hub is made with.
/// @param tokensPerVote wei behind one vote, not zero
/// @param maxVotes most votes of one account, at most 1,024
/// @param unbondDelay seconds from a request until the stake leaves; long enough that nobody still believes the signer
/// @param maxCaseTime most seconds for which a case keeps stake frozen
/// @param maxCases most cases that freeze one account at a time
/// @param reporterBps ten-thousandths of a slash that go to whom the module names; the rest is burnt
struct StakeParameters {
    uint128 tokensPerVote;
    uint32 maxVotes;
    uint64 unbondDelay;
    uint64 maxCaseTime;
    uint32 maxCases;
    uint16 reporterBps;
}

/// @notice The stake of one account.
/// @param bonded wei that count for votes, reserved ones included
/// @param reserved part of `bonded` that is promised to the victims of open cases and counts for no votes
/// @param unbonding wei on their way out, which can be slashed until they are withdrawn
/// @param freezes cases that keep the account from withdrawing
/// @param roles sum of the account's `ROLE_` bits
/// @param jailedUntil last epoch without votes, type(uint32).max for ever; zero for an account that is not jailed
/// @param votes VoteRing of the account
/// @param owed wei slashed while they were reserved, burnt once they are released
struct Account {
    uint128 bonded;
    uint128 reserved;
    uint128 unbonding;
    uint32 freezes;
    uint32 roles;
    uint32 jailedUntil;
    uint256 votes;
    uint128 owed;
}

/// @notice Stake on its way out.
/// @param amount wei
/// @param unlock Unix second from which it can be withdrawn
struct Unbonding {
    uint128 amount;
    uint64 unlock;
}
