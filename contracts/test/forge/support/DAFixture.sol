// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobPromise, BlobSubmission} from "../../../src/da/BlobTypes.sol";
import {DAEntrance} from "../../../src/da/DAEntrance.sol";
import {HeldLottery} from "../../../src/da/HeldLottery.sol";
import {IFeeReceiver} from "../../../src/da/IFeeReceiver.sol";
import {QuorumVerifier} from "../../../src/da/QuorumVerifier.sol";
import {IEntropy} from "../../../src/quorum/IEntropy.sol";
import {BlobHeader, Snapshot, Statement} from "../../../src/quorum/QuorumTypes.sol";
import {Statements} from "../../../src/quorum/Statements.sol";
import {BlsKeys} from "./BlsKeys.sol";
import {Committee} from "./Committee.sol";
import {EpochBook} from "./EpochBook.sol";
import {Leaves} from "./Leaves.sol";
import {Test} from "./Test.sol";

/// @notice More cheatcodes of the test machine.
interface SigningVm {
    function addr(uint256 privateKey) external pure returns (address);
    function chainId(uint256 id) external;
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
}

/// @notice Takes fees and keeps count of them.
contract FeeCounter is IFeeReceiver {
    address public immutable entrance;
    mapping(uint256 epoch => mapping(uint256 retention => uint256)) public received;

    constructor(address entrance_) {
        entrance = entrance_;
    }

    function receiveFees(uint64 epoch, uint16 retentionEpochs, uint8) external payable {
        require(msg.sender == entrance);
        received[epoch][retentionEpochs] += msg.value;
    }
}

