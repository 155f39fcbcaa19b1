import type { KvChange, KvEvent } from '@cairn/client-sdk';
import type { Json } from '@cairn/primitives';
import { readStreams, type StreamOptions } from '../connect-streams.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { base64, shown } from '../key-text.ts';
import { writeJson, writeLine } from '../output.ts';

/** What `cairn kv watch` takes. */
export interface KvWatchCommandOptions extends StreamOptions {
  readonly prefix?: string;
  readonly after?: string;
  readonly values?: boolean;
  readonly limit?: number;
}

/**
 * Tells the changes of a stream as they are decided, until it is interrupted or has told `limit` of
 * them. For people a line is the log entry, `put` or `delete`, the key, and the value if it was asked
 * for; with `--json` a line is an event, and its `position` is for `--after`.
 */
export async function kvWatch(
  stream: string,
  options: KvWatchCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const { prefix, after, values, limit = Number.POSITIVE_INFINITY, json = false } = options;
  const watch = {
    signal,
    ...(prefix === undefined ? {} : { prefix }),
    ...(after === undefined ? {} : { after }),
    ...(values === undefined ? {} : { values }),
  };
  let told = 0;
  await readStreams(options, context, async (client) => {
    for await (const event of client.kv.stream(stream).watch(watch)) {
      if (json) await writeJson(io, eventJson(event, values === true));
      else for (const line of linesOf(event)) await writeLine(io, line);
      if (event.kind === 'change') told += 1;
      if (told >= limit) return;
    }
  });
  return EXIT.ok;
}

function eventJson(event: KvEvent, withValues: boolean): Json {
  if (event.kind !== 'change') return { ...event };
  const keys = event.keys.map(({ key, version, size, value }) => ({
    key: base64(key),
    version,
    size,
    ...(withValues && value !== undefined ? { value: base64(value) } : {}),
  }));
  return { ...event, keys };
}

function linesOf(event: KvEvent): readonly string[] {
  const { sequence } = event;
  switch (event.kind) {
    case 'change':
      return event.keys.map((change) => `${sequence}\t${textOf(change)}`);
    case 'revert':
      return [`${sequence}\ttaken back: what came after this entry`];
    case 'reset':
      return [`${sequence}\tanother history: read anew`];
    case 'progress':
      return [];
  }
}

function textOf({ key, size, value }: KvChange): string {
  if (size === 0) return `delete\t${shown(key)}`;
  return `put\t${shown(key)}${value === undefined ? '' : `\t${shown(value)}`}`;
}
