// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Flow} from "../../src/log/Flow.sol";
import {Submission} from "../../src/log/FlowTypes.sol";
import {IPriceMarket} from "../../src/log/IPriceMarket.sol";
import {PriceMarket} from "../../src/log/PriceMarket.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Files} from "./support/Files.sol";
import {FlowFixture} from "./support/FlowFixture.sol";

/// @notice A caller that will not take wei back.
contract Refuser {
    function submit(Flow flow, Submission calldata submission) external payable {
        flow.submit{value: msg.value}(submission);
    }
}

/// @notice A caller that submits again while it is being refunded.
contract Reenterer {
    Flow private immutable _flow;
    Submission private _again;
    bytes public refusal;

    constructor(Flow flow) {
        _flow = flow;
    }

    function submit(Submission calldata submission) external payable {
        _again = submission;
        _flow.submit{value: msg.value}(submission);
    }

    receive() external payable {
        Submission[] memory batch = new Submission[](1);
        batch[0] = _again;
        try _flow.submit{value: msg.value}(_again) {}
        catch (bytes memory reason) {
            refusal = reason;
        }
        try _flow.batchSubmit{value: msg.value}(batch) {
            refusal = "batchSubmit let it in";
        } catch {}
    }
}

/// @notice A reward that fails.
contract BrokenReward {
    address public immutable market;
    uint256 public constant sectorsPerPrice = 1;

    error Broken();

    constructor(address market_) {
        market = market_;
    }

    function fillReward(uint256, uint256) external payable {
        revert Broken();
    }
}

