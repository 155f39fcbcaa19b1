// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlockHashes} from "../../src/log/BlockHashes.sol";
import {HeaderProof} from "../../src/quorum/HeaderProof.sol";
import {RandaoEntropy} from "../../src/quorum/RandaoEntropy.sol";
import {Headers} from "./support/Headers.sol";
import {Test} from "./support/Test.sol";

/// @notice Answers as the history contract of EIP-2935 does, for headers of this model.
contract HeaderHistory {
    fallback(bytes calldata input) external returns (bytes memory) {
        uint256 number = abi.decode(input, (uint256));
        if (number >= block.number || number + 8191 < block.number) revert();
        return abi.encode(keccak256(Headers.encode(number, keccak256(abi.encode("randao", number)), false)));
    }
}

/// @notice prevRandao of a fixed block: the right header only, as long as its hash can be read.
contract HeaderProofTest is Test {
    RandaoEntropy private _entropy;

    function setUp() public {
        vm.roll(20_000);
        _entropy = new RandaoEntropy();
    }

    function testFuzz_readsPrevRandao(uint256 number, bytes32 prevRandao, bool long) public {
        number = bound(number, 19_744, 19_999);
        bytes memory header = Headers.encode(number, prevRandao, long);
        vm.setBlockhash(number, keccak256(header));
        assertEq(_entropy.entropy(number, header), prevRandao, "prevRandao");
    }

    function testFuzz_aChangedHeaderIsRefused(uint16 place, uint8 flip) public {
        vm.assume(flip != 0);
        bytes memory header = Headers.encode(19_990, "randao", true);
        vm.setBlockhash(19_990, keccak256(header));
        header[place % header.length] ^= bytes1(flip);
        vm.expectRevert(abi.encodeWithSelector(HeaderProof.BadHeader.selector, 19_990));
        _entropy.entropy(19_990, header);
    }

    function test_otherBytesAreRefused() public {
        bytes memory header = Headers.encode(19_990, "randao", true);
        vm.setBlockhash(19_990, keccak256(header));
        vm.setBlockhash(19_991, keccak256("another"));
        vm.expectRevert(abi.encodeWithSelector(HeaderProof.BadHeader.selector, 19_991));
        _entropy.entropy(19_991, header);
        vm.expectRevert(abi.encodeWithSelector(HeaderProof.BadHeader.selector, 19_990));
        _entropy.entropy(19_990, "");
        vm.expectRevert(abi.encodeWithSelector(HeaderProof.BadHeader.selector, 19_990));
        _entropy.entropy(19_990, bytes.concat(header, hex"00"));
    }

    function test_blocksWithoutHashAreRefused() public {
        vm.expectRevert(abi.encodeWithSelector(HeaderProof.NoHash.selector, 20_000));
        _entropy.entropy(20_000, "");
        vm.expectRevert(abi.encodeWithSelector(HeaderProof.NoHash.selector, 20_001));
        _entropy.entropy(20_001, "");
        vm.expectRevert(abi.encodeWithSelector(HeaderProof.NoHash.selector, 19_000));
        _entropy.entropy(19_000, "");
    }

    function test_theHistoryContractServesOldBlocks() public {
        vm.etch(BlockHashes.HISTORY, address(new HeaderHistory()).code);
        bytes memory header = Headers.encode(11_809, keccak256(abi.encode("randao", 11_809)), false);
        assertEq(_entropy.entropy(11_809, header), keccak256(abi.encode("randao", 11_809)), "8,191 back");
        vm.expectRevert(abi.encodeWithSelector(HeaderProof.NoHash.selector, 11_808));
        _entropy.entropy(11_808, header);
    }
}
