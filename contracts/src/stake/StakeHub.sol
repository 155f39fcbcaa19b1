// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";
import {StakeBook} from "./StakeBook.sol";
import {Account, StakeParameters} from "./StakeTypes.sol";

/// @title StakeHub
/// @notice One stake for every role and every chain of the network, and what it answers for.
/// @dev Modules judge; the hub only keeps the books. The same coin is never promised to two victims: what a case reserves
/// counts for no votes, cannot be reserved again, and pays its own victim before any other slash can take it.
/// Balance = bonded + unbonding of all accounts, rewards that wait, and what is burnt.
contract StakeHub is StakeBook {
    uint256 private constant WHOLE = 10_000;

    /// @dev End of a freeze that has been lifted; its case cannot freeze again.
    uint64 private constant LIFTED = type(uint64).max;

    /// @notice Most seconds for which a case keeps stake frozen.
    uint64 public immutable maxCaseTime;

    /// @notice Most cases that freeze one account at a time.
    uint32 public immutable maxCases;

    /// @notice Ten-thousandths of a slash that go to whom the module names.
    uint16 public immutable reporterBps;

    /// @notice Unix second from which a module may act; zero for what is none.
    mapping(address module => uint64) public moduleFrom;

    /// @notice Wei that an address may collect.
    mapping(address receiver => uint256) public rewardOf;

    mapping(address owner => mapping(bytes32 caseId => uint128)) private _reservations;
    mapping(address owner => mapping(bytes32 caseId => uint64)) private _frozenUntil;

    /// @notice Governance allowed or disallowed a module.
    event ModuleSet(address indexed module, bool allowed);

    /// @notice A case has `amount` of `owner`'s stake for its victim in all.
    event Reserved(address indexed owner, bytes32 indexed caseId, uint256 amount);

    /// @notice `owner` lost `amount` wei, of which `toBeneficiary` went to whom the module named.
    event Slashed(address indexed owner, bytes32 caseId, uint256 amount, uint256 toBeneficiary);

    /// @notice A case keeps `owner` from withdrawing, until Unix second `until` at the latest.
    event Frozen(address indexed owner, bytes32 caseId, uint64 until);

    /// @notice The case no longer keeps `owner` from withdrawing.
    event Unfrozen(address indexed owner, bytes32 caseId);

    /// @notice `owner` has no votes from now until epoch `until` has passed.
    event Jailed(address indexed owner, uint32 until);

    /// @notice `receiver` was paid its rewards.
    event RewardCollected(address indexed receiver, uint256 amount);

    /// @notice Only a module may do this, or do it yet.
    error NotModule();

    /// @notice No open case of this name.
    error CaseUnknown();

    /// @notice The case has frozen this account before.
    error CaseKnown();

    /// @notice The freeze would last longer than `maxCaseTime`.
    error CaseTooLong();

    /// @notice As many cases freeze the account as are allowed.
    error TooManyCases();

    modifier onlyModule() {
        if (!isModule(msg.sender)) revert NotModule();
        _;
    }

    /// @param initialAdmin names the clock and the modules, not zero
    constructor(StakeParameters memory parameters, address initialAdmin)
        Administered(initialAdmin)
        StakeBook(parameters)
    {
        if (parameters.reporterBps > WHOLE || parameters.maxCases == 0) revert BadStakeParameter();
        maxCaseTime = parameters.maxCaseTime;
        maxCases = parameters.maxCases;
        reporterBps = parameters.reporterBps;
    }

    /// @notice Allows or disallows a module. Once there is stake, a new one acts only when everybody could have left: stake
    /// answers to those that its owner has agreed to.
    function setModule(address module, bool allowed) external onlyAdmin {
        if (module == address(0)) revert ZeroAddress();
        if (!allowed) moduleFrom[module] = 0;
        else if (moduleFrom[module] == 0) moduleFrom[module] = _effectiveFrom();
        emit ModuleSet(module, allowed);
    }

    /// @notice Whether a contract may reserve, freeze, slash and jail now.
    function isModule(address module) public view returns (bool) {
        uint64 from = moduleFrom[module];
        return from != 0 && from <= block.timestamp;
    }

    /// @notice Pays the caller what it earned by reports and as a victim.
    function collectReward() external {
        uint256 amount = rewardOf[msg.sender];
        rewardOf[msg.sender] = 0;
        emit RewardCollected(msg.sender, amount);
        _pay(msg.sender, amount);
    }

    /// @notice Sets `amount` of `owner`'s stake aside for the victim of a case. It counts for no votes until released.
    /// Reverts with LiabilityExceeded.
    function reserve(address owner, uint128 amount, bytes32 caseId) external onlyModule {
        Account storage account = _accounts[owner];
        uint256 available = account.bonded - account.reserved;
        if (amount > available) revert LiabilityExceeded(available);
        account.reserved += amount;
        _setReservation(owner, caseId, _reservations[owner][caseId] + amount);
    }

    /// @notice Gives `amount` that a case reserved back to the stake, less what a slash could not take meanwhile. Reverts
    /// with CaseUnknown where the case holds less.
    function release(address owner, uint128 amount, bytes32 caseId) external onlyModule {
        if (_reservations[owner][caseId] < amount) revert CaseUnknown();
        Account storage account = _accounts[owner];
        account.reserved -= amount;
        uint128 due = account.owed < amount ? account.owed : amount;
        account.owed -= due;
        account.bonded -= due;
        burnt += due;
        _setReservation(owner, caseId, _reservations[owner][caseId] - amount);
    }

    /// @notice Keeps `owner` from withdrawing until Unix second `until`, for one case, once. Reverts with CaseKnown,
    /// CaseTooLong or TooManyCases.
    function freeze(address owner, bytes32 caseId, uint64 until) external onlyModule {
        if (_frozenUntil[owner][caseId] != 0) revert CaseKnown();
        if (until <= block.timestamp || until > block.timestamp + maxCaseTime) revert CaseTooLong();
        Account storage account = _accounts[owner];
        if (account.freezes == maxCases) revert TooManyCases();
        ++account.freezes;
        _frozenUntil[owner][caseId] = until;
        emit Frozen(owner, caseId, until);
    }

    /// @notice Lifts a freeze: a module at any time, anyone once its time is over. Reverts with CaseUnknown or NotModule.
    function unfreeze(address owner, bytes32 caseId) external {
        uint64 until = _frozenUntil[owner][caseId];
        if (until == 0 || until == LIFTED) revert CaseUnknown();
        if (block.timestamp < until && !isModule(msg.sender)) revert NotModule();
        _frozenUntil[owner][caseId] = LIFTED;
        --_accounts[owner].freezes;
        emit Unfrozen(owner, caseId);
    }

    /// @notice Takes `bps` ten-thousandths of what `owner` has bonded and unbonding.
    /// @dev First from what this case reserved, which goes to the beneficiary whole. Of the rest the beneficiary gets the
    /// reporter's share and nobody the remainder; what other cases reserved is left to them, and owed once they release it.
    /// @param beneficiary victim or reporter; zero for nobody
    /// @return amount wei taken
    function slash(address owner, uint16 bps, bytes32 caseId, address beneficiary)
        external
        onlyModule
        returns (uint256 amount)
    {
        if (bps > WHOLE) revert BadStakeParameter();
        Account storage account = _accounts[owner];
        uint256 wanted = ((uint256(account.bonded) + account.unbonding) * bps) / WHOLE;
        uint256 compensation = _takeReserved(owner, caseId, wanted);
        uint256 penalty = _takeFree(owner, wanted - compensation);
        account.owed += uint128(wanted - compensation - penalty);
        amount = compensation + penalty;
        uint256 earned = beneficiary == address(0) ? 0 : compensation + (penalty * reporterBps) / WHOLE;
        rewardOf[beneficiary] += earned;
        burnt += amount - earned;
        emit Slashed(owner, caseId, amount, earned);
        _refreshVotes(owner);
    }

    /// @notice Takes `owner`'s votes at once, in every epoch, until epoch `until` has passed and the owner rejoins.
    /// @param until `FOREVER`, or an epoch below it; never shortens an earlier term
    function jail(address owner, uint32 until) external onlyModule {
        Account storage account = _accounts[owner];
        if (until > account.jailedUntil) account.jailedUntil = until;
        emit Jailed(owner, account.jailedUntil);
        _clearVotes(owner);
    }

    /// @notice Wei of `owner`'s stake that a case holds for its victim.
    function reservedFor(address owner, bytes32 caseId) external view returns (uint128) {
        return _reservations[owner][caseId];
    }

    /// @dev Takes up to `wanted` of what a case reserved.
    function _takeReserved(address owner, bytes32 caseId, uint256 wanted) private returns (uint256 amount) {
        uint128 held = _reservations[owner][caseId];
        if (held == 0) return 0;
        amount = held < wanted ? held : wanted;
        Account storage account = _accounts[owner];
        account.reserved -= uint128(amount);
        account.bonded -= uint128(amount);
        _reservations[owner][caseId] = held - uint128(amount);
        emit Reserved(owner, caseId, held - amount);
    }

    /// @dev Takes up to `wanted` of what nobody reserved: bonded stake first, so that votes fall with the penalty.
    function _takeFree(address owner, uint256 wanted) private returns (uint256 amount) {
        Account storage account = _accounts[owner];
        uint256 bonded = account.bonded - account.reserved;
        uint256 fromBonded = bonded < wanted ? bonded : wanted;
        account.bonded -= uint128(fromBonded);
        uint256 rest = wanted - fromBonded;
        uint256 fromUnbonding = account.unbonding < rest ? account.unbonding : rest;
        if (fromUnbonding > 0) _takeUnbonding(owner, fromUnbonding);
        return fromBonded + fromUnbonding;
    }

    function _setReservation(address owner, bytes32 caseId, uint128 amount) private {
        _reservations[owner][caseId] = amount;
        emit Reserved(owner, caseId, amount);
        _refreshVotes(owner);
    }
}
