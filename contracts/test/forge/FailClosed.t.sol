// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../../src/quorum/Bls.sol";
import {IOrderSource} from "../../src/stake/IOrderSource.sol";
import {RandaoEntropy} from "../../src/quorum/RandaoEntropy.sol";
import {SignerRegistry} from "../../src/stake/SignerRegistry.sol";
import {Sortition} from "../../src/stake/Sortition.sol";
import {StakeHub} from "../../src/stake/StakeHub.sol";
import {StakeFixture} from "./support/StakeFixture.sol";

/// @notice What happens under Cancun rules, where calls to the BLS precompiles succeed and return nothing.
/// forge-config: default.evm_version = "cancun"
contract FailClosedTest is StakeFixture {
    function test_contractsThatNeedThePrecompilesCannotBeDeployed() public {
        stakeHub = new StakeHub(stakeParameters(), ADMIN);
        RandaoEntropy entropy = new RandaoEntropy();
        bytes memory missing = abi.encodeWithSelector(Bls.PrecompileFailed.selector, 0x11);
        vm.expectRevert(missing);
        registry = new SignerRegistry(stakeHub);
        vm.expectRevert(missing);
        new Sortition(sortitionParameters(), stakeHub, registry, entropy, IOrderSource(address(0)), ADMIN);
    }

    function test_noSignatureIsValid() public view {
        uint256[4] memory key = [uint256(1), 2, 3, 4];
        uint256[8] memory point = [uint256(1), 2, 3, 4, 5, 6, 7, 8];
        assertTrue(!Bls.verify(key, point, point), "one");
        Bls.Batch memory batch = Bls.newBatch(2);
        batch.count = 2;
        assertTrue(!Bls.verifyBatch(batch, point), "a batch");
    }

    function test_nothingIsHashed() public {
        vm.expectRevert(abi.encodeWithSelector(Bls.PrecompileFailed.selector, 0x11));
        this.hashToG2();
    }

    function test_keysAreNotAdded() public {
        vm.expectRevert(abi.encodeWithSelector(Bls.PrecompileFailed.selector, 0x0b));
        this.addKeys();
    }

    function hashToG2() external view returns (uint256[8] memory) {
        return Bls.hashToG2("message");
    }

    function addKeys() external view {
        uint256[4] memory key = [uint256(1), 2, 3, 4];
        Bls.addTo(key, key);
    }
}
