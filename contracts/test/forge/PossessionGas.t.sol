// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EntryProof, SectorProof} from "../../src/possession/PossessionTypes.sol";
import {GasReport} from "./support/GasReport.sol";
import {PossessionFixture} from "./support/PossessionFixture.sol";

/// @notice What a provider's and a payer's calls cost as transactions of their own, with 16 files of 64 sectors.
/// forge-config: default.isolate = true
contract PossessionGasTest is GasReport, PossessionFixture {
    function setUp() public {
        deployPossession();
        for (uint256 i = 0; i < 16; ++i) {
            storeFile(64 * 256);
        }
    }

    function test_aDuty() public {
        bytes32 root = possession.anchor();
        reportGas("anchor", lastGas(), 54_193);
        EntryProof[] memory entries = entriesOf(allFiles());
        vm.prank(PROVIDER);
        uint256 id = possession.open(PAY, root, entries);
        reportGas("open with 16 files", lastGas(), 398_018);
        vm.prank(PROVIDER);
        possession.start(id, DEPOSIT);
        reportGas("start", lastGas(), 126_902);
        pay(id, 8);
        reportGas("fund, the first", lastGas(), 84_942);
        for (uint64 period = 1; period <= 3; ++period) {
            goTo(possession.seedBlock(period) + 1);
            bytes memory header = headerOf(possession.seedBlock(period));
            possession.openPeriod(period, header);
            reportGas("open a period", lastGas(), 59_927);
            SectorProof[] memory shown = shownIn(id, period, 16);
            vm.prank(PROVIDER);
            possession.answer(id, 0, period, shown);
            reportGas(period == 1 ? "answer, the first" : "answer", lastGas(), period == 1 ? 192_879 : 161_770);
        }
        openPeriod(4);
        goTo(possession.windowEnd(4) + 1);
        possession.reportMissed(id, 0, 4);
        reportGas("report", lastGas(), 151_546);
    }
}
