// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";
import {IFeeReward} from "../reward/IFeeReward.sol";
import {IPriceMarket} from "./IPriceMarket.sol";

/// @title PriceMarket
/// @notice A fixed price per sector. Every fee leaves for the reward of the sectors it pays for in the call that brings it.
/// @dev The market is deployed before its flow and told the address that the flow will have; the flow's constructor
/// refuses a market that names another. So neither needs a setter.
contract PriceMarket is IPriceMarket, Administered {
    /// @notice Largest price in wei: with fewer than 2^45 sectors in a submission, a fee never overflows.
    uint256 public constant MAX_PRICE = type(uint128).max;

    /// @inheritdoc IPriceMarket
    address public immutable flow;

    /// @inheritdoc IPriceMarket
    address public immutable reward;

    /// @dev Sectors of a pricing chunk.
    uint256 private immutable _sectorsPerPrice;

    /// @inheritdoc IPriceMarket
    uint256 public pricePerSector;

    /// @notice A sector now costs `current` wei.
    event PriceChanged(uint256 previous, uint256 current);

    /// @notice `caller` is not the flow.
    error NotFlow(address caller, address flow);

    /// @notice `price` is above MAX_PRICE.
    error PriceTooHigh(uint256 price);

    /// @notice `reward` has no code, or takes fees of `itsMarket` and not of this contract.
    error RewardOfAnotherMarket(address reward, address itsMarket);

    /// @param price wei per sector of 256 bytes, at most 2^128 - 1; 0 makes storage free
    /// @param flow_ address of the flow, which may be deployed later, not zero
    /// @param reward_ an IFeeReward whose `market` is this contract's address, computed before deployment
    /// @param initialAdmin may change the price, not zero
    constructor(uint256 price, address flow_, address reward_, address initialAdmin) Administered(initialAdmin) {
        if (flow_ == address(0) || reward_ == address(0)) revert ZeroAddress();
        if (reward_.code.length == 0) revert RewardOfAnotherMarket(reward_, address(0));
        address itsMarket = IFeeReward(reward_).market();
        if (itsMarket != address(this)) revert RewardOfAnotherMarket(reward_, itsMarket);
        flow = flow_;
        reward = reward_;
        _sectorsPerPrice = IFeeReward(reward_).sectorsPerPrice();
        _setPrice(price);
    }

    /// @notice Takes tips: all of them go to the sectors of the next submission.
    receive() external payable {}

    /// @notice Changes the price in wei per sector, from the next submission on.
    function setPricePerSector(uint256 price) external onlyAdmin {
        _setPrice(price);
    }

    /// @inheritdoc IPriceMarket
    /// @dev The fee is for all sectors by which the flow grows, the skipped ones too, and the part of those up to the end of
    /// the pricing chunk in which the flow stood goes to that chunk. Further chunks that are skipped get nothing, since zeros
    /// cannot be mined. The rest, and whatever else this contract holds, goes to the submission's own sectors.
    function chargeFee(uint256 beforeLength, uint256 uploadSectors, uint256 paddingSectors) external payable {
        if (msg.sender != flow) revert NotFlow(msg.sender, flow);
        uint256 fee = uploadSectors * pricePerSector;
        if (msg.value < fee) revert NotEnoughFee(pricePerSector, uploadSectors, msg.value);
        uint256 end = beforeLength + paddingSectors + uploadSectors;
        // Where all goes to one pricing chunk, one call says so.
        bool isSplit = paddingSectors > 0 && beforeLength / _sectorsPerPrice != (end - 1) / _sectorsPerPrice;
        if (isSplit) beforeLength += _payForPadding(beforeLength, paddingSectors, fee, end - beforeLength);
        IFeeReward(reward).fillReward{value: address(this).balance}(beforeLength, end - beforeLength);
    }

    /// @dev Fills the skipped sectors, at `fee` for `sectors` sectors.
    /// @return how many they are
    function _payForPadding(uint256 beforeLength, uint256 paddingSectors, uint256 fee, uint256 sectors)
        private
        returns (uint256)
    {
        uint256 shared = _sharedPadding(beforeLength, paddingSectors);
        if (shared > 0) IFeeReward(reward).fillReward{value: (fee * shared) / sectors}(beforeLength, shared);
        if (shared < paddingSectors) IFeeReward(reward).fillReward(beforeLength + shared, paddingSectors - shared);
        return paddingSectors;
    }

    /// @dev Skipped sectors that lie in the pricing chunk in which the flow stood, if files were in it before.
    function _sharedPadding(uint256 beforeLength, uint256 paddingSectors) private view returns (uint256) {
        uint256 filled = beforeLength % _sectorsPerPrice;
        // The flow begins with a sector that holds nothing.
        if (filled == 0 || beforeLength == 1) return 0;
        uint256 rest = _sectorsPerPrice - filled;
        return paddingSectors < rest ? paddingSectors : rest;
    }

    function _setPrice(uint256 price) private {
        if (price > MAX_PRICE) revert PriceTooHigh(price);
        emit PriceChanged(pricePerSector, price);
        pricePerSector = price;
    }
}
