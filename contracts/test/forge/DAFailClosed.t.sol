// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {QuorumVerifier} from "../../src/da/QuorumVerifier.sol";
import {Bls} from "../../src/quorum/Bls.sol";
import {EpochBook} from "./support/EpochBook.sol";
import {Test} from "./support/Test.sol";

/// @notice Under Cancun rules calls to the BLS precompiles succeed and return nothing.
/// forge-config: default.evm_version = "cancun"
contract DAFailClosedTest is Test {
    function test_nothingCanBeCertifiedWithoutThePrecompiles() public {
        EpochBook book = new EpochBook();
        vm.expectRevert(abi.encodeWithSelector(Bls.PrecompileFailed.selector, 0x11));
        new QuorumVerifier(book, 1, address(this));
    }
}
