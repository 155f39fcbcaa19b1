// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";
import {Snapshot} from "../quorum/QuorumTypes.sol";
import {Statements} from "../quorum/Statements.sol";
import {Batches} from "./Batches.sol";
import {BlobIntake} from "./BlobIntake.sol";
import {BlobPromise} from "./BlobTypes.sol";
import {EpochTerms} from "./EpochTerms.sol";
import {FeePools} from "./FeePools.sol";
import {IFeeReceiver} from "./IFeeReceiver.sol";
import {PayerAccounts} from "./PayerAccounts.sol";
import {PromiseIntake} from "./PromiseIntake.sol";
import {Claim, QuorumVerifier} from "./QuorumVerifier.sol";

/// @title DAEntrance
/// @notice Takes blobs for data availability on this chain and confirms the batches that quorums have certified.
/// @dev Two ways in. `submitBlobs` is paid and ordered first, and its batches are confirmed with `confirmBatch`. A promise is
/// signed by a payer with a deposit, goes to the quorum at once, and is charged when `confirmPromised` confirms its batch.
/// The contract's balance is the fee pools and the deposits.
contract DAEntrance is PromiseIntake, Batches {
    /// @notice What a deployment decides.
    /// @param verifier checks what quorums of this chain's epochs sign
    /// @param rewards an IFeeReceiver whose `entrance` is this contract's address, computed before deployment
    /// @param admin may change the prices of epochs that are not open yet, not zero
    /// @param shardId this chain's number among the consensus shards
    /// @param cosets parity cosets, 3, or 2 for less protection, see BlobIntake
    /// @param minLog2K 6, 8 or 10 for quorums of up to 32, 128 or 512 members
    /// @param maxRetention most epochs of retention
    /// @param epochSeconds nominal length of an epoch
    /// @param marginSeconds submissions close that long before an epoch's end
    /// @param graceSeconds confirmations close that long after it
    /// @param basePerBlob wei for each blob
    /// @param pricePerByteEpoch wei for each byte of all rows and each epoch of retention
    struct Settings {
        QuorumVerifier verifier;
        IFeeReceiver rewards;
        address admin;
        uint32 shardId;
        uint8 cosets;
        uint8 minLog2K;
        uint16 maxRetention;
        uint64 epochSeconds;
        uint64 marginSeconds;
        uint64 graceSeconds;
        uint96 basePerBlob;
        uint64 pricePerByteEpoch;
    }

    /// @notice Blobs of `epoch` are not certified by group `quorumId`.
    error NoSuchQuorum(uint64 epoch, uint32 quorumId);

    /// @notice A batch has at least one leaf.
    error EmptyBatch();

    constructor(Settings memory settings)
        Administered(settings.admin)
        EpochTerms(
            settings.verifier,
            settings.shardId,
            settings.epochSeconds,
            settings.marginSeconds,
            settings.graceSeconds
        )
        FeePools(settings.rewards)
        BlobIntake(settings.cosets, settings.minLog2K, settings.maxRetention)
        PayerAccounts(2 * settings.epochSeconds + settings.graceSeconds)
    {
        _setPrices(settings.basePerBlob, settings.pricePerByteEpoch);
    }

    /// @inheritdoc EpochTerms
    /// @dev Two data rows for each.
    function maxMembers() public view override returns (uint32) {
        return uint32(1) << (minLog2K - 1);
    }

    /// @notice Confirms a batch of paid submissions.
    /// @dev Reverts with EpochClosed, AlreadyConfirmed, NoSuchQuorum, QuorumTooLarge, or like `Quorum.check`.
    /// @param root root over the headers
    /// @param count headers
    /// @param epoch committee epoch whose quorum signed, which need not be the one in the snapshot
    /// @param nonSigners packed members who did not sign, see Quorum
    /// @param siblings proof of them
    /// @param signature the others' aggregate over the statement of kind 1
    function confirmBatch(
        bytes32 root,
        uint32 count,
        uint64 epoch,
        Snapshot calldata snapshot,
        bytes calldata nonSigners,
        bytes32[] calldata siblings,
        uint256[8] calldata signature
    ) external {
        Claim memory claim = Claim(Statements.KIND_BATCH, count, epoch, root);
        _requireConfirmable(claim);
        uint256 weight = _certify(claim, snapshot, nonSigners, siblings, signature);
        _keep(claim, snapshot.quorumId, weight, new uint256[](0));
    }

    /// @notice Confirms a batch of paid submissions, signed by those whom `reduce` left of the quorum.
    /// @dev Reverts with EpochClosed, AlreadyConfirmed, NoSuchQuorum, or like `Quorum.checkReduced`.
    function confirmReduced(
        bytes32 root,
        uint32 count,
        uint64 epoch,
        bytes32 reducedId,
        uint256[8] calldata signature
    ) external {
        Claim memory claim = Claim(Statements.KIND_BATCH, count, epoch, root);
        _requireConfirmable(claim);
        (uint32 quorumId, uint32 members, uint256 weight) = verifier.checkReduced(claim, reducedId, signature);
        _requireQuorum(epoch, quorumId, members);
        _keep(claim, quorumId, weight, new uint256[](0));
    }

    /// @notice Charges promises and confirms the batch that they make up.
    /// @dev The root is built here from the promises, and paid submissions have another kind of statement, so no promised
    /// blob is confirmed without its charge. A promise that cannot be charged makes its own leaf void and holds up no other;
    /// one that was charged in another batch counts here too and costs nothing. Reverts like `confirmBatch`, and with
    /// BadPayerSignature; a promise altered in any way gives another root, which is BadSignature.
    /// @param promises in the order of the batch
    /// @param payerSignatures 65 bytes each
    /// @param signature the quorum's aggregate over the statement of kind 5
    function confirmPromised(
        BlobPromise[] calldata promises,
        bytes[] calldata payerSignatures,
        uint64 epoch,
        Snapshot calldata snapshot,
        bytes calldata nonSigners,
        bytes32[] calldata siblings,
        uint256[8] calldata signature
    ) external {
        (Claim memory claim, uint256[] memory voids) =
            _chargeAll(promises, payerSignatures, epoch, snapshot.quorumId);
        _requireConfirmable(claim);
        _keep(claim, snapshot.quorumId, _certify(claim, snapshot, nonSigners, siblings, signature), voids);
    }

    /// @dev What can be refused before the signature is checked.
    function _requireConfirmable(Claim memory claim) private {
        _openForConfirmation(claim.epoch);
        if (claim.count == 0) revert EmptyBatch();
        _requireNew(claim.root);
    }

    function _certify(
        Claim memory claim,
        Snapshot calldata snapshot,
        bytes calldata nonSigners,
        bytes32[] calldata siblings,
        uint256[8] calldata signature
    ) private view returns (uint256 signedWeight) {
        _requireQuorum(claim.epoch, snapshot.quorumId, snapshot.memberCount);
        return verifier.check(claim, snapshot, nonSigners, siblings, signature);
    }

    /// @dev Refuses the committee where there are quorums beside it, and quorums with more members than rows are laid out for.
    function _requireQuorum(uint64 epoch, uint32 quorumId, uint32 members) private view {
        uint16 quorums = _known(epoch).quorums;
        if (quorums == 1 ? quorumId != 0 : quorumId == 0 || quorumId > quorums) revert NoSuchQuorum(epoch, quorumId);
        uint32 most = maxMembers();
        if (members > most) revert QuorumTooLarge(members, most);
    }
}
