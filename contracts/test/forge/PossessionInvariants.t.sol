// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Possession} from "../../src/possession/Possession.sol";
import {PossessionTerms, Span} from "../../src/possession/PossessionTypes.sol";
import {StakeHub} from "../../src/stake/StakeHub.sol";
import {PossessionFixture} from "./support/PossessionFixture.sol";

/// @notice Two providers, payers and reporters who do what they may in any order, some of it in vain.
contract PossessionActor is PossessionFixture {
    address private constant REPORTER = address(0x4E);
    address private constant OTHER = address(0xB1);
    uint256 public constant DUTIES = 2;

    uint256 public paidIn;
    uint256 public paidOut;

    /// @notice Times that a period of a duty earned or cost something.
    mapping(uint256 id => mapping(uint64 period => uint256)) public outcomes;
    uint256 public mostOutcomes;

    function possessionTerms() internal pure override returns (PossessionTerms memory terms) {
        terms = super.possessionTerms();
        terms.challenges = 1;
    }

    constructor() {
        deployPossession();
        storeFile(3 * 256);
        storeFile(9 * 256);
        bondProvider(OTHER, 20 ether);
        takeUp(PROVIDER, PAY);
        takeUp(OTHER, 3 * PAY);
    }

    function contracts() external view returns (Possession, StakeHub) {
        return (possession, stakeHub);
    }

    function fund(uint256 id, uint32 periods) external {
        id %= DUTIES;
        periods = uint32(bound(periods, 1, 5));
        if (possession.dutyOf(id).endPeriod != 0) return;
        uint256 cost = periods * uint256(possession.dutyOf(id).price);
        vm.prank(PAYER);
        try possession.fund{value: cost}(id, periods) {
            paidIn += cost;
        } catch (bytes memory reason) {
            assertTrue(bytes4(reason) == Possession.DepositSpent.selector, "only a spent deposit stops a payer");
        }
    }

    function pass(uint256 blocks) external {
        goTo(block.number + bound(blocks, 1, 60));
    }

    /// @dev Goes to the newest period's window, and answers.
    function answer(uint256 id) external {
        uint64 period = possession.nextPeriod();
        openPeriod(period);
        _try(id % DUTIES, period, true);
    }

    function report(uint256 id, uint64 back) external {
        uint64 period = _past(back);
        uint256 number = possession.seedBlock(period);
        // Older ones have no hash any more.
        bool isKnown = number < block.number && number + 256 >= block.number;
        if (possession.seedOf(period) == 0 && isKnown) {
            possession.openPeriod(period, headerOf(number));
        }
        _try(id % DUTIES, period, false);
    }

    function refund(uint256 id, uint64 back, uint256 span) external {
        id %= DUTIES;
        uint64 period = _past(back);
        span = bound(span, 0, 5);
        try possession.refundLapsed(id, span, period) {
            _note(id, period);
        } catch {}
        if (span < possession.spansOf(id).length) {
            try possession.refundClosed(id, span) {} catch {}
        }
    }

    function end(uint256 id) external {
        id %= DUTIES;
        address provider = possession.dutyOf(id).provider;
        vm.prank(provider);
        possession.requestClose(id);
        vm.prank(provider);
        try possession.close(id) {} catch {}
        try possession.release(id) {} catch {}
    }

    function withdraw(uint256 whose) external {
        address payee = [PROVIDER, OTHER, PAYER, REPORTER][whose % 4];
        uint256 amount = possession.payments(payee);
        possession.withdrawPayments(payable(payee));
        paidOut += amount;
    }

    /// @dev What waits for withdrawal, and the pay of periods that are not settled.
    function owed() external view returns (uint256 sum) {
        sum = possession.payments(PROVIDER) + possession.payments(OTHER);
        sum += possession.payments(PAYER) + possession.payments(REPORTER);
        for (uint256 id = 0; id < DUTIES; ++id) {
            Span[] memory spans = possession.spansOf(id);
            uint256 price = possession.dutyOf(id).price;
            for (uint256 i = 0; i < spans.length; ++i) {
                for (uint64 period = spans[i].from; period < spans[i].until; ++period) {
                    if (!possession.isSettled(id, period)) sum += price;
                }
            }
        }
    }

    function _try(uint256 id, uint64 period, bool isAnswer) private {
        uint64 end_ = possession.dutyOf(id).endPeriod;
        if (end_ != 0 && period >= end_) return;
        Span[] memory spans = possession.spansOf(id);
        for (uint256 i = 0; i < spans.length; ++i) {
            if (period < spans[i].from || period >= spans[i].until) continue;
            if (isAnswer) {
                if (possession.isSettled(id, period)) return;
                answerHonestly(id, i, period);
                _note(id, period);
            } else {
                vm.prank(REPORTER);
                try possession.reportMissed(id, i, period) {
                    _note(id, period);
                } catch {}
            }
        }
    }

    function _past(uint64 back) private view returns (uint64) {
        uint64 next = possession.nextPeriod();
        back = uint64(bound(back, 1, 3));
        return next > back ? next - back : 1;
    }

    function _note(uint256 id, uint64 period) private {
        uint256 count = ++outcomes[id][period];
        if (count > mostOutcomes) mostOutcomes = count;
    }
}

/// @notice What holds after any sequence of calls.
contract PossessionInvariantsTest is PossessionFixture {
    PossessionActor private _actor;

    function setUp() public {
        _actor = new PossessionActor();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    /// @dev Forge calls only what an actor does, not what it is made with.
    struct Selectors {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() external view returns (Selectors[] memory targets) {
        bytes4[] memory selectors = new bytes4[](7);
        selectors[0] = PossessionActor.fund.selector;
        selectors[1] = PossessionActor.pass.selector;
        selectors[2] = PossessionActor.answer.selector;
        selectors[3] = PossessionActor.report.selector;
        selectors[4] = PossessionActor.refund.selector;
        selectors[5] = PossessionActor.end.selector;
        selectors[6] = PossessionActor.withdraw.selector;
        targets = new Selectors[](1);
        targets[0] = Selectors(address(_actor), selectors);
    }

    /// @dev One invariant, for forge would make all the calls again for each.
    function invariant_periodsArePaidOnce() public view {
        _everyWeiIsOwedToSomeone();
        _aPeriodHasOneOutcome();
    }

    function _everyWeiIsOwedToSomeone() private view {
        (Possession duties, StakeHub hub) = _actor.contracts();
        assertEq(address(duties).balance, _actor.paidIn() - _actor.paidOut(), "balance");
        assertEq(address(duties).balance, _actor.owed(), "what is owed");
        uint256 stake = hub.accountOf(PROVIDER).bonded + hub.accountOf(address(0xB1)).bonded;
        assertEq(address(hub).balance, stake + hub.rewardOf(PAYER) + hub.burnt(), "stake");
    }

    function _aPeriodHasOneOutcome() private view {
        assertTrue(_actor.mostOutcomes() <= 1, "outcomes of a period");
    }
}
