// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../quorum/Bls.sol";
import {Statements} from "../quorum/Statements.sol";
import {EpochSchedule} from "./EpochSchedule.sol";
import {Groups} from "./Groups.sol";
import {Seats} from "./Seats.sol";
import {SignerRegistry} from "./SignerRegistry.sol";
import {Phase, SortitionParameters} from "./SortitionTypes.sol";
import {StakeHub} from "./StakeHub.sol";

/// @title Tickets
/// @notice Takes the tickets by which signers win seats in the next epoch, and the contributions to the seed after it.
/// @dev A ticket is the signer's signature over the seed: there is exactly one, nobody else can make it, and its hash beta
/// decides the seats. Only winners and contributors post. Contributors are drawn in public, so that one who stays silent
/// can be named.
abstract contract Tickets is EpochSchedule {
    using Groups for Groups.Stored;

    uint256 private constant SPARE_SEEDS = 8;

    /// @notice Keeps stake and votes.
    StakeHub public immutable stakeHub;

    /// @notice Keeps the signers' keys.
    SignerRegistry public immutable registry;

    uint256 internal immutable SEAT_TARGET;
    uint256 internal immutable MAX_QUORUMS;
    uint256 internal immutable SEATS_PER_QUORUM;
    uint256 internal immutable CONTRIBUTORS;

    /// @dev Epochs whose seeds are kept: those in which a blob may still be, two that are prepared, and some to spare.
    uint256 internal immutable SEEDS_KEPT;

    mapping(uint256 group => Groups.Stored) internal _groups;

    /// @dev Seeds, each in the place of one that is kept no longer: a word that is written again costs 17,100 gas less than
    /// a new one. What lies in the place of an epoch is its own only where `seedOf` says so.
    mapping(uint256 place => bytes32) private _seeds;

    /// @dev Xor of the contributions to the epoch of group 0, and of that epoch's seed: a word that is not zero costs less
    /// to change.
    bytes32 private _contributions;

    /// @dev The two newest epochs for which a signer posted a ticket, the newest in the low half.
    mapping(address signer => uint256) private _posted;

    /// @dev What is the same for every ticket of a call.
    struct Round {
        uint64 epoch;
        bytes32 seed;
        uint256 totalVotes;
        bool everyone;
        Seats.Odds odds;
    }

    /// @dev What the tickets of a call add up to; nothing of it is stored before their signatures are checked.
    struct Tally {
        Bls.Batch batch;
        Groups.Open[] groups;
        bytes32 contributions;
    }

    /// @notice `signer`'s ticket for `epoch` counts.
    /// @param seats seats won in all
    /// @param contributor whether it goes into the seed after `epoch`
    /// @param quorumSeats seats by data-availability quorum, 16 bits each, the first lowest
    event Ticket(uint64 indexed epoch, address indexed signer, uint32 seats, bool contributor, uint256 quorumSeats);

    /// @notice At least one ticket is not its signer's signature over the seed.
    error BadTicket();

    /// @notice `signers` tell of another number of tickets than `signatures`.
    error TicketCount(uint256 signers, uint256 signatures);

    /// @notice The first seed has not been drawn.
    error NoSeed();

    constructor(SortitionParameters memory parameters, StakeHub stakeHub_, SignerRegistry registry_) {
        uint256 target = parameters.seatTarget;
        uint256 quorums = parameters.maxQuorums;
        bool sound = target > 0 && target <= 1 << 15 && quorums > 0 && quorums <= 16;
        if (!sound || parameters.seatsPerQuorum == 0 || parameters.contributors == 0) revert BadSortitionParameter();
        stakeHub = stakeHub_;
        registry = registry_;
        SEAT_TARGET = target;
        MAX_QUORUMS = quorums;
        SEATS_PER_QUORUM = parameters.seatsPerQuorum;
        CONTRIBUTORS = parameters.contributors;
        SEEDS_KEPT = uint256(parameters.maxRetentionEpochs) + SPARE_SEEDS;
    }

    /// @notice Posts tickets for the next epoch, from anyone. Reverts with WrongPhase, NoSeed, TicketCount or BadTicket.
    /// @dev Entries without votes or key, repeated ones, and those that neither win nor owe anything are passed over, so that
    /// nobody can spoil a batch by posting one of its tickets first.
    /// @param signatures over `ticketDigest`, in the order of `signers`
    function submitTickets(address[] calldata signers, uint256[8][] calldata signatures) external {
        Round memory round = _round(_require(Phase.Tickets) + 1);
        if (round.seed == 0) revert NoSeed();
        if (signers.length != signatures.length) revert TicketCount(signers.length, signatures.length);
        Tally memory tally;
        tally.batch = Bls.newBatch(signers.length);
        tally.groups = new Groups.Open[](_groupCount(round.odds.quorums));
        for (uint256 i = 0; i < signers.length; ++i) {
            _take(round, tally, signers[i], signatures[i]);
        }
        if (tally.batch.count == 0) return;
        bytes32 digest = Statements.ticket(block.chainid, address(this), round.epoch, round.seed);
        if (!Bls.verifyBatch(tally.batch, Bls.hashToG2(digest))) revert BadTicket();
        _store(round, tally);
    }

    /// @notice What signers sign for `epoch`. Reverts with NoSeed while its seed is unknown.
    function ticketDigest(uint64 epoch) external view returns (bytes32) {
        bytes32 seed = seedOf(epoch);
        if (seed == 0) revert NoSeed();
        return Statements.ticket(block.chainid, address(this), epoch, seed);
    }

    /// @notice The odds of the draw of `epoch`, the current one or later.
    /// @return threshold a vote wins if its 32 bits lie below
    /// @return quorums data-availability quorums
    function oddsOf(uint64 epoch) external view returns (uint256 threshold, uint256 quorums) {
        Seats.Odds memory odds = _oddsOf(stakeHub.totalVotesAt(epoch));
        return (odds.threshold, odds.quorums);
    }

    /// @notice Seats by quorum, packed, and in all, that `votes` votes win in `epoch` with `beta`; the current epoch or later.
    function draw(uint64 epoch, bytes32 beta, uint256 votes) external view returns (uint256 packed, uint256 total) {
        return Seats.draw(beta, votes, _oddsOf(stakeHub.totalVotesAt(epoch)));
    }

    /// @notice Whether `signer` owes a ticket for `epoch`, the current one or the next.
    function isContributor(address signer, uint64 epoch) public view returns (bool) {
        if (seedOf(epoch) == 0) return false;
        return _owes(_round(epoch), signer, stakeHub.votesAt(signer, epoch));
    }

    /// @notice Whether a ticket of `signer` counted for `epoch`, the current one or the next.
    function hasTicket(address signer, uint64 epoch) public view returns (bool) {
        uint256 posted = _posted[signer];
        return epoch != 0 && (uint128(posted) == epoch || posted >> 128 == epoch);
    }

    /// @notice Seed of an epoch; known as soon as the epoch before the one before it is sealed. Zero until then, for an epoch
    /// that a restart jumped over, and once `maxRetentionEpochs` and some more have passed.
    function seedOf(uint64 epoch) public view virtual returns (bytes32);

    /// @dev Seed of an epoch that has one that is kept.
    function _seed(uint64 epoch) internal view returns (bytes32) {
        return _seeds[epoch % SEEDS_KEPT];
    }

    /// @dev Keeps the seed of an epoch, in the place of an old one.
    function _keepSeed(uint64 epoch, bytes32 seed) internal {
        _seeds[epoch % SEEDS_KEPT] = seed;
    }

    /// @dev Xor of the contributions to `epoch`, the one that takes tickets or took them last.
    function _contributionsTo(uint64 epoch) internal view returns (bytes32) {
        return _groups[0].isOf(epoch) ? _contributions ^ _seed(epoch) : bytes32(0);
    }

    /// @dev Whether all signers with votes owe a ticket for `epoch`.
    function _everyoneOwes(uint64 epoch) internal view virtual returns (bool);

    function _oddsOf(uint256 totalVotes) internal view returns (Seats.Odds memory) {
        return Seats.oddsOf(totalVotes, SEAT_TARGET, MAX_QUORUMS, SEATS_PER_QUORUM);
    }

    /// @dev Snapshots of an epoch with so many quorums: the committee is one of its own where there are several.
    function _groupCount(uint256 quorums) internal pure returns (uint256) {
        return quorums == 1 ? 1 : 1 + quorums;
    }

    function _round(uint64 epoch) private view returns (Round memory round) {
        round.epoch = epoch;
        round.seed = _seed(epoch);
        round.totalVotes = stakeHub.totalVotesAt(epoch);
        round.everyone = _everyoneOwes(epoch);
        round.odds = _oddsOf(round.totalVotes);
    }

    /// @dev Counts a ticket, unless it is passed over.
    function _take(Round memory round, Tally memory tally, address signer, uint256[8] calldata signature) private {
        uint256 posted = _posted[signer];
        if (uint128(posted) == round.epoch) return;
        uint256 votes = stakeHub.votesAt(signer, round.epoch);
        bytes32 beta = Statements.beta(signature);
        (uint256 packed, uint256 total) = Seats.draw(beta, votes, round.odds);
        bool contributor = _owes(round, signer, votes);
        if (total == 0 && !contributor) return;
        uint256[3] memory key = registry.keyAt(signer, round.epoch);
        if (key[0] | key[1] | key[2] == 0) return;
        _posted[signer] = (posted << 128) | round.epoch;
        Bls.push(tally.batch, key, signature);
        if (contributor) tally.contributions ^= beta;
        if (total != 0) _seat(tally.groups, round.epoch, signer, key, packed, total);
        emit Ticket(round.epoch, signer, uint32(total), contributor, packed);
    }

    /// @dev Adds a winner to the committee and to each quorum in which it has seats.
    function _seat(
        Groups.Open[] memory groups,
        uint64 epoch,
        address signer,
        uint256[3] memory key,
        uint256 packed,
        uint256 total
    ) private view {
        _groups[0].add(groups[0], epoch, signer, uint32(total), key);
        for (uint256 group = 1; group < groups.length; ++group) {
            uint32 seats = Seats.seatsOf(packed, group - 1);
            if (seats != 0) _groups[group].add(groups[group], epoch, signer, seats, key);
        }
    }

    /// @dev Writes what the tickets add up to. Group 0 is written with the first tickets of an epoch, whether they won or
    /// not: it tells which epoch the contributions are for.
    function _store(Round memory round, Tally memory tally) private {
        bytes32 before = _groups[0].isOf(round.epoch) ? _contributions : round.seed;
        _contributions = before ^ tally.contributions;
        _groups[0].load(tally.groups[0], round.epoch);
        for (uint256 group = 0; group < tally.groups.length; ++group) {
            _groups[group].commit(tally.groups[group], round.epoch, uint64(round.totalVotes));
        }
    }

    function _owes(Round memory round, address signer, uint256 votes) private view returns (bool) {
        if (votes == 0 || round.everyone) return votes != 0;
        return Seats.mustContribute(round.seed, signer, votes, round.totalVotes, CONTRIBUTORS);
    }
}
