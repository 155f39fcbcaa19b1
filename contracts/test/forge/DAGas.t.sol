// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobPromise, BlobSubmission} from "../../src/da/BlobTypes.sol";
import {DAEntrance} from "../../src/da/DAEntrance.sol";
import {BlobHeader} from "../../src/quorum/QuorumTypes.sol";
import {AvailabilityAsker} from "./support/AvailabilityAsker.sol";
import {DAFixture} from "./support/DAFixture.sol";
import {GasReport} from "./support/GasReport.sol";
import {Leaves} from "./support/Leaves.sol";

/// @notice What submitters, aggregators and readers pay, as transactions of their own.
/// forge-config: default.isolate = true
contract DAGasTest is GasReport, DAFixture {
    uint256 private constant PAYER = 0xB0B;
    uint256 private constant BUDGET = 20_000;

    /// @dev What a transaction's first call to an account costs beyond the next ones.
    uint256 private constant FIRST_CALL = 2_500;

    function test_submissions() public {
        _prepare(6);
        reportGas("submitBlobs, 1", _submit(1), 33_828);
        reportGas("submitBlobs, 10", _submit(10), 94_403);
        reportGas("submitBlobs, 100", _submit(100), 700_266);
    }

    function test_confirmations() public {
        _prepare(8);
        uint64 epoch = EPOCH + 1;
        _next(epoch, 100);
        // The first eight write slots of the log that the next seven write again.
        for (uint256 i = 10; i < 18; ++i) {
            _confirm(_batch(i, epoch, 0));
        }
        reportGas("confirmBatch, 100 members, none absent", _confirm(_batch(3, epoch, 0)), 247_234);
        reportGas("confirmBatch, 100 members, 1 absent", _confirm(_batch(4, epoch, 1)), 264_309);
        reportGas("confirmBatch, 100 members, 10 absent", _confirm(_batch(5, epoch, _spread(10))), 321_902);
        reportGas("confirmBatch, 100 members, 33 absent", _confirm(_batch(6, epoch, _spread(33))), 475_041);
        Certificate memory c = _batch(7, epoch, _spread(20));
        bytes32 id = verifier.reduce(c.snapshot, c.nonSigners, c.siblings);
        reportGas("reduce, 100 members, 20 absent", lastGas(), 331_943);
        reportGas("confirmReduced", _confirmReduced(c, id), 229_651);
        c = _batch(8, epoch, _spread(20));
        reportGas("confirmReduced again", _confirmReduced(c, id), 229_651);
    }

    function test_availability() public {
        _prepare(6);
        AvailabilityAsker asker = new AvailabilityAsker();
        uint256[4] memory counts = [uint256(1), 16, 128, 1024];
        uint256[4] memory figures = [uint256(6740), 8017, 10_026, 12_330];
        for (uint256 i = 0; i < 4; ++i) {
            (BlobHeader memory header, bytes32[] memory leaves) = _leaves(counts[i]);
            Certificate memory c = certify(1, leaves, EPOCH, 0, 0);
            _confirm(c);
            bytes32[] memory path = Leaves.pathOf(leaves, 0);
            bytes memory call = abi.encodeCall(entrance.isAvailable, (header, c.root, 0, path));
            string memory what = string.concat("isAvailable, batch of ", _text(counts[i]));
            asker.ask(entrance, call, true);
            reportGas(what, asker.used(), figures[i]);
            asker.ask(entrance, call, false);
            reportGas(string.concat(what, ", first call"), asker.used(), figures[i] + FIRST_CALL);
        }
    }

    /// @dev Paid path: both transactions over the blobs of the batch.
    function test_aPaidBlob() public {
        _prepare(8);
        uint256[4] memory batches = [uint256(1), 8, 64, 256];
        uint64 epoch = EPOCH;
        for (uint256 members = 4; members <= 128; members = _more(members)) {
            _next(++epoch, members);
            for (uint256 i = 0; i < 4; ++i) {
                uint256 count = batches[i];
                uint256 used = _submit(count) + _confirm(_batch(count + members, epoch, 0));
                string memory what = string.concat("paid blob, batch ", _text(count), ", members ", _text(members));
                reportGas(what, used / count, count < 64 ? 400_000 : BUDGET * 10 / 11);
            }
        }
    }

    /// @dev Promised path: the one transaction over its blobs, for a payer who is known and slots that are new. Signers
    /// sign for 192 promises at most, which nodes still relay.
    function test_aPromisedBlob() public {
        _prepare(8);
        entrance.deposit{value: 1e24}(signingVm.addr(PAYER));
        uint256[5] memory batches = [uint256(1), 8, 64, 192, 256];
        uint64 epoch = EPOCH;
        for (uint256 members = 4; members <= 128; members = _more(members)) {
            _next(++epoch, members);
            entrance.openEpoch();
            uint16 slot = 0;
            for (uint256 i = 0; i < 5; ++i) {
                uint256 used = _confirmPromised(batches[i], epoch, slot);
                slot += uint16(batches[i]);
                string memory what =
                    string.concat("promised blob, batch ", _text(batches[i]), ", members ", _text(members));
                reportGas(what, used / batches[i], batches[i] < 64 ? 400_000 : BUDGET * 10 / 11);
            }
        }
    }

    /// @dev An entrance that has taken a submission before, for quorums of half as many members as 2^log2K.
    function _prepare(uint8 log2K) private {
        minLog2K = log2K;
        deploy();
        begin(EPOCH, 1, 16);
        (BlobSubmission[] memory list, uint256 fee) = blobs(1);
        entrance.submitBlobs{value: fee}(list);
    }

    function _submit(uint256 count) private returns (uint256) {
        (BlobSubmission[] memory list, uint256 fee) = blobs(count);
        entrance.submitBlobs{value: fee}(list);
        return lastGas();
    }

    function _confirm(Certificate memory c) private returns (uint256) {
        confirm(c, c.snapshot.epoch);
        return lastGas();
    }

    function _confirmReduced(Certificate memory c, bytes32 id) private returns (uint256) {
        entrance.confirmReduced(c.root, c.count, c.snapshot.epoch, id, c.signature);
        return lastGas();
    }

    function _confirmPromised(uint256 count, uint64 epoch, uint16 firstSlot) private returns (uint256) {
        BlobPromise[] memory promises = new BlobPromise[](count);
        bytes[] memory signatures = new bytes[](count);
        bytes32[] memory leaves = new bytes32[](count);
        address payer = signingVm.addr(PAYER);
        for (uint16 i = 0; i < count; ++i) {
            BlobSubmission memory b = blob(i, 1000);
            promises[i] = promiseOf(b, epoch, firstSlot + i);
            promises[i].maxFee = 1 ether;
            promises[i].signBy = START + 100;
            signatures[i] = signPromise(PAYER, promises[i]);
            leaves[i] = leafOf(headerOf(b, payer, (uint64(1) << 63) | (epoch << 16) | (firstSlot + i)));
        }
        Certificate memory c = certify(5, leaves, epoch, 0, 0);
        entrance.confirmPromised(
            promises, signatures, epoch, c.snapshot, c.nonSigners, c.siblings, c.signature
        );
        return lastGas();
    }

    /// @dev A batch of one made-up leaf; what it costs to confirm does not depend on its leaves.
    function _batch(uint256 seed, uint64 epoch, uint256 absent) private view returns (Certificate memory) {
        bytes32[] memory leaves = new bytes32[](1);
        leaves[0] = keccak256(abi.encode(seed));
        return certify(1, leaves, epoch, 0, absent);
    }

    /// @dev Leaves of a batch of which the first is a real header.
    function _leaves(uint256 count) private view returns (BlobHeader memory header, bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 1; i < count; ++i) {
            leaves[i] = keccak256(abi.encode(i));
        }
        header = headerOf(blob(0, 1000), address(this), 0);
        leaves[0] = leafOf(header);
    }

    /// @dev Begins an epoch whose quorum is as large as wanted.
    function _next(uint64 epoch, uint256 members) private {
        vm.warp(block.timestamp + EPOCH_SECONDS);
        begin(epoch, 1, members);
    }

    /// @dev `count` of a hundred members, every third from the first on.
    function _spread(uint256 count) private pure returns (uint256 absent) {
        for (uint256 i = 0; i < count; ++i) {
            absent |= 1 << (3 * i);
        }
    }

    /// @dev 4, 16, 64, 128, and beyond.
    function _more(uint256 members) private pure returns (uint256) {
        return members < 64 ? members * 4 : members * 2;
    }

    function _text(uint256 number) private pure returns (string memory) {
        if (number < 10) return string(abi.encodePacked(uint8(48 + number)));
        return string.concat(_text(number / 10), _text(number % 10));
    }
}
