// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Arc, Arcs} from "../../src/da/Arcs.sol";
import {BlobSubmission} from "../../src/da/BlobTypes.sol";
import {DAEntrance} from "../../src/da/DAEntrance.sol";
import {DAMining} from "../../src/da/DAMining.sol";
import {HeldLottery, HeldRow} from "../../src/da/HeldLottery.sol";
import {Placement} from "../../src/da/Placement.sol";
import {IEntropy} from "../../src/quorum/IEntropy.sol";
import {BlobHeader, Snapshot} from "../../src/quorum/QuorumTypes.sol";
import {Committee} from "./support/Committee.sol";
import {DAFixture} from "./support/DAFixture.sol";
import {Leaves} from "./support/Leaves.sol";

/// @notice Entropy that a test can tell in advance.
contract KnownEntropy is IEntropy {
    function entropy(uint256 blockNumber, bytes calldata) external pure returns (bytes32) {
        return keccak256(abi.encode("entropy", blockNumber));
    }
}

/// @notice Prizes for rows that are shown to be held. The blob is the codec's vector of suite 1 with three cosets.
/// Source: docs/spec/codec.md, "Vectors".
contract DALotteryTest is DAFixture {
    bytes32 private constant COMMITMENT = 0xb22e1b1308dc066232e8914a3f8c0b9812d1d703b5b36304eb632b66eaba632a;
    bytes32 private constant COMBINATIONS = 0xe42d52842d6090c886abfeb3f002cebd5f66de92eb699db9494f0ca7be5e551b;
    bytes private constant PAYLOAD = "Cairn keeps what it is given.";
    uint256 private constant ROWS = 256;
    uint256 private constant MEMBERS = 4;
    uint256 private constant POT = 1e18;

    DAMining private mining;
    bytes32 private root;
    BlobHeader private header;
    bytes32[] private cosetRoots;

    function setUp() public {
        deploy();
        begin(EPOCH, 1, MEMBERS);
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        HeldLottery.LotterySettings memory lottery =
            HeldLottery.LotterySettings(new KnownEntropy(), 100, type(uint32).max, 4, 16);
        mining = new DAMining(verifier, predicted, address(0x7EA), lottery);
        entrance = new DAEntrance(settings(mining));
        cosetRoots.push(0x5775cdb1a8845924669ae27a4f4142f741de6db50c7d3ee6a2e34cb2080937a7);
        cosetRoots.push(0x97bb71664a208df223825f670b923cc619405d33468eab9020adcd479af249ea);
        cosetRoots.push(0xa535b15b4d90a326599356aa4f044898c4b48776cf684656bc5e034b08cf64c7);
        cosetRoots.push(0xad58fee5ebdcb98ae228c5f6626cf2fa40e8d8b5bc1ed3a3d65c9e7f872d92f9);
        _confirmBlob();
        _fillPot();
        mining.openPeriod(1, "");
    }

    function test_aHeldRowIsPaidOnce() public {
        HeldRow memory held = _held(0);
        uint256 pot = mining.heldPot();
        uint256 amount = mining.claim(held);
        assertEq(amount, pot * 64 / (4096 * 16), "a share by bytes");
        assertEq(held.arc.holder.balance, amount, "paid");
        assertEq(mining.heldPot(), pot - amount, "pot");
        vm.expectRevert(abi.encodeWithSelector(HeldLottery.AlreadyPaid.selector));
        mining.claim(held);
    }

    /// @dev Every data row has one holder, and the prize goes to nobody else.
    function test_rowsBelongToOneMember() public {
        uint256 paid = 0;
        for (uint32 row = 0; row < 64; row += 7) {
            for (uint32 member = 0; member < MEMBERS; ++member) {
                HeldRow memory held = _held(row);
                held.arc = _arc(member);
                held.arcPath = _arcPath(member);
                (bool success,) = address(mining).call(abi.encodeCall(mining.claim, (held)));
                if (success) ++paid;
            }
        }
        // Four members hold 63 rows each: four rows of the circle are nobody's.
        assertTrue(paid >= 9 && paid <= 10, "one each");
    }

    /// @dev Attack table, 25: nothing about a claim can be changed.
    function test_alteredClaimsAreRefused() public {
        HeldRow memory held = _held(0);
        held.row[63] ^= 0x01;
        _refuse(held, HeldLottery.BadRow.selector);
        held = _held(0);
        held.row = bytes.concat(held.row, hex"00");
        _refuse(held, HeldLottery.BadRow.selector);
        held = _held(0);
        held.rowPath[2] ^= bytes32(uint256(1));
        _refuse(held, HeldLottery.BadRow.selector);
        held = _held(0);
        held.rowIndex = 64;
        _refuse(held, HeldLottery.BadRow.selector);
        held.rowIndex = 256;
        _refuse(held, HeldLottery.BadRow.selector);
        held = _held(0);
        held.combinationRoot ^= bytes32(uint256(1));
        _refuse(held, HeldLottery.BadRow.selector);
        held = _held(0);
        held.cosetRoots[3] ^= bytes32(uint256(1));
        _refuse(held, HeldLottery.BadRow.selector);
        held = _held(0);
        held.header.suite = 0;
        _refuse(held, HeldLottery.NotEligible.selector);
        held = _held(0);
        held.leafIndex = 1;
        _refuse(held, HeldLottery.NotEligible.selector);
        held = _held(0);
        held.arc.holder = address(this);
        _refuse(held, HeldLottery.NotHolder.selector);
        held = _held(0);
        held.arc.rows = 256;
        _refuse(held, HeldLottery.NotHolder.selector);
        held = _held(0);
        held.period = 0;
        vm.expectRevert(abi.encodeWithSelector(HeldLottery.WrongPeriod.selector, 0, 1));
        mining.claim(held);
        held = _held(0);
        vm.warp(header.expiry);
        _refuse(held, HeldLottery.NotEligible.selector);
    }

    /// @dev A batch that is made once the seed is known could be tried until its rows win.
    function test_aBatchConfirmedWithTheSeedOrLaterDoesNotWin() public {
        HeldRow memory held = _heldAgain(100);
        vm.expectRevert(abi.encodeWithSelector(HeldLottery.ConfirmedTooLate.selector, 100, 100));
        mining.claim(held);
        mining.openPeriod(2, "");
        held.period = 2;
        mining.claim(held);
    }

    function test_aBatchConfirmedInTheBlockBeforeTheSeedWins() public {
        assertEq(entrance.batchBlock(root), 1, "block of the batch");
        assertEq(entrance.batchBlock(keccak256("none")), 0, "no batch");
        assertTrue(mining.claim(_heldAgain(99)) > 0, "paid");
    }

    /// @dev The draw is the blob's: another batch with the same header brings no second prize.
    function test_aRowIsPaidOnceForAllBatchesOfItsBlob() public {
        HeldRow memory held = _heldAgain(99);
        mining.claim(held);
        _refuse(_held(0), HeldLottery.AlreadyPaid.selector);
        mining.openPeriod(2, "");
        held = _held(0);
        held.period = 2;
        mining.claim(held);
    }

    function test_aPeriodIsOverWhenTheNextIsOpen() public {
        HeldRow memory held = _held(0);
        mining.openPeriod(2, "");
        vm.expectRevert(abi.encodeWithSelector(HeldLottery.WrongPeriod.selector, 1, 2));
        mining.claim(held);
        vm.expectRevert(abi.encodeWithSelector(HeldLottery.WrongPeriod.selector, 2, 2));
        mining.openPeriod(2, "");
        held.period = 2;
        mining.claim(held);
    }

    /// @dev Four prizes are wanted in a period. The target follows what was paid, by at most a factor of four.
    function test_theTargetFollowsThePrizes() public {
        for (uint32 row = 0; row < 16; ++row) {
            (bool success,) = address(mining).call(abi.encodeCall(mining.claim, (_held(row))));
            if (row < 8) assertTrue(success || _holderOf(row) == MEMBERS, "all win at first");
        }
        uint256 paid = mining.periodOf(1).prizes;
        assertTrue(paid > 10, "more than wanted");
        mining.openPeriod(2, "");
        uint256 target = mining.periodOf(2).target;
        assertEq(target, type(uint256).max / paid * 4, "in proportion");
        mining.openPeriod(3, "");
        assertEq(mining.periodOf(3).target, target * 4, "nobody won: four times as much");
    }

    function test_anArcTableNeedsAllMembers() public {
        Snapshot memory snapshot = committees[EPOCH][0].snapshot(EPOCH, 0);
        bytes memory members = _members();
        members[30] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(Arcs.NotTheMembers.selector));
        mining.publishArcs(snapshot, members, uint32(ROWS));
        members[30] ^= 0x01;
        vm.expectRevert(abi.encodeWithSelector(Arcs.NotTheMembers.selector));
        mining.publishArcs(snapshot, bytes.concat(members, members), uint32(ROWS));
        vm.expectRevert(abi.encodeWithSelector(Arcs.TooFewRows.selector, 8, MEMBERS));
        mining.publishArcs(snapshot, members, 8);
        mining.publishArcs(snapshot, members, uint32(ROWS));
    }

    /// @dev Source: docs/spec/codec.md, "placements", suite 1.
    function test_placementsAreTheCodecs() public pure {
        uint256 offset = Placement.offsetOf(
            0x1111111111111111111111111111111111111111111111111111111111111111,
            0x2222222222222222222222222222222222222222222222222222222222222222,
            256
        );
        assertEq(offset, 40, "offset");
        uint256[4] memory seats = [uint256(1), 2, 5, 8];
        uint256[4] memory rows = [uint256(16), 32, 79, 126];
        uint256 start = 0;
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(Placement.arcRowsOf(256, 4, seats[i], 16), rows[i], "rows");
            assertTrue(Placement.holds(offset, start, rows[i], (offset + start) % 256, 256), "first row");
            assertTrue(Placement.holds(offset, start, rows[i], (offset + start + rows[i] - 1) % 256, 256), "last row");
            assertTrue(!Placement.holds(offset, start, rows[i], (offset + start + rows[i]) % 256, 256), "next row");
            assertTrue(!Placement.holds(offset, start, rows[i], (offset + start + 255) % 256, 256), "row before");
            start += rows[i];
        }
    }

    function _refuse(HeldRow memory held, bytes4 fault) private {
        vm.expectRevert(abi.encodeWithSelector(fault));
        mining.claim(held);
    }

    /// @dev The vector's blob, submitted, certified and the only one in its batch; the table of arcs.
    function _confirmBlob() private {
        BlobSubmission[] memory list = new BlobSubmission[](1);
        list[0] = BlobSubmission(COMMITMENT, uint64(PAYLOAD.length), 64, 1, 6, 3, RETENTION);
        entrance.submitBlobs{value: feeOf(list[0])}(list);
        header = headerOf(list[0], address(this), 0);
        bytes32[] memory leaves = new bytes32[](1);
        leaves[0] = leafOf(header);
        root = leaves[0];
        confirm(certify(1, leaves, EPOCH, 0, 0), EPOCH);
        mining.publishArcs(committees[EPOCH][0].snapshot(EPOCH, 0), _members(), uint32(ROWS));
    }

    /// @dev Row 0 of the same blob, out of a second batch, confirmed in block `number`.
    function _heldAgain(uint256 number) private returns (HeldRow memory held) {
        bytes32[] memory leaves = new bytes32[](2);
        leaves[0] = leafOf(header);
        leaves[1] = keccak256("another");
        vm.roll(number);
        Certificate memory again = certify(1, leaves, EPOCH, 0, 0);
        confirm(again, EPOCH);
        held = _held(0);
        held.batchRoot = again.root;
        held.batchPath = Leaves.pathOf(leaves, 0);
    }

    /// @dev Fees of an earlier epoch, which pay for the first pool that is fixed.
    function _fillPot() private {
        vm.deal(address(entrance), POT);
        vm.prank(address(entrance));
        mining.receiveFees{value: POT}(EPOCH - 1, 1, 1);
        vm.warp(START + EPOCH_SECONDS + 1);
        mining.fixPools(1);
        assertEq(mining.heldPot(), POT * 45 / 100, "pot");
    }

    function _held(uint32 row) private view returns (HeldRow memory held) {
        held.period = 1;
        held.header = header;
        held.batchRoot = root;
        held.cosetRoots = cosetRoots;
        held.combinationRoot = COMBINATIONS;
        held.rowIndex = row;
        held.row = _row(row);
        held.rowPath = _rowPath(row);
        uint256 member = _holderOf(row);
        if (member == MEMBERS) member = 0;
        held.arc = _arc(uint32(member));
        held.arcPath = _arcPath(member);
    }

    /// @dev Row 0 has version, log2K, cosets, zero, the length, and the payload; the others are zero.
    function _row(uint256 row) private pure returns (bytes memory) {
        if (row != 0) return new bytes(64);
        return bytes.concat(hex"010603001d000000", PAYLOAD, new bytes(64 - 8 - PAYLOAD.length));
    }

    /// @dev Siblings in the data coset, hashed level by level; the root is the vector's.
    function _rowPath(uint256 row) private view returns (bytes32[] memory path) {
        path = new bytes32[](6);
        bytes32[] memory level = new bytes32[](64);
        for (uint256 i = 0; i < 64; ++i) {
            level[i] = sha256(bytes.concat(hex"00", _row(i)));
        }
        for (uint256 h = 0; h < 6; ++h) {
            path[h] = level[(row >> h) ^ 1];
            for (uint256 i = 0; i < 32 >> h; ++i) {
                level[i] = sha256(bytes.concat(hex"01", level[2 * i], level[2 * i + 1]));
            }
        }
        assertEq(level[0], cosetRoots[0], "data root");
    }

    /// @dev The member whose arc has the row; MEMBERS where nobody's has.
    function _holderOf(uint256 row) private pure returns (uint256) {
        uint256 offset = uint256(sha256(bytes.concat(hex"05", COMMITMENT, seedOf(EPOCH)))) % ROWS;
        return ((row + ROWS - offset) % ROWS) / 63;
    }

    /// @dev Each of four equal members holds 252 / 4 rows.
    function _arc(uint32 member) private view returns (Arc memory) {
        return Arc(member, committees[EPOCH][0].member(member).signer, member * 63, 63);
    }

    function _arcPath(uint256 member) private view returns (bytes32[] memory) {
        bytes32[] memory leaves = new bytes32[](MEMBERS);
        for (uint32 i = 0; i < MEMBERS; ++i) {
            Arc memory arc = _arc(i);
            leaves[i] = keccak256(bytes.concat(hex"00", abi.encodePacked(arc.index, arc.holder, arc.start, arc.rows)));
        }
        return Leaves.pathOf(leaves, member);
    }

    function _members() private view returns (bytes memory members) {
        Committee group = committees[EPOCH][0];
        for (uint256 i = 0; i < MEMBERS; ++i) {
            members = bytes.concat(members, group.body(group.member(i)));
        }
    }
}
