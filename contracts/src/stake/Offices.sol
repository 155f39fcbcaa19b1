// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Offices
/// @notice What sealed epochs are known by besides their snapshots and seeds, four epochs to a word.
/// @dev Three of four seals change a word that is there already, which costs 17,100 gas less than a new one.
library Offices {
    uint256 private constant EPOCHS_PER_WORD = 4;
    uint256 private constant BITS = 64;

    /// @notice An epoch in office; without groups there is none.
    /// @param start Unix second at which it begins, less the second from which the words count; below 2^32
    /// @param groups snapshots, at most 17
    /// @param carries epochs in a row up to this one that kept older members, at most 255
    /// @param mostMembers members of its largest quorum with data-availability duty, below 2^16
    struct Office {
        uint256 start;
        uint256 groups;
        uint256 carries;
        uint256 mostMembers;
    }

    /// @notice What is known of `epoch`; zeros where it is not sealed.
    function read(mapping(uint64 word => uint256) storage words, uint64 epoch) internal view returns (Office memory) {
        uint256 packed = words[_wordOf(epoch)] >> _shiftOf(epoch);
        return Office(uint32(packed), uint8(packed >> 32), uint8(packed >> 40), uint16(packed >> 48));
    }

    /// @notice Writes an epoch that has not been written before, with fields that fit.
    function write(mapping(uint64 word => uint256) storage words, uint64 epoch, Office memory office) internal {
        uint256 packed = office.start | (office.groups << 32) | (office.carries << 40) | (office.mostMembers << 48);
        words[_wordOf(epoch)] |= packed << _shiftOf(epoch);
    }

    function _wordOf(uint64 epoch) private pure returns (uint64) {
        return uint64(epoch / EPOCHS_PER_WORD);
    }

    function _shiftOf(uint64 epoch) private pure returns (uint256) {
        return (epoch % EPOCHS_PER_WORD) * BITS;
    }
}
