// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RecallRange} from "../../src/pora/PoraTypes.sol";
import {Sealing} from "../../src/pora/Sealing.sol";
import {PoraLibraries} from "./support/PoraLibraries.sol";
import {Seals} from "./support/Seals.sol";
import {Test} from "./support/Test.sol";

/// @notice Known answers: computed by an independent model, and in part by the official contracts.
contract PoraVectorsTest is Test {
    bytes32 private constant MINER = bytes32(uint256(type(uint256).max / 15));
    bytes32 private constant NONCE = bytes32(uint256(MINER) * 2);
    bytes32 private constant SUBTASK = bytes32(uint256(MINER) * 3);
    bytes32 private constant CONTEXT = bytes32(uint256(MINER) * 4);

    PoraLibraries private _libraries;

    function setUp() public {
        _libraries = new PoraLibraries();
    }

    function test_sealing() public view {
        bytes32[128] memory words = _sealed();
        assertEq(words[0], 0x4935c8f57d9fae4e9442db1e5488dabd126f95ee55a550dca840a6b2f95bdd32, "first word");
        assertEq(words[127], 0x4efc1a1608e972f2554d3c2dc8d8f56e9552f8683245795dcdc8c486acd42ef5, "last word");
        bytes32 whole = keccak256(abi.encode(words));
        assertEq(whole, 0xd10460c578c96391410e57ad0bd66f4dc67b8a420f16f575625911f669470cef, "sealed");
        whole = keccak256(abi.encode(_plain()));
        assertEq(whole, 0xc6c029bf9bfa7238fb822f7971554659438e153d48e8be47fa7d7a1016e19b48, "plain");
        bytes32 root = 0xfbcb94cf8461afff182b99ef179508d6c0fb9bf5ce395d9cedac8acb26c5a76c;
        assertEq(_libraries.rootOfPlain(_plain()), root, "root of plain data");
        bytes32 mask = Sealing.firstMask(MINER, CONTEXT, 58464);
        assertEq(_libraries.rootOfSealed(words, mask), root, "root of sealed data");
        bytes32[128] memory zeros;
        assertEq(_libraries.rootOfPlain(zeros), Sealing.ZERO_ROOT, "root of zeros");
    }

    function test_anAttempt() public view {
        RecallRange memory range = _range();
        bytes32 digest = _libraries.digestOf(range);
        assertEq(digest, 0xb23d0d6d95e31a53ca91e68abd0d3aa380f7818576313190cc0825e235829a6f, "range");
        (bytes32 high, bytes32 low) = _libraries.seed(MINER, NONCE, SUBTASK, range);
        assertEq(high, 0x0bf0a3c2f4d12ce798fc34029895d65127d8fb5695ecb9aabdd8024f1f4efd54, "seed, first half");
        assertEq(low, 0x371e2b4890d737e8fad8190184a4dbe94374a0154bd56ba1587cc1f8c2cc12b8, "seed, second half");
        (bytes32 recallSeed, bytes32 hash) = _libraries.mix(high, low, 6, _sealed());
        assertEq(recallSeed, 0x1e813c7341dbac5e452d31de584f9f8004191d7bdf837b0ec8152dc971ddb77b, "recall seed");
        assertEq(_libraries.recall(range, recallSeed), 58368, "load 57");
        assertEq(hash, 0xe8c396565f462b743e5d1f8f1c4e1587713bcde2dd291996d1ae0d6f081e11bc, "hash");
        assertEq(_libraries.scaleX64(65536, 4), 73786976294838206464, "scale");
    }

    function _range() private pure returns (RecallRange memory) {
        return RecallRange(0, 65536, 1, type(uint64).max - 3);
    }

    function _sealed() private pure returns (bytes32[128] memory) {
        return Seals.seal(_plain(), MINER, CONTEXT, 58464);
    }

    function _plain() private pure returns (bytes32[128] memory words) {
        for (uint256 i = 0; i < 4096; ++i) {
            words[i / 32] |= bytes32(((31 * i + i / 256) % 256) << (8 * (31 - i % 32)));
        }
    }
}
