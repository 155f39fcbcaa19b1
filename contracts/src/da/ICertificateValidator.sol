// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ICertificateValidator
/// @notice What the one-step proof of an Arbitrum chain asks about certificates of a data-availability provider. Selectors are
/// those that its provers call.
interface ICertificateValidator {
    /// @notice Bytes of the payload that a certificate stands for.
    /// @param certificateHash keccak-256 of the certificate, out of the machine's proven state
    /// @param offset byte of the payload, out of the machine's proven state
    /// @param proof length of the certificate u64, the certificate, and what proves the bytes
    /// @return up to 32 bytes; none from the payload's end on
    function validateReadPreimage(bytes32 certificateHash, uint256 offset, bytes calldata proof)
        external
        view
        returns (bytes memory);

    /// @notice Whether a certificate is valid. The caller compares the answer with what the prover claims.
    /// @dev Never reverts, whatever it is given: an answer that a certificate can prevent could not be disputed.
    /// @param proof length of the certificate u64, the certificate, and whatever follows
    function validateCertificate(bytes calldata proof) external view returns (bool);
}
