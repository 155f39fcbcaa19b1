import {
  type Checkpoint,
  type OrderState,
  parseCertificate,
  parseCheckpoint,
  type VerifiedFileContent,
  verifyFileContent,
  verifyOrderedCheckpoint,
} from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import {
  DEFAULT_MAX_DRIFT_SECONDS,
  type EpochTrust,
  type HandoverOffer,
  ShardClient,
} from '@cairn/light-client';
import {
  type Clock,
  describeError,
  fromHex,
  isFault,
  isHexOf,
  isRecord,
  parseJson,
  utf8Text,
} from '@cairn/primitives';
import type { FilePlaceProof } from '@cairn/wire-protocol';
import { CliError } from './errors.ts';
import { type KnownEpoch, MAX_EPOCH_FILE_BYTES, parseKnownEpoch, trustOf } from './known-epoch.ts';
import { readBounded } from './local-files.ts';

/** What somebody trusts who verifies without a network. */
export type PlaceTrust =
  /** An epoch: its header's root of the order, and its committee's signatures in time. */
  | { readonly kind: 'epoch'; readonly epoch: KnownEpoch }
  /** A checkpoint of the hub: the root of the order in it. */
  | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint };

/** By which clock, and by whose word epochs follow. */
export interface VerifyPlaceOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** What leads on from the trusted epoch, oldest first; none unless told. Those to epochs before are passed by. */
  readonly handovers?: readonly HandoverOffer[];
}

/** A file's place, proven, and the order in which it is shown. */
export interface VerifiedPlace {
  readonly file: VerifiedFileContent;
  /** Checkpoints in the order whose root was known. */
  readonly orderCount: number;
}

/**
 * What a file says to trust: an epoch, of `cairn da quorum --out`; or any JSON object with the bytes
 * of a checkpoint of the hub as `checkpoint`, of `cairn chain checkpoints --shard 0 --json`.
 *
 * @throws {CliError} CLI_EPOCH_FILE; what the disk throws
 */
export async function readPlaceTrust(path: string): Promise<PlaceTrust> {
  const text = utf8Text(await readBounded(path, MAX_EPOCH_FILE_BYTES));
  const body = checkpointIn(text);
  if (body === undefined) return { kind: 'epoch', epoch: parseKnownEpoch(text, path) };
  const checkpoint = parseCheckpoint(body);
  const { shardId, logCount } = checkpoint;
  if (shardId === 0 && logCount > 0) return { kind: 'checkpoint', checkpoint };
  const problem = `its checkpoint of shard ${shardId} tells no root of the order`;
  throw new CliError({ code: 'CLI_EPOCH_FILE', path, problem }, `${path}: ${problem}`);
}

/**
 * Proves a file's place by what is trusted, asking nobody. A certificate of a committee counts until
 * shortly after its epoch, by this machine's clock; the root of the order in a trusted header or
 * checkpoint counts for ever. With handovers the epochs that follow count too, each on the word of the one
 * before: as long as each committee that gave its word is over for less than the trusting period.
 *
 * @throws {TrustError} TRUST_EXPIRED, TRUST_IN_FUTURE, TRUST_CONFLICT, and what else `followHandover` throws;
 *   {CliError} CLI_EPOCH_FILE for handovers from a file without a trusting period, CLI_PLACE_UNTRUSTED where nothing trusted tells a root under which the place is
 *   shown; what `ShardClient` throws for a certificate of the trusted epoch that is none, and
 *   `verifyOrderedCheckpoint` and `verifyFileContent`
 */
export function verifyPlace(
  proof: FilePlaceProof,
  trust: PlaceTrust,
  { clock, handovers = [] }: VerifyPlaceOptions,
): VerifiedPlace {
  const { orders, refusals } =
    trust.kind === 'epoch'
      ? ordersOf(proof, trust.epoch, { clock, handovers })
      : { orders: [orderIn(trust.checkpoint)], refusals: [] };
  const { checkpoint: body, globalIndex, record, recordPath } = proof;
  for (const { count, path } of proof.places) {
    const order = orders.find((each) => each.count === count);
    if (order === undefined) continue;
    const checkpoint = verifyOrderedCheckpoint({ body, globalIndex, path }, order);
    const file = verifyFileContent({ record, path: recordPath }, checkpoint);
    return { file, orderCount: count };
  }
  const known = orders.map(({ count }) => count).join(', ') || 'none';
  const shown = proof.places.map(({ count }) => count).join(', ');
  const reasons = [
    `it is shown in the order of ${shown} checkpoints, and what is trusted tells the root over ${known}`,
    ...refusals,
  ];
  throw new CliError(
    { code: 'CLI_PLACE_UNTRUSTED', globalIndex, reasons },
    `the place of checkpoint ${globalIndex} does not follow from what is trusted: ${reasons.join('; ')}`,
  );
}

