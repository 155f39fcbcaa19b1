import { STATEMENT_KINDS } from '@cairn/attestation';
import { seededRng } from '@cairn/primitives';
import { ProtectionLog } from '../../src/signer/protection-log.ts';
import { bodiesOf, ENTRANCE, headerOf } from '../signer/headers.ts';

/**
 * A process that signs until it is killed: slots of its choice, leaves by chance, and now and then it
 * forgets what is old. Each line says what was protected, as a signature that leaves would.
 */
const [path = '', seed = '0', start = '0'] = process.argv.slice(2);
const rng = seededRng(Number(seed));
const { signal } = new AbortController();
const publicKey = new Uint8Array(96).fill(7);
const log = await ProtectionLog.open({ path, publicKey, mayCreate: true });
for (let round = Number(start); ; round += 1) {
  const epoch = 1 + Math.floor(round / 40);
  const about = { kind: STATEMENT_KINDS.batch, domain: ENTRANCE, epoch, quorumId: 0 } as const;
  const slots = Array.from({ length: 1 + rng.below(30) }, () => epoch * 1000 + rng.below(200));
  const chosen = [...new Set(slots)].map((slot) => ({ slot, variant: rng.below(3) }));
  const bodies = bodiesOf(...chosen.map(({ slot, variant }) => headerOf(slot, variant)));
  try {
    await log.protect(about, bodies, { signal });
    process.stdout.write(`${JSON.stringify({ round, chosen })}\n`);
  } catch {
    process.stdout.write(`${JSON.stringify({ round, chosen: [] })}\n`);
  }
  if (round % 40 === 39) await log.forget(epoch - 1, { signal });
}
