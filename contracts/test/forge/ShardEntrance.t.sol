// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobSubmission} from "../../src/da/BlobTypes.sol";
import {DAEntrance} from "../../src/da/DAEntrance.sol";
import {EpochTerms} from "../../src/da/EpochTerms.sol";
import {QuorumVerifier} from "../../src/da/QuorumVerifier.sol";
import {Quorum} from "../../src/quorum/Quorum.sol";
import {BlobHeader, EpochHeader, Snapshot, Statement} from "../../src/quorum/QuorumTypes.sol";
import {FeeCounter} from "./support/DAFixture.sol";
import {ShardFixture} from "./support/ShardFixture.sol";

/// @notice The same entrance on another chain: its epochs are those that committees handed over, and it closes without them.
contract ShardEntranceTest is ShardFixture {
    DAEntrance private _entrance;
    EpochHeader private _first;

    function setUp() public {
        deployHub(1);
        begin(EPOCH, 4);
        deployMirror();
        vm.chainId(SHARD_CHAIN);
        bytes memory arguments = abi.encode(mirror, HUB_CHAIN, book);
        QuorumVerifier local = QuorumVerifier(deployed("da/QuorumVerifier.sol:QuorumVerifier", arguments));
        FeeCounter fees = new FeeCounter(vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1));
        DAEntrance.Settings memory settings = DAEntrance.Settings({
            verifier: local,
            rewards: fees,
            admin: ADMIN,
            shardId: 1,
            cosets: 3,
            minLog2K: 6,
            maxRetention: 90,
            epochSeconds: EPOCH_SECONDS,
            marginSeconds: 50,
            graceSeconds: GRACE,
            basePerBlob: 0,
            pricePerByteEpoch: 0
        });
        _entrance = DAEntrance(payable(deployed("da/DAEntrance.sol:DAEntrance", abi.encode(settings))));
    }

    function test_closedUntilTheMirrorIsAnchored() public {
        vm.expectRevert(abi.encodeWithSelector(EpochTerms.EpochClosed.selector));
        _submit(1);
        _anchor();
        _submit(1);
    }

    function test_aQuorumOfTheHubCertifies() public {
        _anchor();
        BlobHeader memory header = _submit(1);
        bytes32 leaf = _confirm(header, EPOCH);
        assertTrue(_entrance.isAvailable(header, leaf, 0, new bytes32[](0)), "available");
        assertEq(_entrance.daRoot(), keccak256(bytes.concat(hex"00", abi.encodePacked(uint8(1), leaf, EPOCH, uint32(0), uint32(1), START))), "logged");
    }

    function test_closesWithoutAHandoverAndOpensWithALateOne() public {
        _anchor();
        BlobHeader memory header = _submit(1);
        vm.warp(START + EPOCH_SECONDS - 50);
        vm.expectRevert(abi.encodeWithSelector(EpochTerms.EpochClosed.selector));
        _submit(2);
        vm.warp(START + EPOCH_SECONDS + GRACE);
        _confirm(header, EPOCH);
        BlobHeader memory late = header;
        late.submissionIndex = 9;
        vm.warp(START + EPOCH_SECONDS + GRACE + 1);
        (bytes32 root, Signed memory s) = _certify(late, EPOCH);
        vm.expectRevert(abi.encodeWithSelector(EpochTerms.EpochClosed.selector));
        _entrance.confirmBatch(root, 1, EPOCH, s.snapshot, s.nonSigners, s.siblings, s.signature);
        EpochHeader memory next = headerOf(EPOCH + 1, keccak256(abi.encode(_first)), uint64(block.timestamp));
        accept(next, signAs(EPOCH, 0, handoverOf(next)));
        header = _submit(3);
        _confirm(header, EPOCH + 1);
    }

    /// @dev Signed for the entrance of the hub's chain, or of another shard, it counts for nothing here.
    function test_whatWasSignedForAnotherChain() public {
        _anchor();
        (bytes32 root,) = _certify(_submit(1), EPOCH);
        uint256[3] memory chains = [uint256(HUB_CHAIN), SHARD_CHAIN + 1, SHARD_CHAIN];
        address[3] memory entrances = [address(_entrance), address(_entrance), address(0xE17)];
        for (uint256 i = 0; i < 3; ++i) {
            Signed memory s = signAs(EPOCH, 0, Statement(1, chains[i], entrances[i], EPOCH, 0, 1, root));
            vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
            _entrance.confirmBatch(root, 1, EPOCH, s.snapshot, s.nonSigners, s.siblings, s.signature);
        }
    }

    function _anchor() private {
        _first = headerOf(EPOCH, "before", START);
        Snapshot[] memory snapshots = snapshotsOf(EPOCH);
        vm.prank(ADMIN);
        mirror.anchor(_first, snapshots);
    }

    /// @dev A blob of 1,000 bytes, and the header that it must have.
    function _submit(uint256 seed) private returns (BlobHeader memory) {
        bytes32 commitment = keccak256(abi.encode("blob", seed));
        BlobSubmission[] memory list = new BlobSubmission[](1);
        list[0] = BlobSubmission(commitment, 1000, 64, 0, 6, 3, 10);
        uint64 index = _entrance.submitBlobs(list);
        (, uint64 endTime,,) = mirror.epochInfo(mirror.currentEpoch());
        uint64 expiry = endTime + 10 * EPOCH_SECONDS;
        return BlobHeader(1, 0, 6, 3, 64, 1000, commitment, address(this), 1, index, expiry);
    }

    function _confirm(BlobHeader memory header, uint64 epoch) private returns (bytes32 root) {
        Signed memory s;
        (root, s) = _certify(header, epoch);
        _entrance.confirmBatch(root, 1, epoch, s.snapshot, s.nonSigners, s.siblings, s.signature);
    }

    function _certify(BlobHeader memory h, uint64 epoch) private view returns (bytes32 root, Signed memory s) {
        bytes memory first = abi.encodePacked(h.version, h.suite, h.log2K, h.cosets, h.rowSize, h.length, h.commitment);
        bytes memory rest = abi.encodePacked(h.submitter, h.shardId, h.submissionIndex, h.expiry);
        root = keccak256(bytes.concat(hex"00", first, rest));
        s = signAs(epoch, 0, Statement(1, SHARD_CHAIN, address(_entrance), epoch, 0, 1, root));
    }
}
