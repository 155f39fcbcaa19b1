/** The process of a storage node or an indexer, beside this package: its address needs no look-up. */
import '@cairn/storage-node/main';
