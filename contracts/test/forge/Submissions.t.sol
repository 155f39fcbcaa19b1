// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Submission, SubmissionData, SubmissionFault, SubmissionNode} from "../../src/log/FlowTypes.sol";
import {Submissions} from "../../src/log/Submissions.sol";
import {Files} from "./support/Files.sol";
import {Test} from "./support/Test.sol";

/// @notice Which submissions are legal, and what their nodes say.
contract SubmissionsTest is Test {
    address private constant SUBMITTER = address(0xA1);

    /// @dev Reached through a call, so that the library sees calldata.
    function check(Submission calldata submission) external pure returns (uint256) {
        return Submissions.requireValid(submission);
    }

    function rootOf(SubmissionNode[] calldata nodes) external pure returns (bytes32) {
        return Submissions.fileRootOf(nodes);
    }

    function identityOf(SubmissionNode[] calldata nodes) external pure returns (bytes32) {
        return Submissions.identityOf(nodes);
    }

    /// @dev Heights that strictly decrease are the bits of a number, so a layout is a number of sectors.
    function test_everyShortLengthHasExactlyOneLayout() public view {
        for (uint256 sizeBytes = 256; sizeBytes <= 34 * 256; sizeBytes += 256) {
            uint256 legal = 0;
            for (uint256 sectors = 1; sectors <= 72; ++sectors) {
                if (_accepts(sectors, sizeBytes)) ++legal;
            }
            assertEq(legal, 1, "layouts");
            assertTrue(_accepts(Files.paddedSectors(sizeBytes), sizeBytes), "the client's");
        }
    }

    function testFuzz_aLayoutIsLegalIfItIsTheClients(uint256 sizeBytes, uint256 sectors) public view {
        sizeBytes = bound(sizeBytes, 1, 15 << 49);
        uint256 padded = Files.paddedSectors(sizeBytes);
        sectors = bound(sectors, 1, 15 << 41);
        assertTrue(_accepts(padded, sizeBytes), "the client's");
        if (sectors != padded) assertTrue(!_accepts(sectors, sizeBytes), "any other");
        uint256 step = padded >= 16 ? padded / 16 : 1;
        if (padded > step) assertTrue(!_accepts(padded - step, sizeBytes), "one below");
        assertTrue(!_accepts(padded + 1, sizeBytes), "one above");
    }

    /// @dev What reads the log counts in numbers that are exact up to 2^53 - 1.
    function test_noLegalFileIsLongerThanNodesCanCount() public {
        uint256 longest = 15 << 49;
        assertTrue(longest < 1 << 53 && _accepts(15 << 41, longest), "the longest");
        _refuses(_with(longest + 1, Files.nodesOf(Files.paddedSectors(longest + 1))), SubmissionFault.HeightTooLarge);
    }

    /// @dev Slow, thousands of hashes: fewer runs unless soaked.
    /// forge-config: default.fuzz.runs = 40
    /// forge-config: soak.fuzz.runs = 5000
    function testFuzz_nodesFoldToTheFileRoot(uint256 seed, uint256 sizeBytes) public view {
        sizeBytes = bound(sizeBytes, 1, 200 * 256);
        bytes32[] memory hashes = Files.sectorHashes(seed, sizeBytes);
        SubmissionNode[] memory nodes = Files.submission(seed, sizeBytes, SUBMITTER).data.nodes;
        assertEq(this.rootOf(nodes), Files.fileRoot(hashes, 0, hashes.length), "file root");
        bytes memory roots;
        for (uint256 i = 0; i < nodes.length; ++i) {
            roots = bytes.concat(roots, nodes[i].root);
        }
        assertEq(this.identityOf(nodes), keccak256(roots), "identity");
    }

    function test_eachFaultHasItsName() public {
        Submission memory good = Files.submission(1, 1025, SUBMITTER);
        this.check(good);

        _refuses(Submission(good.data, address(0)), SubmissionFault.ZeroSubmitter);
        _refuses(_with(0, new SubmissionNode[](0)), SubmissionFault.NoNodes);
        _refuses(_with(1, _heights(45, 0)), SubmissionFault.HeightTooLarge);
        _refuses(_with(1, _heights(type(uint256).max, 0)), SubmissionFault.HeightTooLarge);
        _refuses(_with(1025, _heights(0, 2)), SubmissionFault.HeightsNotDescending);
        _refuses(_with(1025, _heights(2, 2)), SubmissionFault.HeightsNotDescending);
        _refuses(_with(1025, _heights(2, type(uint256).max)), SubmissionFault.HeightsNotDescending);
        _refuses(_with(17 * 256, _heights(4, 0)), SubmissionFault.HeightSpread);
        _refuses(_with(1281, _heights(2, 0)), SubmissionFault.LengthAboveNodes);
        _refuses(_with(1024, _heights(2, 0)), SubmissionFault.LengthBelowNodes);
        _refuses(_with(0, _heights(0, 0, 1)), SubmissionFault.LengthBelowNodes);
        _refuses(_with(type(uint256).max, _heights(2, 0)), SubmissionFault.LengthAboveNodes);
    }

    function _refuses(Submission memory submission, SubmissionFault fault) private {
        vm.expectRevert(abi.encodeWithSelector(Submissions.InvalidSubmission.selector, fault));
        this.check(submission);
    }

    function _accepts(uint256 sectors, uint256 sizeBytes) private view returns (bool) {
        try this.check(_with(sizeBytes, Files.nodesOf(sectors))) returns (uint256 counted) {
            return counted == sectors;
        } catch {
            return false;
        }
    }

    function _with(uint256 sizeBytes, SubmissionNode[] memory nodes) private pure returns (Submission memory) {
        return Submission(SubmissionData(sizeBytes, "", nodes), SUBMITTER);
    }

    function _heights(uint256 first, uint256 second) private pure returns (SubmissionNode[] memory) {
        return _heights(first, second, 2);
    }

    function _heights(uint256 first, uint256 second, uint256 count) private pure returns (SubmissionNode[] memory nodes) {
        nodes = new SubmissionNode[](count);
        nodes[0].height = first;
        if (count > 1) nodes[1].height = second;
    }
}
