import {
  encodeEpochHeader,
  encodeMember,
  encodeSnapshot,
  parseCertificate,
  parseEpochHeader,
  parseSnapshot,
} from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import { openOrdering } from '@cairn/chain-access/shards';
import {
  type CertifiedBlob,
  createLightClient,
  type EpochTrust,
  type LightClient,
  startTrust,
  verifyBlobCertificate,
} from '@cairn/light-client';
import {
  type Address,
  type ChainId,
  type Clock,
  chainIdOf,
  fromHex,
  type HttpTransport,
  isRecord,
  parseAddress,
  parseJson,
  toHex,
  utf8Text,
} from '@cairn/primitives';
import type { DaChain } from './da-chain.ts';
import { CliError } from './errors.ts';
import { readBounded } from './local-files.ts';

/** What verifying the certificates of one epoch takes, as bytes that are checked when they are used. */
export interface KnownEpoch {
  readonly hubChainId: ChainId;
  readonly hub: Address;
  readonly chainId: ChainId;
  readonly entrance: Address;
  readonly shardId: number;
  readonly cosets: number;
  readonly minLog2K: number;
  readonly graceSeconds: number;
  /**
   * Seconds after an epoch's end for which its committee's word about later epochs counts: less than its stake stays
   * locked. Files of before have none, and no epoch follows from them.
   */
  readonly trustingSeconds?: number;
  /** What orders checkpoints on the hub, where the network has shards: for proofs of a file's place. */
  readonly ordering?: KnownOrdering;
  /** The epoch's header. */
  readonly header: Uint8Array;
  /** The committee, then the quorums unless it is the only one. */
  readonly groups: readonly KnownGroup[];
  /** Where members said they are reached: nothing that is believed, rows prove themselves. */
  readonly sockets: ReadonlyMap<Address, string>;
}

/** What a committee states checkpoints to. */
export interface KnownOrdering {
  readonly address: Address;
  /** Seconds after an epoch's end in which its committee's checkpoints count by themselves. */
  readonly graceSeconds: number;
}

/** A group in office: 256 bytes, and 124 for each member. */
export interface KnownGroup {
  readonly snapshot: Uint8Array;
  readonly members: readonly Uint8Array[];
}

/** An epoch in office or before, from the chain. @throws {DaError} DA_EPOCH_UNKNOWN, …; what the chain throws */
export async function readKnownEpoch(
  { entrance, epochs, hub, light }: DaChain,
  epoch: number,
  options: { readonly signal: AbortSignal },
): Promise<KnownEpoch> {
  const first = await epochs.committee({ epoch, quorumId: 0 }, options);
  const { office } = first.snapshot;
  const groups: KnownGroup[] = [];
  for (let quorumId = 0; quorumId < office.snapshotHashes.length; quorumId += 1) {
    const { snapshot, members } = await epochs.committee({ epoch, quorumId }, options);
    groups.push({ snapshot: encodeSnapshot(snapshot), members: members.map(encodeMember) });
  }
  const sockets = await light.sockets(options);
  const ordering = await openOrdering(hub, options);
  const own = first.members.flatMap(({ signer }): [Address, string][] => {
    const socket = sockets.get(signer);
    return socket === undefined ? [] : [[signer, socket]];
  });
  const { shardId, cosets, minLog2K, graceSeconds } = entrance.settings;
  return {
    hubChainId: hub.network.hubChainId,
    hub: hub.network.hub,
    chainId: entrance.domain.chainId,
    entrance: entrance.domain.address,
    ...{ shardId, cosets, minLog2K, graceSeconds },
    trustingSeconds: await light.trustingSeconds(options),
    ...(ordering === undefined
      ? {}
      : { ordering: { address: ordering.domain.address, graceSeconds: ordering.graceSeconds } }),
    header: encodeEpochHeader(office),
    groups,
    sockets: new Map(own),
  };
}

/** An epoch file of the largest quorums is half as long. */
export const MAX_EPOCH_FILE_BYTES: number = 64 * 2 ** 20;

/** The epoch that `cairn da quorum --out` wrote to a file. @throws {CliError} CLI_EPOCH_FILE */
export async function readEpochFile(path: string): Promise<KnownEpoch> {
  return parseKnownEpoch(utf8Text(await readBounded(path, MAX_EPOCH_FILE_BYTES)), path);
}

/** Belief in this epoch and in nothing else. @throws {TrustError}; {QuorumError}; {MessageError} */
export function trustOf({ hubChainId, hub, header, groups }: KnownEpoch): EpochTrust {
  const [committee] = groups;
  if (committee === undefined) throw new RangeError('an epoch without a committee');
  return startTrust({
    network: { hubChainId, hub },
    header: parseEpochHeader(header),
    snapshot: parseSnapshot(committee.snapshot, blstBackend()),
  });
}

/** A light client that knows this epoch alone, to sample its blobs. @throws as `verifyWith` */
export async function lightClientOf(
  known: KnownEpoch,
  transport: Pick<HttpTransport, 'send'>,
): Promise<LightClient> {
  const { cosets, minLog2K, graceSeconds } = known;
  return createLightClient({
    // No epoch is followed, so that none can be trusted for too long.
    params: { cosets, minDataRows: 2 ** minLog2K, graceSeconds, trustingSeconds: 0 },
    entrance: { chainId: known.chainId, address: known.entrance },
    shardId: known.shardId,
    trust: trustOf(known),
    transport,
  });
}

