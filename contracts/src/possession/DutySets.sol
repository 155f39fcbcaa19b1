// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LogRecords} from "../log/LogRecords.sol";
import {Duty, EntryProof} from "./PossessionTypes.sol";

/// @notice What sets of files ask of the flow.
interface ILog {
    /// @notice Root of the tree over all submission records.
    function logRoot() external view returns (bytes32);

    /// @notice Number of submission records.
    function logCount() external view returns (uint256);
}

/// @title DutySets
/// @notice Sets of files of the log that providers have a duty for: distinct, proven, and fixed once a duty starts.
/// @dev A set is a tree like the log's own. Entry n is a file: sequence, root, size, padded sectors, and the sectors of the
/// files before it, padding left out, so that one number draws a sector of the whole set.
abstract contract DutySets {
    using LogRecords for LogRecords.Frontier;

    /// @dev Bytes in a sector.
    uint256 internal constant SECTOR_BYTES = 256;

    /// @notice The log whose files count.
    ILog public immutable flow;

    /// @notice Duties that were opened, started or not; their numbers are below this.
    uint256 public dutyCount;

    /// @notice Records of the log when it had this root; zero for a root that nobody has anchored.
    mapping(bytes32 logRoot => uint256) public anchoredCount;

    mapping(uint256 id => Duty) internal _duties;
    mapping(uint256 id => LogRecords.Frontier) private _sets;

    /// @notice The log had this root and so many records; proofs against it are good for ever.
    event LogAnchored(bytes32 logRoot, uint256 count);

    /// @notice `provider` begins the set of a duty that costs `price` wei a period.
    event DutyOpened(uint256 indexed id, address indexed provider, uint256 price);

    /// @notice Files with these numbers in the log were added to the set of duty `id`.
    event EntriesAdded(uint256 indexed id, uint64[] sequences);

    /// @notice There is no duty with this number.
    error UnknownDuty(uint256 id);

    /// @notice `caller` is not the duty's provider.
    error NotProvider(address caller, address provider);

    /// @notice The duty has started: its set does not change any more.
    error DutyStartedAlready(uint256 id);

    /// @notice Nobody has anchored this root of the log.
    error UnknownLogRoot(bytes32 logRoot);

    /// @notice The log does not hold this record.
    error NotInLog(uint64 sequence);

    /// @notice Files are added in the order of the log, each once.
    error SequencesNotAscending(uint64 sequence, uint64 previous);

    /// @notice Notes the log's root of now, so that proofs against it stay good while the log grows. Anyone may.
    function anchor() external returns (bytes32 root) {
        root = flow.logRoot();
        uint256 count = flow.logCount();
        anchoredCount[root] = count;
        emit LogAnchored(root, count);
    }

    /// @notice Begins a duty of the caller's with some files. Reverts as `add`.
    /// @param price wei for each answered period
    function open(uint128 price, bytes32 logRoot, EntryProof[] calldata entries) external returns (uint256 id) {
        id = dutyCount++;
        _duties[id].provider = msg.sender;
        _duties[id].price = price;
        emit DutyOpened(id, msg.sender, price);
        _add(id, logRoot, entries);
    }

    /// @notice Adds files to a duty that has not started. Reverts with UnknownDuty, NotProvider, DutyStartedAlready,
    /// UnknownLogRoot, NotInLog or SequencesNotAscending.
    /// @param logRoot an anchored root
    function add(uint256 id, bytes32 logRoot, EntryProof[] calldata entries) external {
        Duty storage duty = _ownDuty(id);
        if (duty.firstPeriod != 0) revert DutyStartedAlready(id);
        _add(id, logRoot, entries);
    }

    /// @notice Everything about duty `id`.
    function dutyOf(uint256 id) external view returns (Duty memory) {
        return _duties[id];
    }

    function _ownDuty(uint256 id) internal view returns (Duty storage duty) {
        duty = _duties[id];
        if (duty.provider == address(0)) revert UnknownDuty(id);
        if (msg.sender != duty.provider) revert NotProvider(msg.sender, duty.provider);
    }

    /// @dev Root over the entries that were added.
    function _rootOfSet(uint256 id) internal view returns (bytes32) {
        return _sets[id].root(_duties[id].entries);
    }

    /// @dev An entry as the set's tree has it.
    function _encodeEntry(uint64 sequence, bytes32 fileRoot, uint64 size, uint64 fileSectors, uint64 firstSector)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(sequence, fileRoot, size, fileSectors, firstSector);
    }

    /// @dev Sectors that hold bytes of a file of `size` bytes.
    function _sectorsOf(uint64 size) internal pure returns (uint64) {
        return uint64((uint256(size) + SECTOR_BYTES - 1) / SECTOR_BYTES);
    }

    function _add(uint256 id, bytes32 logRoot, EntryProof[] calldata proofs) private {
        uint256 count = anchoredCount[logRoot];
        if (count == 0) revert UnknownLogRoot(logRoot);
        uint64[] memory sequences = new uint64[](proofs.length);
        for (uint256 i = 0; i < proofs.length; ++i) {
            LogRecords.Record memory record = proofs[i].record;
            bytes memory body = LogRecords.encode(record);
            if (!LogRecords.verify(logRoot, count, record.sequence, body, proofs[i].path)) {
                revert NotInLog(record.sequence);
            }
            sequences[i] = record.sequence;
            _append(id, record);
        }
        emit EntriesAdded(id, sequences);
    }

    function _append(uint256 id, LogRecords.Record memory record) private {
        Duty storage duty = _duties[id];
        (uint64 sectors, uint64 entries, uint64 last) = (duty.sectors, duty.entries, duty.lastSequence);
        uint64 sequence = record.sequence;
        if (entries > 0 && sequence <= last) revert SequencesNotAscending(sequence, last);
        bytes memory entry = _encodeEntry(sequence, record.fileRoot, record.size, record.sectors, sectors);
        _sets[id].append(entries, entry);
        (duty.sectors, duty.entries, duty.lastSequence) = (sectors + _sectorsOf(record.size), entries + 1, sequence);
    }
}
