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
import {QuorumCaller} from "./support/QuorumCaller.sol";
import {StakeFixture} from "./support/StakeFixture.sol";

/// @notice What the calls of signers and keepers cost as transactions of their own.
/// forge-config: default.isolate = true
contract StakeGasTest is GasReport, StakeFixture {
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
            reportGas("per ticket, batch of 32", thirtyTwo, 55_042);
            reportGas("per ticket, batch of 64", sixtyFour, 55_042);
            seal();
        }
        goTo(EPOCH_BLOCKS + TICKET_START);
        reportGas("per ticket, batch of 100", _post(0, 99) / 100, 50_000);
    }

    function test_sealAndHeader() public {
        deploy(sortitionParameters());
        begin(4, 1);
        _reportSeal(4, "seal, one quorum, 4 members", 172_000);
        RandaoEntropy entropy = new RandaoEntropy();
        uint256 number = block.number - 1;
        bytes memory header = headerOf(number);
        assertTrue(header.length > 550, "as long as real headers");
        bytes memory call = abi.encodeCall(RandaoEntropy.entropy, (number, header));
        reportGas("entropy of a block", gasOf(address(entropy), call), 37_400);
    }

    function test_sealOfOneHundred() public {
        deploy(sortitionParameters());
        begin(100, 1);
        _reportSeal(100, "seal, one quorum, 100 members", 182_000);
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

    function _reportSeal(uint256 count, string memory what, uint256 figure) private {
        goTo(TICKET_START);
        postTickets(0, count - 1);
        goTo(ENTROPY_AT + 1);
        bytes memory call = abi.encodeCall(Sortition.seal, (headerOf(sortition.entropyBlock())));
        reportGas(what, gasOf(address(sortition), call), figure);
        goTo(EPOCH_BLOCKS);
    }

    function _post(uint256 first, uint256 last) private returns (uint256) {
        (address[] memory signers, uint256[8][] memory signatures) = tickets(first, last);
        return gasOf(address(sortition), abi.encodeCall(sortition.submitTickets, (signers, signatures)));
    }
}
