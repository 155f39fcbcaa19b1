// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";
import {IStakeClock} from "./IStakeClock.sol";
import {Account, StakeParameters, Unbonding} from "./StakeTypes.sol";
import {VoteRing} from "./VoteRing.sol";

/// @title StakeBook
/// @notice Accounts, the votes that their stake gives, and the way in and out.
/// @dev A change of stake or role counts from the epoch that the clock names, never at once: votes of an epoch are final
/// before anybody can know what its draw will be. Nothing here loops over accounts.
abstract contract StakeBook is Administered {
    using VoteRing for uint256;

    /// @notice Role of accounts that take part in quorums; the only one with votes.
    uint32 public constant ROLE_SIGNER = 1;

    /// @notice Role of accounts that mine.
    uint32 public constant ROLE_MINER = 2;

    /// @notice Role of accounts that compute for others.
    uint32 public constant ROLE_PROVIDER = 4;

    /// @notice `jailedUntil` of an account that never comes back.
    uint32 public constant FOREVER = type(uint32).max;

    /// @notice Most withdrawals that one account has under way.
    uint256 public constant MAX_UNBONDS = 8;

    /// @notice Wei behind one vote.
    uint128 public immutable tokensPerVote;

    /// @notice Most votes of one account.
    uint32 public immutable maxVotes;

    /// @notice Seconds from a request to unbond until its stake leaves.
    uint64 public immutable unbondDelay;

    /// @notice Seconds, beyond the unbonding delay, that stakers have to see what governance named.
    uint64 public constant NOTICE = 7 days;

    /// @notice Says which epochs a change counts in; zero until governance has set it.
    IStakeClock public clock;

    /// @dev Whether anybody has bonded. Shares a slot with the clock.
    bool private _hasStake;

    /// @notice Clock that may take over from Unix second `nextClockFrom` on; zero for none.
    IStakeClock public nextClock;
    uint64 public nextClockFrom;

    /// @notice Wei that slashes took and nobody gets.
    uint256 public burnt;

    mapping(address owner => Account) internal _accounts;
    mapping(address owner => Unbonding[]) private _queues;
    uint256 private _totalVotes;

    /// @notice `owner` added stake.
    event Bonded(address indexed owner, uint256 amount);

    /// @notice `owner` takes stake out, at Unix second `unlock` or later.
    event UnbondRequested(address indexed owner, uint256 amount, uint64 unlock);

    /// @notice `owner` was paid stake.
    event Withdrawn(address indexed owner, uint256 amount);

    /// @notice `owner` has `roles`, a sum of `ROLE_` bits.
    event RolesChanged(address indexed owner, uint32 roles);

    /// @notice `owner` has `votes` from `fromEpoch` on.
    event VotesChanged(address indexed owner, uint64 fromEpoch, uint32 votes);

    /// @notice A jailed account may have votes again.
    event Rejoined(address indexed owner);

    /// @notice Governance replaced the clock.
    event ClockSet(address indexed clock);

    /// @notice Governance named a clock, which may take over from Unix second `from` on.
    event ClockNamed(address indexed clock, uint64 from);

    /// @notice What governance named counts from Unix second `from` on.
    error TooSoon(uint64 from);

    /// @notice A parameter is outside its range.
    error BadStakeParameter();

    /// @notice Governance has not set a clock yet.
    error ClockUnset();

    /// @notice The new clock's target lies before the old one's, so that votes already counted would change.
    error ClockBehind(uint64 target, uint64 previous);

    /// @notice More than what is bonded and not reserved: `available` wei.
    error LiabilityExceeded(uint256 available);

    /// @notice Eight withdrawals are under way.
    error TooManyUnbonds();

    /// @notice Nothing is on its way out.
    error NothingUnbonding();

    /// @notice Stake leaves at Unix second `until`, not before.
    error Locked(uint64 until);

    /// @notice An open case keeps the account's stake.
    error InFreeze();

    /// @notice `roles` has a bit that is no role.
    error UnknownRole(uint32 roles);

    /// @notice The account is not jailed.
    error NotJailed();

    /// @notice The account has no votes up to and including epoch `until`.
    error StillJailed(uint32 until);

    /// @notice `receiver` did not take `amount` wei.
    error PaymentFailed(address receiver, uint256 amount);

    constructor(StakeParameters memory parameters) {
        bool sound = parameters.tokensPerVote > 0 && parameters.maxVotes > 0 && parameters.maxVotes <= 1024;
        if (!sound || parameters.unbondDelay > type(uint32).max) revert BadStakeParameter();
        tokensPerVote = parameters.tokensPerVote;
        maxVotes = parameters.maxVotes;
        unbondDelay = parameters.unbondDelay;
    }

    /// @notice Names the contract that tells epochs. Once there is stake, the first call with a clock names it, and a second
    /// one puts it in place when everybody could have left: a clock that fails would keep stake in. Reverts with TooSoon or
    /// ClockBehind.
    function setClock(IStakeClock next) external onlyAdmin {
        if (address(next) == address(0)) revert ZeroAddress();
        uint64 from = _effectiveFrom();
        if (from > block.timestamp) {
            if (address(next) != address(nextClock)) {
                (nextClock, nextClockFrom) = (next, from);
                emit ClockNamed(address(next), from);
                return;
            }
            if (block.timestamp < nextClockFrom) revert TooSoon(nextClockFrom);
        }
        if (address(clock) != address(0)) {
            (uint64 target, uint64 previous) = (next.targetEpoch(), clock.targetEpoch());
            if (target < previous) revert ClockBehind(target, previous);
        }
        clock = next;
        (nextClock, nextClockFrom) = (IStakeClock(address(0)), 0);
        emit ClockSet(address(next));
    }

    /// @notice Adds the value of the call to the caller's stake.
    function bond() external payable {
        _accounts[msg.sender].bonded += uint128(msg.value);
        if (!_hasStake) _hasStake = true;
        emit Bonded(msg.sender, msg.value);
        _refreshVotes(msg.sender);
    }

    /// @notice Takes `amount` wei out of the votes, and out of the contract once `unbondDelay` has passed. Reverts with
    /// LiabilityExceeded or TooManyUnbonds.
    function requestUnbond(uint128 amount) external {
        Account storage account = _accounts[msg.sender];
        uint256 available = account.bonded - account.reserved;
        if (amount > available) revert LiabilityExceeded(available);
        Unbonding[] storage queue = _queues[msg.sender];
        if (queue.length == MAX_UNBONDS) revert TooManyUnbonds();
        uint64 unlock = uint64(block.timestamp) + unbondDelay;
        queue.push(Unbonding(amount, unlock));
        account.bonded -= amount;
        account.unbonding += amount;
        emit UnbondRequested(msg.sender, amount, unlock);
        _refreshVotes(msg.sender);
    }

    /// @notice Pays the caller every withdrawal whose time has come. Reverts with InFreeze, NothingUnbonding or Locked.
    function withdraw() external {
        Account storage account = _accounts[msg.sender];
        if (account.freezes > 0) revert InFreeze();
        uint256 amount = _takeUnlocked(_queues[msg.sender]);
        account.unbonding -= uint128(amount);
        emit Withdrawn(msg.sender, amount);
        _pay(msg.sender, amount);
    }

    /// @notice Sets the caller's roles, a sum of `ROLE_` bits.
    function setRoles(uint32 roles) external {
        if (roles & ~(ROLE_SIGNER | ROLE_MINER | ROLE_PROVIDER) != 0) revert UnknownRole(roles);
        _accounts[msg.sender].roles = roles;
        emit RolesChanged(msg.sender, roles);
        _refreshVotes(msg.sender);
    }

    /// @notice Gives a jailed caller its votes back, once changes count in an epoch after its last one without. Reverts with
    /// NotJailed or StillJailed.
    function rejoin() external {
        Account storage account = _accounts[msg.sender];
        uint32 until = account.jailedUntil;
        if (until == 0) revert NotJailed();
        if (until == FOREVER || _target() <= until) revert StillJailed(until);
        account.jailedUntil = 0;
        emit Rejoined(msg.sender);
        _refreshVotes(msg.sender);
    }

    /// @notice Votes of `owner` in `epoch`, for the current epoch and those after it.
    function votesAt(address owner, uint64 epoch) external view returns (uint32) {
        return _accounts[owner].votes.votesIn(epoch);
    }

    /// @notice Votes of all accounts in `epoch`, for the current epoch and those after it.
    function totalVotesAt(uint64 epoch) external view returns (uint64) {
        return _totalVotes.votesIn(epoch);
    }

    /// @notice Everything that is known of `owner`'s stake but the withdrawals under way.
    function accountOf(address owner) external view returns (Account memory) {
        return _accounts[owner];
    }

    /// @notice `owner`'s withdrawals under way, oldest first.
    function unbondingOf(address owner) external view returns (Unbonding[] memory) {
        return _queues[owner];
    }

    /// @dev Unix second from which what governance names now counts: at once while the hub is set up, and later only when
    /// whoever saw it in time and asked for its stake has it.
    function _effectiveFrom() internal view returns (uint64) {
        bool settingUp = !_hasStake || address(clock) == address(0);
        return uint64(block.timestamp) + (settingUp ? 0 : unbondDelay + NOTICE);
    }

    /// @dev Writes the votes that the account's stake gives, if they are others than before.
    function _refreshVotes(address owner) internal {
        Account storage account = _accounts[owner];
        uint32 votes = _votesOf(account);
        uint32 previous = account.votes.newest();
        if (votes == previous) return;
        uint64 target = _target();
        account.votes = account.votes.set(target, votes);
        _changeTotal(target, previous, votes);
        emit VotesChanged(owner, target, votes);
    }

    /// @dev Takes an account's votes at once, and out of the total as any change: the total of an epoch, once final, stays.
    function _clearVotes(address owner) internal {
        Account storage account = _accounts[owner];
        uint32 previous = account.votes.newest();
        if (account.votes == 0) return;
        uint64 target = _target();
        account.votes = VoteRing.set(0, target, 0);
        if (previous != 0) _changeTotal(target, previous, 0);
        emit VotesChanged(owner, target, 0);
    }

    /// @dev Takes up to `amount` out of withdrawals under way, the newest first.
    function _takeUnbonding(address owner, uint256 amount) internal {
        Unbonding[] storage queue = _queues[owner];
        _accounts[owner].unbonding -= uint128(amount);
        for (uint256 i = queue.length; i > 0 && amount > 0; --i) {
            Unbonding storage entry = queue[i - 1];
            uint256 part = entry.amount < amount ? entry.amount : amount;
            entry.amount -= uint128(part);
            amount -= part;
        }
    }

    function _pay(address receiver, uint256 amount) internal {
        (bool success,) = receiver.call{value: amount}("");
        if (!success) revert PaymentFailed(receiver, amount);
    }

    /// @dev Removes the entries whose time has come, which are the first: the delay is the same for all.
    function _takeUnlocked(Unbonding[] storage queue) private returns (uint256 amount) {
        uint256 length = queue.length;
        if (length == 0) revert NothingUnbonding();
        if (queue[0].unlock > block.timestamp) revert Locked(queue[0].unlock);
        uint256 done = 0;
        for (; done < length && queue[done].unlock <= block.timestamp; ++done) {
            amount += queue[done].amount;
        }
        for (uint256 i = done; i < length; ++i) {
            queue[i - done] = queue[i];
        }
        for (uint256 i = 0; i < done; ++i) {
            queue.pop();
        }
    }

    function _changeTotal(uint64 target, uint32 previous, uint32 votes) private {
        _totalVotes = _totalVotes.set(target, _totalVotes.newest() - previous + votes);
    }

    function _votesOf(Account storage account) private view returns (uint32) {
        if (account.roles & ROLE_SIGNER == 0 || account.jailedUntil != 0) return 0;
        uint256 votes = (account.bonded - account.reserved) / tokensPerVote;
        return votes < maxVotes ? uint32(votes) : maxVotes;
    }

    function _target() private view returns (uint64) {
        if (address(clock) == address(0)) revert ClockUnset();
        return clock.targetEpoch();
    }
}
