import { createNodeTransport } from '@cairn/node-runtime/transport';
import { parseJson, type Root, type Sequence, utf8Text } from '@cairn/primitives';
import { type EntryEconomics, economicsPath, parseEntryEconomics } from '@cairn/wire-protocol';

/** A node asks its chain for this, about a day of events. */
const TIMEOUT_MS = 20_000;
const MAX_REPLY_BYTES = 65_536;

/** What a node says of a file's fees. */
export interface ToldEconomics extends EntryEconomics {
  /** The node that says so. */
  readonly url: string;
}

/** What the first node that tells says of a file's fees; `undefined` where none does. @throws the signal's reason */
export async function askEconomics(
  { root, sequence }: { readonly root: Root; readonly sequence: Sequence },
  urls: readonly string[],
  { signal }: { readonly signal: AbortSignal },
): Promise<ToldEconomics | undefined> {
  const transport = createNodeTransport();
  try {
    for (const url of urls) {
      const path = `${url}${economicsPath(root, sequence)}`;
      try {
        const request = { method: 'GET', url: path, signal, timeoutMs: TIMEOUT_MS } as const;
        const reply = await transport.send(request);
        if (reply.status === 200) {
          const text = utf8Text(await reply.bytes(MAX_REPLY_BYTES));
          return { ...parseEntryEconomics(parseJson(text)), url };
        }
        await reply.discard();
      } catch {
        signal.throwIfAborted(); // away, or another maker's node: the next may tell
      }
    }
    return undefined;
  } finally {
    await transport.close();
  }
}
