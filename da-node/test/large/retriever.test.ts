import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { loadRowSuite } from '@cairn/commitments/rows';
import {
  arcRows,
  assignRows,
  type CommittedBlob,
  commitBlob,
  encodeRow,
  headerOf,
  loadWasmCodec,
  loadWasmCombiner,
  type ProvenRow,
  type RowCodec,
  rowMessageBytes,
  rowsOf,
  verifyBadRow,
} from '@cairn/erasure-codec';
import { MIB, rootOf, silentLogger, systemClock } from '@cairn/primitives';
import { rowsPerReply } from '@cairn/wire-protocol/da';
import { ByteBudget } from '../../src/byte-budget.ts';
import type { RowPeers } from '../../src/retriever/ports.ts';
import { NullBlobError, type RetrieverDeps, readBlob } from '../../src/retriever/read-blob.ts';
import { committeeOf, NETWORK } from '../dispersal/committee.ts';
import { payloadOf } from '../dispersal/harness.ts';

const { signal } = new AbortController();
const TIMES = { startSeconds: 1, endSeconds: 61 };
const committee = committeeOf(1, [1, 1, 1, 1], TIMES);

/** What a member does instead of serving its rows. */
type Spoil = 'hang' | 'lie' | 'gone' | undefined;

const [codec, suite, combiner] = [
  await loadWasmCodec(),
  await loadRowSuite(0),
  await loadWasmCombiner(),
];

async function committed(
  payload: Uint8Array,
  encode: Pick<RowCodec, 'encode'> = codec,
): Promise<CommittedBlob> {
  return commitBlob(payload, NETWORK.layout, { codec: encode, suite, combiner, signal });
}

/** Members that serve their rows of a blob from memory. */
function peersOf(blob: CommittedBlob, spoils: readonly Spoil[] = []): RowPeers {
  const { layout, commitment } = blob;
  const members = committee.members.map(({ index, seats }) => ({ id: index, seats }));
  const { seed } = committee.snapshot.office;
  const arcs = assignRows(members, layout, { suite, commitment, seed });
  const arcAt = (socket: string) => arcs[Number(socket)];
  const hang = (options: { readonly signal: AbortSignal }): Promise<never> =>
    new Promise((_, reject) => {
      options.signal.addEventListener('abort', () => reject(options.signal.reason));
    });
  return {
    held: async (socket, _, options) => {
      const arc = arcAt(socket);
      const spoil = spoils[Number(socket)];
      if (spoil === 'hang') return hang(options);
      if (spoil === 'gone' || arc === undefined) return undefined;
      const place = { epoch: 1, quorumId: 0, expirySeconds: 100 };
      const slices = [{ ...place, firstRow: arc.start, rows: arc.count }];
      return { commitment: rootOf(commitment), sizeBytes: layout.payloadBytes, suite: 0, slices };
    },
    rows: async (socket, { indexes, form }, options) => {
      const arc = arcAt(socket);
      const spoil = spoils[Number(socket)];
      if (spoil === 'hang') return hang(options);
      if (spoil === 'gone') throw new Error('404');
      const held = arc === undefined ? [] : arcRows(arc, layout);
      const rows = await rowsOf(
        blob,
        indexes.filter((index) => held.includes(index)),
        { signal },
      );
      const fit = rows.slice(0, rowsPerReply(rowMessageBytes(layout, 'full')));
      return fit.map((row) => {
        const sent: ProvenRow =
          spoil === 'lie' ? { ...row, bytes: row.bytes.map((b) => b ^ 1) } : row;
        return form === 'full'
          ? encodeRow({ kind: 'full', header: headerOf(blob), row: sent })
          : encodeRow({ kind: 'bare', suite: 0, layout, row: sent });
      });
    },
  };
}

