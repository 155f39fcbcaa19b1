// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a sortition is made with. Offsets are blocks from the start of an epoch.
/// @param genesisDelay blocks from deployment until the first epoch begins
/// @param genesisSalt goes into the first seed in place of a seed before it
/// @param epochBlocks length of an epoch
/// @param openBlocks offset from which changes of stake, role and key count an epoch later
/// @param finalityBlocks blocks after which this chain does not go back
/// @param ticketEnd offset at which tickets close
/// @param quietBlocks blocks from there to the block whose entropy goes into the next seed
/// @param secondsPerBlock upper estimate; too low a number ends epochs before the next begins
/// @param seatTarget seats that an epoch has on average, or all votes where there are fewer; at most 32,768
/// @param maxQuorums most data-availability quorums, at most 16
/// @param seatsPerQuorum seats for which there is one quorum more
/// @param contributors signers that are expected to owe a contribution to the seed
/// @param missPenaltyBps ten-thousandths of its stake that a signer loses with a contribution that it owed
/// @param suspensionEpochs epochs after that without votes
/// @param minSeatBps ten-thousandths of the seats without which an epoch carries the members before it over
/// @param maxCarry most epochs in a row that are carried over, at most 255; one more halts
/// @param maxRetentionEpochs most epochs for which blobs are kept
/// @param trustingPeriod seconds for which another chain or a light client takes a header
/// @param challengeWindow seconds after a blob's end in which its absence can still be claimed
/// @param evidenceTime seconds for which evidence must still find its stake
struct SortitionParameters {
    uint32 genesisDelay;
    bytes32 genesisSalt;
    uint32 epochBlocks;
    uint32 openBlocks;
    uint32 finalityBlocks;
    uint32 ticketEnd;
    uint32 quietBlocks;
    uint32 secondsPerBlock;
    uint32 seatTarget;
    uint32 maxQuorums;
    uint32 seatsPerQuorum;
    uint32 contributors;
    uint16 missPenaltyBps;
    uint16 suspensionEpochs;
    uint16 minSeatBps;
    uint16 maxCarry;
    uint32 maxRetentionEpochs;
    uint64 trustingPeriod;
    uint64 challengeWindow;
    uint64 evidenceTime;
}

/// @notice Where an epoch is on its way. Each prepares the next one.
enum Phase {
    Open, // changes count two epochs on
    Closed, // changes count three epochs on; the votes of two epochs on are settling
    Tickets, // signers post tickets for the next epoch
    Quiet, // what was contributed is fixed, the entropy block is not there yet
    Seal, // anyone may seal the next epoch
    Sealed, // the next epoch waits for its start; its header is handed over
    Halted // too many epochs in a row had too few seats; governance restarts
}
