// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Flow} from "../../src/log/Flow.sol";
import {Submission} from "../../src/log/FlowTypes.sol";
import {PriceMarket} from "../../src/log/PriceMarket.sol";
import {Files} from "./support/Files.sol";
import {FlowFixture} from "./support/FlowFixture.sol";
import {FlowModel} from "./support/FlowModel.sol";
import {Test} from "./support/Test.sol";

/// @notice Does what users, miners, admins and strangers may do, in any order, and keeps the books.
contract Actor is Test {
    address private constant ADMIN = address(0xAD);

    Flow private immutable _flow;
    PriceMarket private immutable _market;
    FlowModel public immutable model = new FlowModel();
    uint256 public feesPaid;
    uint256 public submissions;

    constructor(Flow flow, PriceMarket market) {
        _flow = flow;
        _market = market;
    }

    receive() external payable {}

    function submit(uint256 sizeBytes, uint256 over, address submitter) external {
        if (submitter == address(0)) submitter = ADMIN;
        sizeBytes = bound(sizeBytes, 1, 50 * 256);
        Submission memory submission = _prepare(submissions, sizeBytes, submitter);
        uint256 fee = Files.paddedSectors(sizeBytes) * _market.pricePerSector();
        _pay(fee, bound(over, 0, 1 ether), abi.encodeCall(Flow.submit, (submission)));
    }

    function batch(uint256 firstBytes, uint256 secondBytes, uint256 over) external {
        firstBytes = bound(firstBytes, 1, 20 * 256);
        secondBytes = bound(secondBytes, 1, 20 * 256);
        Submission[] memory files = new Submission[](2);
        files[0] = _prepare(submissions, firstBytes, ADMIN);
        files[1] = _prepare(submissions, secondBytes, ADMIN);
        uint256 sectors = Files.paddedSectors(firstBytes) + Files.paddedSectors(secondBytes);
        _pay(sectors * _market.pricePerSector(), bound(over, 0, 1 ether), abi.encodeCall(Flow.batchSubmit, (files)));
    }

    function pass(uint256 blocks) external {
        vm.roll(block.number + bound(blocks, 1, 3000));
    }

    function makeContext(uint8 times) external {
        if (times % 2 == 0) _flow.makeContext();
        else _flow.makeContextFixedTimes(times);
    }

    function setPrice(uint128 price) external {
        vm.prank(ADMIN);
        _market.setPricePerSector(bound(price, 0, 1e18));
    }

    /// @dev Appends the file to the model and returns what the flow should be given.
    function _prepare(uint256 seed, uint256 sizeBytes, address submitter) private returns (Submission memory submission) {
        bytes32[] memory hashes = Files.sectorHashes(seed, sizeBytes);
        submission = Files.submission(seed, sizeBytes, submitter);
        uint256 start = model.append(hashes, submission.data.nodes[0].height);
        model.appendRecord(
            abi.encodePacked(
                uint64(submissions++),
                Files.fileRoot(hashes, 0, hashes.length),
                uint64(sizeBytes),
                uint64(start),
                uint64(hashes.length),
                submitter,
                uint64(block.timestamp)
            )
        );
    }

    function _pay(uint256 fee, uint256 over, bytes memory call) private {
        vm.deal(address(this), fee + over);
        (bool success,) = address(_flow).call{value: fee + over}(call);
        assertTrue(success, "a paid, valid submission goes in");
        assertEq(address(this).balance, over, "refund");
        feesPaid += fee;
    }
}

/// @notice What holds after any sequence of calls.
contract InvariantsTest is FlowFixture {
    Actor private _actor;

    function setUp() public {
        deploy(PRICE, 500, 0);
        _actor = new Actor(flow, market);
    }

    /// @dev Forge calls only these at random.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_actor);
    }

    /// @dev One invariant, for forge would make all the calls again for each.
    function invariant_theFlowMatchesTheModel() public view {
        _feesNeverStrand();
        _bothRootsMatchTheModel();
        _contextsNeverRunAhead();
    }

    function _feesNeverStrand() private view {
        assertEq(address(flow).balance, 0, "flow balance");
        assertEq(address(market).balance, 0, "market balance");
        assertEq(address(reward).balance, _actor.feesPaid(), "reward");
    }

    function _bothRootsMatchTheModel() private view {
        FlowModel model = _actor.model();
        assertEq(flowLength(), model.sectorCount(), "length");
        assertEq(flow.computeFlowRoot(), model.root(), "flow root");
        assertEq(flow.numSubmissions(), _actor.submissions(), "submissions");
        assertEq(flow.logCount(), model.recordCount(), "log count");
        assertEq(flow.logRoot(), model.recordRoot(), "log root");
    }

    function _contextsNeverRunAhead() private view {
        assertTrue(flow.getContext().mineStart < block.number, "mine start");
        assertTrue(flow.getContext().flowLength <= flowLength(), "context length");
        assertTrue(flow.epochStartPosition() <= flow.getContext().flowLength, "start position");
    }
}
