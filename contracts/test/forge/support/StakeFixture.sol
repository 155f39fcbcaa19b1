// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bls} from "../../../src/quorum/Bls.sol";
import {SignerRegistry} from "../../../src/stake/SignerRegistry.sol";
import {Sortition} from "../../../src/stake/Sortition.sol";
import {SortitionParameters} from "../../../src/stake/SortitionTypes.sol";
import {StakeHub} from "../../../src/stake/StakeHub.sol";
import {StakeParameters} from "../../../src/stake/StakeTypes.sol";
import {BlsKeys} from "./BlsKeys.sol";
import {Headers} from "./Headers.sol";
import {Test} from "./Test.sol";

/// @title StakeFixture
/// @notice Stake hub, registry and sortition, deployed in the order that real deployments use, and signers with real keys.
abstract contract StakeFixture is Test {
    address internal constant ADMIN = address(0xAD);
    uint128 internal constant VOTE = 1 ether;

    /// @dev Offsets of the phases with the devnet's parameters.
    uint256 internal constant OPEN_BLOCKS = 15;
    uint256 internal constant TICKET_START = 17;
    uint256 internal constant TICKET_END = 40;
    uint256 internal constant ENTROPY_AT = 42;
    uint256 internal constant EPOCH_BLOCKS = 60;

    StakeHub internal stakeHub;
    SignerRegistry internal registry;
    Sortition internal sortition;

    /// @dev What orders checkpoints; nothing unless a test says so before it deploys.
    address internal orderSource;

    /// @dev The devnet of the specification.
    function stakeParameters() internal pure returns (StakeParameters memory) {
        return StakeParameters({
            tokensPerVote: VOTE,
            maxVotes: 64,
            unbondDelay: 2 hours,
            maxCaseTime: 10 minutes,
            maxCases: 4,
            reporterBps: 1000
        });
    }

    /// @dev The devnet of the specification.
    function sortitionParameters() internal pure returns (SortitionParameters memory) {
        return SortitionParameters({
            genesisDelay: 10,
            genesisSalt: "salt",
            epochBlocks: uint32(EPOCH_BLOCKS),
            openBlocks: uint32(OPEN_BLOCKS),
            finalityBlocks: 2,
            ticketEnd: uint32(TICKET_END),
            quietBlocks: 2,
            secondsPerBlock: 1,
            seatTarget: 2048,
            maxQuorums: 1,
            seatsPerQuorum: 512,
            contributors: 32,
            missPenaltyBps: 10,
            suspensionEpochs: 1,
            minSeatBps: 6700,
            maxCarry: 20,
            maxRetentionEpochs: 60,
            trustingPeriod: 30 minutes,
            challengeWindow: 10 minutes,
            evidenceTime: 10 minutes
        });
    }

    function deploy(SortitionParameters memory parameters) internal {
        vm.roll(1000);
        vm.warp(1_800_000_000);
        stakeHub = StakeHub(deployed("stake/StakeHub.sol:StakeHub", abi.encode(stakeParameters(), ADMIN)));
        registry = SignerRegistry(deployed("stake/SignerRegistry.sol:SignerRegistry", abi.encode(stakeHub)));
        address entropy = deployed("quorum/RandaoEntropy.sol:RandaoEntropy", "");
        bytes memory arguments = abi.encode(parameters, stakeHub, registry, entropy, orderSource, ADMIN);
        sortition = Sortition(deployed("stake/Sortition.sol:Sortition", arguments));
        vm.prank(ADMIN);
        stakeHub.setClock(sortition);
        vm.prank(ADMIN);
        stakeHub.setModule(address(sortition), true);
    }

    function signerOf(uint256 index) internal pure returns (address) {
        return address(uint160(0x10_0000 + index));
    }

    /// @dev Bonds stake for `votes` votes, takes the role and registers the key.
    function join(uint256 index, uint256 votes) internal {
        bond(index, votes * VOTE);
        takeRole(index);
        register(index);
    }

    function bond(uint256 index, uint256 amount) internal {
        vm.deal(signerOf(index), amount);
        vm.prank(signerOf(index));
        stakeHub.bond{value: amount}();
    }

    function takeRole(uint256 index) internal {
        vm.prank(signerOf(index));
        stakeHub.setRoles(1);
    }

    function register(uint256 index) internal {
        uint256[4] memory key = BlsKeys.publicKey(BlsKeys.secret(index));
        bytes32 digest = registry.possessionDigest(signerOf(index), Bls.pack(key));
        uint256[8] memory possession = BlsKeys.sign(BlsKeys.secret(index), digest);
        vm.prank(signerOf(index));
        registry.register(key, possession, "127.0.0.1:3201");
    }

    /// @dev Goes to an offset of the current epoch; time passes a second a block.
    function goTo(uint256 offset) internal {
        uint256 target = sortition.startBlock() + offset;
        vm.warp(block.timestamp + target - block.number);
        vm.roll(target);
    }

    /// @dev The header of a past block, whose hash the chain then knows.
    function headerOf(uint256 number) internal returns (bytes memory header) {
        header = Headers.encode(number, keccak256(abi.encode("randao", number)), number % 2 == 0);
        vm.setBlockhash(number, keccak256(header));
    }

    /// @dev Goes to the ticket phase of a first epoch and draws its seed.
    function drawFirstSeed() internal {
        goTo(TICKET_START + 1);
        sortition.drawFirstSeed(headerOf(sortition.entropyBlock()));
    }

    /// @dev Posts the tickets of signers `first` to `last` for the next epoch, in one batch.
    function postTickets(uint256 first, uint256 last) internal {
        (address[] memory signers, uint256[8][] memory signatures) = tickets(first, last);
        sortition.submitTickets(signers, signatures);
    }

    function tickets(uint256 first, uint256 last)
        internal
        view
        returns (address[] memory signers, uint256[8][] memory signatures)
    {
        bytes32 digest = sortition.ticketDigest(sortition.currentEpoch() + 1);
        uint256[8] memory messageHash = Bls.hashToG2(digest);
        signers = new address[](last - first + 1);
        signatures = new uint256[8][](signers.length);
        for (uint256 i = 0; i < signers.length; ++i) {
            signers[i] = signerOf(first + i);
            signatures[i] = BlsKeys.multiplyG2(messageHash, BlsKeys.secret(first + i));
        }
    }

    /// @dev Seals the next epoch as soon as that is possible.
    function seal() internal {
        goTo(ENTROPY_AT + 1);
        sortition.seal(headerOf(sortition.entropyBlock()));
    }

    /// @dev Begins a network of `count` signers with `votes` votes each, and enters epoch 1.
    function begin(uint256 count, uint256 votes) internal {
        for (uint256 i = 0; i < count; ++i) {
            join(i, votes);
        }
        drawFirstSeed();
        postTickets(0, count - 1);
        seal();
        goTo(EPOCH_BLOCKS);
    }

    /// @dev One more epoch, with tickets of signers `first` to `last`.
    function pass(uint256 first, uint256 last) internal {
        goTo(TICKET_START);
        postTickets(first, last);
        seal();
        goTo(EPOCH_BLOCKS);
    }
}
