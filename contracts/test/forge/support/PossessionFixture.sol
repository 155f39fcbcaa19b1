// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Submission, SubmissionData, SubmissionNode} from "../../../src/log/FlowTypes.sol";
import {LogRecords} from "../../../src/log/LogRecords.sol";
import {Possession} from "../../../src/possession/Possession.sol";
import {EntryProof, PossessionTerms, SectorProof} from "../../../src/possession/PossessionTypes.sol";
import {StakeHub} from "../../../src/stake/StakeHub.sol";
import {StakeParameters} from "../../../src/stake/StakeTypes.sol";
import {Files} from "./Files.sol";
import {FlowFixture} from "./FlowFixture.sol";
import {FlowModel} from "./FlowModel.sol";
import {Headers} from "./Headers.sol";

/// @title PossessionFixture
/// @notice A log with files whose sectors are known, a stake hub, and a provider with stake. Trees are made by the model that
/// knows none of the contracts' ideas.
abstract contract PossessionFixture is FlowFixture {
    address internal constant PROVIDER = address(0xB0B);
    address internal constant PAYER = address(0xFA);
    uint128 internal constant DEPOSIT = 10 ether;
    uint128 internal constant PAY = 1 gwei;
    uint64 internal constant PERIOD = 100;
    uint64 internal constant FIRST = 1000;

    StakeHub internal stakeHub;
    Possession internal possession;
    FlowModel internal logModel;
    LogRecords.Record[] internal records;

    function possessionTerms() internal pure virtual returns (PossessionTerms memory) {
        return PossessionTerms({
            periodBlocks: uint32(PERIOD),
            finalityBlocks: 4,
            seedDelay: 2,
            windowBlocks: 16,
            reportBlocks: 50,
            challenges: 5,
            missBps: 1000,
            reporterBps: 1000
        });
    }

    function deployPossession() internal {
        vm.warp(1_800_000_000);
        deploy(PRICE, 1_000_000, 0);
        logModel = new FlowModel();
        StakeParameters memory parameters = StakeParameters({
            tokensPerVote: 1 ether,
            maxVotes: 64,
            unbondDelay: 1000,
            maxCaseTime: 10 minutes,
            maxCases: 4,
            reporterBps: 1000
        });
        stakeHub = StakeHub(deployed("stake/StakeHub.sol:StakeHub", abi.encode(parameters, ADMIN)));
        address entropy = deployed("quorum/RandaoEntropy.sol:RandaoEntropy", "");
        bytes memory arguments = abi.encode(possessionTerms(), stakeHub, flow, entropy);
        possession = Possession(deployed("possession/Possession.sol:Possession", arguments));
        vm.prank(ADMIN);
        stakeHub.setModule(address(possession), true);
        bondProvider(PROVIDER, 100 ether);
        vm.deal(PAYER, 1000 ether);
    }

    function bondProvider(address provider, uint256 amount) internal {
        vm.deal(provider, amount);
        vm.prank(provider);
        stakeHub.bond{value: amount}();
        vm.prank(provider);
        stakeHub.setRoles(4);
    }

    /// @dev Puts a file into the log. Its number is its seed.
    function storeFile(uint256 sizeBytes) internal {
        uint256 sequence = records.length;
        bytes32[] memory hashes = hashesOf(sequence, sizeBytes);
        SubmissionNode[] memory nodes = Files.nodesOf(hashes.length);
        uint256 from = 0;
        for (uint256 i = 0; i < nodes.length; ++i) {
            nodes[i].root = Files.perfectRoot(hashes, from, 1 << nodes[i].height);
            from += 1 << nodes[i].height;
        }
        Submission memory submission = Submission(SubmissionData(sizeBytes, "", nodes), SUBMITTER);
        (,, uint256 start,) = flow.submit{value: feeOf(sizeBytes)}(submission);
        LogRecords.Record memory record = LogRecords.Record(
            uint64(sequence),
            Files.fileRoot(hashes, 0, hashes.length),
            uint64(sizeBytes),
            uint64(start),
            uint64(hashes.length),
            SUBMITTER,
            uint64(block.timestamp)
        );
        records.push(record);
        logModel.appendRecord(LogRecords.encode(record));
    }

    /// @dev Proofs of the files with these numbers, against the log's root of now.
    function entriesOf(uint256[] memory sequences) internal view returns (EntryProof[] memory entries) {
        entries = new EntryProof[](sequences.length);
        for (uint256 i = 0; i < entries.length; ++i) {
            entries[i] = EntryProof(records[sequences[i]], logModel.recordPath(sequences[i]));
        }
    }

    /// @dev All files of the log.
    function allFiles() internal view returns (uint256[] memory sequences) {
        sequences = new uint256[](records.length);
        for (uint256 i = 0; i < sequences.length; ++i) {
            sequences[i] = i;
        }
    }

    /// @dev A duty of `provider` for all files of the log, started.
    function takeUp(address provider, uint128 price) internal returns (uint256 id) {
        bytes32 root = possession.anchor();
        EntryProof[] memory entries = entriesOf(allFiles());
        vm.prank(provider);
        id = possession.open(price, root, entries);
        vm.prank(provider);
        possession.start(id, DEPOSIT);
    }

    /// @dev Pays for some periods of a duty.
    function pay(uint256 id, uint32 periods) internal {
        uint256 cost = periods * uint256(possession.dutyOf(id).price);
        vm.prank(PAYER);
        possession.fund{value: cost}(id, periods);
    }

    /// @dev Goes to the block after a period's seed block, and proves its seed.
    function openPeriod(uint64 period) internal {
        goTo(possession.seedBlock(period) + 1);
        possession.openPeriod(period, headerOf(possession.seedBlock(period)));
    }

    /// @dev Goes to a block; time passes a second a block.
    function goTo(uint256 number) internal {
        vm.warp(block.timestamp + number - block.number);
        vm.roll(number);
    }

    /// @dev The header of a past block, whose hash the chain then knows.
    function headerOf(uint256 number) internal returns (bytes memory header) {
        header = Headers.encode(number, keccak256(abi.encode("randao", number)), true);
        vm.setBlockhash(number, keccak256(header));
    }

    /// @dev What an honest provider of all the log's first `count` files shows.
    function shownIn(uint256 id, uint64 period, uint256 count) internal returns (SectorProof[] memory shown) {
        FlowModel set = new FlowModel();
        uint64[] memory starts = new uint64[](count + 1);
        for (uint256 i = 0; i < count; ++i) {
            LogRecords.Record memory record = records[i];
            set.appendRecord(
                abi.encodePacked(record.sequence, record.fileRoot, record.size, record.sectors, starts[i])
            );
            starts[i + 1] = starts[i] + uint64((record.size + 255) / 256);
        }
        uint256[] memory drawn = possession.drawnIn(id, period);
        shown = new SectorProof[](drawn.length);
        for (uint256 i = 0; i < drawn.length; ++i) {
            uint256 file = 0;
            while (drawn[i] >= starts[file + 1]) ++file;
            shown[i] = _show(file, starts[file], drawn[i] - starts[file]);
            shown[i].entryPath = set.recordPath(file);
        }
    }

    function answerHonestly(uint256 id, uint256 span, uint64 period) internal {
        SectorProof[] memory shown = shownIn(id, period, possession.dutyOf(id).entries);
        address provider = possession.dutyOf(id).provider;
        vm.prank(provider);
        possession.answer(id, span, period, shown);
    }

    /// @dev Hashes of a file's sectors, padding included.
    function hashesOf(uint256 seed, uint256 sizeBytes) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](Files.paddedSectors(sizeBytes));
        bytes32 empty = keccak256(new bytes(256));
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = i * 256 < sizeBytes ? keccak256(abi.encode(wordsOf(seed, i))) : empty;
        }
    }

    function wordsOf(uint256 seed, uint256 sector) internal pure returns (bytes32[8] memory words) {
        for (uint256 i = 0; i < 8; ++i) {
            words[i] = keccak256(abi.encode("sector", seed, sector, i));
        }
    }

    /// @dev Siblings of a leaf in the file's tree, by the recursive rule.
    function filePath(bytes32[] memory hashes, uint256 from, uint256 count, uint256 index)
        internal
        pure
        returns (bytes32[] memory path)
    {
        if (count == 1) return path;
        uint256 left = 1;
        while (left * 2 < count) left *= 2;
        bytes32 sibling;
        if (index < left) {
            path = filePath(hashes, from, left, index);
            sibling = Files.fileRoot(hashes, from + left, count - left);
        } else {
            path = filePath(hashes, from + left, count - left, index - left);
            sibling = Files.fileRoot(hashes, from, left);
        }
        bytes32[] memory longer = new bytes32[](path.length + 1);
        for (uint256 i = 0; i < path.length; ++i) {
            longer[i] = path[i];
        }
        longer[path.length] = sibling;
        return longer;
    }

    function _show(uint256 file, uint64 firstSector, uint256 sector) private view returns (SectorProof memory shown) {
        LogRecords.Record memory record = records[file];
        shown.index = uint64(file);
        shown.sequence = record.sequence;
        shown.fileRoot = record.fileRoot;
        shown.size = record.size;
        shown.fileSectors = record.sectors;
        shown.firstSector = firstSector;
        shown.data = wordsOf(file, sector);
        bytes32[] memory hashes = hashesOf(file, record.size);
        shown.sectorPath = filePath(hashes, 0, hashes.length, sector);
    }
}
