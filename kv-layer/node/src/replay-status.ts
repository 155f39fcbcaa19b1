import type { ChainLogWait } from '@cairn/chain-access';
import type { StreamId } from '@cairn/kv-layer';
import type { Json, Root, Sequence } from '@cairn/primitives';
import type { BootstrapStatus } from './bootstrap/begin-with-snapshot.ts';
import type { ReplayWait } from './replay/replayer.ts';

/** How far a node is, and what keeps it from going on. */
export interface ReplayStatus {
  /** Newest block of the chain that was seen. */
  readonly head: number | undefined;
  /** Newest block whose entries are known. */
  readonly block: number | undefined;
  /** Entries of the log. */
  readonly logNext: Sequence;
  /** The entry that is replayed next: what `kv_getReplayProgress` says. */
  readonly nextSequence: Sequence;
  readonly firstSequence: Sequence;
  readonly streams: readonly StreamId[];
  readonly holes: number;
  readonly wait: (ReplayWait & { readonly waitedMs: number }) | undefined;
  /** What keeps the log from growing: a chain that does not answer, or not what it should. */
  readonly logWait: (ChainLogWait & { readonly waitedMs: number }) | undefined;
  /** What was found damaged at the start and is replayed anew. */
  readonly rebuilt: string | undefined;
  /** A disk that is full or fails. */
  readonly diskReason: string | undefined;
  /** Beginning with a snapshot; `undefined` where none is configured. */
  readonly bootstrap: BootstrapStatus | undefined;
  /** Parts of the snapshot that were not read yet. */
  readonly unread: number;
  readonly pending:
    | {
        readonly streams: readonly StreamId[];
        readonly nextSequence: Sequence;
        readonly wait: (ReplayWait & { readonly waitedMs: number }) | undefined;
      }
    | undefined;
}

/** The wait that keeps the node from going on: replay's, or that for more of the log. */
export interface StatusWait {
  readonly sequence: Sequence;
  readonly kind: ReplayWait['kind'] | 'log';
  readonly waitedMs: number;
  readonly tries: number;
  readonly reason: string | undefined;
  /** Of the entry's file, where the entry is known. */
  readonly root?: Root;
  readonly sizeBytes?: number;
  /** What is waited for, for how long, and what would unblock it. */
  readonly sentence: string;
}

/** What a node waits for; `undefined` if nothing keeps it. */
export function waitOf({ wait, logWait, logNext }: ReplayStatus): StatusWait | undefined {
  if (wait !== undefined) return { ...wait, sentence: describeWait(wait) };
  if (logWait === undefined) return undefined;
  const { block, waitedMs, tries, reason } = logWait;
  const sentence =
    `the log waits for entry ${logNext}, in block ${block} or later, ${timeOf(logWait)}; the last one: ` +
    `${reason}; it goes on once the endpoint of the chain answers with every log from that block on`;
  return { sequence: logNext, kind: 'log', waitedMs, tries, reason, sentence };
}

function timeOf({
  waitedMs,
  tries,
}: {
  readonly waitedMs: number;
  readonly tries: number;
}): string {
  return `for ${(waitedMs / 1000).toFixed(1)} s, ${tries} tries`;
}

/** What is waited for, for how long, and what would unblock it, in one sentence. */
export function describeWait({
  sequence,
  kind,
  root,
  sizeBytes,
  waitedMs,
  reason,
  tries,
}: ReplayWait & { readonly waitedMs: number }): string {
  const time = timeOf({ waitedMs, tries });
  if (kind === 'streams') {
    return `entry ${sequence} names streams that are being added: it is replayed with them, or passed over in a few seconds`;
  }
  const last = reason === undefined ? '' : `; the last one: ${reason}`;
  return kind === 'file'
    ? `replay waits for the file of entry ${sequence} (${root}, ${sizeBytes} bytes) ${time}${last}; ` +
        'it goes on once any of the storage nodes serves it'
    : `replay waits for the chain to tell the block and sender of entry ${sequence} ${time}${last}; ` +
        'it goes on once the endpoint answers';
}

/** The status as JSON. */
export function replayStatusJson(status: ReplayStatus): Json {
  const { head, block, logNext, nextSequence, firstSequence, streams, holes } = status;
  const { rebuilt, diskReason, bootstrap, unread, pending } = status;
  return {
    head: head ?? null,
    block: block ?? null,
    logNext,
    next: nextSequence,
    first: firstSequence,
    streams: [...streams],
    holes,
    waits: waitJson(waitOf(status)),
    rebuilt: rebuilt ?? null,
    disk: diskReason ?? null,
    bootstrap: bootstrap === undefined ? null : { ...bootstrap },
    unread,
    pending:
      pending === undefined
        ? null
        : {
            streams: [...pending.streams],
            next: pending.nextSequence,
            waits: waitJson(
              pending.wait && { ...pending.wait, sentence: describeWait(pending.wait) },
            ),
          },
  };
}

function waitJson(wait: StatusWait | undefined): Json {
  if (wait === undefined) return null;
  const { sequence, kind, root, sizeBytes, waitedMs, reason, tries, sentence } = wait;
  return {
    sequence,
    for: kind,
    root: root ?? null,
    sizeBytes: sizeBytes ?? null,
    waitedMs: Math.round(waitedMs),
    tries,
    reason: reason ?? null,
    sentence,
  };
}
