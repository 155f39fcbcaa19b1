// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Submission} from "../../src/log/FlowTypes.sol";
import {LogRecords} from "../../src/log/LogRecords.sol";
import {Files} from "./support/Files.sol";
import {FlowFixture} from "./support/FlowFixture.sol";
import {FlowModel} from "./support/FlowModel.sol";

/// @notice The record log against a list that is hashed from scratch, and proofs in it.
contract LogRecordsTest is FlowFixture {
    FlowModel private _model;

    function setUp() public {
        deploy(0, 1_000_000, 0);
        _model = new FlowModel();
    }

    function test_anEmptyLogHasTheZeroRoot() public view {
        assertEq(flow.logRoot(), bytes32(0), "root");
        assertEq(flow.logCount(), 0, "count");
    }

    function testFuzz_rootMatchesTheModel(uint256 seed, uint8 count) public {
        for (uint256 i = 0; i < bound(count, 1, 20); ++i) {
            _append(uint256(keccak256(abi.encode(seed, i))));
        }
    }

    function testFuzz_proofs(uint256 seed, uint8 count, uint8 index, uint16 noise) public {
        uint256 total = bound(count, 1, 20);
        for (uint256 i = 0; i < total; ++i) {
            _append(uint256(keccak256(abi.encode(seed, i))));
        }
        uint256 place = index % total;
        bytes32 root = flow.logRoot();
        bytes memory body = _model.record(place);
        bytes32[] memory path = _model.recordPath(place);
        assertTrue(LogRecords.verify(root, total, place, body, path), "its own proof");

        assertTrue(!LogRecords.verify(root, total, place + total, body, path), "an index past the end");
        if (total > 1) {
            assertTrue(!LogRecords.verify(root, total, (place + 1) % total, body, path), "another index");
            path[noise % path.length] ^= bytes32(uint256(1) << (noise % 256));
            assertTrue(!LogRecords.verify(root, total, place, body, path), "a changed path");
            path[noise % path.length] ^= bytes32(uint256(1) << (noise % 256));
        }
        assertTrue(!LogRecords.verify(root, total, place, body, new bytes32[](path.length + 1)), "a longer path");
        body[noise % body.length] ^= bytes1(uint8(1));
        assertTrue(!LogRecords.verify(root, total, place, body, path), "a changed record");
    }

    function _append(uint256 seed) private {
        uint256 sizeBytes = bound(seed, 1, 30 * 256);
        address submitter = address(uint160(bound(seed >> 8, 1, type(uint160).max)));
        vm.warp(bound(seed >> 16, 1, type(uint64).max));
        Submission memory submission = Files.submission(seed, sizeBytes, submitter);
        (uint256 index,, uint256 start, uint256 sectors) = flow.submit(submission);

        bytes32[] memory hashes = Files.sectorHashes(seed, sizeBytes);
        bytes memory body = bytes.concat(
            bytes8(uint64(index)),
            Files.fileRoot(hashes, 0, hashes.length),
            bytes8(uint64(sizeBytes)),
            bytes8(uint64(start)),
            bytes8(uint64(sectors)),
            bytes20(submitter),
            bytes8(uint64(block.timestamp))
        );
        assertEq(body.length, 92, "record bytes");
        _model.appendRecord(body);
        assertEq(flow.logRoot(), _model.recordRoot(), "root");
        assertEq(flow.logCount(), _model.recordCount(), "count");
    }
}
