// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Flow} from "../../../src/log/Flow.sol";
import {Submission} from "../../../src/log/FlowTypes.sol";
import {PriceMarket} from "../../../src/log/PriceMarket.sol";
import {RewardVault} from "../../../src/log/RewardVault.sol";
import {Files} from "./Files.sol";
import {Test} from "./Test.sol";

/// @title FlowFixture
/// @notice A flow with its market and vault, deployed in the order that real deployments use.
abstract contract FlowFixture is Test {
    uint256 internal constant PRICE = 232830643;
    address internal constant ADMIN = address(0xAD);
    address internal constant SUBMITTER = address(0xA1);

    RewardVault internal vault;
    PriceMarket internal market;
    Flow internal flow;

    /// @dev Takes refunds.
    receive() external payable {}

    function deploy(uint256 price, uint256 blocksPerEpoch, uint256 deployDelay) internal {
        vm.roll(1000);
        vault = RewardVault(payable(deployed("log/RewardVault.sol:RewardVault", abi.encode(ADMIN))));
        uint256 nonce = vm.getNonce(address(this));
        address predicted = vm.computeCreateAddress(address(this), nonce + 1);
        bytes memory arguments = abi.encode(price, predicted, vault, ADMIN);
        market = PriceMarket(deployed("log/PriceMarket.sol:PriceMarket", arguments));
        flow = Flow(deployed("log/Flow.sol:Flow", abi.encode(market, blocksPerEpoch, deployDelay, ADMIN)));
        vm.deal(address(this), type(uint128).max);
    }

    /// @dev Submits a hashed file with the exact fee.
    function submitFile(uint256 seed, uint256 sizeBytes) internal returns (uint256 start) {
        Submission memory submission = Files.submission(seed, sizeBytes, SUBMITTER);
        (,, start,) = flow.submit{value: feeOf(sizeBytes)}(submission);
    }

    function feeOf(uint256 sizeBytes) internal view returns (uint256) {
        return Files.paddedSectors(sizeBytes) * market.pricePerSector();
    }

    function flowLength() internal view returns (uint256 length) {
        (length,) = flow.tree();
    }
}
