// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../../src/quorum/Bls.sol";
import {SignerRegistry} from "../../src/stake/SignerRegistry.sol";
import {BlsKeys} from "./support/BlsKeys.sol";
import {StakeFixture} from "./support/StakeFixture.sol";

/// @notice Keys belong to whoever proves them, for ever, and count from the target epoch on.
contract SignerRegistryTest is StakeFixture {
    address private constant OWNER = address(0xA);
    address private constant COPIER = address(0xB);

    function setUp() public {
        deploy(sortitionParameters());
    }

    function test_aKeyCountsFromTheTargetEpoch() public {
        _register(OWNER, 7);
        assertEq(keccak256(abi.encode(registry.keyAt(OWNER, 0))), keccak256(abi.encode([0, 0, 0])), "not in 0");
        assertEq(_hash(registry.keyAt(OWNER, 1)), _hash(_packed(7)), "in 1");
        assertEq(_hash(registry.keyAt(OWNER, 99)), _hash(_packed(7)), "and later");
        assertEq(registry.keyOwner(_hash(_packed(7))), OWNER, "owner");
    }

    function test_aRotatedKeyStaysBound() public {
        begin(4, 1);
        address signer = signerOf(0);
        uint256[3] memory old = registry.keyAt(signer, 1);
        (uint256[4] memory key, uint256[8] memory possession) = _proof(signer, 99);
        vm.prank(signer);
        registry.rotateKey(key, possession);
        assertEq(_hash(registry.keyAt(signer, 2)), _hash(old), "as before in 2");
        assertEq(_hash(registry.keyAt(signer, 3)), _hash(_packed(99)), "new in 3");
        assertEq(registry.keyOwner(_hash(old)), signer, "the old one stays bound");
        (key, possession) = _proof(signer, 100);
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.RotationPending.selector, 3));
        vm.prank(signer);
        registry.rotateKey(key, possession);
        // Nobody can take the old key over, nor can its owner use it again.
        (key, possession) = _proof(signer, BlsKeys.secret(0));
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.KeyTaken.selector));
        vm.prank(OWNER);
        registry.register(key, possession, "");
        pass(1, 3);
        pass(1, 3);
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.KeyTaken.selector));
        vm.prank(signer);
        registry.rotateKey(key, possession);
        (key, possession) = _proof(signer, 100);
        vm.prank(signer);
        registry.rotateKey(key, possession);
        assertEq(_hash(registry.keyAt(signer, 4)), _hash(_packed(99)), "in office");
        assertEq(_hash(registry.keyAt(signer, 5)), _hash(_packed(100)), "next");
    }

    function test_aCopiedProofIsOfNoUse() public {
        (uint256[4] memory key, uint256[8] memory possession) = _proof(OWNER, 7);
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.BadPossession.selector));
        vm.prank(COPIER);
        registry.register(key, possession, "");
        SignerRegistry other = new SignerRegistry(stakeHub);
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.BadPossession.selector));
        vm.prank(OWNER);
        other.register(key, possession, "");
        vm.chainId(999);
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.BadPossession.selector));
        vm.prank(OWNER);
        registry.register(key, possession, "");
        vm.chainId(31337);
        vm.prank(OWNER);
        registry.register(key, possession, "");
        (key, possession) = _proof(OWNER, 8);
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.AlreadyRegistered.selector));
        vm.prank(OWNER);
        registry.register(key, possession, "");
        (key, possession) = _proof(COPIER, 7);
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.KeyTaken.selector));
        vm.prank(COPIER);
        registry.register(key, possession, "");
    }

    /// @dev A key chosen as the difference of others: its holder knows no secret and has no signature of its own.
    function test_aRogueKeyHasNoProof() public {
        uint256[4] memory rogue = BlsKeys.publicKey(5);
        uint256[4] memory victims = BlsKeys.publicKey(BlsKeys.secret(1));
        Bls.negate(victims);
        Bls.addTo(rogue, victims);
        bytes32 digest = registry.possessionDigest(OWNER, Bls.pack(rogue));
        uint256[8] memory possession = BlsKeys.sign(5, digest);
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.BadPossession.selector));
        vm.prank(OWNER);
        registry.register(rogue, possession, "");
    }

    function test_badPointsAreRefused() public {
        uint256[4] memory key;
        uint256[8] memory possession;
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.IdentityKey.selector));
        registry.register(key, possession, "");
        key[3] = 2;
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.BadPossession.selector));
        registry.register{gas: 3_000_000}(key, possession, "");
        (key, possession) = _proof(address(this), 7);
        uint256[8] memory nothing;
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.BadPossession.selector));
        registry.register(key, nothing, "");
        key[0] |= 1 << 130;
        vm.expectRevert(abi.encodeWithSelector(Bls.BadPoint.selector));
        registry.register(key, possession, "");
        (key, possession) = _proof(address(this), 7);
        possession = _outsideTheSubgroup();
        BlsKeys.addG2(possession, possession); // which only points on the curve allow
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.BadPossession.selector));
        registry.register{gas: 3_000_000}(key, possession, "");
    }

    function test_socketsAreShort() public {
        (uint256[4] memory key, uint256[8] memory possession) = _proof(OWNER, 7);
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.SocketTooLong.selector));
        vm.prank(OWNER);
        registry.register(key, possession, string(new bytes(129)));
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.NotRegistered.selector));
        vm.prank(OWNER);
        registry.setSocket("here");
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.NotRegistered.selector));
        vm.prank(OWNER);
        registry.rotateKey(key, possession);
        vm.prank(OWNER);
        registry.register(key, possession, string(new bytes(128)));
        vm.prank(OWNER);
        registry.setSocket("there");
        vm.expectRevert(abi.encodeWithSelector(SignerRegistry.SocketTooLong.selector));
        vm.prank(OWNER);
        registry.setSocket(string(new bytes(129)));
    }

    /// @dev A point of the curve over the extended field with abscissa (2, 0). Its order is not the group's.
    function _outsideTheSubgroup() private pure returns (uint256[8] memory) {
        return [
            uint256(0),
            2,
            0,
            0,
            0x013a59858b6809fca4d9a3b6539246a7,
            0x0051a3c88899964a42bc9a69cf9acdd9dd387cfa9086b894185b9a46a402be73,
            0x02d27e0ec3356299a346a09ad7dc4ef6,
            0x8a483c3aed53f9139d2f929a3eecebf72082e5e58c6da24ee32e03040c406d4f
        ];
    }

    function _register(address owner, uint256 secretKey) private {
        (uint256[4] memory key, uint256[8] memory possession) = _proof(owner, secretKey);
        vm.prank(owner);
        registry.register(key, possession, "127.0.0.1:3201");
    }

    function _proof(address owner, uint256 secretKey)
        private
        view
        returns (uint256[4] memory key, uint256[8] memory possession)
    {
        key = BlsKeys.publicKey(secretKey);
        possession = BlsKeys.sign(secretKey, registry.possessionDigest(owner, Bls.pack(key)));
    }

    function _packed(uint256 secretKey) private view returns (uint256[3] memory) {
        return Bls.pack(BlsKeys.publicKey(secretKey));
    }

    function _hash(uint256[3] memory key) private pure returns (bytes32) {
        return keccak256(abi.encode(key));
    }
}
