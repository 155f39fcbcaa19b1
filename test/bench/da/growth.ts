import { MIB } from '@cairn/primitives';
import { payloadOf, TestQuorum } from '../../../da-node/test/dispersal/harness.ts';
import { type Row, versusBound } from '../report.ts';

const KIB = 1024;
const MEMBERS = [4, 16, 64];
/** log2 of the least data rows of a network with quorums of up to 128. */
const MIN_LOG2_K = 8;
const SIZES = [
  ['128 KiB', 128 * KIB, 12],
  ['8 MiB', 8 * MIB, 3],
] as const;
const WARM_UP = 2;
/** Time for one member: all of them share one process here. */
const PATIENCE = { timeoutMs: 60_000, attempts: 1, delayMs: 20, laggardMs: 60_000 };

/**
 * What a put takes as the quorum grows. A machine has no room for 64 processes, so the disperser and
 * all signers are one: its time is the sum of theirs, and the wall's is theirs one after another.
 */
export async function growthRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const members of MEMBERS) {
    const quorum = await TestQuorum.open(
      Array.from({ length: members }, () => 1),
      { isCounting: false, minLog2K: MIN_LOG2_K },
    );
    const settings = { delivery: PATIENCE, votes: PATIENCE };
    const running = await quorum.disperser({ settings });
    try {
      let seed = members * 1000;
      for (const [name, sizeBytes, puts] of SIZES) {
        const cpu: number[] = [];
        const wall: number[] = [];
        for (let put = -WARM_UP; put < puts; put += 1) {
          seed += 1;
          const payload = payloadOf(sizeBytes, seed);
          const started = performance.now();
          const before = process.cpuUsage();
          const { id } = await running.put(payload);
          await running.reached(id, 'dispersed', 120_000);
          const wallMs = performance.now() - started;
          await running.reached(id, 'final', 120_000); // the slower ones' part counts too
          const { user, system } = process.cpuUsage(before);
          if (put < 0) continue;
          wall.push(wallMs);
          cpu.push((user + system) / 1000);
        }
        const what = `growth: put of ${name}, ${members} signers and the disperser in one process`;
        rows.push(versusBound(what, 'CPU-ms', cpu), versusBound(`${what}, wall`, 'ms', wall));
      }
    } finally {
      await running.stop();
      await quorum.close();
    }
  }
  return rows;
}
