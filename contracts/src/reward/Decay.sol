// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Decay
/// @notice e to a negative power, in integers.
library Decay {
    /// @dev One, with 96 binary places.
    uint256 private constant ONE = 1 << 96;

    /// @dev Natural logarithm of 2, with 96 binary places.
    uint256 private constant LN2 = 0xb17217f7d1cf79abc9e3b398;

    /// @notice e^(-numerator / denominator) with 96 binary places, off by less than 2^-88 of one. Zero where it is below 2^-96.
    /// @param numerator below 2^150
    /// @param denominator not zero
    function expNegative(uint256 numerator, uint256 denominator) internal pure returns (uint256) {
        uint256 exponent = (numerator << 96) / denominator;
        // e^-x = 2^-n e^-r with x = n ln 2 + r and r below ln 2.
        uint256 halvings = exponent / LN2;
        if (halvings >= 96) return 0;
        uint256 rest = exponent % LN2;
        // Terms of e^r: with r < 0.7 the 26th is below 2^-96.
        uint256 power = ONE;
        uint256 term = ONE;
        for (uint256 i = 1; term != 0 && i < 40; ++i) {
            term = (term * rest) / (ONE * i);
            power += term;
        }
        return ((ONE * ONE) / power) >> halvings;
    }
}
