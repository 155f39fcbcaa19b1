// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Submission, SubmissionData, SubmissionNode} from "../../src/log/FlowTypes.sol";
import {Files} from "./support/Files.sol";
import {FlowFixture} from "./support/FlowFixture.sol";

/// @notice Known answers of the official flow: contract FixedPriceFlow (solc 0.8.20), submissions in this order.
/// Source: vectors/storage.json, "flow"; the nodes follow from its content formula.
contract FlowVectorsTest is FlowFixture {
    function setUp() public {
        deploy(PRICE, 1_000_000, 0);
    }

    function test_initialState() public view {
        (uint256 length, uint256 height) = flow.tree();
        assertEq(length, 1, "length");
        assertEq(height, 1, "height");
        assertEq(flow.getContext().flowLength, 1, "context length");
        assertEq(flow.getContext().digest, keccak256(""), "context digest");
        assertEq(flow.getContext().blockDigest, keccak256(""), "block digest");
        assertEq(flow.computeFlowRoot(), bytes32(0), "root of the placeholder");
    }

    function test_officialSteps() public {
        _step(
            256,
            _one(0xedf1c56924fa652f2b5d33af272bc44a20c49c0b25cb7628363bf8a4cdafee8c, 0),
            [uint256(1), 1, 2, 2],
            0x0759258e1d49609286382143028dd6f5908cb2a38c43a127658c45d13f88f83b,
            0x51321207126734443f598b18124231d050a0e88b620f2a707b1bd23d8bdd5e75
        );
        _step(
            1,
            _one(0x71bfab3b73c19ec6548f3e1dcc56d9a8c7c66b51b71e4dbbfb1fc0e0bf2826ba, 0),
            [uint256(2), 1, 3, 3],
            0xa5e8270d35e211e05dd963c06efd6b98647f3a2ec8eb4f1ab0c7be285802f905,
            0x897fffdf6bbc069c90f62a6253bab051f635660338e2c5f18ef04f4374904984
        );
        _step(
            257,
            _one(0x5d88ba5ce2aea21dd8b15415d560653a4ce31917c62f3fbb12d0f21792ed25b7, 1),
            [uint256(4), 2, 6, 4],
            0x2427de40ee2550ba78cdded9075c41e9aa80b8154cc2b7e9327c478f260903bd,
            0x5c5552236b4f945ff397efc83a8dfddfbc6c6dea30b9fcfd5599eabdcf142bad
        );
        _step(
            1023,
            _one(0x6398e417896ec717052c882f575a202c15b41e203e692a9c21461d525e90ebd6, 2),
            [uint256(8), 4, 12, 5],
            0x506f01ed1348b08058fbbd78f23f6545870357839c3ed1df98e113657f272fb0,
            0xda0a3be355119f97158df8035ff7312ec64607a8f0a3649ef39e88b1bce65d06
        );
        _step(
            262144,
            _one(0x06345ca899ae048de9d8cc689611f7abf91e564f811036c82595fe64a8b3dd2f, 10),
            [uint256(1024), 1024, 2048, 12],
            0xa20ea42d073946295517aaa9252b3b601c3bbcadc3a3240c56a83705fd92ad6b,
            0xa1d807fa15d4a2d3d8cf01ddb2f60273cdac98d5bacd6ae42551430ed52e1f68
        );
        _step(
            1,
            _one(0x71bfab3b73c19ec6548f3e1dcc56d9a8c7c66b51b71e4dbbfb1fc0e0bf2826ba, 0),
            [uint256(2048), 1, 2049, 13],
            0xa5e8270d35e211e05dd963c06efd6b98647f3a2ec8eb4f1ab0c7be285802f905,
            0x7fa4f53ec1cb984fec36a80ef44b4d22761c39e391269afaf59465ad5a825856
        );
        _step(
            1024,
            _one(0x9633c9c71f292c1e311755f30abb543a89b21fbc50cd468687ae38b8548df9b4, 2),
            [uint256(2052), 4, 2056, 13],
            0x02446cd079141258c1b88b6ab80a75c5a023defe5d71e34a2e0b7c6617b49268,
            0xf65f0ffb6105dfc6e296843debc07456078b55082b7a6aa5b5df9e51dd4a21b5
        );
        _step(
            76800,
            _two(
                0x70f0d671c1811d2737ba437bea9efd43e5afaf9c02db0de0a188d4ea3a357012, 8, 0xebaa5f21f4826d84604d7257e5596f20ee2ea6c3abb691f5d35592a8b01e6a86, 6
            ),
            [uint256(2304), 320, 2624, 13],
            0x3abf2be3417f3911714eaf3e0c5f7273d8e23f5372e5fb8ffcb9173eb0ffae2a,
            0x270750cf61826c22e2a415995cea7104a322c13ebd482ed23a3ce8ae048f84f8
        );
        _step(
            262145,
            _two(
                0x06345ca899ae048de9d8cc689611f7abf91e564f811036c82595fe64a8b3dd2f, 10, 0xe2875d845adc18603c940acd0ad48019ef6af26d6406dd4a83d53ea87471aab1, 7
            ),
            [uint256(3072), 1152, 4224, 14],
            0x42262296c329ef4c8ce991f2eaffecb59d133cd8c6e4206c8ac0138d66c5da3f,
            0xc6edcd6b105b664ddd960830ead4e3c3d28896559a780810133b79480b23a66f
        );
    }

    /// @dev Later rows of the official run (its sequence numbers 8, 11 and 13), reached with other files: a place depends
    /// on sizes alone.
    function test_officialPlaces() public {
        _place(262145, 1024, 1152);
        _place(262145, 3072, 1152);
        _place(4352, 4224, 18);
        _place(1, 4242, 1);
        _place(3145745, 8192, 13312);
        _place(4352, 21504, 18);
        _place(10485760, 32768, 40960);
        assertEq(flowLength(), 73728, "length after");
    }

    function _place(uint256 sizeBytes, uint256 expectedStart, uint256 expectedSectors) private {
        Submission memory submission = Files.unhashed(sizeBytes, SUBMITTER);
        (,, uint256 start, uint256 sectors) = flow.submit{value: feeOf(sizeBytes)}(submission);
        assertEq(start, expectedStart, "start");
        assertEq(sectors, expectedSectors, "sectors");
    }

    function _step(
        uint256 size,
        SubmissionNode[] memory nodes,
        uint256[4] memory expected,
        bytes32 identity,
        bytes32 root
    ) private {
        Submission memory submission = Submission(SubmissionData(size, "", nodes), SUBMITTER);
        (uint256 index, bytes32 digest, uint256 start, uint256 length) =
            flow.submit{value: feeOf(size)}(submission);
        (uint256 lengthAfter, uint256 height) = flow.tree();
        assertEq(digest, identity, "identity");
        assertEq(start, expected[0], "start");
        assertEq(length, expected[1], "sectors");
        assertEq(lengthAfter, expected[2], "length after");
        assertEq(height, expected[3], "unstaged height");
        assertEq(flow.getFlowRootByTxSeq(index), root, "root");
        assertEq(flow.computeFlowRoot(), root, "root now");
    }

    function _one(bytes32 root, uint256 height) private pure returns (SubmissionNode[] memory nodes) {
        nodes = new SubmissionNode[](1);
        nodes[0] = SubmissionNode(root, height);
    }

    function _two(bytes32 root, uint256 height, bytes32 nextRoot, uint256 nextHeight)
        private
        pure
        returns (SubmissionNode[] memory nodes)
    {
        nodes = new SubmissionNode[](2);
        nodes[0] = SubmissionNode(root, height);
        nodes[1] = SubmissionNode(nextRoot, nextHeight);
    }
}
