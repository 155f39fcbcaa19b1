// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../../src/quorum/Bls.sol";
import {BlsKeys} from "./support/BlsKeys.sol";
import {GasReport} from "./support/GasReport.sol";

/// @notice Calls the library from outside, so that reverts and gas can be seen.
contract BlsCaller {
    function hashToG2(bytes32 digest) external view returns (uint256[8] memory) {
        return Bls.hashToG2(digest);
    }

    function verify(uint256[4] memory key, bytes32 digest, uint256[8] memory signature) external view returns (bool) {
        return Bls.verify(key, Bls.hashToG2(digest), signature);
    }

    function verifyBatch(uint256[4][] calldata keys, bytes32 digest, uint256[8][] calldata signatures)
        external
        view
        returns (bool)
    {
        Bls.Batch memory batch = Bls.newBatch(keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            Bls.push(batch, Bls.pack(keys[i]), signatures[i]);
        }
        return Bls.verifyBatch(batch, Bls.hashToG2(digest));
    }

    function selfTest() external view {
        Bls.selfTest();
    }

    function pack(uint256[4] memory key) external pure returns (uint256[3] memory) {
        return Bls.pack(key);
    }
}

/// @notice BLS signatures: known answers, and what must be refused.
/// forge-config: default.fuzz.runs = 100
contract BlsTest is GasReport {
    bytes32 private constant DIGEST = keccak256("a statement");

    BlsCaller private _caller;

    function setUp() public {
        _caller = new BlsCaller();
    }

    /// @dev Source: vectors/consensus.json, "hashToG2"; made with blst.
    function test_hashesLikeBlst() public view {
        _hashesTo(
            0,
            hex"00000000000000000000000000000000076e5cd6cfb3c361fc767e5f40ce05486e1668825ffeecab89d7daa455a179736a387ae93b9b15d283d45ffa14cd4af70000000000000000000000000000000017502412bcfc3f1d88b71f1ad9b60fa37c332d19466fba1dc991d42bcd09bcd9f1c22a562646ffce0922793b6c69938b0000000000000000000000000000000006740fd1dd8669dd6938f89bb6f45fe88d98e2ddb5a3938af14b6384ca8f09ef57c612076236638f9ff93fc2f77824a0000000000000000000000000000000000b5870882f02ad57dac847d25b00412a74c4d16c004e9ae3801e85c3785d497dda79e2c68c6aaf77a165640cb4399237"
        );
        _hashesTo(
            0x3ac225168df54212a25c1c01fd35bebfea408fdac2e31ddd6f80a4bbf9a5f1cb,
            hex"0000000000000000000000000000000007c403dac847ea0782fd575bce6e90e10cf92d306a9441c049c262cba63ed9ebf73ed983c304590122dbb13c7d333d4d000000000000000000000000000000000c81a98ea221dd0d5fc4ad26454bc4cadf53d3efa62d387871d9da57bbaad9f4542a30b4d3e8bc8b18c294ec1585d04d000000000000000000000000000000000527304d51752fc1258e1d4998098071e6a421a471fa61ccd39d4c6735527e52c99b032de1dae442a79048cd5af4eefc0000000000000000000000000000000002ea17bd9dd79f64f167065ebed812218097daeb8e19c676bb9d32dbdd8033768bde62cd60d301525b4bf5321065b5b9"
        );
        _hashesTo(
            0xad57a64ac67fb1a8b60a15498a7a45bcf3dd2a159b91d8f4f29294a295d0e5a5,
            hex"000000000000000000000000000000000c1512f8d489d84743cfdf666acd88b6ebc5d97cd1a0ae43efe139e9e4ba273de27b103dd3a4b4cd9c04ae2f13316d960000000000000000000000000000000001b47cf6dd494a2cd8e347428dbdf9df2e168a8610f5a41f954204e06d42433f18443e9a33a50644babdc696520b9c130000000000000000000000000000000000ba13c73817e1c2298dfeb5b0375cf8df32223f261614ba40f23a9c7f47db70d95e122a10ea4422184e3b2278d292e9000000000000000000000000000000000b946ea05bb77dcc52efe9b7440714cbb1ef9af90e7652e94cbd18caa57510fe0ce9750b80f4dcc9f267f5bd74d936c1"
        );
    }

    function testFuzz_aSignatureIsOneKeysOverOneDigest(uint256 seed, bytes32 digest, bytes32 other) public view {
        vm.assume(digest != other);
        uint256 secretKey = BlsKeys.secret(seed);
        uint256[4] memory key = BlsKeys.publicKey(secretKey);
        uint256[8] memory signature = BlsKeys.sign(secretKey, digest);
        assertTrue(_caller.verify(key, digest, signature), "its own");
        assertTrue(!_caller.verify(key, other, signature), "another digest");
        assertTrue(!_caller.verify(BlsKeys.publicKey(BlsKeys.secret(~seed)), digest, signature), "another key");
    }

    function test_identitiesAreRefused() public view {
        uint256[4] memory noKey;
        uint256[8] memory noSignature;
        uint256[4] memory key = BlsKeys.publicKey(7);
        assertTrue(!_caller.verify(noKey, DIGEST, noSignature), "both");
        assertTrue(!_caller.verify(key, DIGEST, noSignature), "signature");
        assertTrue(!_caller.verify(noKey, DIGEST, BlsKeys.sign(7, DIGEST)), "key");
    }

    /// @dev Points that a precompile refuses cost what was forwarded, so each call gets a limit.
    function test_pointsOutsideTheGroupsAreRefused() public view {
        uint256[8] memory signature = BlsKeys.sign(7, DIGEST);
        uint256[4] memory smallOrder = [uint256(0), 0, 0, 2];
        assertTrue(!_verifyLimited(smallOrder, signature), "(0, 2) has order 3");
        uint256[4] memory key = BlsKeys.publicKey(7);
        key[3] ^= 1;
        assertTrue(!_verifyLimited(key, signature), "off the curve");
        key = BlsKeys.publicKey(7);
        key[0] |= 1 << 200;
        assertTrue(!_verifyLimited(key, signature), "bytes in the padding");
        key = BlsKeys.publicKey(7);
        key[0] = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
        key[1] = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
        assertTrue(!_verifyLimited(key, signature), "a coordinate equal to the modulus");
        key = BlsKeys.publicKey(7);
        signature[7] ^= 1;
        assertTrue(!_verifyLimited(key, signature), "a signature off the curve");
    }

    function test_packingDropsZerosOnly() public {
        uint256[4] memory key = BlsKeys.publicKey(7);
        assertEq(keccak256(abi.encode(Bls.unpack(Bls.pack(key)))), keccak256(abi.encode(key)), "there and back");
        key[0] |= 1 << 128;
        vm.expectRevert(abi.encodeWithSelector(Bls.BadPoint.selector));
        _caller.pack(key);
        key[0] ^= 1 << 128;
        key[2] |= 1 << 255;
        vm.expectRevert(abi.encodeWithSelector(Bls.BadPoint.selector));
        _caller.pack(key);
    }

    function test_aKeyAndItsNegativeCancel() public view {
        uint256[4] memory key = BlsKeys.publicKey(7);
        uint256[4] memory negative = BlsKeys.publicKey(7);
        Bls.negate(negative);
        assertEq(keccak256(abi.encode(negative)), keccak256(abi.encode(BlsKeys.publicKey(BlsKeys.ORDER - 7))), "r - 7");
        Bls.addTo(key, negative);
        assertTrue(Bls.isZero(key), "sum");
        Bls.negate(key);
        assertTrue(Bls.isZero(key), "the identity is its own negative");
    }

    function testFuzz_aBatchHoldsIfEachHolds(uint256 seed, uint8 size, uint8 liar) public view {
        uint256 count = bound(size, 1, 6);
        (uint256[4][] memory keys, uint256[8][] memory signatures) = _batch(seed, count);
        assertTrue(_caller.verifyBatch(keys, DIGEST, signatures), "all true");
        signatures[liar % count] = BlsKeys.sign(BlsKeys.secret(seed), keccak256("another"));
        assertTrue(!_caller.verifyBatch(keys, DIGEST, signatures), "one false");
    }

    /// @dev The sum of the signatures is right, and each of the two is wrong.
    function test_oppositeErrorsDoNotCancel() public view {
        (uint256[4][] memory keys, uint256[8][] memory signatures) = _batch(1, 3);
        uint256[8] memory error_ = BlsKeys.sign(99, keccak256("error"));
        uint256[8] memory opposite = BlsKeys.multiplyG2(error_, BlsKeys.ORDER - 1);
        signatures[0] = BlsKeys.addG2(signatures[0], error_);
        signatures[1] = BlsKeys.addG2(signatures[1], opposite);
        assertTrue(!_caller.verifyBatch(keys, DIGEST, signatures), "refused");
    }

    function test_anEmptyBatchIsNotValid() public view {
        assertTrue(!_caller.verifyBatch(new uint256[4][](0), DIGEST, new uint256[8][](0)), "empty");
    }

    function test_theSelfTestPasses() public view {
        _caller.selfTest();
    }

    function test_gas() public {
        uint256[4] memory key = BlsKeys.publicKey(7);
        uint256[8] memory messageHash = Bls.hashToG2(DIGEST);
        uint256[8] memory signature = BlsKeys.sign(7, DIGEST);
        uint256 before = gasleft();
        Bls.hashToG2(DIGEST);
        reportGas("hash to G2", before - gasleft(), 54_380);
        before = gasleft();
        Bls.verify(key, messageHash, signature);
        reportGas("pairing of two pairs", before - gasleft(), 104_668);
    }

    function _hashesTo(bytes32 digest, bytes memory point) private view {
        assertEq(keccak256(abi.encode(_caller.hashToG2(digest))), keccak256(point), "point");
    }

    function _verifyLimited(uint256[4] memory key, uint256[8] memory signature) private view returns (bool) {
        return _caller.verify{gas: 2_000_000}(key, DIGEST, signature);
    }

    function _batch(uint256 seed, uint256 count)
        private
        view
        returns (uint256[4][] memory keys, uint256[8][] memory signatures)
    {
        keys = new uint256[4][](count);
        signatures = new uint256[8][](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 secretKey = BlsKeys.secret(uint256(keccak256(abi.encode(seed, i))));
            keys[i] = BlsKeys.publicKey(secretKey);
            signatures[i] = BlsKeys.sign(secretKey, DIGEST);
        }
    }
}
