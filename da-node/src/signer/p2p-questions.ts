import { type P2pHost, P2pRefusal } from '@cairn/node-runtime/p2p';
import { stringifyJson, utf8Bytes } from '@cairn/primitives';
import { problemOf } from '@cairn/wire-protocol';
import {
  encodeRowReply,
  HELD_QUESTION,
  heldBlobJson,
  parseHeldRequest,
  parseRowRequest,
  ROWS_QUESTION,
} from '@cairn/wire-protocol/da';
import type { SignerMetrics } from './metrics.ts';
import { describeHeld, serveRows } from './serve-rows.ts';
import type { SliceStore } from './slice-store.ts';

/** What answering stands on. */
export interface QuestionDeps {
  readonly store: Pick<SliceStore, 'ofCommitment' | 'read'>;
  readonly metrics: Pick<SignerMetrics, 'servedRows'>;
}

/** Rows that one peer may ask for: those of the largest blob at once, and 4,096 more each second. */
const ROWS_QUOTA = { burstItems: 65_536, itemsPerSecond: 4096 };
/** Times that one peer may ask what is held of a blob. */
const HELD_QUOTA = { burstItems: 512, itemsPerSecond: 64 };

/**
 * Answers over libp2p what `GET /v1/da/blobs/{commitment}` and `…/rows` answer over HTTP, from the
 * same slices and with the same refusals. The host bounds how many replies of 1 MiB are under way.
 *
 * @throws {P2pError} P2P_SETTING if the host answers them already
 */
export async function answerQuestions(
  host: Pick<P2pHost, 'handle'>,
  { store, metrics }: QuestionDeps,
): Promise<void> {
  const rows = {
    quota: ROWS_QUOTA,
    itemsOf: (request: Uint8Array) => told(() => parseRowRequest(request).indexes.length),
  };
  await host.handle(ROWS_QUESTION, rows, (request) =>
    toldLater(async () => {
      const { commitment, ...query } = parseRowRequest(request);
      const messages = await serveRows(commitment, query, { store });
      metrics.servedRows.add(messages.length);
      return encodeRowReply(messages);
    }),
  );
  await host.handle(HELD_QUESTION, { quota: HELD_QUOTA }, (request) =>
    toldLater(async () => {
      const held = describeHeld(parseHeldRequest(request), { store });
      return utf8Bytes(stringifyJson(heldBlobJson(held)));
    }),
  );
}

/** Tells a fault as an HTTP door does: those that name paths of this machine keep it to themselves. */
function refusalOf(error: unknown): Error {
  const { code, detail, status } = problemOf(error);
  const isInternal = status === 500 && error instanceof Error;
  return isInternal ? error : new P2pRefusal(code, detail, { cause: error });
}

function told<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw refusalOf(error);
  }
}

async function toldLater<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw refusalOf(error);
  }
}
