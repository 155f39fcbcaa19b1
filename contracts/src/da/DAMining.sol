// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {HeldLottery} from "./HeldLottery.sol";
import {QuorumVerifier} from "./QuorumVerifier.sol";
import {RewardSchedule} from "./RewardSchedule.sol";
import {ServedReports} from "./ServedReports.sol";

/// @title DAMining
/// @notice Pays the fees of the entrance out to those who keep rows.
/// @dev The contract's balance is what is scheduled, the pot for held rows, what is left of served pools, and what the treasury
/// may take. There is no admin.
contract DAMining is ServedReports, HeldLottery {
    /// @notice An address that this contract depends on was given as zero.
    error ZeroAddress();

    /// @param verifier_ checks what quorums of this chain's epochs sign
    /// @param entrance_ address of the entrance, which may be deployed later
    /// @param treasury_ receives its share; must accept plain transfers
    /// @param lottery of rows that are proven to be held
    constructor(
        QuorumVerifier verifier_,
        address entrance_,
        address treasury_,
        LotterySettings memory lottery
    )
        RewardSchedule(entrance_, treasury_, verifier_.epochs())
        ServedReports(verifier_)
        HeldLottery(lottery)
    {
        if (entrance_ == address(0) || treasury_ == address(0)) revert ZeroAddress();
    }
}
