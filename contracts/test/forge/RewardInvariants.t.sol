// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Flow} from "../../src/log/Flow.sol";
import {PriceMarket} from "../../src/log/PriceMarket.sol";
import {ChunkLinearReward} from "../../src/reward/ChunkLinearReward.sol";
import {Files} from "./support/Files.sol";
import {FlowFixture} from "./support/FlowFixture.sol";
import {Test} from "./support/Test.sol";

/// @notice Uploads, tips, answers, renews, donates and withdraws, in any order, and keeps the books.
contract RewardActor is Test {
    uint256 private constant MINERS = 3;
    address private constant ADMIN = address(0xAD);

    Flow private immutable _flow;
    PriceMarket private immutable _market;
    ChunkLinearReward private immutable _reward;
    uint256 public received;
    uint256 public withdrawn;

    /// @dev No term beyond this one is paid for.
    uint256 private _lastTerm;

    constructor(Flow flow, PriceMarket market, ChunkLinearReward reward) {
        (_flow, _market, _reward) = (flow, market, reward);
    }

    receive() external payable {}

    function upload(uint256 sectors, uint256 tip) external {
        sectors = Files.paddedSectors(bound(sectors, 1, 120) * 256);
        tip = bound(tip, 0, 1 ether);
        uint256 fee = sectors * _market.pricePerSector();
        vm.deal(address(this), fee + tip);
        (bool tipped,) = address(_market).call{value: tip}("");
        assertTrue(tipped, "tip");
        _flow.submit{value: fee}(Files.unhashed(sectors * 256, ADMIN));
        received += fee + tip;
    }

    function answer(uint256 index, uint256 miner) external {
        vm.prank(_reward.mine());
        _reward.claimMineReward(bound(index, 0, 8), minerOf(miner % MINERS), "id");
    }

    function renew(uint256 start, uint256 sectors, uint256 terms) external {
        (uint256 length,) = _flow.tree();
        start = bound(start, 0, length - 1);
        sectors = bound(sectors, 1, length - start < 200 ? length - start : 200);
        terms = bound(terms, 1, 4);
        uint256 cost = _reward.renewalCost(start, sectors, terms);
        uint256 until = _reward.paidUntil(start, sectors);
        vm.deal(address(this), cost + 1);
        _reward.renew{value: cost + 1}(start, sectors, terms);
        assertEq(address(this).balance, 1, "the rest comes back");
        assertTrue(until == 0 || _reward.paidUntil(start, sectors) > until, "longer than before");
        received += cost;
        uint256 current = (block.timestamp - 1_800_000_000) / _reward.releaseSeconds();
        _lastTerm = (current > _lastTerm ? current : _lastTerm) + terms;
    }

    function donate(uint256 amount) external {
        amount = bound(amount, 0, 1 ether);
        vm.deal(address(this), amount);
        _reward.donate{value: amount}();
        received += amount;
    }

    function withdraw(uint256 miner) external {
        address payee = miner % 4 == 3 ? ADMIN : minerOf(miner % MINERS);
        uint256 before = payee.balance;
        _reward.withdrawPayments(payable(payee));
        withdrawn += payee.balance - before;
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 1500));
    }

    function govern(uint256 price, uint256 bps, uint256 base) external {
        vm.prank(ADMIN);
        _market.setPricePerSector(bound(price, 0, 1e15));
        vm.prank(ADMIN);
        _reward.setServiceFeeRate(bound(bps, 0, 10_000));
        vm.prank(ADMIN);
        _reward.setBaseReward(bound(base, 0, 1e17));
    }

    /// @dev What pools hold and what waits to be paid.
    function owed() external view returns (uint256 sum) {
        sum = _reward.totalBaseReward() + _reward.payments(ADMIN);
        for (uint256 i = 0; i < MINERS; ++i) {
            sum += _reward.payments(minerOf(i));
        }
        (uint256 length,) = _flow.tree();
        for (uint256 index = 0; index <= length / _reward.sectorsPerPrice(); ++index) {
            sum += uint256(_reward.rewards(index).lockedReward) + _reward.rewards(index).claimableReward;
            for (uint256 term = 1; term <= _lastTerm; ++term) {
                sum += _reward.lockedFor(index, term);
            }
        }
    }

    function minerOf(uint256 index) public pure returns (address) {
        return address(uint160(0xB000 + index));
    }
}

/// @notice What holds after any sequence of calls.
contract RewardInvariantsTest is FlowFixture {
    RewardActor private _actor;

    function setUp() public {
        vm.warp(1_800_000_000);
        deploySized(PRICE, 1_000_000, 0, 64);
        _actor = new RewardActor(flow, market, reward);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    function invariant_everyWeiIsInAPoolOrWaits() public view {
        assertEq(address(market).balance, 0, "market");
        assertEq(address(reward).balance, _actor.received() - _actor.withdrawn(), "reward");
        assertEq(address(reward).balance, _actor.owed(), "what is owed");
    }
}
