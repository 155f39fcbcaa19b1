import { assignRows, layoutOf, packedSliceBytes } from '@cairn/erasure-codec';
import { MIB } from '@cairn/primitives';
import type { BlobRecord } from '../../../da-node/src/disperser/blob-record.ts';
import { payloadOf, TestQuorum } from '../../../da-node/test/dispersal/harness.ts';
import { type Row, versusBound, versusFigure } from '../report.ts';

const KIB = 1024;
const SIZES = [
  ['1 KiB', KIB],
  ['128 KiB', 128 * KIB],
  ['1 MiB', MIB],
  ['8 MiB', 8 * MIB],
  ['31 MiB', 31 * MIB],
] as const;
/** Members, and log2 of the network's least data rows: quorums of up to 32 and of up to 128. */
const QUORUMS = [
  [4, 6],
  [16, 6],
  [64, 8],
] as const;
/** At most so many times the payload, with four members. */
const GOALS: Readonly<Record<string, number>> = { '128 KiB': 5.5, '8 MiB': 4.4 };
/** 0G's disperser sends every blob as a matrix of one size; nothing of it runs here. */
const ZERO_G = { name: '0G, any blob, its constant of 106.5 MB', bytes: 106.5e6 };
/** Bytes of a random combination of one data row. */
const COMBINATION_BYTES = 32;
/** Time for one member to take its slice: all of them share one process here. */
const PATIENCE = { timeoutMs: 60_000, attempts: 1, delayMs: 20, laggardMs: 60_000 };

/** Bytes of all requests that a dispersal sends to its quorum, counted at the signers' sockets. */
export async function wireRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [members, minLog2K] of QUORUMS) {
    const seats = Array.from({ length: members }, () => 1);
    const quorum = await TestQuorum.open(seats, { minLog2K });
    const settings = { delivery: PATIENCE, votes: PATIENCE };
    const running = await quorum.disperser({ settings });
    try {
      for (const [name, sizeBytes] of SIZES) {
        const before = received(quorum);
        const { id } = await running.put(payloadOf(sizeBytes, members));
        const record = await running.reached(id, 'final', 120_000);
        const total = received(quorum) - before;
        if (record.holders.length !== members) throw new Error('a signer was left out');
        rows.push(
          ...rowsOf(
            `${name}, ${members} members, ${2 ** minLog2K} data rows at least`,
            record,
            quorum,
            total,
          ),
        );
      }
    } finally {
      await running.stop();
      await quorum.close();
    }
  }
  return rows;
}

const received = ({ signers }: TestQuorum): number =>
  signers.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);

/** What the bytes are made of: rows, their paths, the combinations, and everything else. */
function rowsOf(what: string, record: BlobRecord, quorum: TestQuorum, total: number): Row[] {
  const { order, sizeBytes, commitment } = record;
  if (order === undefined || commitment === undefined) throw new Error('there is no order');
  const layout = layoutOf(sizeBytes, quorum.network.layout);
  const { members, snapshot } = quorum.chain.committeeAt(order.epoch);
  const seated = members.map(({ index, seats }) => ({ id: index, seats }));
  const { seed } = snapshot.office;
  const arcs = assignRows(seated, layout, { suite: quorum.suite, commitment, seed });
  const unpathed = packedSliceBytes(layout, { start: 0, count: 0 });
  let [rowBytes, pathBytes] = [0, 0];
  for (const arc of arcs) {
    const own = arc.count * layout.rowBytes;
    rowBytes += own;
    pathBytes += packedSliceBytes(layout, arc) - unpathed - own;
  }
  const combinationBytes = arcs.length * layout.dataRows * COMBINATION_BYTES;
  const rest = total - rowBytes - pathBytes - combinationBytes;
  const goal = arcs.length === 4 ? GOALS[what.split(',')[0] ?? ''] : undefined;
  const times = (bytes: number): number[] => [bytes / sizeBytes];
  const part = (name: string, bytes: number): Row =>
    versusBound(`wire ${what}: ${name}`, 'x payload', times(bytes));
  return [
    versusFigure(
      `wire ${what}, ${total} bytes`,
      'x payload',
      times(total),
      ZERO_G.name,
      ZERO_G.bytes / sizeBytes,
      goal === undefined ? {} : { atMost: goal },
    ),
    part('rows', rowBytes),
    part('paths', pathBytes),
    part('combinations (y)', combinationBytes),
    part('headers, promises and votes', rest),
  ];
}
