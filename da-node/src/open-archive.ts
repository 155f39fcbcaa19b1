import { createChainClient } from '@cairn/chain-access';
import { type Client, type ClientOptions, createClient } from '@cairn/client-sdk';
import { isFault } from '@cairn/primitives';
import type { ArchiveSettings } from './config.ts';
import type { ArchivedFile, LogArchive } from './disperser/ports.ts';
import type { NodeParts } from './node-parts.ts';

/** What opening works with. */
export type OpenArchiveParts = Pick<
  NodeParts,
  'config' | 'chain' | 'account' | 'sender' | 'index' | 'transport' | 'clock' | 'logger' | 'opened'
>;

/**
 * The log that blobs are written to; nothing is asked of it before the first blob. Payments are
 * journalled with the node's other transactions, so none is made twice.
 */
export function openArchive(settings: ArchiveSettings, parts: OpenArchiveParts): LogArchive {
  const log = new OpenedLog(settings, parts);
  parts.opened('log', () => log.close());
  return log;
}

class OpenedLog implements LogArchive {
  readonly #settings: ArchiveSettings;
  readonly #parts: OpenArchiveParts;
  readonly #reader: Client;
  #writer: Client | undefined;

  constructor(settings: ArchiveSettings, parts: OpenArchiveParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#reader = this.#connect({});
  }

  async store(
    payload: Uint8Array,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ArchivedFile> {
    this.#writer ??= this.#connect(await this.#payer(signal));
    const { replicas } = this.#settings;
    const stored = await this.#writer.files.put(payload, { replicas, signal });
    const { chainId, flow, root, sequence } = stored;
    return { chainId, flow, root, sequence };
  }

  async read(
    { root, sequence }: ArchivedFile,
    options: { readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    const { files } = this.#reader;
    try {
      return await files.getBytes({ root, sequence }, options);
    } catch (error) {
      // The chain may have put the entry elsewhere, and somebody may have stored the same bytes again.
      if (!isFault(error, 'SDK_FILE_NOT_FOUND')) throw error;
      return files.getBytes({ root }, options);
    }
  }

  async close(): Promise<void> {
    await this.#reader.close();
    await this.#writer?.close();
  }

  #connect(payer: Pick<ClientOptions, 'sender' | 'signer'>): Client {
    const { indexer, nodes, flow, rpcUrl } = this.#settings;
    const { index, transport, clock, logger } = this.#parts;
    return createClient({
      ...(indexer === undefined ? {} : { indexer }),
      ...(flow === undefined ? {} : { flow }),
      ...payer,
      nodes,
      rpc: rpcUrl,
      journal: index,
      transport,
      threads: 0, // a payload is hashed in less time than threads take to start
      clock,
      logger,
    });
  }

  /** One account has one lane of nonces on a chain: on the entrance's it is the node's own. */
  async #payer(signal: AbortSignal): Promise<Pick<ClientOptions, 'sender' | 'signer'>> {
    const { config, chain, account, sender, transport, clock } = this.#parts;
    const { rpcUrl } = this.#settings;
    if (rpcUrl === config.chain.rpcUrl) return { sender };
    const client = createChainClient({ rpcUrl, clock, transport });
    try {
      const chainId = await client.chainId({ signal });
      return chainId === chain.chainId ? { sender } : { signer: account };
    } finally {
      await client.close();
    }
  }
}
