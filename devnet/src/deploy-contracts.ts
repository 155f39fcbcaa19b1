import { createChainClient, signerFromKey } from '@cairn/chain-access';
import { deployContracts } from '@cairn/chain-access/deploy';
import { readFileIfPresent, writeFileAtomic } from '@cairn/node-runtime/files';
import {
  type Address,
  type Clock,
  isRecord,
  parseAddress,
  parseJson,
  utf8Text,
} from '@cairn/primitives';
import { DevnetError } from './errors.ts';
import type { RunningChain } from './start-chain.ts';

/**
 * Addresses of a devnet's contracts by name: those in the file `remembered` if the chain still has
 * them, else newly deployed ones, which are written there.
 *
 * The last development account pays, so that the first ones start without transactions.
 *
 * @throws what the chain throws
 */
export async function deployDevnetContracts(
  { rpc, keys }: RunningChain,
  {
    remembered,
    clock,
    signal,
  }: { readonly remembered: string; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Readonly<Record<string, Address>>> {
  const client = createChainClient({ rpcUrl: rpc, clock });
  try {
    const earlier = await readDeployment(remembered);
    if (earlier?.['flow'] !== undefined) {
      const code = await client.getCode(earlier['flow'], { signal });
      if (code.length > 0) return earlier;
    }
    const deployer = keys.at(-1);
    if (deployer === undefined) {
      throw new DevnetError(
        { code: 'DEVNET_START_FAILED', directory: '', reason: 'accounts' },
        'the chain funded no accounts',
      );
    }
    const { contracts } = await deployContracts(
      // A transaction is in its block before the reply to it is out.
      { client, signer: signerFromKey(deployer), pollMs: 10 },
      { signal },
    );
    await writeFileAtomic(remembered, `${JSON.stringify(contracts, null, 2)}\n`);
    return contracts;
  } finally {
    await client.close();
  }
}

async function readDeployment(path: string): Promise<Record<string, Address> | undefined> {
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) return undefined;
  const file = parseJson(utf8Text(bytes));
  if (!isRecord(file)) return undefined;
  return Object.fromEntries(
    Object.entries(file).map(([name, address]) => [name, parseAddress(String(address))]),
  );
}
