import { keccak256, toHex, utf8Bytes } from '@cairn/primitives';
import { until } from './wait.ts';

/** One JSON-RPC call to the development chain. @throws with the chain's words */
export async function chainCall(
  url: string,
  method: string,
  params: readonly unknown[] = [],
): Promise<unknown> {
  const reply = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const body = (await reply.json()) as { result?: unknown; error?: { message: string } };
  if (body.error !== undefined) throw new Error(`${method}: ${body.error.message}`);
  return body.result;
}

/** How many entries the log contract has: each one was paid for. */
export async function submissionCount(url: string, flow: string): Promise<number> {
  // numSubmissions()
  return Number(await chainCall(url, 'eth_call', [{ to: flow, data: '0x77e19824' }, 'latest']));
}

/** Lets the admin of a log's market ask another price. Resolves once it is in force. */
export async function setPrice(url: string, flow: string, priceWei: bigint): Promise<void> {
  const read = async (to: string, method: string): Promise<string> =>
    String(await chainCall(url, 'eth_call', [{ to, data: selector(method) }, 'latest']));
  const addressOf = async (to: string, method: string): Promise<string> =>
    `0x${(await read(to, method)).slice(-40)}`;
  const market = await addressOf(flow, 'market()');
  const admin = await addressOf(market, 'admin()');
  await chainCall(url, 'anvil_impersonateAccount', [admin]);
  const word = priceWei.toString(16).padStart(64, '0');
  const data = `${selector('setPricePerSector(uint256)')}${word}`;
  await chainCall(url, 'eth_sendTransaction', [{ from: admin, to: market, data }]);
  await until('the price', async () => BigInt(await read(market, 'pricePerSector()')) === priceWei);
}

function selector(method: string): string {
  return toHex(keccak256(utf8Bytes(method))).slice(0, 10);
}
