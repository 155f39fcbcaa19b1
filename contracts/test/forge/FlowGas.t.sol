// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Submission} from "../../src/log/FlowTypes.sol";
import {Files} from "./support/Files.sol";
import {FlowFixture} from "./support/FlowFixture.sol";
import {GasReport} from "./support/GasReport.sol";

/// @notice What submissions cost as transactions of their own: the sizes of the official vector in their order.
/// forge-config: default.isolate = true
contract FlowGasTest is GasReport, FlowFixture {
    function test_submissions() public {
        deploy(PRICE, 1_000_000, 0);
        _submit("256 B, the first", 256, 163_446);
        _submit("1 B", 1, 148_733);
        _submit("257 B", 257, 136_245);
        _submit("1,023 B", 1023, 158_649);
        _submit("256 KiB after a gap", 262144, 142_252);
        _submit("1 B", 1, 114_447);
        _submit("1 KiB", 1024, 119_689);
        _submit("76,800 B, two nodes", 76800, 190_092);
        _submit("256 KiB + 1 B, two nodes", 262145, 167_583);
        Submission[] memory batch = new Submission[](10);
        for (uint256 i = 0; i < 10; ++i) {
            batch[i] = Files.unhashed(262144, SUBMITTER);
        }
        flow.batchSubmit{value: 10 * feeOf(262144)}(batch);
        reportGas("each of ten files of 256 KiB", lastGas() / 10, 76_480);
        vm.roll(flow.firstBlock() + flow.blocksPerEpoch() + 1);
        _submit("256 B and a context", 256, 328_914);
    }

    function _submit(string memory what, uint256 sizeBytes, uint256 figure) private {
        flow.submit{value: feeOf(sizeBytes)}(Files.unhashed(sizeBytes, SUBMITTER));
        reportGas(what, lastGas(), figure);
    }
}
