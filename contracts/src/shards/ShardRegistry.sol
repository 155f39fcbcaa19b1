// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Administered} from "../Administered.sol";

/// @notice A consensus shard: one chain's log and entrance. What a shard has none of is zero.
/// @param chainId chain of the shard's contracts; several shards may be on one chain
/// @param period blocks between two checkpoints: number k is of block k * period or the last final one before it
/// @param finality blocks after which the shard's chain does not go back; 0 where it names its final block itself
/// @param first number of the shard's first checkpoint: of block first * period, so that a chain that is long when it joins has
/// nothing old to be ordered
/// @param flow Flow whose sectors and records the checkpoints tell; zero for none
/// @param daEntrance DAEntrance whose batches they tell; zero for none
/// @param mirror EpochMirror on the shard; zero on the hub's own chain
struct Shard {
    uint64 chainId;
    uint32 period;
    uint32 finality;
    uint64 first;
    address flow;
    address daEntrance;
    address mirror;
}

/// @title ShardRegistry
/// @notice Which consensus shards there are, and whose entrance an entrance is.
/// @dev Shard 0 is the hub. Shards are never removed, and an entrance that a shard replaced stays known: what was signed for
/// it stays evidence.
abstract contract ShardRegistry is Administered {
    /// @notice Blocks of first checkpoints are below: where numbers still fit those of every language that reads them.
    uint256 public constant BLOCKS_END = 2 ** 53;

    /// @notice Shards in the registry.
    uint32 public shardCount;

    mapping(uint32 shardId => Shard) private _shards;
    mapping(bytes32 domainId => bool) private _entrances;

    /// @notice There is a new shard.
    event ShardAdded(uint32 indexed shardId, Shard shard);

    /// @notice A shard's contracts or finality are others now.
    event ShardChanged(uint32 indexed shardId, Shard shard);

    /// @notice No shard has this number.
    error ShardUnknown();

    /// @notice There is a shard with this number.
    error ShardKnown();

    /// @notice A shard has a chain, a period and a first checkpoint below `BLOCKS_END`, and shard 0 is on the hub's chain.
    error BadShard();

    /// @notice Adds a shard. Reverts with ShardKnown or BadShard.
    /// @param finality blocks to finality, or 0 for the final block that the chain names
    /// @param period blocks between checkpoints, which never changes
    /// @param first number of its first checkpoint, 1 or more, which never changes
    function addShard(
        uint32 shardId,
        uint64 chainId,
        address flow,
        address daEntrance,
        address mirror,
        uint32 finality,
        uint32 period,
        uint64 first
    ) external onlyAdmin {
        if (_shards[shardId].period != 0) revert ShardKnown();
        bool sound = chainId != 0 && period != 0 && first != 0 && uint256(first) * period < BLOCKS_END;
        if (!sound || (shardId == 0 && chainId != block.chainid)) revert BadShard();
        ++shardCount;
        Shard memory shard = Shard(chainId, period, finality, first, flow, daEntrance, mirror);
        _keep(shardId, shard);
        _begin(shardId, first);
        emit ShardAdded(shardId, shard);
    }

    /// @notice Names other contracts or another finality of a shard. Reverts with ShardUnknown.
    function changeShard(uint32 shardId, address flow, address daEntrance, address mirror, uint32 finality)
        external
        onlyAdmin
    {
        Shard memory shard = _shards[shardId];
        if (shard.period == 0) revert ShardUnknown();
        (shard.flow, shard.daEntrance, shard.mirror, shard.finality) = (flow, daEntrance, mirror, finality);
        _keep(shardId, shard);
        emit ShardChanged(shardId, shard);
    }

    /// @notice A shard as it is now. Reverts with ShardUnknown.
    function shardOf(uint32 shardId) external view returns (Shard memory shard) {
        shard = _shards[shardId];
        if (shard.period == 0) revert ShardUnknown();
    }

    /// @notice Whether a contract is or was the entrance of a shard: then statements for it count as evidence.
    function isEntrance(uint256 chainId, address entrance) external view returns (bool) {
        return _entrances[_domainIdOf(chainId, entrance)];
    }

    /// @dev Called when a shard is added whose first checkpoint is number `first`.
    function _begin(uint32 shardId, uint64 first) internal virtual;

    function _keep(uint32 shardId, Shard memory shard) private {
        _shards[shardId] = shard;
        if (shard.daEntrance != address(0)) _entrances[_domainIdOf(shard.chainId, shard.daEntrance)] = true;
    }

    function _domainIdOf(uint256 chainId, address entrance) private pure returns (bytes32) {
        return keccak256(abi.encode(chainId, entrance));
    }
}
