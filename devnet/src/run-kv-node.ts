/** The process of a key-value node, beside this package: its address needs no look-up. */
import '@cairn/kv-node/main';
