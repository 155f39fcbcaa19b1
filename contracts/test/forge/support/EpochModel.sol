// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EpochRangeWithContextDigest, MineContext} from "../../../src/log/FlowTypes.sol";

/// @title HistoryContract
/// @notice Stands in for the EIP-2935 contract: made-up hashes for the last 8,191 blocks, a revert for others.
contract HistoryContract {
    fallback() external {
        uint256 number = abi.decode(msg.data, (uint256));
        require(number < block.number && number + 8191 >= block.number);
        bytes memory answer = abi.encode(keccak256(abi.encode("history", number)));
        assembly {
            return(add(answer, 0x20), mload(answer))
        }
    }
}

/// @title EpochModel
/// @notice Makes every due context, one after the other, as the official flow does; a hash that cannot be read counts as
/// too old. Keeps the ranges that hold sectors.
contract EpochModel {
    bytes32 private constant EMPTY = keccak256("");

    uint256 private immutable _firstBlock;
    uint256 private immutable _blocksPerEpoch;
    bool private immutable _hasHistory;

    MineContext private _context;
    uint256 public startPosition;
    EpochRangeWithContextDigest[] private _ranges;

    constructor(uint256 firstBlock, uint256 blocksPerEpoch, bool hasHistory) {
        _firstBlock = firstBlock;
        _blocksPerEpoch = blocksPerEpoch;
        _hasHistory = hasHistory;
        _context = MineContext(0, 0, 0, 1, EMPTY, EMPTY);
    }

    /// @dev Makes the due contexts of a flow with this root and length, up to epoch `last`.
    function catchUp(bytes32 root, uint256 length, uint256 last) external {
        while (isDue() && _context.epoch < last) {
            uint256 next = _firstBlock + (_context.epoch + 1) * _blocksPerEpoch;
            bytes32 hash = hashOf(next);
            bytes32 digest = EMPTY;
            if (hash == 0) {
                hash = EMPTY;
            } else {
                digest = keccak256(bytes.concat(hash, root, bytes32(length)));
                if (length > startPosition) {
                    _ranges.push(EpochRangeWithContextDigest(uint128(startPosition), uint128(length), digest));
                    startPosition = length;
                }
            }
            _context = MineContext(_context.epoch + 1, next, root, length, hash, digest);
        }
    }

    /// @dev Whether another context can be made in this block.
    function isDue() public view returns (bool) {
        return _firstBlock + (_context.epoch + 1) * _blocksPerEpoch < block.number;
    }

    function context() external view returns (MineContext memory) {
        return _context;
    }

    /// @dev The range that holds `position`; all zero where none does.
    function rangeAt(uint256 position) external view returns (EpochRangeWithContextDigest memory found) {
        for (uint256 i = 0; i < _ranges.length; ++i) {
            if (_ranges[i].start <= position && position < _ranges[i].end) return _ranges[i];
        }
    }

    function hashOf(uint256 number) public view returns (bytes32) {
        uint256 age = block.number - number;
        if (age <= 256) return blockhash(number);
        return _hasHistory && age <= 8191 ? keccak256(abi.encode("history", number)) : bytes32(0);
    }
}
