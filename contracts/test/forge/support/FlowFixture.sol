// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Flow} from "../../../src/log/Flow.sol";
import {Submission} from "../../../src/log/FlowTypes.sol";
import {PriceMarket} from "../../../src/log/PriceMarket.sol";
import {PoraMine} from "../../../src/pora/PoraMine.sol";
import {MiningParameters} from "../../../src/pora/PoraTypes.sol";
import {ChunkLinearReward} from "../../../src/reward/ChunkLinearReward.sol";
import {Files} from "./Files.sol";
import {Test} from "./Test.sol";

/// @title FlowFixture
/// @notice A flow with its market, reward and mine, deployed in the order that real deployments use.
abstract contract FlowFixture is Test {
    uint256 internal constant PRICE = 232830643;
    address internal constant ADMIN = address(0xAD);
    address internal constant SUBMITTER = address(0xA1);

    /// @dev Seconds of a term, and sectors of a pricing chunk unless a test says otherwise.
    uint256 internal constant TERM = 1000;
    uint256 internal constant PRICE_SIZE = 1 << 25;

    ChunkLinearReward internal reward;
    PriceMarket internal market;
    Flow internal flow;
    PoraMine internal mine;

    /// @dev Takes refunds.
    receive() external payable {}

    /// @dev What mining begins with: windows that fit into the epochs of most tests, and every hash counts.
    function miningParameters() internal pure virtual returns (MiningParameters memory) {
        return MiningParameters({
            difficulty: 1,
            targetMineBlocks: 1,
            targetSubmissions: 10,
            maxShards: 32,
            nSubtasks: 1,
            subtaskInterval: 1,
            minDifficulty: 0
        });
    }

    function deploy(uint256 price, uint256 blocksPerEpoch, uint256 deployDelay) internal {
        deploySized(price, blocksPerEpoch, deployDelay, PRICE_SIZE);
    }

    /// @dev The same with pricing chunks of `size` sectors. Epochs of fewer than four blocks get no mine: no window fits.
    function deploySized(uint256 price, uint256 blocksPerEpoch, uint256 deployDelay, uint256 size) internal {
        vm.roll(1000);
        uint256 nonce = vm.getNonce(address(this));
        address[3] memory next;
        for (uint256 i = 0; i < 3; ++i) {
            next[i] = vm.computeCreateAddress(address(this), nonce + 1 + i);
        }
        bytes memory arguments = abi.encode(size, TERM, next[0], next[2], ADMIN);
        reward = ChunkLinearReward(deployed("reward/ChunkLinearReward.sol:ChunkLinearReward", arguments));
        arguments = abi.encode(price, next[1], reward, ADMIN);
        market = PriceMarket(payable(deployed("log/PriceMarket.sol:PriceMarket", arguments)));
        flow = Flow(deployed("log/Flow.sol:Flow", abi.encode(market, blocksPerEpoch, deployDelay, ADMIN)));
        if (blocksPerEpoch > 3) {
            arguments = abi.encode(flow, reward, settings(), miningParameters(), ADMIN);
            mine = PoraMine(deployed("pora/PoraMine.sol:PoraMine", arguments));
        }
        vm.deal(address(this), type(uint128).max);
    }

    /// @dev Development modes of the mine.
    function settings() internal pure virtual returns (uint256) {
        return 0;
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
