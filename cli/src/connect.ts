import {
  type Client,
  createClient,
  type ExclusiveJournal,
  type FileReference,
  fileJournal,
  type KvAttestOptions,
} from '@cairn/client-sdk';
import { type Root, toHex, utf8Bytes } from '@cairn/primitives';
import type { NetworkChoice } from './network-options.ts';

/** Where the SDK's journal keeps what hashing an upload found out. */
const HASHED_PREFIX = utf8Bytes('upload/');

/** A client for the network of a command line. Close it. */
export async function connect(
  network: NetworkChoice,
  {
    payer,
    kv = [],
    kvAttest,
    areHashesTrusted = true,
    isOneChain = false,
  }: {
    /** 32 bytes. */
    readonly payer?: Uint8Array;
    /** Key-value nodes. */
    readonly kv?: readonly string[];
    /** Whose word about state roots counts. */
    readonly kvAttest?: KvAttestOptions;
    /** Whether hashes of an unchanged file that an earlier run kept are used again. */
    readonly areHashesTrusted?: boolean;
    /** Whether the first chain is meant alone, as for streams. */
    readonly isOneChain?: boolean;
  } = {},
): Promise<Client> {
  const journal = fileJournal(network.uploadsDirectory);
  const { shards } = network;
  const places =
    shards === undefined || isOneChain
      ? {
          nodes: network.nodes,
          ...(network.indexer === undefined ? {} : { indexer: network.indexer }),
          ...(network.rpc === undefined ? {} : { rpc: network.rpc }),
          ...(network.flow === undefined ? {} : { flow: network.flow }),
        }
      : { shards };
  return createClient({
    ...places,
    kv,
    ...(kvAttest === undefined ? {} : { kvAttest }),
    journal: areHashesTrusted ? journal : withoutHashes(journal),
    ...(payer === undefined ? {} : { signer: toHex(payer) }),
  });
}

/**
 * A journal that gives no hashes back, so that files are read anew, and keeps the new ones for a
 * later `--resume`. Payments are remembered as ever.
 */
function withoutHashes(journal: ExclusiveJournal): ExclusiveJournal {
  const isHash = (key: Uint8Array): boolean =>
    HASHED_PREFIX.every((byte, index) => key[index] === byte);
  return {
    get: async (key) => (isHash(key) ? undefined : journal.get(key)),
    getMany: (keys) => journal.getMany(keys),
    write: (batch, options) => journal.write(batch, options),
    entries: (range, options) => journal.entries(range, options),
    exclusive: (work, signal) => journal.exclusive(work, signal),
  };
}

/** A file by its root, on the consensus shard that is meant, if one is. */
export function fileOn(root: Root, { consensusShard }: NetworkChoice): FileReference {
  return consensusShard === undefined ? root : { root, shard: consensusShard };
}
