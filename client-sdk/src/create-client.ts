import type { LocalSigner, TransactionSender } from '@cairn/chain-access';
import type { Clock, HttpTransport, Logger, Rng, WorkerPool } from '@cairn/primitives';
import type { Client } from './client.ts';
import type { Journal } from './upload-journal.ts';

/** How a client reaches its network. Everything left out has a working default. */
export interface ClientOptions {
  /** A named network, for its indexer, chain and flow where they are not given. */
  readonly network?: string;
  /** The indexer's address; it tells which nodes there are and who holds a file. */
  readonly indexer?: string;
  /** Storage nodes to use instead of, or besides, the indexer's. */
  readonly nodes?: readonly string[];
  /** The chain's JSON-RPC address: needed to pay, and to check file sizes when reading. */
  readonly rpc?: string;
  /** The log contract; asked of the nodes unless told, and then checked against the chain. */
  readonly flow?: string;
  /** Signs payments: a signer, or 32 bytes of private key as hex. */
  readonly signer?: LocalSigner | string;
  /** Sends payments instead of `signer`, for programs that have a nonce lane already. */
  readonly sender?: TransactionSender;
  /** What survives a crash; in memory unless told. The Node entry can keep it in a directory. */
  readonly journal?: Journal;
  /** Threads for hashing; none unless told. The Node entry starts some. */
  readonly pool?: WorkerPool;
  readonly transport?: HttpTransport;
  readonly clock?: Clock;
  readonly rng?: Rng;
  readonly logger?: Logger;
}

/** Connects to a network. Nothing is sent before the first call. */
export declare function createClient(options: ClientOptions): Client;
