// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobHeader} from "../quorum/QuorumTypes.sol";
import {BlobLayout} from "./BlobLayout.sol";
import {DAEntrance} from "./DAEntrance.sol";
import {ICertificateValidator} from "./ICertificateValidator.sol";
import {NitroCertificates} from "./NitroCertificates.sol";
import {RowProof} from "./RowProof.sol";

/// @title NitroCertificateValidator
/// @notice Decides, for the one-step proof of an Arbitrum chain, which certificates are valid and which bytes they stand for.
/// @dev A certificate is valid once the entrance has confirmed its batch, which it does only with the signature of more than two
/// thirds of the quorum's seats and before the stake behind it is free, and if its leaf was paid for. Both last for ever, so
/// the answer about a valid certificate never changes, and the blob's expiry does not enter into it. One that was not
/// confirmed by `graceSeconds` after the end of its epoch stays invalid for good. The seed of the epoch is part of a
/// certificate because it is not known long before the epoch: nobody can have a chain carry a certificate whose fate
/// is open for longer.
///
/// Rows are proven by SHA-256: only blobs of suite 1 have certificates here.
contract NitroCertificateValidator is ICertificateValidator {
    /// @dev Bytes before a certificate that tell its length.
    uint256 private constant LENGTH_BYTES = 8;

    /// @dev Suite whose hashes are SHA-256.
    uint8 private constant SHA256_SUITE = 1;

    /// @dev Most bytes that a read answers with.
    uint256 private constant WORD = 32;

    /// @notice Where batches are confirmed.
    DAEntrance public immutable entrance;

    /// @notice An address that this contract depends on was given as zero.
    error ZeroAddress();

    /// @notice A proof of a read that is about another certificate than was asked for, or about none.
    error WrongCertificate();

    /// @notice A certificate that is not valid has no payload.
    error InvalidCertificate();

    /// @notice The proof does not have the length that the certificate's layout gives it.
    error ProofLength(uint256 actual, uint256 expected);

    /// @notice The row is not the one under the certificate's commitment.
    error WrongRow(uint256 rowIndex);

    constructor(DAEntrance entrance_) {
        if (address(entrance_) == address(0)) revert ZeroAddress();
        entrance = entrance_;
    }

    /// @inheritdoc ICertificateValidator
    /// @dev Looks at nothing behind the certificate: a prover cannot change the answer.
    function validateCertificate(bytes calldata proof) external view returns (bool) {
        (bool whole, bytes calldata certificate,) = _split(proof);
        return whole && _isValid(certificate);
    }

    /// @inheritdoc ICertificateValidator
    /// @dev Behind the certificate stand the roots of all cosets, the root of the combinations, the row in which the bytes
    /// begin and its path; and another row and path where the bytes end in the next row. Reverts for any other proof:
    /// then the prover has lost, and the certificate has not.
    function validateReadPreimage(bytes32 certificateHash, uint256 offset, bytes calldata proof)
        external
        view
        returns (bytes memory)
    {
        (bool whole, bytes calldata certificate, bytes calldata rows) = _split(proof);
        if (!whole || keccak256(certificate) != certificateHash) revert WrongCertificate();
        if (!_isValid(certificate)) revert InvalidCertificate();
        BlobHeader memory header = NitroCertificates.headerOf(certificate);
        if (offset >= header.length) return "";
        uint256 left = header.length - offset;
        return _read(header, offset + BlobLayout.HEADER_BYTES, left < WORD ? left : WORD, rows);
    }

    /// @notice Whether `row` is a row of the blob of a header; see `RowProof.isUnder`.
    function isRowUnder(
        BlobHeader calldata header,
        bytes32[] calldata cosetRoots,
        bytes32 combinationRoot,
        uint256 rowIndex,
        bytes calldata row,
        bytes32[] calldata path
    ) external pure returns (bool) {
        return RowProof.isUnder(header, cosetRoots, combinationRoot, rowIndex, row, path);
    }

    /// @dev `length` bytes of the data rows from byte `start` on, which lie in at most two of them.
    function _read(BlobHeader memory header, uint256 start, uint256 length, bytes calldata proof)
        private
        view
        returns (bytes memory)
    {
        uint256 commonBytes = 32 * (uint256(header.cosets) + 2);
        uint256 from = start % header.rowSize;
        uint256 rows = from + length <= header.rowSize ? 1 : 2;
        uint256 expected = commonBytes + rows * (uint256(header.rowSize) + 32 * uint256(header.log2K));
        if (proof.length != expected) revert ProofLength(proof.length, expected);
        bytes memory bytesOfRows =
            _rows(header, proof[:commonBytes], start / header.rowSize, proof[commonBytes:]);
        assembly ("memory-safe") {
            mcopy(add(bytesOfRows, 32), add(add(bytesOfRows, 32), from), length)
            mstore(bytesOfRows, length)
        }
        return bytesOfRows;
    }

    /// @dev Rows from `rowIndex` on, one or two, once they are proven.
    /// @param common roots of the cosets, and of the combinations
    /// @param proven rows, each with its path
    function _rows(BlobHeader memory header, bytes calldata common, uint256 rowIndex, bytes calldata proven)
        private
        view
        returns (bytes memory)
    {
        uint256 eachBytes = uint256(header.rowSize) + 32 * uint256(header.log2K);
        _requireRow(header, common, rowIndex, proven[:eachBytes]);
        if (proven.length == eachBytes) return proven[:header.rowSize];
        _requireRow(header, common, rowIndex + 1, proven[eachBytes:]);
        return bytes.concat(proven[:header.rowSize], proven[eachBytes:eachBytes + header.rowSize]);
    }

    function _requireRow(BlobHeader memory header, bytes calldata common, uint256 rowIndex, bytes calldata proven)
        private
        view
    {
        bytes32 combinationRoot = bytes32(common[common.length - 32:]);
        bytes32[] calldata cosetRoots = NitroCertificates.hashesOf(common[:common.length - 32]);
        bytes32[] calldata path = NitroCertificates.hashesOf(proven[header.rowSize:]);
        bytes calldata row = proven[:header.rowSize];
        if (!this.isRowUnder(header, cosetRoots, combinationRoot, rowIndex, row, path)) revert WrongRow(rowIndex);
    }

    /// @dev Never reverts: what it asks the entrance has an answer for every argument.
    function _isValid(bytes calldata certificate) private view returns (bool) {
        (bool wellFormed, NitroCertificates.Place memory place) = NitroCertificates.parse(certificate);
        if (!wellFormed || place.chainId != block.chainid || place.entrance != address(entrance)) return false;
        BlobHeader memory header = NitroCertificates.headerOf(certificate);
        if (header.version != BlobLayout.VERSION || header.suite != SHA256_SUITE) return false;
        if (header.shardId != entrance.shardId()) return false;
        bytes32 root = NitroCertificates.rootOf(certificate, place.leafIndex);
        (uint64 epoch, uint32 quorumId, uint32 count,) = entrance.batch(root);
        if (count != place.count || epoch != place.epoch || quorumId != place.quorumId) return false;
        return place.seed == entrance.seedOf(epoch) && !entrance.isVoid(root, place.leafIndex);
    }

    /// @dev The certificate, and what stands behind it; not whole where the proof ends before.
    function _split(bytes calldata proof)
        private
        pure
        returns (bool whole, bytes calldata certificate, bytes calldata rest)
    {
        certificate = proof[:0];
        rest = proof[:0];
        if (proof.length < LENGTH_BYTES) return (false, certificate, rest);
        uint256 end = LENGTH_BYTES + uint64(bytes8(proof));
        if (proof.length < end) return (false, certificate, rest);
        return (true, proof[LENGTH_BYTES:end], proof[end:]);
    }
}
