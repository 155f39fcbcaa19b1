// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Headers
/// @notice Block headers in RLP, with the 21 fields that headers have under Prague rules.
library Headers {
    /// @notice The header of block `number` with `prevRandao`; 32 bytes of extra data if `long`.
    function encode(uint256 number, bytes32 prevRandao, bool long) internal pure returns (bytes memory) {
        bytes memory body = bytes.concat(
            _word(keccak256(abi.encode("parent", number))),
            _word(keccak256("ommers")),
            hex"94",
            bytes20(uint160(0xfee)),
            _word(keccak256("state")),
            _word(keccak256("transactions")),
            _word(keccak256("receipts")),
            hex"b90100",
            new bytes(256)
        );
        body = bytes.concat(body, hex"80", _number(number), _number(30_000_000), _number(21_000), _number(1_800_000_000));
        body = bytes.concat(body, long ? _word("extra data of thirty-two bytes..") : bytes(hex"80"), _word(prevRandao));
        body = bytes.concat(body, hex"88", bytes8(0), _number(7), _word(keccak256("withdrawals")), hex"8080");
        body = bytes.concat(body, _word(keccak256("beacon")), _word(keccak256("requests")));
        return bytes.concat(hex"f9", bytes2(uint16(body.length)), body);
    }

    function _word(bytes32 word) private pure returns (bytes memory) {
        return bytes.concat(hex"a0", word);
    }

    /// @dev A number without leading zeros; one byte below 0x80 stands for itself.
    function _number(uint256 number) private pure returns (bytes memory) {
        if (number == 0) return hex"80";
        if (number < 0x80) return abi.encodePacked(uint8(number));
        uint256 length = 0;
        while (number >> (8 * length) != 0) ++length;
        bytes memory digits = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            digits[i] = bytes1(uint8(number >> (8 * (length - 1 - i))));
        }
        return bytes.concat(bytes1(uint8(0x80 + length)), digits);
    }
}