/** Where a certificate says that its blob is; nothing is proven yet. */
export interface CertificatePlace {
  readonly epoch: number;
  readonly quorumId: number;
  readonly leafIndex: number;
}

/** What a certificate says of itself. @throws {MessageError}; {BlsError} */
export function placeOf(certificate: Uint8Array): CertificatePlace {
  const { epoch, quorumId, leafIndex } = parseCertificate(certificate, blstBackend());
  return { epoch, quorumId, leafIndex };
}

/**
 * Checks a certificate against a known epoch and, unless told that it came in time, against this
 * machine's clock.
 *
 * @throws {CliError} CLI_EPOCH_FILE for a quorum that the epoch has not; what `verifyBlobCertificate`
 *   of `@cairn/light-client` throws
 */
export function verifyWith(
  certificate: Uint8Array,
  known: KnownEpoch,
  {
    clock,
    isConfirmed = false,
  }: { readonly clock: Pick<Clock, 'now'>; readonly isConfirmed?: boolean },
): CertifiedBlob {
  const { quorumId } = placeOf(certificate);
  const group = known.groups[quorumId];
  if (group === undefined) {
    throw new CliError(
      { code: 'CLI_EPOCH_FILE', path: '', problem: 'quorum' },
      `the epoch has no quorum ${quorumId}, which the certificate names`,
    );
  }
  const { cosets, minLog2K, shardId, graceSeconds } = known;
  const context = {
    entrance: { chainId: known.chainId, address: known.entrance },
    shardId,
    layout: { cosets, minLog2K },
    time: isConfirmed
      ? ({ isConfirmed } as const)
      : { trustedTimeSeconds: Math.floor(clock.now() / 1000), graceSeconds },
  };
  return verifyBlobCertificate({ certificate, ...group }, trustOf(known), context, blstBackend());
}

/** A known epoch as the JSON text of a file. */
export function formatKnownEpoch(known: KnownEpoch): string {
  const { header, groups, sockets, ...place } = known;
  const file = {
    version: 1,
    ...place,
    header: toHex(header),
    groups: groups.map(({ snapshot, members }) => ({
      snapshot: toHex(snapshot),
      members: members.map((member) => toHex(member)),
    })),
    sockets: Object.fromEntries(sockets),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** @throws {CliError} CLI_EPOCH_FILE */
export function parseKnownEpoch(text: string, path: string): KnownEpoch {
  try {
    const file = recordOf(parseJson(text), 'file');
    if (file['version'] !== 1) throw new RangeError('its version is not 1');
    return {
      hubChainId: chainIdOf(naturalOf(file, 'hubChainId')),
      hub: parseAddress(textOf(file, 'hub')),
      chainId: chainIdOf(naturalOf(file, 'chainId')),
      entrance: parseAddress(textOf(file, 'entrance')),
      shardId: naturalOf(file, 'shardId'),
      cosets: naturalOf(file, 'cosets'),
      minLog2K: naturalOf(file, 'minLog2K'),
      graceSeconds: naturalOf(file, 'graceSeconds'),
      ...(file['trustingSeconds'] === undefined
        ? {}
        : { trustingSeconds: naturalOf(file, 'trustingSeconds') }),
      ...orderingOf(file['ordering']),
      header: bytesOf(file['header'], 'header'),
      groups: listOf(file, 'groups').map((value) => {
        const group = recordOf(value, 'groups');
        return {
          snapshot: bytesOf(group['snapshot'], 'snapshot'),
          members: listOf(group, 'members').map((member) => bytesOf(member, 'members')),
        };
      }),
      sockets: new Map(
        Object.entries(recordOf(file['sockets'] ?? {}, 'sockets')).map(([signer, url]) => [
          parseAddress(signer),
          textOf({ url }, 'url'),
        ]),
      ),
    };
  } catch (error) {
    const problem = error instanceof Error ? error.message : 'unreadable';
    throw new CliError(
      { code: 'CLI_EPOCH_FILE', path, problem },
      `${path} is not an epoch file: ${problem}`,
      { cause: error },
    );
  }
}

function orderingOf(value: unknown): Pick<KnownEpoch, 'ordering'> {
  if (value === undefined) return {};
  const fields = recordOf(value, 'ordering');
  const graceSeconds = naturalOf(fields, 'graceSeconds');
  return { ordering: { address: parseAddress(textOf(fields, 'address')), graceSeconds } };
}

type Fields = Readonly<Record<string, unknown>>;

function recordOf(value: unknown, field: string): Fields {
  if (isRecord(value)) return value;
  throw new RangeError(`${field} is not an object`);
}

function listOf(fields: Fields, field: string): readonly unknown[] {
  const value = fields[field];
  if (Array.isArray(value)) return value;
  throw new RangeError(`${field} is not a list`);
}

function naturalOf(fields: Fields, field: string): number {
  const value = fields[field];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`${field} is not a whole number`);
}

function textOf(fields: Fields, field: string): string {
  const value = fields[field];
  if (typeof value === 'string') return value;
  throw new RangeError(`${field} is not a text`);
}

function bytesOf(value: unknown, field: string): Uint8Array {
  if (typeof value === 'string') return fromHex(value);
  throw new RangeError(`${field} is not hex`);
}
