// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobSubmission} from "../../src/da/BlobTypes.sol";
import {Checkpoint} from "../../src/quorum/QuorumTypes.sol";
import {OrderingHub} from "../../src/shards/OrderingHub.sol";
import {DAFixture} from "./support/DAFixture.sol";
import {FlowFixture} from "./support/FlowFixture.sol";
import {GasReport} from "./support/GasReport.sol";
import {ShardFixture} from "./support/ShardFixture.sol";

/// @notice The log of a shard, which takes as many files as a test asks for.
contract FileTraffic is FlowFixture {
    uint256 private _files;

    constructor() {
        deploy(0, 1_000_000, 0);
    }

    function take(uint256 count) external {
        for (uint256 i = 0; i < count; ++i) {
            submitFile(_files++, 256);
        }
    }

    /// @dev What a checkpoint of the shard says of its files.
    function describe(Checkpoint memory c) external view returns (Checkpoint memory) {
        (c.flowRoot, c.flowLength) = (flow.computeFlowRoot(), uint64(flowLength()));
        (c.logRoot, c.logCount) = (flow.logRoot(), uint64(flow.logCount()));
        return c;
    }
}

/// @notice The entrance for blobs of a shard: as many batches of a blob each as a test asks for.
contract BlobTraffic is DAFixture {
    uint64 private _blobs;

    constructor() {
        deploy();
        begin(EPOCH, 1, 4);
    }

    function take(uint256 count) external {
        BlobSubmission[] memory one = new BlobSubmission[](1);
        bytes32[] memory leaves = new bytes32[](1);
        for (uint256 i = 0; i < count; ++i) {
            one[0] = blob(_blobs, 1000);
            entrance.submitBlobs{value: feeOf(one[0])}(one);
            leaves[0] = leafOf(headerOf(one[0], address(this), _blobs++));
            confirm(certify(1, leaves, EPOCH, 0, 0), EPOCH);
        }
    }

    /// @dev What a checkpoint of the shard says of its blobs.
    function describe(Checkpoint memory c) external view returns (Checkpoint memory) {
        (c.daRoot, c.daCount) = (entrance.daRoot(), uint64(entrance.daCount()));
        return c;
    }
}

/// @notice What the hub pays for a shard's checkpoint does not depend on what the shard took meanwhile.
/// forge-config: default.isolate = true
contract ShardTrafficGasTest is GasReport, ShardFixture {
    uint32 private constant CHECKPOINTS = 3;
    /// @dev Bytes that are not zero cost 12 more in a transaction: three roots and four counts of 8 bytes, and as much again for
    /// what a signature and hashes have of zeros by chance.
    uint256 private constant MOST_FOR_BYTES = 2 * (3 * 32 + 4 * 8) * 12;

    function test_aCheckpointCostsTheSameWhateverItsShardTook() public {
        uint256[CHECKPOINTS] memory quiet = _gasWith(0, 0);
        uint256[CHECKPOINTS] memory few = _gasWith(1, 1);
        uint256[CHECKPOINTS] memory busy = _gasWith(64, 8);
        uint256[CHECKPOINTS] memory busier = _gasWith(512, 32);
        for (uint256 i = 0; i < CHECKPOINTS; ++i) {
            emit log_named_uint("checkpoint of a shard that took nothing", quiet[i]);
            emit log_named_uint("of one that took 1 file, 1 batch", few[i]);
            emit log_named_uint("of one that took 64 files, 8 batches", busy[i]);
            emit log_named_uint("of one that took 512 files, 32 batches", busier[i]);
            _same(quiet[i], few[i]);
            _same(quiet[i], busy[i]);
            _same(quiet[i], busier[i]);
        }
    }

    function _same(uint256 quiet, uint256 busy) private pure {
        uint256 apart = busy > quiet ? busy - quiet : quiet - busy;
        assertTrue(apart <= MOST_FOR_BYTES, "gas grows with what a shard takes");
    }

    /// @dev Gas of a fresh hub's first bundles, with a checkpoint each of a shard that took so much before every one of them.
    function _gasWith(uint256 files, uint256 batches) private returns (uint256[CHECKPOINTS] memory used) {
        (FileTraffic log, BlobTraffic blobs) = (new FileTraffic(), new BlobTraffic());
        deployHub(1);
        begin(EPOCH, 4);
        (newestNumber[1], newestLeaf[1]) = (0, 0);
        for (uint256 i = 0; i < CHECKPOINTS; ++i) {
            vm.chainId(SHARD_CHAIN);
            log.take(files);
            blobs.take(batches);
            vm.chainId(HUB_CHAIN);
            Checkpoint memory next = nextCheckpoint(1);
            next = blobs.describe(log.describe(next));
            assertEq(next.logCount, files * (i + 1), "files");
            assertEq(next.daCount, batches * (i + 1), "batches");
            newestLeaf[1] = leafOf(next);
            used[i] = _order(listOf(next));
        }
    }

    function _order(Checkpoint[] memory list) private returns (uint256) {
        Signed memory s = signBundle(list, EPOCH, 0);
        bytes memory call = abi.encodeCall(
            OrderingHub.submitBundle, (list, EPOCH, s.snapshot, s.nonSigners, s.siblings, s.signature)
        );
        return gasOf(address(orderingHub), call);
    }
}
