// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobHeaders} from "./BlobHeaders.sol";
import {BlobLayout} from "./BlobLayout.sol";
import {BlobPromise} from "./BlobTypes.sol";

/// @title Promises
/// @notice The typed data that a payer signs (EIP-712), and the leaf that a promise stands for.
library Promises {
    /// @dev Name of the type is Promise; the fields are those of BlobPromise.
    bytes32 internal constant TYPE_HASH = keccak256(
        "Promise(bytes32 commitment,uint64 length,uint32 rowSize,uint8 suite,uint8 log2K,uint8 cosets,uint16 retentionEpochs,uint64 epoch,uint16 slot,uint64 signBy,uint256 maxFee)"
    );

    bytes32 private constant DOMAIN_HASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    /// @notice Domain of promises to this contract on this chain: name "Cairn", version "1".
    function domainSeparator() internal view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_HASH, keccak256("Cairn"), keccak256("1"), block.chainid, address(this))
        );
    }

    /// @notice Hash of the promise as typed data; the domain comes on top.
    /// @dev A struct in memory is its words in order, which is what is hashed: `abi.encode(TYPE_HASH, promised)`.
    function structHash(BlobPromise memory promised) internal pure returns (bytes32 hash) {
        bytes32 typeHash = TYPE_HASH;
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, typeHash)
            mcopy(add(start, 0x20), promised, 0x160)
            hash := keccak256(start, 0x180)
        }
    }

    /// @notice Whose signature it is; zero where it is none.
    /// @dev A second form of the same signature is no other promise: a slot pays for a leaf, whatever signed for it.
    /// @param signature r, s and v: 65 bytes
    function signerOf(bytes32 digest, bytes calldata signature) internal pure returns (address) {
        if (signature.length != 65) return address(0);
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            r := calldataload(signature.offset)
            s := calldataload(add(signature.offset, 0x20))
            v := byte(0, calldataload(add(signature.offset, 0x40)))
        }
        return ecrecover(digest, v, r, s);
    }

    /// @notice The first eight bytes of the promised blob's header.
    function paramsOf(BlobPromise memory promised) internal pure returns (uint256) {
        return BlobLayout.pack(promised.suite, promised.log2K, promised.cosets, promised.rowSize);
    }

    /// @notice Leaf of the promised blob.
    function leafOf(BlobPromise memory promised, address payer, uint32 shardId, uint64 expiry)
        internal
        pure
        returns (bytes32)
    {
        return BlobHeaders.leafOf(
            paramsOf(promised),
            promised.length,
            promised.commitment,
            payer,
            shardId,
            BlobHeaders.promisedIndexOf(promised.epoch, promised.slot),
            expiry
        );
    }
}
