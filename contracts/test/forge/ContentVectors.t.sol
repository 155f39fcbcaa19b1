// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEpochSource} from "../../src/quorum/IEpochSource.sol";
import {Checkpoint} from "../../src/quorum/QuorumTypes.sol";
import {Statements} from "../../src/quorum/Statements.sol";
import {BlobProof, ContentProofs, FileProof} from "../../src/shards/ContentProofs.sol";
import {ContentReader} from "../../src/shards/ContentReader.sol";
import {Evidence} from "../../src/stake/Evidence.sol";
import {EpochBook} from "./support/EpochBook.sol";
import {Test} from "./support/Test.sol";

/// @notice Cheatcodes for files.
interface FileVm {
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
}

/// @notice A reader that knows one root and the epochs of a test.
contract VectorReader is ContentReader {
    bytes32 private immutable _root;
    IEpochSource private immutable _book;

    constructor(bytes32 root, IEpochSource book) {
        (_root, _book) = (root, book);
    }

    function orderRootAt(uint64 count) public view override returns (bytes32) {
        return count == 4 ? _root : bytes32(0);
    }

    function parse(bytes calldata body) external pure returns (bytes32) {
        (, Checkpoint memory checkpoint) = Evidence.parseCheckpoint(body);
        return Statements.checkpointLeaf(checkpoint);
    }

    function _epochSource() internal view override returns (IEpochSource) {
        return _book;
    }
}

/// @notice Known answers made by the TypeScript verifiers of the same proofs.
/// Source: test/vectors/content-proofs.json.
contract ContentVectorsTest is Test {
    FileVm private constant fileVm = FileVm(address(vm));

    string private _vectors;
    VectorReader private _reader;

    function setUp() public {
        _vectors = fileVm.readFile("../test/vectors/content-proofs.json");
        EpochBook book = new EpochBook();
        book.setInfo(7, 1, 2, _hash(".seed"), 3);
        _reader = new VectorReader(_hash(".orderRoot"), book);
    }

    function test_theCheckpoint() public view {
        assertEq(_reader.parse(_bytes(".checkpoint")), _hash(".checkpointHash"), "leaf of the parsed body");
        assertEq(keccak256(bytes.concat(hex"00", _bytes(".checkpoint"))), _hash(".checkpointHash"), "leaf of the body");
    }

    function test_theFile() public view {
        _reader.requireFile(abi.decode(_bytes(".file"), (FileProof)));
    }

    function test_theBlobs() public view {
        _reader.requireBlob(abi.decode(_bytes(".submittedBlob"), (BlobProof)));
        _reader.requireBlob(abi.decode(_bytes(".promisedBlob"), (BlobProof)));
    }

    /// @dev A proof with any byte changed is none, unless the change is one of form: an offset to the same content.
    function test_everyByteOfAProofCounts() public view {
        bytes memory encoded = _bytes(".file");
        for (uint256 position = 0; position < encoded.length; position += 3) {
            bytes memory changed = _changed(encoded, position);
            try this.file(changed) returns (bytes32 hash) {
                assertEq(hash, keccak256(encoded), "another file was proven");
            } catch {}
        }
        encoded = _bytes(".promisedBlob");
        for (uint256 position = 1; position < encoded.length; position += 5) {
            bytes memory changed = _changed(encoded, position);
            try this.blob(changed) returns (bytes32 hash) {
                assertEq(hash, keccak256(encoded), "another blob was proven");
            } catch {}
        }
    }

    /// @dev What was proven, encoded anew.
    function file(bytes calldata encoded) external view returns (bytes32) {
        FileProof memory proof = abi.decode(encoded, (FileProof));
        _reader.requireFile(proof);
        return keccak256(abi.encode(proof));
    }

    function blob(bytes calldata encoded) external view returns (bytes32) {
        BlobProof memory proof = abi.decode(encoded, (BlobProof));
        _reader.requireBlob(proof);
        return keccak256(abi.encode(proof));
    }

    function _changed(bytes memory original, uint256 position) private pure returns (bytes memory changed) {
        changed = bytes.concat(original);
        changed[position] ^= bytes1(uint8(1 << (position % 8)));
    }

    function test_theVoidBlob() public {
        BlobProof memory proof = abi.decode(_bytes(".voidBlob"), (BlobProof));
        vm.expectRevert(abi.encodeWithSelector(ContentProofs.BlobVoid.selector, 4));
        _reader.requireBlob(proof);
    }

    function _bytes(string memory key) private view returns (bytes memory) {
        return fileVm.parseJsonBytes(_vectors, key);
    }

    function _hash(string memory key) private view returns (bytes32) {
        return fileVm.parseJsonBytes32(_vectors, key);
    }
}
