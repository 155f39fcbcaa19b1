// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LogRecords} from "../log/LogRecords.sol";

/// @notice What duties of possession are made with. Lengths in blocks.
/// @param periodBlocks length of a period
/// @param finalityBlocks what is so old when a period starts is in force in it
/// @param seedDelay from the start of a period to the block whose entropy is its seed, at least 1
/// @param windowBlocks after that block in which it is answered: at least four times `finalityBlocks`, and with the delay at
/// most a quarter of a period
/// @param reportBlocks after the window in which a missed period can be reported
/// @param challenges sectors to be shown in a period, 1 to 64
/// @param missBps ten-thousandths of a deposit that a missed period costs
/// @param reporterBps ten-thousandths of a missed period's pay that go to who reports it; the payer gets the rest back
struct PossessionTerms {
    uint32 periodBlocks;
    uint32 finalityBlocks;
    uint32 seedDelay;
    uint32 windowBlocks;
    uint32 reportBlocks;
    uint16 challenges;
    uint16 missBps;
    uint16 reporterBps;
}

/// @notice A provider's duty to show sectors of a set of files in every period that someone pays for.
/// @param provider who answers, and whose stake answers for it
/// @param firstPeriod first period with which the duty can be paid for; zero while its set is being made
/// @param setRoot root over the set's entries, fixed when the duty starts
/// @param sectors sectors of all its files, padding left out
/// @param entries files in the set
/// @param lastSequence sequence of the last one
/// @param endPeriod first period without the duty; zero while it has no end
/// @param price wei for each answered period
/// @param closableFrom Unix second from which the provider may end it; zero while the provider has not said so
/// @param deposit wei of stake that were reserved for it
struct Duty {
    address provider;
    uint64 firstPeriod;
    bytes32 setRoot;
    uint64 sectors;
    uint64 entries;
    uint64 lastSequence;
    uint64 endPeriod;
    uint128 price;
    uint64 closableFrom;
    uint128 deposit;
}

/// @notice Periods [from, until) that a payer paid for.
struct Span {
    uint48 from;
    uint48 until;
    address payer;
}

/// @notice A file to be added to a set, with the proof that the log holds it.
/// @param record what the log says about it
/// @param path siblings of its record
struct EntryProof {
    LogRecords.Record record;
    bytes32[] path;
}

/// @notice A sector of a file of a set, which chance has drawn.
/// @param index place of the file in the set
/// @param sequence the file's number in the log
/// @param fileRoot root of the file
/// @param size file size in bytes
/// @param fileSectors padded length in sectors
/// @param firstSector sectors of the files before it in the set
/// @param entryPath siblings of the entry in the set's tree
/// @param data the sector
/// @param sectorPath siblings of the sector in the file's tree, from the leaf upwards
struct SectorProof {
    uint64 index;
    uint64 sequence;
    bytes32 fileRoot;
    uint64 size;
    uint64 fileSectors;
    uint64 firstSector;
    bytes32[] entryPath;
    bytes32[8] data;
    bytes32[] sectorPath;
}
