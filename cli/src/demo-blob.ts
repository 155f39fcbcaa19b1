import type { Devnet } from '@cairn/devnet';
import type { SampleVerdict } from '@cairn/light-client';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { formatBytes, formatDuration, type Root, seededRng, systemClock } from '@cairn/primitives';
import type { Endpoints } from '@cairn/wire-protocol';
import { openDaChain, socketsOf, verifyOnChain } from './da-chain.ts';
import { DisperserClient, idOf } from './disperser-client.ts';
import { CliError } from './errors.ts';
import type { CommandContext } from './io.ts';
import { lightClientOf, placeOf, readKnownEpoch } from './known-epoch.ts';

/** Steps that the tour says. */
export const BLOB_STEPS = 2;

/** What the tour of a blob works with. */
export interface BlobTourOptions {
  readonly endpoints: Endpoints;
  /** The tour's own network, of which a signer may be killed; `undefined` for somebody's. */
  readonly own: Pick<Devnet, 'signal'> | undefined;
  readonly seed: number;
  /** Number of its first step. */
  readonly firstStep: number;
  readonly say: (text: string) => Promise<void>;
}

/** What the tour found, for `--json`. */
export interface BlobTourResult {
  readonly id: Root;
  readonly certificateBytes: number;
  readonly signedSeats: number;
  readonly totalSeats: number;
  readonly dispersedMs: number;
  readonly verdict: SampleVerdict['kind'];
  /** Signers that gave rows. */
  readonly holders: number;
}

/** Small enough to be read whole by whoever samples it. */
const BLOB_BYTES = 262_144;
/** Time for a quorum to sign; a tour may begin at the turn of an epoch. */
const DISPERSED_WITHIN_SECONDS = 60;
const VICTIM = 'signer-0';

/** Posts a blob, shows its certificate, kills a signer, and reads the blob back from the others. */
export async function blobTour(
  options: BlobTourOptions,
  { signal }: Pick<CommandContext, 'signal'>,
): Promise<BlobTourResult | undefined> {
  const { endpoints, own, seed, firstStep, say } = options;
  const hub = endpoints.chains.find(({ name }) => name === endpoints.da?.chain);
  const entrance = hub?.contracts['daEntrance'];
  const rest = endpoints.da?.rest;
  if (rest === undefined || hub === undefined || entrance === undefined) return undefined;
  const blob = seededRng(seed).fill(new Uint8Array(BLOB_BYTES));
  const disperser = new DisperserClient(rest);
  const transport = createNodeTransport();
  const chain = await openDaChain({ rpc: hub.rpc, entrance }, { signal });
  try {
    const { id, certificate, tookMs: dispersedMs } = await post(disperser, blob, signal);
    const known = await readKnownEpoch(chain, placeOf(certificate).epoch, { signal });
    const client = await lightClientOf(known, transport);
    const certified = await verifyOnChain(certificate, known, chain, { signal });
    const { signedWeight, totalWeight, statement } = certified.certificate;
    const took = formatDuration(dispersedMs);
    await say(
      `${firstStep}. Posted a blob of ${formatBytes(blob.length)}; its quorum signed in ${took}:`,
    );
    await say(`     id           ${id}`);
    await say(
      `     certificate  ${certificate.length} bytes, verified against epoch ${statement.epoch}:`,
    );
    await say(
      `                  signers with ${signedWeight} of ${totalWeight} seats hold its rows`,
    );

    if (own !== undefined) {
      own.signal(VICTIM, 'SIGKILL');
      await say(
        `${firstStep + 1}. Killed ${VICTIM}, and read the blob from the signers that are left:`,
      );
    } else {
      await say(`${firstStep + 1}. Read the blob from its signers:`);
    }
    const sockets = await socketsOf(chain, signal);
    const verdict = await client.sample(certified, sockets, { signal });
    requireBlob(verdict, id);
    const { answered, holders } = verdict.report;
    await say(
      `     ${verdict.kind}: ${answered} rows from ${holders} signers, each proven, give it back`,
    );
    await say(`     SHA-256 ${id} on both sides`);
    return {
      id,
      certificateBytes: certificate.length,
      signedSeats: Number(signedWeight),
      totalSeats: Number(totalWeight),
      dispersedMs: Math.round(dispersedMs),
      verdict: verdict.kind,
      holders,
    };
  } finally {
    await chain.close();
    await transport.close();
    await disperser.close();
  }
}

async function post(
  disperser: DisperserClient,
  blob: Uint8Array,
  signal: AbortSignal,
): Promise<{ readonly id: Root; readonly certificate: Uint8Array; readonly tookMs: number }> {
  const clock = systemClock();
  const postedAt = clock.monotonic();
  const { id } = await disperser.post(blob, { signal });
  const wait = { stage: 'dispersed', timeoutSeconds: DISPERSED_WITHIN_SECONDS } as const;
  await disperser.receipt(id, { signal, wait });
  const tookMs = clock.monotonic() - postedAt;
  return { id, certificate: await disperser.certificate(id, { signal }), tookMs };
}

/** @throws {CliError} CLI_MISMATCH unless the very blob came back */
function requireBlob(verdict: SampleVerdict, id: Root): void {
  const isRead = verdict.kind === 'available' && verdict.confidence.kind === 'read';
  const value = isRead ? verdict.confidence.value : undefined;
  const actual = value?.kind === 'payload' ? idOf(value.payload) : verdict.kind;
  if (actual === id) return;
  throw new CliError(
    { code: 'CLI_MISMATCH', expected: id, actual },
    `what the signers gave is not the blob: ${actual}, not ${id}`,
  );
}
