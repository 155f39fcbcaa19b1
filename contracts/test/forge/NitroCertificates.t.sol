// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobPromise, BlobSubmission} from "../../src/da/BlobTypes.sol";
import {DAEntrance} from "../../src/da/DAEntrance.sol";
import {ICertificateValidator} from "../../src/da/ICertificateValidator.sol";
import {NitroCertificateValidator} from "../../src/da/NitroCertificateValidator.sol";
import {BlobHeader} from "../../src/quorum/QuorumTypes.sol";
import {DAFixture, FeeCounter} from "./support/DAFixture.sol";
import {Leaves} from "./support/Leaves.sol";

/// @notice What the validator of Arbitrum chains says of certificates and of the bytes behind them.
contract NitroCertificatesTest is DAFixture {
    uint256 private constant MEMBERS = 4;
    uint256 private constant ROWS = 64;
    uint256 private constant ROW_BYTES = 64;
    uint64 private constant LENGTH = 1000;
    bytes32 private constant COMBINATIONS = keccak256("root of the combinations");
    uint256 private constant PAYER_KEY = 0xA11CE;

    NitroCertificateValidator private validator;
    bytes32[] private cosetRoots;
    BlobHeader private header;
    bytes32[] private leaves;
    Certificate private batch;

    function setUp() public {
        deploy();
        begin(EPOCH, 1, MEMBERS);
        validator = new NitroCertificateValidator(entrance);
        cosetRoots.push(_treeOf()[6][0]);
        for (uint256 i = 1; i < 4; ++i) {
            cosetRoots.push(keccak256(abi.encode("coset", i)));
        }
        BlobSubmission[] memory list = new BlobSubmission[](3);
        list[0] = blob(0, 1000);
        list[1] = BlobSubmission(_commitment(), LENGTH, uint32(ROW_BYTES), 1, 6, 3, RETENTION);
        list[2] = blob(2, 500);
        entrance.submitBlobs{value: 1e18}(list);
        for (uint64 i = 0; i < 3; ++i) {
            leaves.push(leafOf(headerOf(list[i], address(this), i)));
        }
        header = headerOf(list[1], address(this), 1);
        batch = certify(1, leaves, EPOCH, 0, 0);
        confirm(batch, EPOCH);
    }

    function test_selectorsAreThoseOfProvers() public pure {
        assertEq(bytes32(ICertificateValidator.validateReadPreimage.selector), bytes32(bytes4(0x08273c74)), "read");
        assertEq(bytes32(ICertificateValidator.validateCertificate.selector), bytes32(bytes4(0xe667d8aa)), "validity");
    }

    function test_aCertificateIsValidOnceItsBatchIsConfirmed() public {
        assertEq(_certificate().length, 171 + 2 * 32, "length");
        assertTrue(_says(_certificate()), "of three");
        bytes memory certificate = _pack(header, _alone(), 0, seedOf(EPOCH));
        assertTrue(!_says(certificate), "not before");
        confirm(certify(1, _alone(), EPOCH, 0, 0), EPOCH);
        assertTrue(_says(certificate), "and then");
    }

    function test_itStaysValidWhenTheBlobHasExpired() public {
        bytes memory certificate = _certificate();
        vm.warp(uint256(header.expiry) + 1);
        assertTrue(!entrance.isAvailable(header, batch.root, 1, Leaves.pathOf(leaves, 1)), "expired");
        assertTrue(_says(certificate), "the answer about it does not change");
    }

    function test_whatStandsBehindACertificateChangesNothing() public view {
        bytes memory certificate = _certificate();
        bytes memory proof = abi.encodePacked(uint64(certificate.length), certificate, uint8(0), "anything");
        assertTrue(validator.validateCertificate(proof), "valid");
    }

    function test_anotherChainOrEntranceHasOtherCertificates() public {
        bytes memory certificate = _certificate();
        fees = new FeeCounter(vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1));
        NitroCertificateValidator other = new NitroCertificateValidator(new DAEntrance(settings(fees)));
        assertTrue(!other.validateCertificate(_proofOf(certificate)), "entrance");
        vm.chainId(uint256(block.chainid) + 1);
        assertTrue(!_says(certificate), "chain");
    }

    function test_aLeafThatWasNotPaidForHasNone() public {
        BlobPromise[] memory promises = new BlobPromise[](1);
        bytes[] memory signatures = new bytes[](1);
        BlobSubmission memory b = BlobSubmission(_commitment(), LENGTH, uint32(ROW_BYTES), 1, 6, 3, RETENTION);
        promises[0] = promiseOf(b, EPOCH, 9);
        signatures[0] = signPromise(PAYER_KEY, promises[0]);
        BlobHeader memory promised = headerOf(b, signingVm.addr(PAYER_KEY), (1 << 63) | (EPOCH << 16) | 9);
        bytes32[] memory own = new bytes32[](1);
        own[0] = leafOf(promised);
        Certificate memory c = certify(5, own, EPOCH, 0, 0);
        entrance.confirmPromised(promises, signatures, EPOCH, c.snapshot, c.nonSigners, c.siblings, c.signature);
        assertTrue(entrance.isVoid(c.root, 0), "nothing was deposited");
        assertTrue(!_says(_pack(promised, own, 0, seedOf(EPOCH))), "void");
    }

    function test_rowsThatThisChainCannotProveHaveNone() public view {
        BlobHeader memory other = headerOf(blob(0, 1000), address(this), 0);
        assertTrue(!_says(_pack(other, leaves, 0, seedOf(EPOCH))), "suite 0");
    }

    function test_anotherSeedIsAnotherCertificate() public view {
        assertTrue(!_says(_pack(header, leaves, 1, seedOf(EPOCH + 1))), "seed");
    }

    /// @dev One bit makes it another certificate, which is none.
    function testFuzz_noBitIsFree(uint256 bit) public view {
        bytes memory certificate = _certificate();
        bit = bound(bit, 0, certificate.length * 8 - 1);
        certificate[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        assertTrue(!_says(certificate), "altered");
    }

    function testFuzz_noLengthButItsOwn(uint256 length) public view {
        bytes memory certificate = _certificate();
        length = bound(length, 0, certificate.length + 100);
        bytes memory cut = new bytes(length);
        for (uint256 i = 0; i < length && i < certificate.length; ++i) {
            cut[i] = certificate[i];
        }
        assertTrue(_says(cut) == (length == certificate.length), "length");
    }

    /// @dev Whatever it is given, there is an answer, and it is no.
    function testFuzz_bytesAreNoCertificate(bytes calldata anything) public view {
        assertTrue(!validator.validateCertificate(anything), "as they are");
        assertTrue(!_says(anything), "as a certificate");
        bytes memory behind = bytes.concat(hex"014301", anything);
        assertTrue(!_says(behind), "behind the first bytes");
        bytes memory huge = abi.encodePacked(type(uint64).max, anything);
        assertTrue(!validator.validateCertificate(huge), "longer than there is");
    }

    /// forge-config: default.fuzz.runs = 50
    function testFuzz_readsGiveThePayload(uint256 offset) public view {
        offset = bound(offset, 0, LENGTH - 1);
        bytes memory certificate = _certificate();
        bytes memory found =
            validator.validateReadPreimage(keccak256(certificate), offset, _readProof(certificate, offset));
        uint256 expected = LENGTH - offset < 32 ? LENGTH - offset : 32;
        assertEq(found.length, expected, "length");
        for (uint256 i = 0; i < expected; ++i) {
            uint256 place = 8 + offset + i;
            assertTrue(found[i] == _row(place / ROW_BYTES)[place % ROW_BYTES], "byte");
        }
    }

    function testFuzz_nothingIsReadPastTheEnd(uint256 offset) public view {
        offset = bound(offset, LENGTH, type(uint256).max);
        bytes memory certificate = _certificate();
        bytes memory found = validator.validateReadPreimage(keccak256(certificate), offset, _proofOf(certificate));
        assertEq(found.length, 0, "length");
    }

    /// forge-config: default.fuzz.runs = 50
    function testFuzz_noOtherBytesAreProven(uint256 offset, uint256 bit) public {
        offset = bound(offset, 0, LENGTH - 1);
        bytes memory certificate = _certificate();
        bytes memory proof = _readProof(certificate, offset);
        uint256 from = 8 + certificate.length;
        bit = bound(bit, from * 8, proof.length * 8 - 1);
        proof[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        vm.expectRevert();
        validator.validateReadPreimage(keccak256(certificate), offset, proof);
    }

    function test_readsAreOfTheCertificateAskedFor() public {
        bytes memory proof = _readProof(_certificate(), 0);
        vm.expectRevert(abi.encodeWithSelector(NitroCertificateValidator.WrongCertificate.selector));
        validator.validateReadPreimage(keccak256("another"), 0, proof);
    }

    function test_aCertificateThatIsNotValidHasNoPayload() public {
        bytes memory certificate = _pack(header, _alone(), 0, seedOf(EPOCH));
        bytes memory proof = _readProof(certificate, 0);
        vm.expectRevert(abi.encodeWithSelector(NitroCertificateValidator.InvalidCertificate.selector));
        validator.validateReadPreimage(keccak256(certificate), 0, proof);
    }

    function _says(bytes memory certificate) private view returns (bool) {
        return validator.validateCertificate(_proofOf(certificate));
    }

    function _proofOf(bytes memory certificate) private pure returns (bytes memory) {
        return abi.encodePacked(uint64(certificate.length), certificate, uint8(1));
    }

    function _certificate() private view returns (bytes memory) {
        return _pack(header, leaves, 1, seedOf(EPOCH));
    }

    /// @dev A batch of this blob only.
    function _alone() private view returns (bytes32[] memory alone) {
        alone = new bytes32[](1);
        alone[0] = leafOf(header);
    }

    function _pack(BlobHeader memory h, bytes32[] memory all, uint32 index, bytes32 seed)
        private
        view
        returns (bytes memory)
    {
        bytes memory start = abi.encodePacked(hex"014301", uint64(block.chainid), address(entrance), EPOCH, uint32(0));
        bytes memory place = abi.encodePacked(uint32(all.length), index, seed);
        bytes memory shape = abi.encodePacked(h.version, h.suite, h.log2K, h.cosets, h.rowSize, h.length, h.commitment);
        bytes memory origin = abi.encodePacked(h.submitter, h.shardId, h.submissionIndex, h.expiry);
        return bytes.concat(start, place, shape, origin, abi.encodePacked(Leaves.pathOf(all, index)));
    }

    function _readProof(bytes memory certificate, uint256 offset) private view returns (bytes memory proof) {
        uint256 start = 8 + offset;
        uint256 left = LENGTH - offset < 32 ? LENGTH - offset : 32;
        proof = abi.encodePacked(uint64(certificate.length), certificate, cosetRoots, COMBINATIONS);
        proof = bytes.concat(proof, _row(start / ROW_BYTES), abi.encodePacked(_pathOf(start / ROW_BYTES)));
        if (start % ROW_BYTES + left <= ROW_BYTES) return proof;
        uint256 next = start / ROW_BYTES + 1;
        return bytes.concat(proof, _row(next), abi.encodePacked(_pathOf(next)));
    }

    /// @dev Data rows of any content: that they are of a codeword is for others to check.
    function _row(uint256 index) private pure returns (bytes memory) {
        return abi.encodePacked(keccak256(abi.encode("row", index)), keccak256(abi.encode("rest", index)));
    }

    function _treeOf() private pure returns (bytes32[][] memory levels) {
        levels = new bytes32[][](7);
        levels[0] = new bytes32[](ROWS);
        for (uint256 i = 0; i < ROWS; ++i) {
            levels[0][i] = sha256(bytes.concat(hex"00", _row(i)));
        }
        for (uint256 h = 1; h < 7; ++h) {
            levels[h] = new bytes32[](ROWS >> h);
            for (uint256 i = 0; i < levels[h].length; ++i) {
                levels[h][i] = sha256(bytes.concat(hex"01", levels[h - 1][2 * i], levels[h - 1][2 * i + 1]));
            }
        }
    }

    function _pathOf(uint256 index) private pure returns (bytes32[] memory path) {
        bytes32[][] memory levels = _treeOf();
        path = new bytes32[](6);
        for (uint256 h = 0; h < 6; ++h) {
            path[h] = levels[h][(index >> h) ^ 1];
        }
    }

    /// @dev The codec's parameters, little-endian, for 64 rows of 64 bytes and 1,000 bytes in suite 1 with three cosets.
    function _commitment() private view returns (bytes32) {
        bytes memory params = abi.encodePacked(hex"010103061000", hex"40000000", hex"e803000000000000", bytes6(0));
        bytes32 rowRoot = sha256(abi.encodePacked(hex"02", cosetRoots));
        return sha256(abi.encodePacked(hex"04", rowRoot, COMBINATIONS, params));
    }
}
