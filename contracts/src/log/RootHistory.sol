// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title RootHistory
/// @notice The flow roots of the last 1,000 contexts. Made by the Flow, which alone inserts.
contract RootHistory {
    /// @notice Roots kept; the oldest one is overwritten.
    uint256 public constant capacity = 1000;

    /// @notice The contract that inserts.
    address public immutable flow;

    /// @notice Roots inserted so far; the next one gets this index.
    uint256 public nextIndex;

    mapping(uint256 slot => bytes32) private _roots;

    /// @notice `caller` is not the flow.
    error NotFlow(address caller, address flow);

    /// @notice Root `index` was overwritten or does not exist yet.
    error UnavailableIndex(uint256 index);

    constructor() {
        flow = msg.sender;
    }

    /// @notice Adds a root.
    /// @return index its place, counted from 0 since deployment
    function insert(bytes32 root) external returns (uint256 index) {
        if (msg.sender != flow) revert NotFlow(msg.sender, flow);
        index = nextIndex;
        _roots[index % capacity] = root;
        nextIndex = index + 1;
    }

    /// @notice Whether root `index` is still kept.
    function available(uint256 index) public view returns (bool) {
        return index < nextIndex && index + capacity >= nextIndex;
    }

    /// @notice Root `index`; reverts with UnavailableIndex where it is not kept.
    function rootAt(uint256 index) external view returns (bytes32) {
        if (!available(index)) revert UnavailableIndex(index);
        return _roots[index % capacity];
    }

    /// @notice Whether `root` is among those kept. Reads up to 1,000 slots: for calls off the chain.
    function contains(bytes32 root) external view returns (bool) {
        uint256 held = nextIndex < capacity ? nextIndex : capacity;
        for (uint256 slot = 0; slot < held; ++slot) {
            if (_roots[slot] == root) return true;
        }
        return false;
    }
}
