// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Statements} from "../quorum/Statements.sol";
import {Tree} from "../quorum/Tree.sol";
import {BlobHeaders} from "./BlobHeaders.sol";
import {BlobIntake} from "./BlobIntake.sol";
import {BlobLayout} from "./BlobLayout.sol";
import {BlobPromise, VoidReason} from "./BlobTypes.sol";
import {PayerAccounts} from "./PayerAccounts.sol";
import {Promises} from "./Promises.sol";
import {Claim} from "./QuorumVerifier.sol";

/// @title PromiseIntake
/// @notice Charges the promises of a batch, each for itself, and builds the batch's root from them.
/// @dev One promise that cannot be charged makes its own leaf void and holds up no other. Nothing here checks what the quorum
/// has signed: the caller does, over the root that comes out, and reverts all charges where it did not sign.
abstract contract PromiseIntake is BlobIntake, PayerAccounts {
    /// @dev The quorum that signed, and the terms of its epoch.
    struct Office {
        uint64 epoch;
        uint32 quorumId;
        Terms terms;
    }

    /// @notice Leaf `leafIndex` of the batch that the call confirms counts for nothing.
    event PromiseVoid(address indexed payer, uint64 epoch, uint16 slot, uint32 leafIndex, VoidReason reason);

    /// @notice There is one signature for each promise.
    error SignatureCount(uint256 promises, uint256 signatures);

    /// @notice What stands for the signature of promise `item` is none.
    error BadPayerSignature(uint256 item);

    /// @notice What a payer signs for a promise to this contract (EIP-712).
    function promiseDigest(BlobPromise calldata promised) public view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(Promises.domainSeparator(), Promises.structHash(promised));
    }

    /// @dev Charges what can be charged.
    /// @return claim the batch that its quorum must have signed
    /// @return voids bits of the leaves that count for nothing, in words of 256; empty where all count
    function _chargeAll(
        BlobPromise[] calldata promises,
        bytes[] calldata payerSignatures,
        uint64 epoch,
        uint32 quorumId
    ) internal returns (Claim memory claim, uint256[] memory voids) {
        uint256 count = promises.length;
        if (count != payerSignatures.length) revert SignatureCount(count, payerSignatures.length);
        Office memory office = Office(epoch, quorumId, _openForConfirmation(epoch));
        bytes32[] memory leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            bool isVoid;
            (leaves[i], isVoid) = _chargeItem(promises[i], payerSignatures[i], i, office);
            if (!isVoid) continue;
            if (voids.length == 0) voids = new uint256[]((count + 255) >> 8);
            voids[i >> 8] |= 1 << (i & 0xff);
        }
        claim = Claim(Statements.KIND_PROMISED, uint32(count), epoch, Tree.rootOf(leaves));
    }

    /// @dev Charges one promise to whoever signed it.
    function _chargeItem(BlobPromise calldata promised, bytes calldata signature, uint256 item, Office memory office)
        private
        returns (bytes32 leaf, bool isVoid)
    {
        (address payer,,) = ECDSA.tryRecoverCalldata(promiseDigest(promised), signature);
        if (payer == address(0)) revert BadPayerSignature(item);
        uint64 expiry = _expiryOf(office.terms.endTime, promised.retentionEpochs);
        leaf = BlobHeaders.leafOf(Promises.headerOf(promised, payer, shardId, expiry));
        VoidReason reason = _chargeOrVoid(promised, payer, leaf, office);
        isVoid = reason != VoidReason.None;
        if (isVoid) emit PromiseVoid(payer, promised.epoch, promised.slot, uint32(item), reason);
    }

    /// @dev Charges a promise, or says why its leaf is void.
    function _chargeOrVoid(BlobPromise calldata promised, address payer, bytes32 leaf, Office memory office)
        private
        returns (VoidReason reason)
    {
        Terms memory terms = office.terms;
        uint64 epoch = promised.epoch;
        uint16 slot = promised.slot;
        if (epoch != office.epoch) return VoidReason.OtherQuorum;
        if (BlobHeaders.quorumOfPromise(terms.seed, terms.quorums, payer, slot) != office.quorumId) {
            return VoidReason.OtherQuorum;
        }
        if (!_isAllowed(promised)) return VoidReason.BadShape;
        uint256 fee = _fee(promised.rowSize, promised.log2K, promised.retentionEpochs, terms);
        (reason, fee) = _charge(payer, epoch, slot, leaf, fee, promised.maxFee);
        _addFee(epoch, promised.retentionEpochs, fee);
    }

    function _isAllowed(BlobPromise calldata promised) private view returns (bool) {
        return promised.cosets == cosets && _isRetention(promised.retentionEpochs)
            && BlobLayout.isLayoutOf(promised.length, promised.suite, promised.log2K, promised.rowSize, minLog2K);
    }
}
