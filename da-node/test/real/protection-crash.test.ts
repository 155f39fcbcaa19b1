import { equal, ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { leafHash, STATEMENT_KINDS, slotOf } from '@cairn/attestation';
import { equalBytes, seededRng } from '@cairn/primitives';
import { type BundledProgram, bundleProgram } from '../../../test/support/bundle-program.ts';
import { runsOf, seedOf } from '../../../test/support/soak.ts';
import { ProtectionLog } from '../../src/signer/protection-log.ts';
import { bodiesOf, ENTRANCE, headerOf } from '../signer/headers.ts';

const SEED = seedOf(52_101);
const KILLS = runsOf(100);
/** The kill comes so long after the first signature of a run. */
const LATEST_KILL_MS = 150;
const PROGRAM = fileURLToPath(new URL('sign-forever.ts', import.meta.url));

interface Line {
  readonly round: number;
  readonly chosen: readonly { readonly slot: number; readonly variant: number }[];
}

describe('a signer killed while it signs', () => {
  let folder: string;
  let program: BundledProgram;
  before(async () => {
    program = await bundleProgram(PROGRAM);
    folder = await mkdtemp(join(tmpdir(), 'cairn-protect-'));
  });
  after(async () => {
    await program?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it(`has signed no two leaves for one slot in ${KILLS} kills (seed ${SEED})`, async () => {
    const path = join(folder, 'protection.log');
    const rng = seededRng(SEED);
    const signed = new Map<number, number>();
    let round = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const lines = await signUntilKilled(
        [program.path, path, `${SEED + kill}`, `${round}`],
        rng.below(LATEST_KILL_MS),
      );
      round = (lines.at(-1)?.round ?? round) + 1;
      for (const { slot, variant } of lines.flatMap(({ chosen }) => chosen)) {
        equal(signed.get(slot) ?? variant, variant, `slot ${slot} was signed for twice`);
        signed.set(slot, variant);
      }
      await assertRemembered(path, signed);
    }
    ok(signed.size > KILLS, `only ${signed.size} slots were signed for`);
  });
});

async function signUntilKilled(args: readonly string[], afterMs: number): Promise<Line[]> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const lines: Line[] = [];
  let timer: NodeJS.Timeout | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    timer ??= setTimeout(() => child.kill('SIGKILL'), afterMs);
    if (line.endsWith('}')) lines.push(JSON.parse(line) as Line);
  }
  clearTimeout(timer);
  await gone;
  return lines;
}

/** Everything that was told is in the log, or in an epoch that the log has closed. */
async function assertRemembered(path: string, signed: ReadonlyMap<number, number>): Promise<void> {
  const publicKey = new Uint8Array(96).fill(7);
  const log = await ProtectionLog.open({ path, publicKey, mayCreate: false });
  for (const [slot, variant] of signed) {
    if (Math.floor(slot / 1000) < log.floorEpoch) continue;
    const body = bodiesOf(headerOf(slot, variant))[0] ?? new Uint8Array(0);
    const statement = { kind: STATEMENT_KINDS.batch, domain: ENTRANCE } as const;
    const leaf = log.leafOf(slotOf({ statement, body }) ?? new Uint8Array(0));
    ok(leaf !== undefined && equalBytes(leaf, leafHash(body)), `slot ${slot} is forgotten`);
  }
  await log.close();
}
