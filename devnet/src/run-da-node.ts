/** The process of a signer or a disperser, beside this package: its address needs no look-up. */
import '@cairn/da-node/main';
