// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title MinerIds
/// @notice Who is paid for data that is sealed under an id.
/// @dev An id is no secret and nobody's address: anybody may bring an answer, and the beneficiary gets the pay.
abstract contract MinerIds {
    /// @notice Who is paid for the answers of an id, and may name another; zero for an id that does not exist.
    mapping(bytes32 minerId => address) public beneficiaries;

    /// @notice A new id.
    event NewMinerId(bytes32 indexed minerId, address indexed beneficiary);

    /// @notice The pay of an id goes to another address now.
    event UpdateMinerId(bytes32 indexed minerId, address indexed from, address indexed to);

    /// @notice Zero is no id.
    error MinerIdZero();

    /// @notice Nobody has this id.
    error MinerIdUnknown(bytes32 minerId);

    /// @notice The id exists already; ask with another seed.
    error MinerIdTaken(bytes32 minerId);

    /// @notice `caller` is not who is paid for the id.
    error NotBeneficiary(address caller, address beneficiary);

    /// @notice Zero was named to be paid.
    error BeneficiaryZero();

    /// @notice Makes an id for `beneficiary`: keccak-256 of the last block's hash, the caller, and `seed`, packed.
    /// @param seed tells ids apart that one caller asks for in one block
    function requestMinerId(address beneficiary, uint64 seed) external returns (bytes32 minerId) {
        if (beneficiary == address(0)) revert BeneficiaryZero();
        minerId = keccak256(abi.encodePacked(blockhash(block.number - 1), msg.sender, seed));
        if (beneficiaries[minerId] != address(0)) revert MinerIdTaken(minerId);
        beneficiaries[minerId] = beneficiary;
        emit NewMinerId(minerId, beneficiary);
    }

    /// @notice Has `to` paid for `minerId` from now on. Only its beneficiary may say so.
    function transferBeneficial(address to, bytes32 minerId) external {
        if (to == address(0)) revert BeneficiaryZero();
        address from = beneficiaries[minerId];
        if (msg.sender != from) revert NotBeneficiary(msg.sender, from);
        beneficiaries[minerId] = to;
        emit UpdateMinerId(minerId, from, to);
    }

    /// @dev Who is paid for an id. Reverts with MinerIdZero or MinerIdUnknown.
    function _beneficiaryOf(bytes32 minerId) internal view returns (address beneficiary) {
        if (minerId == 0) revert MinerIdZero();
        beneficiary = beneficiaries[minerId];
        if (beneficiary == address(0)) revert MinerIdUnknown(minerId);
    }
}