/// @notice Fees: exact, per call, refunded, never left behind.
contract FeesTest is FlowFixture {
    function setUp() public {
        deploy(PRICE, 1_000_000, 0);
    }

    function testFuzz_theRestComesBack(uint256 sizeBytes, uint128 price, uint256 over) public {
        sizeBytes = bound(sizeBytes, 1, 100 * 256);
        price = uint128(bound(price, 0, 1e24));
        over = bound(over, 0, 1e24);
        _setPrice(price);
        uint256 fee = Files.paddedSectors(sizeBytes) * price;
        uint256 before = address(this).balance;
        flow.submit{value: fee + over}(Files.submission(1, sizeBytes, SUBMITTER));
        assertEq(before - address(this).balance, fee, "paid");
        assertEq(address(reward).balance, fee, "reward");
        _nothingLeft();
    }

    function testFuzz_tooLittleIsRefused(uint256 sizeBytes, uint256 missing) public {
        sizeBytes = bound(sizeBytes, 1, 100 * 256);
        uint256 sectors = Files.paddedSectors(sizeBytes);
        missing = bound(missing, 1, sectors * PRICE);
        uint256 paid = sectors * PRICE - missing;
        Submission memory submission = Files.submission(1, sizeBytes, SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(IPriceMarket.NotEnoughFee.selector, PRICE, sectors, paid));
        flow.submit{value: paid}(submission);
    }

    function testFuzz_aBatchPaysOnce(uint256 seed, uint8 count, uint256 over) public {
        over = bound(over, 0, 1 ether);
        Submission[] memory batch = new Submission[](bound(count, 0, 5));
        uint256 fee = 0;
        for (uint256 i = 0; i < batch.length; ++i) {
            uint256 sizeBytes = bound(uint256(keccak256(abi.encode(seed, i))), 1, 60 * 256);
            batch[i] = Files.submission(i, sizeBytes, SUBMITTER);
            fee += feeOf(sizeBytes);
        }
        uint256 before = address(this).balance;
        (uint256[] memory indexes, bytes32[] memory digests, uint256[] memory starts, uint256[] memory lengths) =
            flow.batchSubmit{value: fee + over}(batch);
        assertEq(before - address(this).balance, fee, "paid");
        assertEq(address(reward).balance, fee, "reward");
        assertEq(indexes.length, batch.length, "receipts");
        assertEq(flow.numSubmissions(), batch.length, "submissions");
        uint256 end = 1;
        for (uint256 i = 0; i < batch.length; ++i) {
            assertEq(indexes[i], i, "index");
            assertTrue(digests[i] != 0 && starts[i] >= end, "place");
            end = starts[i] + lengths[i];
        }
        assertEq(end, flowLength(), "length");
        _nothingLeft();
    }

    function test_aBatchThatPaysForAllButOneIsRefusedWhole() public {
        Submission[] memory batch = new Submission[](3);
        for (uint256 i = 0; i < 3; ++i) {
            batch[i] = Files.submission(i, 512, SUBMITTER);
        }
        vm.expectRevert(abi.encodeWithSelector(IPriceMarket.NotEnoughFee.selector, PRICE, 2, 2 * PRICE - 1));
        flow.batchSubmit{value: 6 * PRICE - 1}(batch);
        assertEq(flow.numSubmissions(), 0, "submissions");
    }

    /// @dev The fault of the official flow: an overpayment that the next caller could spend.
    function test_nobodySpendsWhatAnotherPaid() public {
        flow.submit{value: 100 * PRICE}(Files.submission(1, 1, SUBMITTER));
        Submission memory next = Files.submission(2, 1, SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(IPriceMarket.NotEnoughFee.selector, PRICE, 1, 0));
        flow.submit(next);
        // Nor wei that reached the contracts by force.
        vm.deal(address(flow), 1 ether);
        vm.expectRevert(abi.encodeWithSelector(IPriceMarket.NotEnoughFee.selector, PRICE, 1, 0));
        flow.submit(next);
    }

    function test_forcedWeiLeavesWithTheNextFee() public {
        vm.deal(address(flow), 3 ether);
        vm.deal(address(market), 2 ether);
        uint256 before = address(this).balance;
        flow.submit{value: PRICE + 7}(Files.submission(1, 1, SUBMITTER));
        assertEq(before - address(this).balance, PRICE, "paid");
        assertEq(address(reward).balance, 5 ether + PRICE, "reward");
        _nothingLeft();
    }

    function test_theFlowRefusesPlainTransfers() public {
        (bool toFlow,) = address(flow).call{value: 1}("");
        assertTrue(!toFlow, "flow took wei");
    }

    function test_aTipGoesToTheNextSubmission() public {
        (bool tipped,) = address(market).call{value: 1 ether}("");
        assertTrue(tipped, "tip");
        flow.submit{value: PRICE}(Files.submission(1, 1, SUBMITTER));
        assertEq(reward.rewards(0).lockedReward, PRICE + 1 ether, "pool");
        _nothingLeft();
    }

    function test_aRefundThatIsNotTakenIsNamed() public {
        Refuser refuser = new Refuser();
        Submission memory submission = Files.submission(1, 1, SUBMITTER);
        refuser.submit{value: PRICE}(flow, submission);
        vm.expectRevert(abi.encodeWithSelector(Flow.RefundFailed.selector, address(refuser), 5));
        refuser.submit{value: PRICE + 5}(flow, submission);
    }

    function test_aRefundCannotSubmitAgain() public {
        Reenterer reenterer = new Reenterer(flow);
        reenterer.submit{value: 10 * PRICE}(Files.submission(1, 1, SUBMITTER));
        assertEq(
            keccak256(reenterer.refusal()),
            keccak256(abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)),
            "refusal"
        );
        assertEq(flow.numSubmissions(), 1, "submissions");
        assertEq(address(reward).balance, PRICE, "reward");
        assertEq(address(reenterer).balance, 9 * PRICE, "rest");
        _nothingLeft();
    }

    function test_aRewardThatFailsStopsTheSubmission() public {
        uint256 nonce = vm.getNonce(address(this));
        address broken = address(new BrokenReward(vm.computeCreateAddress(address(this), nonce + 1)));
        market = new PriceMarket(PRICE, vm.computeCreateAddress(address(this), nonce + 2), broken, ADMIN);
        flow = new Flow(address(market), 100, 0, ADMIN);
        Submission memory submission = Files.submission(1, 1, SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(BrokenReward.Broken.selector));
        flow.submit{value: PRICE}(submission);
    }

    function test_onlyTheFlowCharges() public {
        vm.expectRevert(abi.encodeWithSelector(PriceMarket.NotFlow.selector, address(this), address(flow)));
        market.chargeFee{value: 1}(1, 1, 0);
        vm.deal(address(flow), 1 ether);
        vm.prank(address(flow));
        vm.expectRevert(abi.encodeWithSelector(IPriceMarket.NotEnoughFee.selector, PRICE, 2, 2 * PRICE - 1));
        market.chargeFee{value: 2 * PRICE - 1}(1, 2, 0);
    }

    function _setPrice(uint256 price) private {
        vm.prank(ADMIN);
        market.setPricePerSector(price);
    }

    function _nothingLeft() private view {
        assertEq(address(flow).balance, 0, "flow balance");
        assertEq(address(market).balance, 0, "market balance");
    }
}
