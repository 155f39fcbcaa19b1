// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HashToG2} from "./HashToG2.sol";

/// @title Bls
/// @notice BLS signatures over BLS12-381 by the precompiles of EIP-2537: keys in G1, signatures in G2, ciphersuite
/// BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_, every message a 32-byte digest.
/// @dev A point is what the precompiles take: each coordinate 16 zero bytes and 48 bytes, so 4 words in G1 (x, y) and 8 in
/// G2 (x.c0, x.c1, y.c0, y.c1). That form is unique, because they refuse coordinates from the field modulus up. A key
/// is stored without its zeros, in 3 words.
///
/// A precompile's answer counts only if the call succeeded and returned exactly as many bytes as it should: where there is
/// no precompile, a call succeeds and returns nothing. Additions do not check that points are in the subgroup;
/// multiplications and pairings do. A point that is refused costs all gas that was forwarded.
library Bls {
    uint256 private constant G1_ADD = 0x0b;
    uint256 private constant G1_MSM = 0x0c;
    uint256 private constant G2_MSM = 0x0e;
    uint256 private constant PAIRING = 0x0f;

    /// @dev Generator of G1, and the ordinate of its negative.
    uint256 private constant GENERATOR_X_HIGH = 0x17f1d3a73197d7942695638c4fa9ac0f;
    uint256 private constant GENERATOR_X_LOW = 0xc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb;
    uint256 private constant GENERATOR_Y_HIGH = 0x08b3f481e3aaa0f1a09e30ed741d8ae4;
    uint256 private constant GENERATOR_Y_LOW = 0xfcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1;
    uint256 private constant NEGATIVE_Y_HIGH = 0x114d1d6855d545a8aa7d76c8cf2e21f2;
    uint256 private constant NEGATIVE_Y_LOW = 0x67816aef1db507c96655b9d5caac42364e6f38ba0ecb751bad54dcd6b939c2ca;

    /// @dev keccak-256 of the point that digest zero hashes to; blst gives the same point.
    bytes32 private constant KNOWN_ANSWER = 0xe8ed1eeb1cb5050c1c752cd4f384e6f9cfd264c50584d22d6129f8b1a3683ee0;

    /// @dev Bytes of one term of a multiplication: a point and a scalar.
    uint256 private constant KEY_TERM = 160;
    uint256 private constant SIGNATURE_TERM = 288;

    /// @notice The precompile at `precompile` is missing, or refused what it was given.
    error PrecompileFailed(uint256 precompile);

    /// @notice The point has bytes where there must be zeros.
    error BadPoint();

    /// @notice Signatures of several keys over one message, to be checked together.
    /// @param count pairs in the batch
    /// @param keys terms of 160 bytes: a key and room for its coefficient
    /// @param signatures terms of 288 bytes: a signature and room for its coefficient
    struct Batch {
        uint256 count;
        bytes keys;
        bytes signatures;
    }

    /// @notice The point in G2 that `digest` hashes to.
    function hashToG2(bytes32 digest) internal view returns (uint256[8] memory) {
        return HashToG2.point(digest);
    }

    /// @notice Whether `signature` is `key`'s over the message with this hash.
    /// @dev False as well for the identity in either place, for points off the curve or outside their subgroup, and where
    /// there is no precompile.
    /// @param key checked here, so it may come from anywhere
    /// @param messageHash from `hashToG2`
    /// @param signature checked here
    function verify(uint256[4] memory key, uint256[8] memory messageHash, uint256[8] memory signature)
        internal
        view
        returns (bool valid)
    {
        if (isZero(key) || _isZero(signature)) return false;
        // e(key, hash) * e(-generator, signature) == 1
        assembly ("memory-safe") {
            let input := mload(0x40)
            mcopy(input, key, 128)
            mcopy(add(input, 128), messageHash, 256)
            mstore(add(input, 384), GENERATOR_X_HIGH)
            mstore(add(input, 416), GENERATOR_X_LOW)
            mstore(add(input, 448), NEGATIVE_Y_HIGH)
            mstore(add(input, 480), NEGATIVE_Y_LOW)
            mcopy(add(input, 512), signature, 256)
            mstore(0x00, 0)
            valid := staticcall(gas(), PAIRING, input, 768, 0x00, 32)
            valid := and(valid, eq(returndatasize(), 32))
            valid := and(valid, eq(mload(0x00), 1))
        }
    }

    /// @notice An empty batch with room for `capacity` signatures.
    function newBatch(uint256 capacity) internal pure returns (Batch memory batch) {
        batch.keys = new bytes(capacity * KEY_TERM);
        batch.signatures = new bytes(capacity * SIGNATURE_TERM);
    }

    /// @notice Adds a pair; the caller never adds more than the batch has room for.
    function push(Batch memory batch, uint256[3] memory key, uint256[8] calldata signature) internal pure {
        uint256 place = batch.count++;
        bytes memory keys = batch.keys;
        bytes memory signatures = batch.signatures;
        uint256 term;
        assembly ("memory-safe") {
            calldatacopy(add(add(signatures, 32), mul(place, SIGNATURE_TERM)), signature, 256)
            term := add(add(keys, 32), mul(place, KEY_TERM))
        }
        _unpackTo(term, key);
    }

    /// @notice Whether every signature of the batch is its own key's over the message with this hash; an empty batch is
    /// not valid.
    /// @dev A plain sum would accept pairs that err by opposite amounts, so each is multiplied by 128 bits that depend on
    /// everything in the batch. One pair alone needs no coefficient.
    function verifyBatch(Batch memory batch, uint256[8] memory messageHash) internal view returns (bool) {
        uint256 count = batch.count;
        if (count == 0) return false;
        uint256[4] memory key;
        uint256[8] memory signature;
        bytes memory keys = batch.keys;
        bytes memory signatures = batch.signatures;
        bool success = true;
        if (count == 1) {
            assembly ("memory-safe") {
                mcopy(key, add(keys, 32), 128)
                mcopy(signature, add(signatures, 32), 256)
            }
        } else {
            _setCoefficients(batch, messageHash);
            assembly ("memory-safe") {
                success := staticcall(gas(), G1_MSM, add(keys, 32), mul(count, KEY_TERM), key, 128)
                success := and(success, eq(returndatasize(), 128))
                let second := staticcall(gas(), G2_MSM, add(signatures, 32), mul(count, SIGNATURE_TERM), signature, 256)
                success := and(success, and(second, eq(returndatasize(), 256)))
            }
        }
        return success && verify(key, messageHash, signature);
    }

    /// @notice Adds `other` to `sum`. Neither is checked to be in the subgroup.
    function addTo(uint256[4] memory sum, uint256[4] memory other) internal view {
        bool success;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mcopy(input, sum, 128)
            mcopy(add(input, 128), other, 128)
            success := staticcall(gas(), G1_ADD, input, 256, sum, 128)
            success := and(success, eq(returndatasize(), 128))
        }
        if (!success) revert PrecompileFailed(G1_ADD);
    }

    /// @notice Adds a stored key to `sum`. Neither is checked to be in the subgroup.
    function addKeyTo(uint256[4] memory sum, uint256[3] memory key) internal view {
        uint256 input;
        assembly ("memory-safe") {
            input := mload(0x40)
            mcopy(input, sum, 128)
        }
        _unpackTo(input + 128, key);
        bool success;
        assembly ("memory-safe") {
            success := staticcall(gas(), G1_ADD, input, 256, sum, 128)
            success := and(success, eq(returndatasize(), 128))
        }
        if (!success) revert PrecompileFailed(G1_ADD);
    }

    /// @notice Turns a key into its negative.
    function negate(uint256[4] memory point) internal pure {
        if (isZero(point)) return;
        unchecked {
            uint256 borrow = point[3] > HashToG2.MODULUS_LOW ? 1 : 0;
            point[2] = HashToG2.MODULUS_HIGH - point[2] - borrow;
            point[3] = HashToG2.MODULUS_LOW - point[3];
        }
    }

    /// @notice Whether a point of G1 is the identity.
    function isZero(uint256[4] memory point) internal pure returns (bool) {
        return (point[0] | point[1] | point[2] | point[3]) == 0;
    }

    /// @notice A key without its padding. Reverts with BadPoint where the padding is not zero.
    function pack(uint256[4] memory point) internal pure returns (uint256[3] memory key) {
        if ((point[0] | point[2]) >> 128 != 0) revert BadPoint();
        key[0] = (point[0] << 128) | (point[1] >> 128);
        key[1] = (point[1] << 128) | point[2];
        key[2] = point[3];
    }

    /// @notice A key with its padding, as the precompiles take it.
    function unpack(uint256[3] memory key) internal pure returns (uint256[4] memory point) {
        uint256 place;
        assembly ("memory-safe") {
            place := point
        }
        _unpackTo(place, key);
    }

    /// @notice For constructors: reverts on a chain whose precompiles are missing or do not compute what they should.
    function selfTest() internal view {
        uint256[8] memory messageHash = hashToG2(bytes32(0));
        if (keccak256(abi.encode(messageHash)) != KNOWN_ANSWER) revert PrecompileFailed(HashToG2.MAP_FP2_TO_G2);
        // The secret key 1 has the generator for its key and the hash for its signature.
        uint256[4] memory key = [GENERATOR_X_HIGH, GENERATOR_X_LOW, GENERATOR_Y_HIGH, GENERATOR_Y_LOW];
        if (!verify(key, messageHash, messageHash)) revert PrecompileFailed(PAIRING);
        addTo(key, key);
        if (verify(key, messageHash, messageHash)) revert PrecompileFailed(PAIRING);
    }

    /// @dev Writes a stored key with its padding at a place in memory.
    function _unpackTo(uint256 place, uint256[3] memory key) private pure {
        assembly ("memory-safe") {
            let first := mload(key)
            let second := mload(add(key, 32))
            mstore(place, shr(128, first))
            mstore(add(place, 32), or(shl(128, first), shr(128, second)))
            mstore(add(place, 64), shr(128, shl(128, second)))
            mstore(add(place, 96), mload(add(key, 64)))
        }
    }

    /// @dev Writes the coefficients of a batch behind its points: the upper half of a hash over the message, all keys, all
    /// signatures and the place, made odd so that it is never zero.
    function _setCoefficients(Batch memory batch, uint256[8] memory messageHash) private pure {
        uint256 count = batch.count;
        bytes memory keys = batch.keys;
        bytes memory signatures = batch.signatures;
        assembly ("memory-safe") {
            let digests := mload(0x40)
            mstore(digests, keccak256(messageHash, 256))
            mstore(add(digests, 32), keccak256(add(keys, 32), mul(count, KEY_TERM)))
            mstore(add(digests, 64), keccak256(add(signatures, 32), mul(count, SIGNATURE_TERM)))
            mstore(0x00, keccak256(digests, 96))
            let keyScalar := add(keys, 160)
            let signatureScalar := add(signatures, 288)
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                mstore(0x20, i)
                let coefficient := or(shr(128, keccak256(0x00, 0x40)), 1)
                mstore(keyScalar, coefficient)
                mstore(signatureScalar, coefficient)
                keyScalar := add(keyScalar, KEY_TERM)
                signatureScalar := add(signatureScalar, SIGNATURE_TERM)
            }
        }
    }

    function _isZero(uint256[8] memory point) private pure returns (bool) {
        uint256 bits = 0;
        for (uint256 i = 0; i < 8; ++i) {
            bits |= point[i];
        }
        return bits == 0;
    }
}
