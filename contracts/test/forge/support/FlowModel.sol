// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title FlowModel
/// @notice The flow and its records as plain lists, hashed from scratch each time: slow, and written without any of the
/// ideas of the contracts it checks.
contract FlowModel {
    bytes32[] private _sectors;
    bytes[] private _records;

    constructor() {
        _sectors.push(bytes32(0));
    }

    /// @dev Appends a file at the first position that the rules allow, found by trying each one.
    function append(bytes32[] memory hashes, uint256 firstHeight) external returns (uint256 start) {
        start = positionAfter(_sectors.length, hashes.length, firstHeight);
        bytes32 empty = keccak256(new bytes(256));
        while (_sectors.length < start) _sectors.push(empty);
        for (uint256 i = 0; i < hashes.length; ++i) {
            _sectors.push(hashes[i]);
        }
    }

    /// @dev First position from `from` on that is aligned, and in one segment or at the start of one.
    function positionAfter(uint256 from, uint256 sectors, uint256 firstHeight) public pure returns (uint256 start) {
        start = from;
        while (
            start % (2 ** firstHeight) != 0
                || (start % 1024 != 0 && start / 1024 != (start + sectors - 1) / 1024)
        ) ++start;
    }

    function appendRecord(bytes memory body) external {
        _records.push(body);
    }

    function sectorCount() external view returns (uint256) {
        return _sectors.length;
    }

    /// @dev Root over every leaf, filled up with empty sectors to a power of two.
    function root() external view returns (bytes32) {
        bytes32[] memory level = _filled(_sectors.length, keccak256(new bytes(256)));
        for (uint256 i = 0; i < _sectors.length; ++i) {
            level[i] = _sectors[i];
        }
        for (uint256 count = level.length; count > 1; count /= 2) {
            for (uint256 i = 0; i < count / 2; ++i) {
                level[i] = keccak256(abi.encode(level[2 * i], level[2 * i + 1]));
            }
        }
        return level[0];
    }

    /// @dev Root over every record, filled up with zero leaves to a power of two; zero without records.
    function recordRoot() external view returns (bytes32) {
        if (_records.length == 0) return bytes32(0);
        (bytes32[] memory level,) = _recordLevels(0);
        return level[0];
    }

    /// @dev Siblings of record `index`, from the leaf up.
    function recordPath(uint256 index) external view returns (bytes32[] memory path) {
        (, path) = _recordLevels(index);
    }

    function record(uint256 index) external view returns (bytes memory) {
        return _records[index];
    }

    function recordCount() external view returns (uint256) {
        return _records.length;
    }

    function _recordLevels(uint256 index) private view returns (bytes32[] memory level, bytes32[] memory path) {
        level = _filled(_records.length, bytes32(0));
        for (uint256 i = 0; i < _records.length; ++i) {
            level[i] = keccak256(bytes.concat(hex"00", _records[i]));
        }
        uint256 depth = 0;
        while (2 ** depth < level.length) ++depth;
        path = new bytes32[](depth);
        uint256 count = level.length;
        for (uint256 h = 0; h < depth; ++h) {
            path[h] = level[index ^ 1];
            index /= 2;
            count /= 2;
            for (uint256 i = 0; i < count; ++i) {
                level[i] = keccak256(bytes.concat(hex"01", level[2 * i], level[2 * i + 1]));
            }
        }
    }

    /// @dev A list as long as the next power of two from `count` on, all `value`.
    function _filled(uint256 count, bytes32 value) private pure returns (bytes32[] memory level) {
        uint256 size = 1;
        while (size < count) size *= 2;
        level = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            level[i] = value;
        }
    }
}
