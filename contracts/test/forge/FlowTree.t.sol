// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FlowTree} from "../../src/log/FlowTree.sol";
import {Submission} from "../../src/log/FlowTypes.sol";
import {Files} from "./support/Files.sol";
import {FlowFixture} from "./support/FlowFixture.sol";
import {FlowModel} from "./support/FlowModel.sol";

/// @notice The flow tree against a list of leaves that is hashed from scratch.
contract FlowTreeTest is FlowFixture {
    FlowModel private _model;

    function setUp() public {
        deploy(PRICE, 1_000_000, 0);
        _model = new FlowModel();
    }

    function testFuzz_smallFilesMatchTheModel(uint256 seed, uint8 count) public {
        for (uint256 i = 0; i < bound(count, 1, 6); ++i) {
            _appendAndCompare(uint256(keccak256(abi.encode(seed, i))), 40 * 256);
        }
    }

    /// @dev Slow, a model of thousands of leaves: fewer runs unless soaked.
    /// forge-config: default.fuzz.runs = 20
    /// forge-config: soak.fuzz.runs = 5000
    function testFuzz_filesAcrossSegmentsMatchTheModel(uint256 seed) public {
        _appendAndCompare(uint256(keccak256(abi.encode(seed, 0))), 20 * 256);
        _appendAndCompare(uint256(keccak256(abi.encode(seed, 1))), 1200 * 256);
        _appendAndCompare(uint256(keccak256(abi.encode(seed, 2))), 300 * 256);
    }

    function testFuzz_placesMatchTheModel(uint256 from, uint256 sizeBytes) public view {
        from = bound(from, 1, 1 << 20);
        sizeBytes = bound(sizeBytes, 1, 1 << 19);
        uint256 sectors = Files.paddedSectors(sizeBytes);
        uint256 height = Files.nodesOf(sectors)[0].height;
        assertEq(
            FlowTree.startOf(from, height, sectors), _model.positionAfter(from, sectors, height), "start"
        );
    }

    /// @dev The levels passed on the way over a gap stay in memory; the official flow pays 315,649 gas for such a submission.
    function test_aWideGapCostsNoStorage() public {
        for (uint256 i = 0; i < 4; ++i) {
            submitFile(i, 300);
        }
        Submission memory submission = Files.unhashed(262144, SUBMITTER);
        uint256 fee = feeOf(262144);
        uint256 before = gasleft();
        flow.submit{value: fee}(submission);
        uint256 used = before - gasleft();
        assertEq(flowLength(), 2048, "over 1,014 empty sectors");
        assertTrue(used < 110_000, "gas of the call");
    }

    /// @dev Nodes count sectors in numbers that are exact up to 2^53 - 1: an entry beyond would stop them all.
    function test_aFullFlowIsRefusedByName() public {
        // In one pricing chunk: each more costs a storage write.
        deploySized(0, 1_000_000, 0, 1 << 53);
        Submission memory largest = Files.unhashed(1 << 52, SUBMITTER);
        // The first one aligns to 2^44.
        for (uint256 i = 0; i < 510; ++i) {
            flow.submit(largest);
        }
        assertEq(flowLength(), 511 << 44, "room for one less than another");
        vm.expectRevert(abi.encodeWithSelector(FlowTree.FlowFull.selector, 1 << 53));
        flow.submit(largest);
        for (uint256 height = 44; height > 0; --height) {
            flow.submit(Files.unhashed(256 << (height - 1), SUBMITTER));
        }
        assertEq(flowLength(), (1 << 53) - 1, "full");
        Submission memory one = Files.submission(0, 1, SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(FlowTree.FlowFull.selector, 1 << 53));
        flow.submit(one);
    }

    function test_theRootOfAFullPowerOfTwoIsItsOnlyNode() public {
        submitFile(7, 3 * 256);
        assertEq(flowLength(), 5, "three sectors need two nodes and start at 2");
        submitFile(8, 2 * 256);
        assertEq(flowLength(), 8, "full");
        assertEq(flow.computeFlowRoot(), flow.getFlowRootByTxSeq(1), "root");
    }

    function _appendAndCompare(uint256 seed, uint256 maxBytes) private {
        uint256 sizeBytes = bound(seed, 1, maxBytes);
        bytes32[] memory hashes = Files.sectorHashes(seed, sizeBytes);
        uint256 expected = _model.append(hashes, Files.nodesOf(hashes.length)[0].height);
        uint256 start = submitFile(seed, sizeBytes);
        assertEq(start, expected, "start");
        assertEq(flowLength(), _model.sectorCount(), "length");
        assertEq(flow.computeFlowRoot(), _model.root(), "root");
        assertEq(flow.getFlowRootByTxSeq(flow.numSubmissions() - 1), _model.root(), "root by number");
    }
}
