// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../../../src/quorum/Bls.sol";

/// @title BlsKeys
/// @notice Makes real keys and signatures in tests: multiplications by the same precompiles that check them.
library BlsKeys {
    /// @dev Order of the groups.
    uint256 internal constant ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

    /// @notice A secret key that belongs to `seed`, between 1 and the order less one.
    function secret(uint256 seed) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("key", seed))) % (ORDER - 1) + 1;
    }

    /// @notice The public key of a secret key.
    function publicKey(uint256 secretKey) internal view returns (uint256[4] memory) {
        return multiplyG1(generator(), secretKey);
    }

    /// @notice The signature of a secret key over a digest.
    function sign(uint256 secretKey, bytes32 digest) internal view returns (uint256[8] memory) {
        return multiplyG2(Bls.hashToG2(digest), secretKey);
    }

    function generator() internal pure returns (uint256[4] memory) {
        return [
            uint256(0x17f1d3a73197d7942695638c4fa9ac0f),
            0xc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb,
            0x08b3f481e3aaa0f1a09e30ed741d8ae4,
            0xfcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1
        ];
    }

    function multiplyG1(uint256[4] memory point, uint256 scalar) internal view returns (uint256[4] memory product) {
        (bool success, bytes memory answer) = address(0x0c).staticcall(abi.encode(point, scalar));
        require(success && answer.length == 128, "G1 multiplication");
        return abi.decode(answer, (uint256[4]));
    }

    function multiplyG2(uint256[8] memory point, uint256 scalar) internal view returns (uint256[8] memory product) {
        (bool success, bytes memory answer) = address(0x0e).staticcall(abi.encode(point, scalar));
        require(success && answer.length == 256, "G2 multiplication");
        return abi.decode(answer, (uint256[8]));
    }

    function addG2(uint256[8] memory left, uint256[8] memory right) internal view returns (uint256[8] memory sum) {
        (bool success, bytes memory answer) = address(0x0d).staticcall(abi.encode(left, right));
        require(success && answer.length == 256, "G2 addition");
        return abi.decode(answer, (uint256[8]));
    }
}
