import { segmentsOf } from '@cairn/commitments';
import type { LogEntry } from '@cairn/log-layer';
import { P2pRefusal } from '@cairn/node-runtime/p2p';
import { concatBytes, type PeerNetwork } from '@cairn/primitives';
import { encodeSegmentMessage } from '@cairn/wire-protocol';
import { type PeerLog, parseSegmentQuestion, SEGMENTS_PROTOCOL } from '@cairn/wire-protocol/peers';
import type { EntryFinder } from '../entry-finder.ts';
import type { SegmentReader } from '../journeys/serve-segment.ts';

/** What answering peers reads from. */
export interface ServeSegmentsDeps {
  readonly network: Pick<PeerNetwork, 'handle'>;
  readonly finder: Pick<EntryFinder, 'bySequence'>;
  readonly reader: Pick<SegmentReader, 'read'>;
  readonly log: PeerLog;
}

/** What one peer may have: 128 MiB at once, then 64 MiB a second. */
const QUOTA = { burstItems: 512, itemsPerSecond: 256 };

/** Answers peers that ask for segments over libp2p: those of the asked that are held, with proofs. */
export function serveSegments({ network, finder, reader, log }: ServeSegmentsDeps): Promise<void> {
  return network.handle(
    SEGMENTS_PROTOCOL,
    { quota: QUOTA, itemsOf: (request) => requireQuestion(request).indexes.length },
    async (request, { signal }) => {
      const question = requireQuestion(request);
      if (question.chainId !== log.chainId || question.flow !== log.flow) {
        throw new P2pRefusal('WRONG_LOG', `chain ${log.chainId}, ${log.flow} is kept here`);
      }
      const known = await finder.bySequence(question.sequence);
      if (known === undefined || known.entry.root !== question.root) {
        throw new P2pRefusal('ENTRY_UNKNOWN', `log entry ${question.sequence} is not known here`);
      }
      const messages: Uint8Array[] = [];
      for (const index of question.indexes) {
        const message = await read(known.entry, index, signal);
        if (message !== undefined) messages.push(message);
      }
      if (messages.length === 0) {
        throw new P2pRefusal('SEGMENT_NOT_HELD', 'none of these segments is held here');
      }
      return concatBytes(...messages);
    },
  );

  async function read(
    entry: LogEntry,
    index: number,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    if (index >= segmentsOf(entry.sizeBytes)) return undefined;
    const segment = await reader.read(entry, index, { signal });
    if (segment === undefined) return undefined;
    return encodeSegmentMessage({ chainId: log.chainId, sequence: entry.sequence, segment });
  }
}

/** @throws {P2pRefusal} WIRE_REQUEST */
function requireQuestion(bytes: Uint8Array): ReturnType<typeof parseSegmentQuestion> {
  try {
    return parseSegmentQuestion(bytes);
  } catch (cause) {
    throw new P2pRefusal('WIRE_REQUEST', 'this is no question for segments', { cause });
  }
}
