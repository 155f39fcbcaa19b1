// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DAEntrance} from "../../src/da/DAEntrance.sol";
import {QuorumVerifier} from "../../src/da/QuorumVerifier.sol";
import {BlobHeader, Snapshot} from "../../src/quorum/QuorumTypes.sol";
import {DAFixture, FeeCounter} from "./support/DAFixture.sol";
import {EpochBook} from "./support/EpochBook.sol";
import {Leaves} from "./support/Leaves.sol";

/// @notice Known answers made with another implementation: five signers, one absent, a batch of three headers.
/// Source: vectors/consensus.json, "certificateCase".
contract DAVectorsTest is DAFixture {
    address private constant ENTRANCE = 0xDc64a140Aa3E981100a9becA4E685f962f0cF6C9;
    bytes32 private constant ROOT = 0x5da97ed77ee40411322519af7dcabdae2495918abbdee09d301e798208743232;
    bytes private constant NON_SIGNERS =
        hex"00000002aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa100002000000020558bb6654d87da19a422b52fa9273ab8b4bd54bf92edf6ee8b7d2003996b7ae932d9ec617be4b0cf1da7c5e2d3c4c2301d2a57c1b213be1d8d5e73d3fc3b11f42591ffe8349ad6f5bf4a3259724d60825648cf742a71eedfa7c0150109ca08e";

    /// @dev The entrance of the vector stands at an address of its own, on chain 31337, for shard 7, with two cosets.
    function setUp() public {
        signingVm.chainId(31337);
        vm.warp(START);
        book = new EpochBook();
        verifier = new QuorumVerifier(book, 31337, 0x5FbDB2315678afecb367f032d93F642f64180aa3);
        fees = new FeeCounter(vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1));
        DAEntrance.Settings memory s = settings(fees);
        s.shardId = 7;
        s.cosets = 2;
        vm.etch(ENTRANCE, address(new DAEntrance(s)).code);
        entrance = DAEntrance(ENTRANCE);
        book.setCurrent(1);
        book.setInfo(1, START, START + EPOCH_SECONDS, 0x11f1efd0825aa3c737ce7a3831438f918cc83545afbed69e69fddee7e6fd5811, 1);
        book.setSnapshot(1, 0, 0x8cbc0406c46be4e2c5d10edbe2cee429444363a3ff617fbfaad02bfe2b29caaa);
    }

    function test_theCertificateIsConfirmed() public {
        _confirm(_signature());
        (uint64 epoch, uint32 quorumId, uint32 count,) = entrance.batch(ROOT);
        assertTrue(epoch == 1 && quorumId == 0 && count == 3, "batch");
        bytes32[] memory leaves = new bytes32[](3);
        leaves[0] = 0x5b26a23d202938bda25ad790dd05a3fdad18ceb53375a9aa56fdacea60e34f98;
        leaves[1] = 0x8ca2fba2dcc3b972f09134ec13d104e8fb72b4ef0637122527b6ede26763e608;
        leaves[2] = 0x9469b2f0a950e7cde04c6cb5de5e6ef1cf6f427d15006bf2fe13302864137aa3;
        for (uint32 i = 0; i < 3; ++i) {
            assertEq(leafOf(_header(i)), leaves[i], "leaf");
            assertTrue(entrance.isAvailable(_header(i), ROOT, i, Leaves.pathOf(leaves, i)), "available");
        }
    }

    /// @dev Attack table, 27: any changed byte of the signature is refused, whatever the precompile makes of it.
    function test_everyByteOfTheSignatureCounts() public {
        uint256[8] memory signature = _signature();
        for (uint256 position = 0; position < 256; position += 5) {
            uint256 mask = uint256(1) << (8 * (position % 32));
            signature[position / 32] ^= mask;
            (bool success,) = ENTRANCE.call{gas: 3_000_000}(_call(signature));
            assertTrue(!success, "a changed byte");
            signature[position / 32] ^= mask;
        }
        _confirm(signature);
    }

    function _confirm(uint256[8] memory signature) private {
        (bool success,) = ENTRANCE.call(_call(signature));
        assertTrue(success, "confirmed");
    }

    function _call(uint256[8] memory signature) private pure returns (bytes memory) {
        bytes32[] memory siblings = new bytes32[](3);
        siblings[0] = 0x416bae8ec10f42b848e715c3f3006cdc4095e95b90c587276a1c709a15ac15db;
        siblings[1] = 0x4a2f94d87b46a48fbee9fa3db5b97d907a6bd9b880c7bbb45e664c7fac282041;
        siblings[2] = 0xb79567d3bf42b58a3e56cee903524cd4a4304b0adf012ee7cf5d68e0aefdef95;
        return abi.encodeCall(
            DAEntrance.confirmBatch, (ROOT, 3, 1, _snapshot(), NON_SIGNERS, siblings, signature)
        );
    }

    function _snapshot() private pure returns (Snapshot memory snapshot) {
        snapshot.epoch = 1;
        snapshot.memberCount = 5;
        snapshot.totalWeight = 18;
        snapshot.membersRoot = 0xfa83f290d734bf9080ffa00e68c49d5777c5a739ad91986c6c6f04862ea83c03;
        snapshot.aggregateKey[0] = 0x03b04e244b7b5e74857533f61d370f57856a410610e98348161e2fca62c9f786;
        snapshot.aggregateKey[1] = 0x88a15ae56330eceb980f93124efae9e908234ad79bba3a13f8be8a96c12ea59d;
        snapshot.aggregateKey[2] = 0xa9b5661ee6c642daddea86d2405b9fec3d76a2ba9e4c04a098f415f8463ef8ca;
    }

    function _signature() private pure returns (uint256[8] memory) {
        return [
            uint256(0x000000000000000000000000000000000cddaac318e55bb8a697da5bdc3e7dab),
            0x55da9f16a4d9ed0d4c8483282feffcd50c82db95ac06d103c22b110f787a3df9,
            0x000000000000000000000000000000000359bc375d20adc7962a82ac3d3bec25,
            0x13d93d548ac9974e74aea962aff5ad9c3aed33f86c4dec8d8a312287148dbbe6,
            0x0000000000000000000000000000000007ebe5876242f7284122c718554d980c,
            0x54bbb2540f0980c32fac2f199fb63879dbdbc9ce7c10b804566dea60e49a0439,
            0x000000000000000000000000000000001449fe042b53fd260803737a96c7d51d,
            0x10428e1e93ef763b618f3072e4e922abd9a2314958e95b5d12546fb8475fef1a
        ];
    }

    function _header(uint32 i) private pure returns (BlobHeader memory header) {
        bytes32[3] memory commitments = [
            bytes32(0x5ae88033afce10c5381889ccffaf579107e1e1bcafbf3fb14b0bfc91a14d00b4),
            bytes32(0x25d01ff1adff1b425f245a99c43c088da50f8824f18c2f3b8f6744dc6b04ffaf),
            bytes32(0x27f345519a907dac476b9626ca7aa5b8f24ad47f0206d2c9b4a1b8ef7d7b42d4)
        ];
        header = BlobHeader(
            1, 0, 6, 2, 64, 1000 + i, commitments[i], 0xAaAAAAAaaAaAAAaAaaAaAaAAaAAaAaaAaa100000, 7, 40 + i, 1_900_000_000
        );
    }
}
