// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../../src/quorum/Bls.sol";
import {BlobHeader, Member, Snapshot, Statement} from "../../src/quorum/QuorumTypes.sol";
import {Quorum} from "../../src/quorum/Quorum.sol";
import {Statements} from "../../src/quorum/Statements.sol";
import {Tree} from "../../src/quorum/Tree.sol";
import {QuorumCaller} from "./support/QuorumCaller.sol";
import {Test} from "./support/Test.sol";

/// @notice Known answers for keys, digests, leaves, snapshots and a certificate with one absentee.
/// Source: vectors/consensus.json; signatures made with blst.
contract QuorumVectorsTest is Test {
    uint256 private constant CHAIN = 31337;
    address private constant HUB = 0x5FbDB2315678afecb367f032d93F642f64180aa3;
    address private constant ENTRANCE = 0xDc64a140Aa3E981100a9becA4E685f962f0cF6C9;
    bytes32 private constant SEED = 0x11f1efd0825aa3c737ce7a3831438f918cc83545afbed69e69fddee7e6fd5811;

    function test_tags() public pure {
        assertEq(Statements.TAG_POSSESSION, 0xfe89bc78bd1a3dd942f003a596c4d4aea9cf6728141467530075e80c05d5fc21, "possession");
        assertEq(Statements.TAG_TICKET, 0xd516054c05f42a17ab661f6821f7998f7e8bce9ef1adfa8721a0a7c4fd7249e4, "ticket");
        assertEq(Statements.TAG_BETA, 0xb6b3505a27a93ce13ff17cd33c10cf3af1755e38d2ec768744edb755b6ae5e78, "beta");
        assertEq(Statements.TAG_STATEMENT, 0x20cddaf60493fcfd862ab57e54dcb410ed6d416f02768fe2ddd5d3d55d69dfda, "statement");
        assertEq(Statements.TAG_SEED, 0x10b44ff3b08f19dfc8497f090c184115c14a6acebf45e5aaf82317cb4db95f10, "seed");
    }

    function test_possessionDigests() public pure {
        _possession(0xAaAAAAAaaAaAAAaAaaAaAaAAaAAaAaaAaa100000, hex"0c767016db35115eabfeb0ca63a0e8930f16384988ff5865652a4ea13e52f3aae1878d7c3bf0b39682ef7f2f55eea6590aa970fb118683bcf34e4b96a0133efa36bd6bcb7fe6daba5b8f17c1e156656c6e812b85ac7f822d6827028df4dab034", 0x7c3c2630b2fb73c03c6bee447fe3911acb4665e063eaaa21293997e7642a0549);
        _possession(0xAaAaAaaaAaAAaaaaaAAaaAAaAaAAaAAaaA100001, hex"14c95b8eb7f99e1338c1aa9f48650e2eff3450adaefe1f084c908e9983e4ef1956cd711d843ffe0662a6466a74080c650e648e69470253e7d2bb1549c792a4d30e06930893a378b9eac5089ce8e9af0b32ab6303c51212fb47f05b2458c0b0e2", 0xcf2aae8ef31a74bfd019703538d22ffd875a4c29838eaa0f0007723107b3eacf);
        _possession(0xAAAAaAaAaaaAAAAaaaaAAAaAAAAAAaAaaA100002, hex"0558bb6654d87da19a422b52fa9273ab8b4bd54bf92edf6ee8b7d2003996b7ae932d9ec617be4b0cf1da7c5e2d3c4c2301d2a57c1b213be1d8d5e73d3fc3b11f42591ffe8349ad6f5bf4a3259724d60825648cf742a71eedfa7c0150109ca08e", 0x385a19a55be5c51db5bb11c23a2e5f927e9d6ef79c684d10c6daaccf2b89e738);
        _possession(0xAaAaaAAAAAAAAaaaAAaAaAaAaAaAAAaAaA100003, hex"130417a0aef8e5304ce996d8042e68f17ecfb9e6739dfe33ac49f35e65423c3b105f8e775fdec3c513355638cf4a6a2906e1cfecfd8cc687e3afab7e5cf6efc07cb38a7dab715bb7cd3fd98bc678d8503996ab6badec0cecec87564ca764e449", 0x0c7a3e6382b8fb565587e3994b0004ea3746de1911f5256f9872bcc3f84d9505);
    }

    function test_tickets() public view {
        assertEq(Statements.ticket(CHAIN, HUB, 1, SEED), 0xc56750a024e51ff9e01dcd0e2f1dabffa891e40b25d9212428b4f5e0ca04a559, "digest");
        _ticket(hex"0c767016db35115eabfeb0ca63a0e8930f16384988ff5865652a4ea13e52f3aae1878d7c3bf0b39682ef7f2f55eea6590aa970fb118683bcf34e4b96a0133efa36bd6bcb7fe6daba5b8f17c1e156656c6e812b85ac7f822d6827028df4dab034", hex"0000000000000000000000000000000002615ca2a94b0e138cda6fbc89876f4e4492da8864b5e2b2f00db67837d4cae352d745d02cbab083d6a095b07d6b68040000000000000000000000000000000008b054de19e1fe4749e110f26f13406b6d197a9616e60246c4babb0b0f6fa9b4d84f5a6b351a5e3e695b508dc33cfa110000000000000000000000000000000004dfdbcdf84148b6bbb3491da966344cd12cce2748954d566c35d18ac7ea4acb3df46f9b1bd78556f10a621009c6cd2a0000000000000000000000000000000002a2b5d41b9b8f2bd72b8ef80b7912e1a590023cd8ddc2d7371dee3f89cf5c796ac184ad3a360d3bee59c130e9848a69", 0x84da6056b73faa7812a7075735be934161c4ea5dd041eccae2a13dcb09ebd059);
        _ticket(hex"14c95b8eb7f99e1338c1aa9f48650e2eff3450adaefe1f084c908e9983e4ef1956cd711d843ffe0662a6466a74080c650e648e69470253e7d2bb1549c792a4d30e06930893a378b9eac5089ce8e9af0b32ab6303c51212fb47f05b2458c0b0e2", hex"0000000000000000000000000000000016d4d98fe5d8502f2b3c9fcc01d6fee6f71de6c794d140385b200707f0a8ee42eb938dcd8857d2f9c534c6e1948565fa00000000000000000000000000000000131d7a6ef8bd4ee0b9d8b294b8635145ebbb7a76bbb0d35ea27e6456cc9bc1963d54101ca112f94f1b9f8ed1f7284d0a000000000000000000000000000000001266d69780376e41f4baefb47c2d6e2a477cd378b0675bab6931707894b372e028f9392beede6305ae28f66c57846b5f0000000000000000000000000000000017553ea5b9918fc21f0f065439212b2e7ce2d7e665b16db0d41c9ce1e9e5eae23ed7fadcede42feda3ce2b782a4e3a22", 0x5b46c1f1f3146b4c12918aae55f06b1d5a35c157270690d8ecf897a20a2dc268);
        _ticket(hex"0558bb6654d87da19a422b52fa9273ab8b4bd54bf92edf6ee8b7d2003996b7ae932d9ec617be4b0cf1da7c5e2d3c4c2301d2a57c1b213be1d8d5e73d3fc3b11f42591ffe8349ad6f5bf4a3259724d60825648cf742a71eedfa7c0150109ca08e", hex"000000000000000000000000000000000f77876f262e881e838b5a5c3cd6fbbd228bcfd5618d660ab5662e208033d9056e7735602b619c24df89784d1160188f0000000000000000000000000000000013599d70a9b24b0064a94a54c9317a6e0733b14431f3eb501d2bcbbacd932ef43a7efb82454e1c81e9ff04c312e72635000000000000000000000000000000000e90d7dded71ed8e11f8be79f9eb677329b0072db815c2dad93dca7711587025b85974ecef731024f895abbd2287b0c3000000000000000000000000000000000d9d918a539f12586e8a28913a2d6ff5b75b1a8237f8281886c4a1d7f9456f0f6c04a7253e9481e68dd070f94ab6f447", 0xa6105e2bd4ee3f58ef79022175b9b42961b375e60ed96d5c0eaaaf73f84dce93);
        _ticket(hex"130417a0aef8e5304ce996d8042e68f17ecfb9e6739dfe33ac49f35e65423c3b105f8e775fdec3c513355638cf4a6a2906e1cfecfd8cc687e3afab7e5cf6efc07cb38a7dab715bb7cd3fd98bc678d8503996ab6badec0cecec87564ca764e449", hex"00000000000000000000000000000000133a82f20b8220757406b15e63aafbca507a043b5165702a4db60a6397072b405574bd88eb2ff0e73610f26c62c0ff270000000000000000000000000000000017a203c37e832824a64d9643e95e2fcb79ed86a18b56a6a64e942607026fb504be830ad0633bc19c5c51f4d229642973000000000000000000000000000000000632fb91f94cf3e2f721c670a957fd85907e9475fd358cabd7657fdc100120dac7c87605adc28f5839074ab4ca6189d50000000000000000000000000000000009a02745a6900e204d19fd876d66818e601d4d10a7f843612184f2b013a83bf4991b4d0ac5586e0c9037995d4fc56e71", 0x2d707dbedf34f6134041ccfdb96abfc1301cbfca250b8eab6ed3f0c63501d3d4);
    }

    function test_members() public pure {
        _member(0, 0xAaAAAAAaaAaAAAaAaaAaAaAAaAAaAaaAaa100000, 4, hex"0c767016db35115eabfeb0ca63a0e8930f16384988ff5865652a4ea13e52f3aae1878d7c3bf0b39682ef7f2f55eea6590aa970fb118683bcf34e4b96a0133efa36bd6bcb7fe6daba5b8f17c1e156656c6e812b85ac7f822d6827028df4dab034", 0xdba172a1fed77b6a1f1c5f41b3a0cb8e398fc4dd7b99c95cc8de0b150c235218);
        _member(1, 0xAaAaAaaaAaAAaaaaaAAaaAAaAaAAaAAaaA100001, 4, hex"14c95b8eb7f99e1338c1aa9f48650e2eff3450adaefe1f084c908e9983e4ef1956cd711d843ffe0662a6466a74080c650e648e69470253e7d2bb1549c792a4d30e06930893a378b9eac5089ce8e9af0b32ab6303c51212fb47f05b2458c0b0e2", 0x2cf62d76046c4863ae25bc2fa05939bd9a49f42bb0806a5b42f4d278e8e8cdf7);
        _member(2, 0xAAAAaAaAaaaAAAAaaaaAAAaAAAAAAaAaaA100002, 2, hex"0558bb6654d87da19a422b52fa9273ab8b4bd54bf92edf6ee8b7d2003996b7ae932d9ec617be4b0cf1da7c5e2d3c4c2301d2a57c1b213be1d8d5e73d3fc3b11f42591ffe8349ad6f5bf4a3259724d60825648cf742a71eedfa7c0150109ca08e", 0xbd7797bdb1e2b1038c20dca5d6b04f09e28406fb83012c2e14b57c644988f231);
        _member(3, 0xAaAaaAAAAAAAAaaaAAaAaAaAaAaAAAaAaA100003, 4, hex"130417a0aef8e5304ce996d8042e68f17ecfb9e6739dfe33ac49f35e65423c3b105f8e775fdec3c513355638cf4a6a2906e1cfecfd8cc687e3afab7e5cf6efc07cb38a7dab715bb7cd3fd98bc678d8503996ab6badec0cecec87564ca764e449", 0x416bae8ec10f42b848e715c3f3006cdc4095e95b90c587276a1c709a15ac15db);
    }

    function test_blobHeaders() public pure {
        bytes32[] memory leaves = new bytes32[](3);
        leaves[0] = _header(1000, 0x5ae88033afce10c5381889ccffaf579107e1e1bcafbf3fb14b0bfc91a14d00b4, 40);
        assertEq(leaves[0], 0x5b26a23d202938bda25ad790dd05a3fdad18ceb53375a9aa56fdacea60e34f98, "leaf 0");
        leaves[1] = _header(1001, 0x25d01ff1adff1b425f245a99c43c088da50f8824f18c2f3b8f6744dc6b04ffaf, 41);
        assertEq(leaves[1], 0x8ca2fba2dcc3b972f09134ec13d104e8fb72b4ef0637122527b6ede26763e608, "leaf 1");
        leaves[2] = _header(1002, 0x27f345519a907dac476b9626ca7aa5b8f24ad47f0206d2c9b4a1b8ef7d7b42d4, 42);
        assertEq(leaves[2], 0x9469b2f0a950e7cde04c6cb5de5e6ef1cf6f427d15006bf2fe13302864137aa3, "leaf 2");
        assertEq(
            keccak256(Statements.blobHeaderBody(_headerOf(1000, 0x5ae88033afce10c5381889ccffaf579107e1e1bcafbf3fb14b0bfc91a14d00b4, 40))),
            keccak256(hex"010006020000004000000000000003e85ae88033afce10c5381889ccffaf579107e1e1bcafbf3fb14b0bfc91a14d00b4aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa10000000000007000000000000002800000000713fb300"),
            "body"
        );
        assertEq(Tree.rootOf(leaves), 0x5da97ed77ee40411322519af7dcabdae2495918abbdee09d301e798208743232, "root");
    }

    function test_aCertificateWithOneAbsentee() public {
        QuorumCaller caller = new QuorumCaller();
        Snapshot memory snapshot = _snapshot();
        bytes32 hash = keccak256(abi.encode(snapshot));
        assertEq(hash, 0x8cbc0406c46be4e2c5d10edbe2cee429444363a3ff617fbfaad02bfe2b29caaa, "snapshot");
        Statement memory statement = Statement({
            kind: Statements.KIND_BATCH,
            domainChainId: CHAIN,
            domain: ENTRANCE,
            epoch: 1,
            quorumId: 0,
            count: 3,
            root: 0x5da97ed77ee40411322519af7dcabdae2495918abbdee09d301e798208743232
        });
        bytes32 digest = Statements.digest(CHAIN, HUB, statement);
        assertEq(digest, 0xdff35f8128a7e23a9e6f115ec2243911d4e4264aa106d24f44368c1afdf7ea44, "digest");
        bytes memory absent = hex"00000002aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa100002000000020558bb6654d87da19a422b52fa9273ab8b4bd54bf92edf6ee8b7d2003996b7ae932d9ec617be4b0cf1da7c5e2d3c4c2301d2a57c1b213be1d8d5e73d3fc3b11f42591ffe8349ad6f5bf4a3259724d60825648cf742a71eedfa7c0150109ca08e";
        bytes32[] memory siblings = new bytes32[](3);
        siblings[0] = 0x416bae8ec10f42b848e715c3f3006cdc4095e95b90c587276a1c709a15ac15db;
        siblings[1] = 0x4a2f94d87b46a48fbee9fa3db5b97d907a6bd9b880c7bbb45e664c7fac282041;
        siblings[2] = 0xb79567d3bf42b58a3e56cee903524cd4a4304b0adf012ee7cf5d68e0aefdef95;
        uint256[8] memory signature = abi.decode(
            hex"000000000000000000000000000000000cddaac318e55bb8a697da5bdc3e7dab55da9f16a4d9ed0d4c8483282feffcd50c82db95ac06d103c22b110f787a3df9000000000000000000000000000000000359bc375d20adc7962a82ac3d3bec2513d93d548ac9974e74aea962aff5ad9c3aed33f86c4dec8d8a312287148dbbe60000000000000000000000000000000007ebe5876242f7284122c718554d980c54bbb2540f0980c32fac2f199fb63879dbdbc9ce7c10b804566dea60e49a0439000000000000000000000000000000001449fe042b53fd260803737a96c7d51d10428e1e93ef763b618f3072e4e922abd9a2314958e95b5d12546fb8475fef1a",
            (uint256[8])
        );
        assertEq(caller.check(hash, snapshot, absent, siblings, digest, signature), 16, "signed weight");
        bytes32 id = caller.reduce(hash, snapshot, absent, siblings);
        assertEq(caller.checkReduced(hash, id, digest, signature), 16, "reduced");
        vm.expectRevert(abi.encodeWithSelector(Quorum.BadSignature.selector));
        caller.check(hash, snapshot, "", new bytes32[](0), digest, signature);
    }

    function betaOf(uint256[8] calldata signature) external pure returns (bytes32) {
        return Statements.beta(signature);
    }

    function _snapshot() private pure returns (Snapshot memory) {
        return Snapshot({
            epoch: 1,
            quorumId: 0,
            memberCount: 5,
            totalWeight: 18,
            membersRoot: 0xfa83f290d734bf9080ffa00e68c49d5777c5a739ad91986c6c6f04862ea83c03,
            aggregateKey: [
                uint256(0x03b04e244b7b5e74857533f61d370f57856a410610e98348161e2fca62c9f786),
                0x88a15ae56330eceb980f93124efae9e908234ad79bba3a13f8be8a96c12ea59d,
                0xa9b5661ee6c642daddea86d2405b9fec3d76a2ba9e4c04a098f415f8463ef8ca
            ]
        });
    }

    function _possession(address owner, bytes memory key, bytes32 digest) private pure {
        assertEq(Statements.possession(CHAIN, HUB, owner, abi.decode(key, (uint256[3]))), digest, "possession");
    }

    function _ticket(bytes memory key, bytes memory signature, bytes32 beta) private view {
        uint256[8] memory words = abi.decode(signature, (uint256[8]));
        assertEq(this.betaOf(words), beta, "beta");
        uint256[4] memory point = Bls.unpack(abi.decode(key, (uint256[3])));
        assertTrue(Bls.verify(point, Bls.hashToG2(0xc56750a024e51ff9e01dcd0e2f1dabffa891e40b25d9212428b4f5e0ca04a559), words), "signature");
    }

    function _member(uint32 index, address signer, uint32 seats, bytes memory key, bytes32 leaf) private pure {
        Member memory member = Member(index, signer, seats, abi.decode(key, (uint256[3])));
        assertEq(Statements.memberLeaf(member), leaf, "leaf");
    }

    function _header(uint64 length, bytes32 commitment, uint64 index) private pure returns (bytes32) {
        bytes memory body = Statements.blobHeaderBody(_headerOf(length, commitment, index));
        assertEq(body.length, 88, "bytes");
        return Tree.leaf(body);
    }

    function _headerOf(uint64 length, bytes32 commitment, uint64 index) private pure returns (BlobHeader memory) {
        return BlobHeader({
            version: 1,
            suite: 0,
            log2K: 6,
            cosets: 2,
            rowSize: 64,
            length: length,
            commitment: commitment,
            submitter: 0xAaAAAAAaaAaAAAaAaaAaAaAAaAAaAaaAaa100000,
            shardId: 7,
            submissionIndex: index,
            expiry: 1900000000
        });
    }
}