/// @title DAFixture
/// @notice An entrance with epochs of a test's making and quorums with real keys.
abstract contract DAFixture is Test {
    SigningVm internal constant signingVm = SigningVm(address(vm));

    uint64 internal constant EPOCH = 7;
    uint64 internal constant EPOCH_SECONDS = 1000;
    uint64 internal constant MARGIN = 50;
    uint64 internal constant GRACE = 100;
    uint64 internal constant START = 1_000_000;
    uint16 internal constant RETENTION = 10;
    uint96 internal constant BASE = 5_000;
    uint64 internal constant PRICE = 3;
    bytes32 internal constant SEED = keccak256("epoch seed");
    address internal constant ADMIN = address(0xAD);
    address internal constant HUB = address(0x4B);
    uint64 internal constant HUB_CHAIN = 77;
    uint32 internal constant SHARD = 3;

    uint8 internal minLog2K = 6;
    EpochBook internal book;
    QuorumVerifier internal verifier;
    FeeCounter internal fees;
    DAEntrance internal entrance;
    mapping(uint64 epoch => mapping(uint32 quorumId => Committee)) internal committees;

    /// @dev Everything that a confirmation brings along.
    struct Certificate {
        bytes32 root;
        uint32 count;
        Snapshot snapshot;
        bytes nonSigners;
        bytes32[] siblings;
        uint256[8] signature;
    }

    /// @dev Takes refunds.
    receive() external payable {}

    function deploy() internal {
        vm.warp(START);
        book = new EpochBook();
        bytes memory arguments = abi.encode(book, HUB_CHAIN, HUB);
        verifier = QuorumVerifier(deployed("da/QuorumVerifier.sol:QuorumVerifier", arguments));
        fees = new FeeCounter(vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1));
        entrance = DAEntrance(payable(deployed("da/DAEntrance.sol:DAEntrance", abi.encode(settings(fees)))));
        vm.deal(address(this), 1e30);
    }

    function settings(IFeeReceiver rewards) internal view returns (DAEntrance.Settings memory) {
        return DAEntrance.Settings({
            verifier: verifier,
            rewards: rewards,
            admin: ADMIN,
            shardId: SHARD,
            cosets: 3,
            minLog2K: minLog2K,
            maxRetention: 90,
            epochSeconds: EPOCH_SECONDS,
            marginSeconds: MARGIN,
            graceSeconds: GRACE,
            basePerBlob: BASE,
            pricePerByteEpoch: PRICE
        });
    }

    /// @dev A lottery that no test of these plays.
    function lotterySettings() internal pure returns (HeldLottery.LotterySettings memory) {
        return HeldLottery.LotterySettings(IEntropy(address(1)), 1, 0, 1, 1);
    }

    /// @dev Begins `epoch` at the current time, with `quorums` quorums of `members` equal members each.
    function begin(uint64 epoch, uint32 quorums, uint256 members) internal {
        book.setCurrent(epoch);
        uint64 start = uint64(block.timestamp);
        uint32 groups = quorums == 1 ? 1 : quorums + 1;
        book.setInfo(epoch, start, start + EPOCH_SECONDS, seedOf(epoch), groups);
        for (uint32 id = 0; id < groups; ++id) {
            committees[epoch][id] = committee(uint256(keccak256(abi.encode(epoch, id))), members);
            book.setSnapshot(epoch, id, keccak256(abi.encode(committees[epoch][id].snapshot(epoch, id))));
        }
    }

    /// @dev Members with a seat each.
    function committee(uint256 seed, uint256 members) internal returns (Committee made) {
        made = new Committee();
        for (uint256 i = 0; i < members; ++i) {
            made.add(address(uint160(0xA00000 + i)), 1, BlsKeys.secret(uint256(keccak256(abi.encode(seed, i)))));
        }
    }

    /// @dev What all but the `absent` of a quorum sign for a batch with these leaves.
    function certify(uint8 kind, bytes32[] memory leaves, uint64 epoch, uint32 quorumId, uint256 absent)
        internal
        view
        returns (Certificate memory made)
    {
        made.root = Leaves.rootOf(leaves);
        made.count = uint32(leaves.length);
        made.snapshot = committees[epoch][quorumId].snapshot(epoch, quorumId);
        (made.nonSigners, made.siblings) = committees[epoch][quorumId].nonSigners(absent);
        bytes32 digest = digestOf(kind, made.root, made.count, epoch, quorumId);
        made.signature = committees[epoch][quorumId].sign(digest, absent);
    }

    function confirm(Certificate memory c, uint64 epoch) internal {
        entrance.confirmBatch(c.root, c.count, epoch, c.snapshot, c.nonSigners, c.siblings, c.signature);
    }

    function seedOf(uint64 epoch) internal pure returns (bytes32) {
        return keccak256(abi.encode(SEED, epoch));
    }

    function digestOf(uint8 kind, bytes32 root, uint32 count, uint64 epoch, uint32 quorumId)
        internal
        view
        returns (bytes32)
    {
        return Statements.digest(
            HUB_CHAIN, HUB, Statement(kind, block.chainid, address(entrance), epoch, quorumId, count, root)
        );
    }

    /// @dev A blob of `length` bytes with the layout that the rules give it, worked out by trying.
    function blob(uint256 seed, uint64 length) internal view returns (BlobSubmission memory) {
        uint8 log2K = length + 8 <= 65_536 ? 6 : length + 8 <= 1_048_576 ? 8 : length + 8 <= 16_777_216 ? 10 : 12;
        if (log2K < minLog2K) log2K = minLog2K;
        uint32 rowSize = 64;
        while (uint256(rowSize) * 2 ** log2K < uint256(length) + 8) rowSize += 64;
        return BlobSubmission(keccak256(abi.encode("commitment", seed)), length, rowSize, 0, log2K, 3, RETENTION);
    }

    function feeOf(BlobSubmission memory b) internal pure returns (uint256) {
        return BASE + uint256(b.rowSize) * 2 ** b.log2K * 4 * b.retentionEpochs * PRICE;
    }

    function blobs(uint256 count) internal view returns (BlobSubmission[] memory list, uint256 fee) {
        list = new BlobSubmission[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = blob(i, 1000);
            fee += feeOf(list[i]);
        }
    }

    /// @dev Header of a submission made now, in the current epoch.
    function headerOf(BlobSubmission memory b, address submitter, uint64 index) internal view returns (BlobHeader memory) {
        (, uint64 endTime,,) = book.epochInfo(book.currentEpoch());
        return BlobHeader(
            1,
            b.suite,
            b.log2K,
            b.cosets,
            b.rowSize,
            b.length,
            b.commitment,
            submitter,
            SHARD,
            index,
            endTime + b.retentionEpochs * EPOCH_SECONDS
        );
    }

    function leafOf(BlobHeader memory h) internal pure returns (bytes32) {
        bytes memory first = abi.encodePacked(h.version, h.suite, h.log2K, h.cosets, h.rowSize, h.length, h.commitment);
        return keccak256(bytes.concat(hex"00", first, abi.encodePacked(h.submitter, h.shardId, h.submissionIndex, h.expiry)));
    }

    function promiseOf(BlobSubmission memory b, uint64 epoch, uint16 slot) internal pure returns (BlobPromise memory) {
        return BlobPromise(
            b.commitment,
            b.length,
            b.rowSize,
            b.suite,
            b.log2K,
            b.cosets,
            b.retentionEpochs,
            epoch,
            slot,
            type(uint64).max,
            type(uint256).max
        );
    }

    /// @dev Typed data signed with the key of a payer, hashed here field by field.
    function signPromise(uint256 payerKey, BlobPromise memory p) internal view returns (bytes memory) {
        bytes32 typeHash = keccak256(
            "Promise(bytes32 commitment,uint64 length,uint32 rowSize,uint8 suite,uint8 log2K,uint8 cosets,uint16 retentionEpochs,uint64 epoch,uint16 slot,uint64 signBy,uint256 maxFee)"
        );
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Cairn"),
                keccak256("1"),
                block.chainid,
                address(entrance)
            )
        );
        bytes32 digest = keccak256(bytes.concat(hex"1901", domain, keccak256(abi.encode(typeHash, p))));
        (uint8 v, bytes32 r, bytes32 s) = signingVm.sign(payerKey, digest);
        return abi.encodePacked(r, s, v);
    }
}
