// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
import {Flow} from "../../src/log/Flow.sol";
contract SmokeTest { function test_a() public pure { require(type(Flow).creationCode.length > 0); } }
