// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

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
/// @dev One promise that cannot be charged makes its own leaf void and holds up no other, and so does one that stands in the
/// batch before: a fee buys one leaf of a batch. Nothing here checks what the quorum
/// has signed: the caller does, over the root that comes out, and reverts all charges where it did not sign.
abstract contract PromiseIntake is BlobIntake, PayerAccounts {
    /// @dev The quorum that signed, the terms of its epoch, the domain of what payers sign, and the fees of one retention
    /// and suite that are charged already and not in their pool yet. `leaves` are the batch's, as far as it is built.
    struct Office {
        uint64 epoch;
        uint32 quorumId;
        bytes32 domain;
        Terms terms;
        uint16 retention;
        uint8 suite;
        uint256 fees;
        bytes32[] leaves;
    }

    /// @notice Leaf `leafIndex` of the batch that the call confirms counts for nothing.
    event PromiseVoid(address indexed payer, uint64 epoch, uint16 slot, uint32 leafIndex, VoidReason reason);

    /// @notice There is one signature for each promise.
    error SignatureCount(uint256 promises, uint256 signatures);

    /// @notice What stands for the signature of promise `item` is none.
    error BadPayerSignature(uint256 item);

    /// @notice What a payer signs for a promise to this contract (EIP-712).
    function promiseDigest(BlobPromise calldata promised) external view returns (bytes32) {
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
        bytes32[] memory leaves = new bytes32[](count);
        Office memory office =
            Office(epoch, quorumId, Promises.domainSeparator(), _openForConfirmation(epoch), 0, 0, 0, leaves);
        for (uint256 i = 0; i < count; ++i) {
            bool counts;
            (leaves[i], counts) = _chargeItem(promises[i], payerSignatures[i], i, office);
            if (counts) continue;
            if (voids.length == 0) voids = new uint256[]((count + 255) >> 8);
            voids[i >> 8] |= 1 << (i & 0xff);
        }
        _addFee(epoch, office.retention, office.suite, office.fees);
        claim = Claim(Statements.KIND_PROMISED, uint32(count), epoch, Tree.rootOf(leaves));
    }

    /// @dev Charges one promise to whoever signed it.
    function _chargeItem(BlobPromise memory promised, bytes calldata signature, uint256 item, Office memory office)
        private
        returns (bytes32 leaf, bool counts)
    {
        bytes32 digest = MessageHashUtils.toTypedDataHash(office.domain, Promises.structHash(promised));
        address payer = Promises.signerOf(digest, signature);
        if (payer == address(0)) revert BadPayerSignature(item);
        leaf = Promises.leafOf(promised, payer, shardId, _expiryOf(office.terms.endTime, promised.retentionEpochs));
        VoidReason reason = _chargeOrVoid(promised, payer, leaf, item, office);
        counts = reason == VoidReason.None;
        if (!counts) emit PromiseVoid(payer, promised.epoch, promised.slot, uint32(item), reason);
    }

    /// @dev Charges a promise, or says why its leaf is void.
    function _chargeOrVoid(
        BlobPromise memory promised,
        address payer,
        bytes32 leaf,
        uint256 item,
        Office memory office
    ) private returns (VoidReason reason) {
        if (!_isForOffice(promised, payer, office)) return VoidReason.OtherQuorum;
        if (!_isAllowed(promised)) return VoidReason.BadShape;
        uint16 retentionEpochs = promised.retentionEpochs;
        uint256 fee = _fee(
            promised.rowSize,
            promised.log2K,
            retentionEpochs,
            office.terms.basePerBlob,
            office.terms.pricePerByteEpoch
        );
        (reason, fee) = _charge(payer, promised.epoch, promised.slot, leaf, fee, promised.maxFee);
        // A leaf that costs nothing was charged before, and may stand in this batch.
        if (reason == VoidReason.None && fee == 0 && _stands(leaf, office.leaves, item)) return VoidReason.Repeated;
        if (retentionEpochs != office.retention || promised.suite != office.suite) {
            _addFee(office.epoch, office.retention, office.suite, office.fees);
            (office.retention, office.suite, office.fees) = (retentionEpochs, promised.suite, 0);
        }
        office.fees += fee;
    }

    /// @dev Whether `leaf` is one of the first `count`.
    function _stands(bytes32 leaf, bytes32[] memory leaves, uint256 count) private pure returns (bool) {
        for (uint256 i = 0; i < count; ++i) {
            if (leaves[i] == leaf) return true;
        }
        return false;
    }

    function _isForOffice(BlobPromise memory promised, address payer, Office memory office)
        private
        view
        returns (bool)
    {
        uint64 epoch = promised.epoch;
        if (epoch != office.epoch) return false;
        uint256 quorums = office.terms.quorums;
        if (quorums == 1) return office.quorumId == 0;
        return BlobHeaders.quorumOfPromise(seedOf[epoch], quorums, payer, promised.slot) == office.quorumId;
    }

    function _isAllowed(BlobPromise memory promised) private view returns (bool) {
        uint256 params = BlobLayout.paramsOf(promised.length, promised.suite, cosets, minLog2K);
        return params == Promises.paramsOf(promised) && _isRetention(promised.retentionEpochs);
    }
}
