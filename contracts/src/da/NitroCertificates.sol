// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobHeader} from "../quorum/QuorumTypes.sol";
import {Tree} from "../quorum/Tree.sol";

/// @title NitroCertificates
/// @notice The certificate that an Arbitrum chain carries: which leaf of which batch of which entrance a blob is.
/// @dev Packed, big-endian: 0x01, provider, version, chain u64, entrance, epoch u64, quorum u32, count u32, leaf index u32, the
/// epoch's seed, the blob header of 88 bytes, and one sibling for each level of a tree of `count` leaves. There is one form
/// only, and no signature in it: what the quorum signed is what the entrance has confirmed.
library NitroCertificates {
    /// @dev Before every certificate of a data-availability provider.
    uint8 internal constant HEADER_BYTE = 0x01;

    /// @dev "C": tells this provider's certificates from others' behind the same byte.
    uint8 internal constant PROVIDER_BYTE = 0x43;

    uint8 internal constant VERSION = 1;

    uint256 private constant SEED_AT = 51;
    uint256 private constant HEADER_AT = 83;
    uint256 private constant PATH_AT = 171;

    /// @notice A certificate taken apart, but for header and path.
    struct Place {
        uint64 chainId;
        address entrance;
        uint64 epoch;
        uint32 quorumId;
        uint32 count;
        uint32 leafIndex;
        bytes32 seed;
    }

    /// @notice Takes bytes apart. Never reverts.
    /// @return wellFormed whether they are a certificate in its one form; else `place` is empty
    function parse(bytes calldata certificate) internal pure returns (bool wellFormed, Place memory place) {
        uint256 length = certificate.length;
        if (length < PATH_AT) return (false, place);
        if (uint8(certificate[0]) != HEADER_BYTE || uint8(certificate[1]) != PROVIDER_BYTE) return (false, place);
        if (uint8(certificate[2]) != VERSION) return (false, place);
        uint32 count = uint32(bytes4(certificate[43:]));
        uint32 leafIndex = uint32(bytes4(certificate[47:]));
        if (leafIndex >= count || length != PATH_AT + 32 * Tree.depthOf(count)) return (false, place);
        place = Place({
            chainId: uint64(bytes8(certificate[3:])),
            entrance: address(bytes20(certificate[11:])),
            epoch: uint64(bytes8(certificate[31:])),
            quorumId: uint32(bytes4(certificate[39:])),
            count: count,
            leafIndex: leafIndex,
            seed: bytes32(certificate[SEED_AT:])
        });
        return (true, place);
    }

    /// @notice Root of the batch that a well-formed certificate leads to.
    function rootOf(bytes calldata certificate, uint32 leafIndex) internal pure returns (bytes32) {
        bytes32 leaf = keccak256(abi.encodePacked(bytes1(0), certificate[HEADER_AT:PATH_AT]));
        return Tree.rootFrom(leafIndex, leaf, hashesOf(certificate[PATH_AT:]));
    }

    /// @notice The blob header in a well-formed certificate.
    function headerOf(bytes calldata certificate) internal pure returns (BlobHeader memory) {
        bytes calldata body = certificate[HEADER_AT:PATH_AT];
        return BlobHeader({
            version: uint8(body[0]),
            suite: uint8(body[1]),
            log2K: uint8(body[2]),
            cosets: uint8(body[3]),
            rowSize: uint32(bytes4(body[4:])),
            length: uint64(bytes8(body[8:])),
            commitment: bytes32(body[16:]),
            submitter: address(bytes20(body[48:])),
            shardId: uint32(bytes4(body[68:])),
            submissionIndex: uint64(bytes8(body[72:])),
            expiry: uint64(bytes8(body[80:]))
        });
    }

    /// @notice Bytes as hashes of 32; what is left over at the end is not looked at.
    function hashesOf(bytes calldata data) internal pure returns (bytes32[] calldata hashes) {
        assembly ("memory-safe") {
            hashes.offset := data.offset
            hashes.length := div(data.length, 32)
        }
    }
}
