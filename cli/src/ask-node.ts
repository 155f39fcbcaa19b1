import { isRecord, parseJson, utf8Text } from '@cairn/primitives';
import { type NodeStatus, parseNodeStatus, STATUS_PATH } from '@cairn/wire-protocol';

/** What a node or indexer answers about itself. */
export interface NodeAnswer {
  readonly url: string;
  readonly isReachable: boolean;
  readonly isReady: boolean;
  /** Why it is not ready or not reachable, in its own words. */
  readonly reasons: readonly string[];
  /** What else it does, such as mining, in a sentence each of its own words. */
  readonly facts: Readonly<Record<string, string>>;
  /** Absent for nodes of other makers and for indexers. */
  readonly status?: NodeStatus;
  readonly version?: string;
  /** How far its clock is from ours, from its HTTP replies: a second at best. */
  readonly clockSkewMs?: number;
}

const TIMEOUT_MS = 5_000;
const MAX_REPLY_BYTES = 262_144;

/** Asks a node how it is; never throws for what a node does wrong. @throws the signal's reason */
export async function askNode(
  url: string,
  { signal, now }: { readonly signal: AbortSignal; readonly now: () => number },
): Promise<NodeAnswer> {
  const [ready, status, version] = await Promise.all([
    fetchJson(`${url}/health/ready`, signal),
    fetchJson(`${url}${STATUS_PATH}`, signal),
    fetchJson(`${url}/version`, signal),
  ]);
  signal.throwIfAborted();
  const found = parseStatus(status);
  const told: unknown = isRecord(version?.body) ? version.body['version'] : undefined;
  const saidVersion = found?.version ?? (typeof told === 'string' ? told : undefined);
  const dated = ready?.date ?? status?.date;
  return {
    url,
    isReachable: ready !== undefined || status !== undefined,
    isReady: ready?.ok === true,
    reasons: reasonsOf(ready),
    facts: factsOf(ready),
    ...(found === undefined ? {} : { status: found }),
    ...(saidVersion === undefined ? {} : { version: saidVersion }),
    ...(dated === undefined ? {} : { clockSkewMs: now() - dated }),
  };
}

/** Paths of chains that a node tells, at most: it keeps 16. */
const MAX_CHAINS = 64;

/**
 * Paths below a node's address with the doors of the chains that it keeps, the first chain's first; none of a node
 * that does not tell, such as an indexer. @throws the signal's reason
 */
export async function askChains(url: string, signal: AbortSignal): Promise<readonly string[]> {
  const reply = await fetchJson(`${url}/chains`, signal);
  signal.throwIfAborted();
  const chains: unknown = isRecord(reply?.body) ? reply.body['chains'] : undefined;
  if (reply?.ok !== true || !Array.isArray(chains)) return [];
  return chains.slice(0, MAX_CHAINS).flatMap((chain: unknown) => {
    const path = isRecord(chain) ? chain['path'] : undefined;
    return typeof path === 'string' && /^\/chains\/\d{1,16}$/.test(path) ? [path] : [];
  });
}

interface Reply {
  readonly ok: boolean;
  readonly status: number;
  readonly body: unknown;
  readonly date: number | undefined;
}

async function fetchJson(url: string, signal: AbortSignal): Promise<Reply | undefined> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const reply = await fetch(url, { signal: limit });
    const date = Date.parse(reply.headers.get('date') ?? '');
    return {
      ok: reply.ok,
      status: reply.status,
      body: await boundedJson(reply),
      date: Number.isNaN(date) ? undefined : date,
    };
  } catch {
    return undefined; // unreachable, too slow, or not HTTP
  }
}

async function boundedJson(reply: Response): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of reply.body ?? []) {
    length += piece.length;
    if (length > MAX_REPLY_BYTES) return undefined;
    pieces.push(piece);
  }
  try {
    return parseJson(utf8Text(Buffer.concat(pieces)));
  } catch {
    return undefined; // text, not JSON: some health routes answer `ok`
  }
}

function parseStatus(reply: Reply | undefined): NodeStatus | undefined {
  if (reply?.ok !== true) return undefined;
  try {
    return parseNodeStatus(reply.body);
  } catch {
    return undefined; // another maker's node, or an indexer
  }
}

/** Facts told by more than this are no facts. */
const MAX_FACT_CHARACTERS = 500;

function factsOf(ready: Reply | undefined): Readonly<Record<string, string>> {
  const facts: unknown = isRecord(ready?.body) ? ready.body['facts'] : undefined;
  if (!isRecord(facts)) return {};
  const told = Object.entries(facts).map(([what, fact]): [string, string] => [
    what.slice(0, MAX_FACT_CHARACTERS),
    String(fact).slice(0, MAX_FACT_CHARACTERS),
  ]);
  return Object.fromEntries(told.slice(0, 16));
}

function reasonsOf(ready: Reply | undefined): readonly string[] {
  if (ready === undefined) return ['does not answer'];
  if (ready.ok) return [];
  const reasons: unknown = isRecord(ready.body) ? ready.body['reasons'] : undefined;
  if (Array.isArray(reasons) && reasons.length > 0) return reasons.map(String);
  return [`answers ${ready.status}`];
}
