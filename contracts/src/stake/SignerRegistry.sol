// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../quorum/Bls.sol";
import {Statements} from "../quorum/Statements.sol";
import {IStakeClock} from "./IStakeClock.sol";
import {KeyCode} from "./KeyCode.sol";
import {StakeHub} from "./StakeHub.sol";

/// @title SignerRegistry
/// @notice The keys with which accounts sign. A key belongs to one account for ever.
/// @dev Whoever registers a key proves that it holds the secret, over a digest that names the account: a copied proof is
/// of no use to another, and nobody can choose a key as the difference of others. The proof's pairing checks that the
/// key is in its group, so keys read from here may be added without another check. A key that was replaced stays bound
/// to its account, so that what it signed can still be punished.
contract SignerRegistry {
    /// @notice Most bytes of a socket.
    uint256 public constant MAX_SOCKET_BYTES = 128;

    /// @notice The stake hub, which names the clock.
    StakeHub public immutable stakeHub;

    /// @notice Account of a key, by keccak-256 of its 96 bytes; zero for a key nobody registered.
    mapping(bytes32 keyHash => address) public keyOwner;

    mapping(address owner => Keys) private _keys;

    /// @dev The newest key counts from epoch `newestFrom`, the one before it from `olderFrom` until then. Both numbers are one
    /// more than the epoch, so that zero says that there is none. The keys are kept by `KeyCode`, so that a draw reads one
    /// word and one account for each ticket.
    struct Keys {
        uint32 newestFrom;
        uint32 olderFrom;
        address newest;
        address older;
    }

    /// @notice `owner` registered its first key, which counts from epoch `fromEpoch`.
    event SignerRegistered(address indexed owner, uint256[3] key, uint64 fromEpoch, string socket);

    /// @notice `owner` signs with `key` from epoch `fromEpoch` on.
    event KeyRotated(address indexed owner, uint256[3] key, uint64 fromEpoch);

    /// @notice `owner` is reached at `socket`.
    event SocketUpdated(address indexed owner, string socket);

    /// @notice Some account has registered this key before.
    error KeyTaken();

    /// @notice The caller has a key; it can rotate it.
    error AlreadyRegistered();

    /// @notice The caller has no key yet.
    error NotRegistered();

    /// @notice The last rotation counts from epoch `fromEpoch`; until then there is no place for another.
    error RotationPending(uint64 fromEpoch);

    /// @notice The proof is not the key's signature over the caller's digest, or one of the points is not in its group.
    error BadPossession();

    /// @notice The key is the identity.
    error IdentityKey();

    /// @notice Sockets have at most 128 bytes.
    error SocketTooLong();

    constructor(StakeHub stakeHub_) {
        Bls.selfTest();
        stakeHub = stakeHub_;
    }

    /// @notice Registers the caller's first key, which counts from the target epoch on. Reverts with AlreadyRegistered,
    /// SocketTooLong, BadPoint, IdentityKey, KeyTaken or BadPossession.
    /// @param key in the form of the precompiles
    /// @param possession the key's signature over `possessionDigest`
    /// @param socket where the signer is reached; kept in the event only
    function register(uint256[4] calldata key, uint256[8] calldata possession, string calldata socket) external {
        Keys storage keys = _keys[msg.sender];
        if (keys.newestFrom != 0) revert AlreadyRegistered();
        if (bytes(socket).length > MAX_SOCKET_BYTES) revert SocketTooLong();
        uint256[3] memory packed = _claim(key, possession);
        uint64 target = _clock().targetEpoch();
        (keys.newestFrom, keys.newest) = (uint32(target + 1), KeyCode.write(packed));
        emit SignerRegistered(msg.sender, packed, target, socket);
    }

    /// @notice Replaces the caller's key from the target epoch on. Reverts with NotRegistered, RotationPending and like
    /// `register`.
    function rotateKey(uint256[4] calldata key, uint256[8] calldata possession) external {
        Keys storage keys = _keys[msg.sender];
        if (keys.newestFrom == 0) revert NotRegistered();
        IStakeClock clock = _clock();
        uint64 newestFrom = keys.newestFrom - 1;
        if (newestFrom > clock.currentEpoch()) revert RotationPending(newestFrom);
        uint256[3] memory packed = _claim(key, possession);
        uint64 target = clock.targetEpoch();
        (keys.olderFrom, keys.older) = (keys.newestFrom, keys.newest);
        (keys.newestFrom, keys.newest) = (uint32(target + 1), KeyCode.write(packed));
        emit KeyRotated(msg.sender, packed, target);
    }

    /// @notice Says where the caller is reached. Reverts with NotRegistered or SocketTooLong.
    function setSocket(string calldata socket) external {
        if (_keys[msg.sender].newestFrom == 0) revert NotRegistered();
        if (bytes(socket).length > MAX_SOCKET_BYTES) revert SocketTooLong();
        emit SocketUpdated(msg.sender, socket);
    }

    /// @notice The key with which `owner` signs in `epoch`, for the current epoch and those after it; zero for none.
    function keyAt(address owner, uint64 epoch) external view returns (uint256[3] memory key) {
        Keys storage keys = _keys[owner];
        uint256 from = uint256(epoch) + 1;
        (uint256 newestFrom, address newest) = (keys.newestFrom, keys.newest);
        if (newestFrom != 0 && from >= newestFrom) return KeyCode.read(newest);
        uint256 olderFrom = keys.olderFrom;
        if (olderFrom != 0 && from >= olderFrom) return KeyCode.read(keys.older);
    }

    /// @notice What `owner` signs to prove that it holds the secret of `key`.
    function possessionDigest(address owner, uint256[3] memory key) public view returns (bytes32) {
        return Statements.possession(block.chainid, address(this), owner, key);
    }

    /// @dev Binds a key to the caller once it has proven to hold its secret.
    function _claim(uint256[4] calldata key, uint256[8] calldata possession) private returns (uint256[3] memory packed) {
        uint256[4] memory point = key;
        packed = Bls.pack(point);
        if (Bls.isZero(point)) revert IdentityKey();
        bytes32 keyHash = keccak256(abi.encode(packed));
        if (keyOwner[keyHash] != address(0)) revert KeyTaken();
        bytes32 digest = possessionDigest(msg.sender, packed);
        if (!Bls.verify(point, Bls.hashToG2(digest), possession)) revert BadPossession();
        keyOwner[keyHash] = msg.sender;
    }

    function _clock() private view returns (IStakeClock) {
        return stakeHub.clock();
    }
}
