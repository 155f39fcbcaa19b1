// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IPriceMarket
/// @notice What the flow asks of the market that prices and collects its fees.
interface IPriceMarket {
    /// @notice `amount` sectors at `price` wei each cost more than the `paid` wei.
    error NotEnoughFee(uint256 price, uint256 amount, uint256 paid);

    /// @notice Fee in wei for one sector of 256 bytes, kept for the lifetime that the network promises.
    function pricePerSector() external view returns (uint256);

    /// @notice The flow whose fees this market collects.
    function flow() external view returns (address);

    /// @notice Where the fees go.
    function reward() external view returns (address);

    /// @notice Takes the fee for one submission and passes it on at once; only the flow may call.
    /// @param beforeLength sectors in the flow before the submission
    /// @param uploadSectors sectors of the submission, which are charged
    /// @param paddingSectors sectors skipped for alignment before it, which are not
    function chargeFee(uint256 beforeLength, uint256 uploadSectors, uint256 paddingSectors) external payable;
}
