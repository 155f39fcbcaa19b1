import {
  type Address,
  bigEndianBytes,
  type ChainId,
  chainIdOf,
  concatBytes,
  fromHex,
  type KeyValueStore,
  parseAddress,
  readSafeU64,
  toHex,
  viewOf,
} from '@cairn/primitives';
import { LogError } from './errors.ts';
import { KEY, keyOf } from './keyspace.ts';

/** Layout version this build writes and reads. */
const LAYOUT_VERSION = 1;

/** The chain and log contract a store belongs to. */
export interface StoreIdentity {
  readonly chainId: ChainId;
  readonly flow: Address;
}

/** Whose store this is; `undefined` for an empty one. @throws {LogError} as `claimStore` */
export async function readStoreIdentity(
  kv: Pick<KeyValueStore, 'get'>,
): Promise<StoreIdentity | undefined> {
  const stored = await kv.get(keyOf(KEY.identity));
  return stored === undefined ? undefined : identityOf(stored);
}

/**
 * Claims an empty store for a chain and log contract, or checks that it is theirs.
 *
 * @throws {LogError} LOG_STORE_WRONG_CHAIN with both, LOG_STORE_VERSION, LOG_STORE_DAMAGED
 */
export async function claimStore(
  kv: KeyValueStore,
  { chainId, flow }: StoreIdentity,
): Promise<void> {
  const key = keyOf(KEY.identity);
  const stored = await kv.get(key);
  if (stored === undefined) {
    const value = concatBytes(
      bigEndianBytes(LAYOUT_VERSION, 2),
      bigEndianBytes(chainId, 8),
      fromHex(flow),
    );
    await kv.write([{ type: 'put', key, value }], { sync: true });
    return;
  }
  const { chainId: storedChainId, flow: storedFlow } = identityOf(stored);
  if (storedChainId !== chainId || storedFlow !== flow) {
    throw new LogError(
      { code: 'LOG_STORE_WRONG_CHAIN', storedChainId, storedFlow, chainId, flow },
      `the store belongs to log ${storedFlow} of chain ${storedChainId}, ` +
        `not to log ${flow} of chain ${chainId}`,
    );
  }
}

function identityOf(stored: Uint8Array): StoreIdentity {
  const version = stored.length < 2 ? 0 : viewOf(stored).getUint16(0);
  if (version !== LAYOUT_VERSION) {
    throw new LogError(
      { code: 'LOG_STORE_VERSION', version, supported: LAYOUT_VERSION },
      `the store has layout version ${version}; this build reads ${LAYOUT_VERSION}`,
    );
  }
  if (stored.length !== 30) {
    throw new LogError(
      { code: 'LOG_STORE_DAMAGED', what: 'identity', sizeBytes: stored.length },
      `the store's identity has ${stored.length} bytes instead of 30`,
    );
  }
  return {
    chainId: chainIdOf(readSafeU64(viewOf(stored), 2)),
    flow: parseAddress(toHex(stored.subarray(10))),
  };
}
