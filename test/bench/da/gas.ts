import { fileURLToPath } from 'node:url';
import { run } from '../../support/cli.ts';
import { type Row, versusBound, versusFigure } from '../report.ts';

/** Gas that one blob may cost in all, at 64 blobs a batch and 16 signers. */
const MOST_PER_BLOB = 20_000;
/** Gas that a ticket in a batch may cost. */
const MOST_PER_TICKET = 60_000;
/** What 0G's entrance is estimated to spend on a blob's check; nothing of it runs here. */
const ZERO_G = { name: '0G, a blob’s check, estimated', gas: 1_200_000 };
/** Figures of the prototype that the protocol was designed with. */
const PROTOTYPE = 'the prototype’s figure';
const WITHIN = 1.1;
/** A seal proves its header in the same transaction, of which the prototype tells both parts. */
const HEADER_PROOF = 37_400;
/** A transaction's first call to an account, beyond those after it, which the prototype's were. */
const FIRST_CALL = 2500;

/** Calls as `DAGas.t.sol` and `StakeGas.t.sol` name them, with the prototype's gas. */
const FIGURES: Readonly<Record<string, number>> = {
  register: 310_066,
  'single ticket': 252_400,
  'per ticket, batch of 4': 109_780,
  'per ticket, batch of 32': 52_023,
  'per ticket, batch of 100': 44_140,
  'seal, one quorum, 4 members': 75_529 + HEADER_PROOF,
  'seal, one quorum, 4 members, mean of four': 75_529 + HEADER_PROOF,
  'seal, one quorum, 100 members': 83_738 + HEADER_PROOF,
  'seal, one quorum, 100 members, mean of four': 83_738 + HEADER_PROOF,
  'entropy of a block': HEADER_PROOF,
  'confirmBatch, 100 members, none absent': 247_234,
  'confirmBatch, 100 members, 1 absent': 264_309,
  'confirmBatch, 100 members, 10 absent': 321_902,
  'confirmBatch, 100 members, 33 absent': 475_041,
  'reduce, 100 members, 20 absent': 331_943,
  'confirmReduced again': 229_651,
  'submitBlobs, 1': 33_828,
  'submitBlobs, 10': 94_403,
  'submitBlobs, 100': 700_266,
  'isAvailable, batch of 1': 6740,
  'isAvailable, batch of 1, first call': 6740 + FIRST_CALL,
  'isAvailable, batch of 16': 8017,
  'isAvailable, batch of 16, first call': 8017 + FIRST_CALL,
  'isAvailable, batch of 128': 10_026,
  'isAvailable, batch of 128, first call': 10_026 + FIRST_CALL,
  'isAvailable, batch of 1024': 12_330,
  'isAvailable, batch of 1024, first call': 12_330 + FIRST_CALL,
};

/** What blobs and tickets cost on chain. Gas is the same on every machine. */
export async function gasRows(): Promise<Row[]> {
  const used = await measuredGas();
  const rows: Row[] = [];
  for (const [name, samples] of used) {
    const [, batch, members] = /blob, batch (\d+), members (\d+)$/.exec(name) ?? [];
    if (batch === undefined) continue;
    const isGoal = batch === '64' && members === '16';
    const goal = isGoal ? { atMost: MOST_PER_BLOB } : {};
    rows.push(versusFigure(`${name}, all of it`, 'gas', samples, ZERO_G.name, ZERO_G.gas, goal));
  }
  const batched = used.get('per ticket, batch of 64') ?? [];
  rows.push(versusBound('per ticket, batch of 64', 'gas', batched.slice(-1), MOST_PER_TICKET));
  for (const [name, figure] of Object.entries(FIGURES)) {
    const samples = used.get(name);
    if (samples === undefined) throw new Error(`the contracts' tests report no "${name}"`);
    // The last one is of the steady state, where all slots have been written before.
    const steady = samples.slice(-1);
    rows.push(versusFigure(name, 'gas', steady, PROTOTYPE, figure, { atMostTimes: WITHIN }));
  }
  return rows;
}

/** Reports of the contracts' gas tests by name, in their order. */
async function measuredGas(): Promise<ReadonlyMap<string, readonly number[]>> {
  const forge = fileURLToPath(new URL('../../../contracts/scripts/forge.mjs', import.meta.url));
  const args = [forge, '--match-contract', 'DAGasTest|StakeGasTest', '-vv'];
  const { status, stdout, stderr } = await run(process.execPath, args, { timeoutMs: 590_000 });
  const text = stdout.toString('utf8');
  if (status !== 0) throw new Error(`forge ended with ${status}: ${text.slice(-2000)}${stderr}`);
  const used = new Map<string, number[]>();
  for (const [, name = '', gas] of text.matchAll(/^ {2}(\S.*): (\d+)$/gm)) {
    used.set(name, [...(used.get(name) ?? []), Number(gas)]);
  }
  return used;
}
