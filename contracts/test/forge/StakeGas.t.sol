// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../../src/quorum/Bls.sol";
import {HeaderProof} from "../../src/quorum/HeaderProof.sol";
import {RandaoEntropy} from "../../src/quorum/RandaoEntropy.sol";
import {SignerRegistry} from "../../src/stake/SignerRegistry.sol";
import {Sortition} from "../../src/stake/Sortition.sol";
import {SortitionParameters} from "../../src/stake/SortitionTypes.sol";
import {Snapshot} from "../../src/quorum/QuorumTypes.sol";
import {BlsKeys} from "./support/BlsKeys.sol";
import {Committee} from "./support/Committee.sol";
import {GasReport} from "./support/GasReport.sol";
import {Headers} from "./support/Headers.sol";
import {QuorumCaller} from "./support/QuorumCaller.sol";
import {StakeFixture} from "./support/StakeFixture.sol";

/// @notice What the calls of signers and keepers cost as transactions of their own.
/// forge-config: default.isolate = true
contract StakeGasTest is GasReport, StakeFixture {
    /// @dev The prototype's figures for a seal and, as a transaction of its own, the proof of its header.
    uint256 private constant SEAL_OF_FOUR = 75_529 + 37_400;
    uint256 private constant SEAL_OF_A_HUNDRED = 83_738 + 37_400;

    /// @dev What a word costs that has not been written before, beyond one that has.
    uint256 private constant NEW_WORD = 17_100;

    function test_registration() public {
        deploy(sortitionParameters());
        bond(0, VOTE);
        takeRole(0);
        uint256[4] memory key = BlsKeys.publicKey(BlsKeys.secret(0));
        bytes32 digest = registry.possessionDigest(address(this), Bls.pack(key));
        uint256[8] memory possession = BlsKeys.sign(BlsKeys.secret(0), digest);
        bytes memory call = abi.encodeCall(SignerRegistry.register, (key, possession, "127.0.0.1:3201"));
        reportGas("register", gasOf(address(registry), call), 310_066);
    }

    /// @dev In the third epoch, when every word that tickets write has been written before.
    function test_singleTickets() public {
        deploy(sortitionParameters());
        begin(4, 1);
        for (uint256 epoch = 0; epoch < 2; ++epoch) {
            goTo(TICKET_START);
            for (uint256 i = 0; i < 4; ++i) {
                _post(i, i);
            }
            seal();
            goTo(EPOCH_BLOCKS);
        }
        goTo(TICKET_START);
        for (uint256 i = 0; i < 4; ++i) {
            reportGas("single ticket", _post(i, i), 252_400);
        }
    }

    function test_batches() public {
        deploy(sortitionParameters());
        begin(100, 1);
        for (uint256 epoch = 0; epoch < 2; ++epoch) {
            goTo(EPOCH_BLOCKS * epoch + TICKET_START);
            uint256 four = _post(0, 3) / 4;
            uint256 thirtyTwo = _post(4, 35) / 32;
            uint256 sixtyFour = _post(36, 99) / 64;
            reportGas("per ticket, batch of 4", four, epoch == 0 ? 133_958 : 109_780);
            reportGas("per ticket, batch of 32", thirtyTwo, epoch == 0 ? 55_042 : 52_023);
            reportGas("per ticket, batch of 64", sixtyFour, 55_042);
            seal();
        }
        goTo(EPOCH_BLOCKS + TICKET_START);
        reportGas("per ticket, batch of 100", _post(0, 99) / 100, 44_140);
    }

    function test_sealAndHeader() public {
        deploy(_briefParameters());
        begin(4, 1);
        _reportSeals(4, "seal, one quorum, 4 members", SEAL_OF_FOUR);
        RandaoEntropy entropy = new RandaoEntropy();
        uint256 number = block.number - 1;
        bytes memory header = headerOf(number);
        assertTrue(header.length > 550, "as long as real headers");
        bytes memory call = abi.encodeCall(RandaoEntropy.entropy, (number, header));
        reportGas("entropy of a block", gasOf(address(entropy), call), 37_400);
    }

    function test_sealOfOneHundred() public {
        deploy(_briefParameters());
        begin(100, 1);
        _reportSeals(100, "seal, one quorum, 100 members", SEAL_OF_A_HUNDRED);
    }

    /// @dev The check alone; what a contract then stores is its own.
    function test_quorumChecks() public {
        Committee committee = new Committee();
        for (uint256 i = 0; i < 100; ++i) {
            committee.add(signerOf(i), 1, BlsKeys.secret(i));
        }
        QuorumCaller caller = new QuorumCaller();
        _reportCheck(committee, caller, 0, "check, 100 members, 0 absent", 195_000);
        _reportCheck(committee, caller, 1 << 50, "check, 100 members, 1 absent", 211_000);
        _reportCheck(committee, caller, _everyNth(100, 10), "check, 100 members, 10 absent", 281_000);
        _reportCheck(committee, caller, _everyNth(99, 3), "check, 100 members, 33 absent", 401_000);
    }

    function _reportCheck(Committee committee, QuorumCaller caller, uint256 absent, string memory what, uint256 figure)
        private
    {
        Snapshot memory snapshot = committee.snapshot(1, 0);
        (bytes memory nonSigners, bytes32[] memory siblings) = committee.nonSigners(absent);
        bytes32 digest = keccak256("a statement");
        bytes memory call = abi.encodeCall(
            QuorumCaller.check,
            (keccak256(abi.encode(snapshot)), snapshot, nonSigners, siblings, digest, committee.sign(digest, absent))
        );
        reportGas(what, gasOf(address(caller), call), figure);
    }

    function _everyNth(uint256 count, uint256 step) private pure returns (uint256 bits) {
        for (uint256 i = 0; i < count; i += step) {
            bits |= 1 << i;
        }
    }

    /// @dev Seals four epochs whose offices share a word, once every other word has been written before: places of seeds
    /// are nine.
    function _reportSeals(uint256 count, string memory what, uint256 figure) private {
        for (uint256 epoch = 2; epoch < 12; ++epoch) {
            _seal(count);
        }
        uint256 first = _seal(count);
        uint256 others = 0;
        for (uint256 epoch = 13; epoch < 16; ++epoch) {
            uint256 used = _seal(count);
            if (used > others) others = used;
        }
        reportGas(what, others, figure);
        reportGas(string.concat(what, ", first of four"), first, figure + NEW_WORD);
        reportGas(string.concat(what, ", mean of four"), (first + 3 * others) / 4, figure);
    }

    /// @dev A network that keeps blobs for one epoch, so that seeds come to lie where others lay before long.
    function _briefParameters() private pure returns (SortitionParameters memory parameters) {
        parameters = sortitionParameters();
        parameters.maxRetentionEpochs = 1;
    }

    /// @dev The header of a past block without extra data, 610 bytes, as long as the figures' was.
    function _shortHeader(uint256 number) private returns (bytes memory header) {
        header = Headers.encode(number, keccak256(abi.encode("randao", number)), false);
        vm.setBlockhash(number, keccak256(header));
    }

    /// @dev Whole transaction of the next seal, with the header of its entropy block.
    function _seal(uint256 count) private returns (uint256 used) {
        goTo(TICKET_START);
        postTickets(0, count - 1);
        goTo(ENTROPY_AT + 1);
        used = gasOf(address(sortition), abi.encodeCall(Sortition.seal, (_shortHeader(sortition.entropyBlock()))));
        goTo(EPOCH_BLOCKS);
    }

    function _post(uint256 first, uint256 last) private returns (uint256) {
        (address[] memory signers, uint256[8][] memory signatures) = tickets(first, last);
        return gasOf(address(sortition), abi.encodeCall(sortition.submitTickets, (signers, signatures)));
    }
}
