// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "./Bls.sol";

/// @title HashToG2
/// @notice hash_to_curve of RFC 9380 into G2 of BLS12-381, for messages of 32 bytes: suite
/// BLS12381G2_XMD:SHA-256_SSWU_RO_ with the tag of the signature scheme. By the precompiles for SHA-256, MODEXP and
/// EIP-2537; reverts with `Bls.PrecompileFailed` where one of them is missing.
library HashToG2 {
    /// @dev Precompile that maps a field element to a point.
    uint256 internal constant MAP_FP2_TO_G2 = 0x11;

    /// @dev Field modulus: 16 high bytes, 32 low bytes.
    uint256 internal constant MODULUS_HIGH = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
    uint256 internal constant MODULUS_LOW = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;

    uint256 private constant SHA256 = 0x02;
    uint256 private constant MODEXP = 0x05;
    uint256 private constant G2_ADD = 0x0d;

    /// @dev Domain separation tag and its length (43), as it ends every input of the expansion.
    bytes32 private constant TAG_START = "BLS_SIG_BLS12381G2_XMD:SHA-256_S";
    bytes32 private constant TAG_END = "SWU_RO_POP_\x2b";

    /// @notice The point in G2 that `digest` hashes to.
    function point(bytes32 digest) internal view returns (uint256[8] memory sum) {
        uint256[8] memory fields = _reduce(_expand(digest));
        uint256 pair; // two points behind the free memory
        bool success;
        assembly ("memory-safe") {
            pair := mload(0x40)
            success := staticcall(gas(), MAP_FP2_TO_G2, fields, 128, pair, 256)
            success := and(success, eq(returndatasize(), 256))
            let second := staticcall(gas(), MAP_FP2_TO_G2, add(fields, 128), 128, add(pair, 256), 256)
            success := and(success, and(second, eq(returndatasize(), 256)))
        }
        if (!success) revert Bls.PrecompileFailed(MAP_FP2_TO_G2);
        assembly ("memory-safe") {
            success := staticcall(gas(), G2_ADD, pair, 512, sum, 256)
            success := and(success, eq(returndatasize(), 256))
        }
        if (!success) revert Bls.PrecompileFailed(G2_ADD);
    }

    /// @dev expand_message_xmd of RFC 9380 with SHA-256: 256 bytes out of a 32-byte message.
    function _expand(bytes32 digest) private view returns (uint256[8] memory uniform) {
        bytes memory first = abi.encodePacked(bytes32(0), bytes32(0), digest, uint16(256), bytes1(0), TAG_START, TAG_END);
        // Of TAG_END, 12 bytes count: 143 of the first input, 77 of the others.
        bytes memory block_ = abi.encodePacked(bytes32(0), bytes1(0), TAG_START, TAG_END);
        bool success;
        assembly ("memory-safe") {
            success := staticcall(gas(), SHA256, add(first, 32), 143, 0x00, 32)
            success := and(success, eq(returndatasize(), 32))
            let start := mload(0x00)
            let previous := 0
            let input := add(block_, 32)
            for { let i := 0 } lt(i, 8) { i := add(i, 1) } {
                let output := add(uniform, shl(5, i))
                mstore(input, xor(start, previous))
                mstore8(add(input, 32), add(i, 1))
                let again := staticcall(gas(), SHA256, input, 77, output, 32)
                success := and(success, and(again, eq(returndatasize(), 32)))
                previous := mload(output)
            }
        }
        if (!success) revert Bls.PrecompileFailed(SHA256);
    }

    /// @dev Four integers of 64 bytes, each brought below the field modulus, as MODEXP with exponent 1 does.
    function _reduce(uint256[8] memory uniform) private view returns (uint256[8] memory fields) {
        bytes memory input = abi.encodePacked(
            uint256(64), uint256(1), uint256(48), bytes32(0), bytes32(0), bytes1(0x01), uint128(MODULUS_HIGH), MODULUS_LOW
        );
        bool success = true;
        assembly ("memory-safe") {
            for { let i := 0 } lt(i, 4) { i := add(i, 1) } {
                mcopy(add(input, 128), add(uniform, shl(6, i)), 64)
                let again := staticcall(gas(), MODEXP, add(input, 32), 209, add(add(fields, shl(6, i)), 16), 48)
                success := and(success, and(again, eq(returndatasize(), 48)))
            }
        }
        if (!success) revert Bls.PrecompileFailed(MODEXP);
    }
}
