// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobHeader} from "../quorum/QuorumTypes.sol";
import {BlobHeaders} from "./BlobHeaders.sol";
import {BlobPromise} from "./BlobTypes.sol";

/// @title Promises
/// @notice The typed data that a payer signs (EIP-712), and the header that a promise stands for.
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
    function structHash(BlobPromise calldata promised) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPE_HASH, promised));
    }

    /// @notice Header of the promised blob.
    function headerOf(BlobPromise calldata promised, address payer, uint32 shardId, uint64 expiry)
        internal
        pure
        returns (BlobHeader memory header)
    {
        header.version = BlobHeaders.VERSION;
        header.suite = promised.suite;
        header.log2K = promised.log2K;
        header.cosets = promised.cosets;
        header.rowSize = promised.rowSize;
        header.length = promised.length;
        header.commitment = promised.commitment;
        header.submitter = payer;
        header.shardId = shardId;
        header.submissionIndex = BlobHeaders.promisedIndexOf(promised.epoch, promised.slot);
        header.expiry = expiry;
    }
}
