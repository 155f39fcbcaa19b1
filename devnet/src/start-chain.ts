import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createChainClient } from '@cairn/chain-access';
import { writeSecretFile } from '@cairn/node-runtime/files';
import { type Clock, isHexOf, isRecord, parseJson } from '@cairn/primitives';
import { anvilPath } from './anvil-path.ts';
import { DevnetError } from './errors.ts';
import { awaitReady, type ManagedProcess, type Supervisor } from './supervise.ts';

/** The chain of a devnet, up and answering. */
export interface RunningChain {
  readonly process: ManagedProcess;
  readonly rpc: string;
  readonly chainId: number;
  /** Private keys of funded development accounts, raw hex. Public knowledge; never use them elsewhere. */
  readonly keys: readonly string[];
}

/** Chain id of every devnet's hub, the one development tools expect; further chains count on from it. */
export const DEVNET_CHAIN_ID = 31_337;
/** Much longer than it takes: a machine may have other work. */
const READY_WITHIN_MS = 60_000;
/** Blocks whose state stays readable; bounds the memory of a devnet that runs for days. */
const KEPT_STATES = 4096;

/**
 * Starts the chain: Prague rules, every transaction in a block of its own at once, and a block
 * every few seconds besides, so that confirmations pass while nothing is sent.
 *
 * @param directory - the chain's own; with `isKept` its state is loaded from and saved there
 * @throws {DevnetError} ANVIL_MISSING, PROCESS_ENDED, PROCESS_NOT_READY
 */
export async function startChain(
  { supervisor, clock }: { readonly supervisor: Supervisor; readonly clock: Clock },
  {
    name,
    chainId,
    port,
    blockTimeSeconds,
    directory,
    isKept,
  }: {
    /** Names its process and its log. */
    readonly name: string;
    readonly chainId: number;
    readonly port: number;
    readonly blockTimeSeconds: number;
    readonly directory: string;
    readonly isKept: boolean;
  },
  { signal }: { readonly signal: AbortSignal },
): Promise<RunningChain> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const accounts = join(directory, 'accounts.json');
  const rpc = `http://127.0.0.1:${port}`;
  const process = await supervisor.run({
    name,
    command: anvilPath(),
    args: [
      ...['--host', '127.0.0.1', '--port', String(port)],
      ...['--chain-id', String(chainId), '--hardfork', 'prague'],
      ...['--block-time', String(blockTimeSeconds), '--mixed-mining', '--slots-in-an-epoch', '1'],
      ...['--prune-history', String(KEPT_STATES), '--config-out', accounts],
      ...(isKept ? ['--state', join(directory, 'state.json'), '--state-interval', '5'] : []),
      '--quiet',
    ],
  });
  const client = createChainClient({ rpcUrl: rpc, clock, attempts: 1, timeoutMs: 2_000 });
  try {
    const isReady = async (asking: AbortSignal): Promise<boolean> => {
      try {
        return (await client.chainId({ signal: asking })) === chainId;
      } catch (error) {
        asking.throwIfAborted();
        if (error instanceof Error) return false; // not listening yet
        throw error;
      }
    };
    await awaitReady(process, isReady, { clock, signal, timeoutMs: READY_WITHIN_MS });
  } finally {
    await client.close();
  }
  const keys = parseAccounts(await readFile(accounts, 'utf8'));
  await rm(accounts); // readable by others; the keys go to files that are not
  return { process, rpc, chainId, keys };
}

/** Writes the keys as `dev-0.hex`, …, for their owner alone. @returns their file names */
export async function writeDevKeys(
  directory: string,
  keys: readonly string[],
): Promise<readonly string[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = keys.map((_, index) => `dev-${index}.hex`);
  for (const [index, name] of names.entries()) {
    const path = join(directory, name);
    await rm(path, { force: true });
    await writeSecretFile(path, keys[index] ?? '');
  }
  return names;
}

function parseAccounts(text: string): string[] {
  const file = parseJson(text);
  const keys: unknown = isRecord(file) ? file['private_keys'] : undefined;
  if (Array.isArray(keys) && keys.length > 0) {
    const parsed = keys.filter((key): key is string => typeof key === 'string' && isHexOf(key, 32));
    if (parsed.length === keys.length) return parsed;
  }
  throw new DevnetError(
    { code: 'DEVNET_START_FAILED', directory: '', reason: 'accounts' },
    'the chain did not say which accounts it funded; its version is not the one this expects',
  );
}