/**
 * Roots of the order that the headers of an epoch and of those that follow tell, and the certificates that their
 * committees signed in time.
 */
function ordersOf(
  { certificates }: FilePlaceProof,
  known: KnownEpoch,
  { clock, handovers = [] }: VerifyPlaceOptions,
): { readonly orders: readonly OrderState[]; readonly refusals: readonly string[] } {
  const trust = trustOf(known);
  const backend = blstBackend();
  const { ordering } = known;
  const { hubChainId: chainId } = known;
  const refusals: string[] = [];
  const client = new ShardClient(
    { clock, backend },
    {
      // An epoch file without it trusts the header alone: no certificate is looked at.
      orderingHub: { chainId, address: ordering?.address ?? known.hub },
      graceSeconds: ordering?.graceSeconds ?? 0,
      ...followingRules(known, handovers.length > 0),
    },
    trust,
  );
  const counts = new Set<number>(trust.epochs.map(({ committee }) => committee.office.orderCount));
  for (const offer of handovers) {
    if (parseCertificate(offer.certificate, backend).epoch < firstEpochOf(trust)) continue;
    for (const { committee } of client.acceptEpoch(offer).epochs) {
      counts.add(committee.office.orderCount);
    }
  }
  for (const certificate of ordering === undefined ? [] : certificates) {
    const { epoch } = parseCertificate(certificate, backend);
    try {
      const { checkpoint } = client.acceptCheckpoint({ certificate });
      if (checkpoint.shardId === 0) counts.add(checkpoint.logCount);
      else refusals.push(notOfTheOrder(checkpoint, epoch));
    } catch (error) {
      const isOther =
        isFault(error, 'TRUST_EPOCH_UNKNOWN') || isFault(error, 'CERTIFICATE_TOO_OLD');
      if (!isOther) throw error;
      refusals.push(describeError(error));
    }
  }
  const orders = [...counts].flatMap((count) => client.order(count) ?? []);
  return { orders, refusals };
}

/** @throws {CliError} CLI_EPOCH_FILE for an epoch from which others cannot follow */
function followingRules(
  { trustingSeconds }: KnownEpoch,
  isFollowing: boolean,
): { readonly trustingSeconds: number; readonly maxDriftSeconds: number } {
  // The file is what somebody decided to trust, and no other epoch follows from it. What its committee
  // signed counts no longer than `graceSeconds` after its end all the same.
  if (!isFollowing) return { trustingSeconds: Number.MAX_SAFE_INTEGER, maxDriftSeconds: 0 };
  if (trustingSeconds !== undefined) {
    return { trustingSeconds, maxDriftSeconds: DEFAULT_MAX_DRIFT_SECONDS };
  }
  const problem = 'it does not say for how long its committee is believed about later epochs';
  throw new CliError(
    { code: 'CLI_EPOCH_FILE', path: '', problem },
    `no epoch follows from that of the file: ${problem}; write it anew with \`cairn da quorum --out\``,
  );
}

function firstEpochOf({ epochs }: EpochTrust): number {
  return epochs[0]?.committee.office.epoch ?? 0;
}

/** What a checkpoint that was signed and tells no root leaves open. */
function notOfTheOrder({ shardId, number }: Checkpoint, epoch: number): string {
  return `epoch ${epoch} signed checkpoint ${number} of shard ${shardId}, which tells no place`;
}

function orderIn({ logRoot: root, logCount: count }: Checkpoint): OrderState {
  return { root, count };
}

function checkpointIn(text: string): Uint8Array | undefined {
  try {
    const value = parseJson(text);
    const body = isRecord(value) ? value['checkpoint'] : undefined;
    return typeof body === 'string' && isHexOf(body, (body.length - 2) / 2)
      ? fromHex(body)
      : undefined;
  } catch {
    return undefined; // read as an epoch file, it says why
  }
}
