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
