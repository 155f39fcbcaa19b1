// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";
import {IPriceMarket} from "./IPriceMarket.sol";

/// @title PriceMarket
/// @notice A fixed price per sector. Every fee leaves for the reward address in the call that brings it.
/// @dev The market is deployed before its flow and told the address that the flow will have; the flow's constructor
/// refuses a market that names another. So neither needs a setter.
contract PriceMarket is IPriceMarket, Administered {
    /// @notice Largest price in wei: with fewer than 2^45 sectors in a submission, a fee never overflows.
    uint256 public constant MAX_PRICE = type(uint128).max;

    /// @inheritdoc IPriceMarket
    address public immutable flow;

    /// @inheritdoc IPriceMarket
    address public immutable reward;

    /// @inheritdoc IPriceMarket
    uint256 public pricePerSector;

    /// @notice A sector now costs `current` wei.
    event PriceChanged(uint256 previous, uint256 current);

    /// @notice `caller` is not the flow.
    error NotFlow(address caller, address flow);

    /// @notice `price` is above MAX_PRICE.
    error PriceTooHigh(uint256 price);

    /// @notice The reward address did not take `amount` wei.
    error RewardTransferFailed(address reward, uint256 amount);

    /// @param price wei per sector of 256 bytes, at most 2^128 - 1; 0 makes storage free
    /// @param flow_ address of the flow, which may be deployed later, not zero
    /// @param reward_ receives every fee, not zero; must accept plain transfers
    /// @param initialAdmin may change the price, not zero
    constructor(uint256 price, address flow_, address reward_, address initialAdmin) Administered(initialAdmin) {
        if (flow_ == address(0) || reward_ == address(0)) revert ZeroAddress();
        flow = flow_;
        reward = reward_;
        _setPrice(price);
    }

    /// @notice Changes the price in wei per sector, from the next submission on.
    function setPricePerSector(uint256 price) external onlyAdmin {
        _setPrice(price);
    }

    /// @inheritdoc IPriceMarket
    /// @dev Sends the whole balance, so wei forced upon this contract does not stay either. `beforeLength` and
    /// `paddingSectors` matter to a market that fills a reward pool per stretch of the flow; one price has no use for them.
    function chargeFee(uint256, uint256 uploadSectors, uint256) external payable {
        if (msg.sender != flow) revert NotFlow(msg.sender, flow);
        if (msg.value < uploadSectors * pricePerSector) revert NotEnoughFee(pricePerSector, uploadSectors, msg.value);
        uint256 amount = address(this).balance;
        if (amount == 0) return;
        (bool success,) = reward.call{value: amount}("");
        if (!success) revert RewardTransferFailed(reward, amount);
    }

    function _setPrice(uint256 price) private {
        if (price > MAX_PRICE) revert PriceTooHigh(price);
        emit PriceChanged(pricePerSector, price);
        pricePerSector = price;
    }
}
