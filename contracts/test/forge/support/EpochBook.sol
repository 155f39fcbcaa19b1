// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEpochSource} from "../../../src/quorum/IEpochSource.sol";

/// @title EpochBook
/// @notice Epochs as a test writes them down.
contract EpochBook is IEpochSource {
    struct Entry {
        uint64 startTime;
        uint64 endTime;
        bytes32 seed;
        uint32 groups;
    }

    uint64 public currentEpoch;
    mapping(uint64 epoch => Entry) public epochInfo;
    mapping(uint64 epoch => uint32) public mostMembers;
    mapping(uint64 epoch => mapping(uint32 quorumId => bytes32)) public snapshotHash;

    function setCurrent(uint64 epoch) external {
        currentEpoch = epoch;
    }

    function setInfo(uint64 epoch, uint64 startTime, uint64 endTime, bytes32 seed, uint32 groups) external {
        epochInfo[epoch] = Entry(startTime, endTime, seed, groups);
    }

    function setMostMembers(uint64 epoch, uint32 members) external {
        mostMembers[epoch] = members;
    }

    function setSnapshot(uint64 epoch, uint32 quorumId, bytes32 hash) external {
        snapshotHash[epoch][quorumId] = hash;
    }
}
