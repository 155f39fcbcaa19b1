// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOrderSource} from "../../../src/stake/IOrderSource.sol";
import {EpochBook} from "./EpochBook.sol";

/// @title HubBook
/// @notice Epochs as a test writes them down, of a hub that names what orders its checkpoints.
contract HubBook is EpochBook {
    IOrderSource public orderSource;

    constructor(address source) {
        orderSource = IOrderSource(source);
    }

    function setOrderSource(address source) external {
        orderSource = IOrderSource(source);
    }
}
