// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";
import {IEpochSource} from "../quorum/IEpochSource.sol";
import {QuorumVerifier} from "./QuorumVerifier.sol";

/// @title EpochTerms
/// @notice What one committee epoch means to submitters: its end, its quorums, its seed and its prices.
/// @dev Terms are copied from the epoch source when an epoch is first used and never change, so that a payer, a quorum member
/// and this contract work out the same fee and the same quorum. The epoch source is asked nothing else about time.
abstract contract EpochTerms is Administered {
    /// @notice Terms of one epoch; all zero until it is opened.
    /// @param endTime Unix seconds
    /// @param quorums quorums with data-availability duty
    /// @param basePerBlob wei for each blob
    /// @param pricePerByteEpoch wei for each byte of all rows and each epoch of retention
    struct Terms {
        uint64 endTime;
        uint16 quorums;
        uint96 basePerBlob;
        uint64 pricePerByteEpoch;
    }

    /// @notice Checks what quorums sign for this contract.
    QuorumVerifier public immutable verifier;

    /// @notice Where epochs come from: the verifier's source.
    IEpochSource public immutable epochs;

    /// @notice This chain's number among the consensus shards.
    uint32 public immutable shardId;

    /// @notice Nominal length of an epoch in seconds; retention is counted in it.
    uint64 public immutable epochSeconds;

    /// @notice Submissions close this many seconds before an epoch ends.
    uint64 public immutable marginSeconds;

    /// @notice Confirmations close this many seconds after an epoch has ended.
    uint64 public immutable graceSeconds;

    /// @notice Price for each blob in epochs that are opened from now on.
    uint96 public nextBasePerBlob;

    /// @notice Price for each byte and epoch in epochs that are opened from now on.
    uint64 public nextPricePerByteEpoch;

    /// @dev Packed by hand, like the head of the fee pools: one read, where the compiler makes one for each field.
    mapping(uint64 epoch => uint256 packed) private _terms;

    /// @notice Seed of an epoch that is open, drawn before anyone in the epoch could submit.
    mapping(uint64 epoch => bytes32) public seedOf;

    /// @notice The terms of `epoch` are fixed.
    event EpochOpened(
        uint64 indexed epoch, uint64 endTime, uint16 quorums, uint96 basePerBlob, uint64 pricePerByteEpoch, bytes32 seed
    );

    /// @notice Epochs that are opened from now on have these prices.
    event PricesChanged(uint96 basePerBlob, uint64 pricePerByteEpoch);

    /// @notice The epoch takes no more of this: submissions before its end, confirmations some time after it.
    error EpochClosed();

    /// @notice A quorum has `members`; rows are laid out for `maxMembers`. An epoch with one takes nothing: the quorums of
    /// blobs are drawn, and no batch of that one can be confirmed.
    error QuorumTooLarge(uint32 members, uint32 maxMembers);

    /// @notice `epoch` has not begun; the current one is `current`.
    error EpochNotBegun(uint64 epoch, uint64 current);

    /// @param verifier_ knows the committee epochs of this chain, not zero
    /// @param shardId_ this chain's number among the consensus shards
    /// @param epochSeconds_ nominal length of an epoch
    /// @param marginSeconds_ submissions close that long before an epoch's end
    /// @param graceSeconds_ confirmations close that long after it
    constructor(
        QuorumVerifier verifier_,
        uint32 shardId_,
        uint64 epochSeconds_,
        uint64 marginSeconds_,
        uint64 graceSeconds_
    ) {
        verifier = verifier_;
        epochs = verifier_.epochs();
        shardId = shardId_;
        epochSeconds = epochSeconds_;
        marginSeconds = marginSeconds_;
        graceSeconds = graceSeconds_;
    }

    /// @notice Fixes the terms of the current epoch, so that promises can be made for it. Anyone may call, any number of times.
    function openEpoch() external returns (uint64 epoch) {
        epoch = epochs.currentEpoch();
        _open(epoch);
    }

    /// @notice Changes the prices of epochs that are not open yet.
    function setPrices(uint96 basePerBlob, uint64 pricePerByteEpoch) external onlyAdmin {
        _setPrices(basePerBlob, pricePerByteEpoch);
    }

    /// @notice Terms of `epoch`; all zero where it is not open.
    function termsOf(uint64 epoch) external view returns (Terms memory) {
        return _known(epoch);
    }

    /// @notice Most members of a quorum that may certify here.
    function maxMembers() public view virtual returns (uint32);

    /// @dev Terms of `epoch`, fixed now if they were not.
    function _open(uint64 epoch) internal returns (Terms memory terms) {
        terms = _known(epoch);
        if (terms.endTime != 0) return terms;
        uint64 current = epochs.currentEpoch();
        if (epoch > current) revert EpochNotBegun(epoch, current);
        (, uint64 endTime, bytes32 seed, uint32 groups) = epochs.epochInfo(epoch);
        // A source that does not know the epoch, and epochs that a batch cannot hold.
        if (endTime == 0 || groups == 0 || epoch > type(uint32).max) revert EpochClosed();
        uint32 members = epochs.mostMembers(epoch);
        if (members > maxMembers()) revert QuorumTooLarge(members, maxMembers());
        uint16 quorums = uint16(groups == 1 ? 1 : groups - 1);
        terms = Terms(endTime, quorums, nextBasePerBlob, nextPricePerByteEpoch);
        _terms[epoch] = uint256(endTime) | (uint256(quorums) << 64) | (uint256(nextBasePerBlob) << 80)
            | (uint256(nextPricePerByteEpoch) << 176);
        seedOf[epoch] = seed;
        emit EpochOpened(epoch, endTime, quorums, terms.basePerBlob, terms.pricePerByteEpoch, seed);
    }

    /// @dev The same, refused once the epoch's quorums may no longer certify: their stake may be free.
    function _openForConfirmation(uint64 epoch) internal returns (Terms memory terms) {
        terms = _open(epoch);
        if (block.timestamp > uint256(terms.endTime) + graceSeconds) revert EpochClosed();
    }

    /// @dev Terms that exist already, or zeros.
    function _known(uint64 epoch) internal view returns (Terms memory terms) {
        uint256 word = _terms[epoch];
        terms.endTime = uint64(word);
        terms.quorums = uint16(word >> 64);
        terms.basePerBlob = uint96(word >> 80);
        terms.pricePerByteEpoch = uint64(word >> 176);
    }

    /// @dev Unix seconds until which rows are kept.
    function _expiryOf(uint64 endTime, uint16 retentionEpochs) internal view returns (uint64) {
        // No overflow: times and lengths of epochs are seconds.
        unchecked {
            return endTime + uint64(retentionEpochs) * epochSeconds;
        }
    }

    /// @dev Whether an epoch that ends at `endTime` takes submissions.
    function _takesSubmissions(uint64 endTime) internal view returns (bool) {
        // No overflow: both are seconds.
        unchecked {
            return block.timestamp + marginSeconds < endTime;
        }
    }

    function _setPrices(uint96 basePerBlob, uint64 pricePerByteEpoch) internal {
        nextBasePerBlob = basePerBlob;
        nextPricePerByteEpoch = pricePerByteEpoch;
        emit PricesChanged(basePerBlob, pricePerByteEpoch);
    }
}
