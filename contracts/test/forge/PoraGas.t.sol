// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MiningParameters} from "../../src/pora/PoraTypes.sol";
import {PoraMine} from "../../src/pora/PoraMine.sol";
import {GasReport} from "./support/GasReport.sol";
import {MiningFixture} from "./support/MiningFixture.sol";

/// @notice What calls of miners and of those who renew cost as transactions of their own.
/// @dev The flow here is 11 levels deep; each level more takes 32 bytes of calldata and a hash.
/// forge-config: default.isolate = true
contract PoraGasTest is GasReport, MiningFixture {
    function miningParameters() internal pure override returns (MiningParameters memory parameters) {
        parameters = super.miningParameters();
        parameters.targetSubmissions = 10;
    }

    function setUp() public {
        beginMining(LENGTH);
    }

    function test_answers() public {
        vm.warp(block.timestamp + TERM / 2);
        reportGas("miner id", gasOf(address(mine), abi.encodeCall(mine.requestMinerId, (address(this), 7))), 46_328);
        reportGas("first answer", _answer(1), 301_057);
        for (uint256 i = 2; i < 6; ++i) {
            reportGas("answer", _answer(100 * i), 263_783);
        }
        nextEpoch();
        openWindow(minerId);
        reportGas("first answer of an epoch", _answer(1000), 273_125);
    }

    function test_renewals() public {
        uint256 cost = reward.renewalCost(FILE_START, 1024, 1);
        reward.renew{value: cost}(FILE_START, 1024, 1);
        reportGas("first renewal of a file", lastGas(), 140_266);
        reward.renew{value: cost}(FILE_START, 1024, 1);
        reportGas("second renewal", lastGas(), 81_722);
        reward.withdrawPayments(payable(BENEFICIARY));
        reportGas("withdrawal of nothing", lastGas(), 28_021);
    }

    function _answer(uint256 nonce) private returns (uint256) {
        return gasOf(address(mine), abi.encodeCall(PoraMine.submit, (findAnswer(minerId, nonce, 5))));
    }
}