function readerOf(peers: RowPeers): RetrieverDeps {
  return {
    epochs: {
      committee: async (epoch) => (epoch === 1 ? committee : undefined),
      socketOf: async (signer) =>
        String(committee.members.findIndex((member) => member.signer === signer)),
    },
    peers,
    codec,
    suites: [suite],
    combiner,
    layout: NETWORK.layout,
    budget: new ByteBudget({ maxBytes: 512 * MIB, maxWaiting: 8 }),
    clock: systemClock(),
    logger: silentLogger(),
    timeoutMs: 1000,
    hedgeMs: 50,
  };
}

const wanted = ({ commitment }: CommittedBlob, epoch = 1) => ({ commitment, epoch, quorumId: 0 });

describe('retriever', () => {
  const payload = payloadOf(200_000, 3);
  let blob: CommittedBlob;

  before(async () => {
    blob = await committed(payload);
  });

  it('reads a blob of any length from all members, blaming nobody', async () => {
    for (const length of [1, 56, 57, 65_528, 200_000]) {
      const one = await committed(payloadOf(length, length));
      const read = await readBlob(wanted(one), readerOf(peersOf(one)), { signal });
      deepEqual(Buffer.from(read.payload), Buffer.from(payloadOf(length, length)));
      deepEqual(read.blamed, []);
    }
  });

  it('does not wait for a member that hangs', async () => {
    const startedMs = performance.now();
    const reader = { ...readerOf(peersOf(blob, ['hang'])), timeoutMs: 200_000 };
    const read = await readBlob(wanted(blob), reader, { signal });
    ok(Buffer.from(read.payload).equals(payload));
    ok(performance.now() - startedMs < 100_000, 'long before that one is given up');
  });

  it('blames a member that sends other rows, and reads on', async () => {
    const blamed: string[] = [];
    for (const { index, signer } of committee.members) {
      const spoils = committee.members.map((_, at) => (at === index ? 'lie' : undefined));
      const read = await readBlob(wanted(blob), readerOf(peersOf(blob, spoils)), { signal });
      ok(Buffer.from(read.payload).equals(payload));
      for (const blame of read.blamed) equal(blame.signer, signer);
      blamed.push(...read.blamed.map((blame) => blame.signer));
    }
    ok(blamed.length > 0, 'those with data rows are asked first');
  });

  it('says how many rows there are and how many are needed', async () => {
    const reader = readerOf(peersOf(blob, ['gone', 'gone', 'gone', undefined]));
    const { dataRows, rows } = blob.layout;
    const have = Math.ceil((rows - 4) / 4);
    const fault = {
      code: 'BLOB_UNAVAILABLE',
      facts: { code: 'BLOB_UNAVAILABLE', have, need: dataRows },
    };
    await rejects(readBlob(wanted(blob), reader, { signal }), fault);
  });

  it('says absent only when all members say so', async () => {
    const all = readerOf(peersOf(blob, ['gone', 'gone', 'gone', 'gone']));
    await rejects(readBlob(wanted(blob), all, { signal }), { code: 'BLOB_ABSENT' });
    const some = readerOf(peersOf(blob, ['gone', 'gone', 'gone', 'hang']));
    await rejects(readBlob(wanted(blob), some, { signal }), { code: 'BLOB_UNAVAILABLE' });
    await rejects(readBlob(wanted(blob, 2), all, { signal }), { code: 'QUORUM_UNKNOWN' });
  });

  it('says null of a blob that is no codeword, with evidence that anyone can check', async () => {
    const wrong: Pick<RowCodec, 'encode'> = {
      encode: async (data, shape, options) => {
        const parity = await codec.encode(data, shape, options);
        return parity.map((byte) => byte ^ 1);
      },
    };
    const bad = await committed(payload, wrong);
    // Only parity is wrong, so a reader has to be sent some.
    const reader = readerOf(peersOf(bad, ['gone', undefined, undefined, undefined]));
    const error: unknown = await readBlob(wanted(bad), reader, { signal }).catch((e: unknown) => e);
    ok(error instanceof NullBlobError, String(error));
    equal(error.code, 'BLOB_NULL');
    const [evidence] = error.evidence;
    ok(evidence !== undefined);
    verifyBadRow(evidence, bad.commitment, { suite, combiner });
  });
});
