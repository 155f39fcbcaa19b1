import { resolve } from 'node:path';
import type { SampleVerdict } from '@cairn/light-client';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import {
  formatBytes,
  isFault,
  parseRoot,
  type Root,
  rootOf,
  TransportError,
} from '@cairn/primitives';
import { findDisperser } from '../da-options.ts';
import { DisperserClient, idOf } from '../disperser-client.ts';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeLocalFile } from '../local-files.ts';
import { writeJson } from '../output.ts';
import { type BlobOptions, onItsShard, reachBlob } from '../reach-blob.ts';

/** What `cairn da get` takes. */
export interface DaGetOptions extends BlobOptions {
  readonly output?: string;
  readonly force?: boolean;
  readonly from?: 'disperser' | 'signers';
  readonly json?: boolean;
}

/** A blob's bytes, and who gave them. */
interface Brought {
  readonly id: Root;
  readonly payload: Uint8Array;
  readonly from: 'disperser' | 'signers';
}

/**
 * Brings a blob's bytes, checked against its id or its certificate, to a file or to standard output:
 * from the disperser, or from the signers where it is gone or does not know the blob.
 */
export async function daGet(
  idText: string | undefined,
  options: DaGetOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const id = idText === undefined ? undefined : parseRoot(idText);
  const output = options.output ?? (io.isOutTerminal ? undefined : '-');
  if (output === undefined) {
    throw usageError('output', 'say where to write it: -o FILE, or -o - for this terminal');
  }
  if (output === '-' && options.json === true) {
    throw usageError('output', '--json and the blob cannot both go to stdout; give -o FILE');
  }
  const placed = await onItsShard(id, options, context);
  const brought = await bring(id, placed, context);
  const { payload, from } = brought;
  if (output === '-') {
    await io.writeOut(payload);
    return EXIT.ok;
  }
  const path = resolve(io.cwd, output);
  await writeLocalFile(path, payload, { overwrite: options.force === true, signal });
  const sizeBytes = payload.length;
  if (options.json === true) await writeJson(io, { id: brought.id, path, sizeBytes, from });
  else io.writeErr(`${formatBytes(sizeBytes)} from the ${from} to ${output}, as the id says\n`);
  return EXIT.ok;
}

async function bring(
  id: Root | undefined,
  options: DaGetOptions,
  context: CommandContext,
): Promise<Brought> {
  const { certificate, epochFile, trustedBlock } = options;
  const hasOwnTrust = [certificate, epochFile, trustedBlock].some((given) => given !== undefined);
  const { from = hasOwnTrust ? 'signers' : undefined } = options;
  if (id !== undefined && from !== 'signers') {
    const payload = await byDisperser(id, options, context);
    if (payload !== undefined) return { id, payload, from: 'disperser' };
  }
  return bySigners(id, options, context);
}

/** `undefined` where no disperser is named, or another way may do better than the one that is. */
async function byDisperser(
  id: Root,
  options: DaGetOptions,
  { io, signal }: CommandContext,
): Promise<Uint8Array | undefined> {
  const url = await findDisperser(options, io);
  if (url === undefined) return undefined;
  const client = new DisperserClient(url);
  try {
    return await client.payload(id, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (options.from !== 'disperser' && isAway(error)) return undefined;
    throw error;
  } finally {
    await client.close();
  }
}

/** Whether somebody else may do better: it does not answer, or does not know the blob. */
function isAway(error: unknown): boolean {
  if (error instanceof TransportError) return true;
  return error instanceof CliError && isFault(error, 'CLI_REFUSED');
}

/** @throws {CliError} CLI_BLOB_UNSERVED, CLI_BLOB_NULL, CLI_MISMATCH; as `reachBlob` */
async function bySigners(
  wanted: Root | undefined,
  options: DaGetOptions,
  context: CommandContext,
): Promise<Brought> {
  const transport = createNodeTransport();
  try {
    const reached = await reachBlob(wanted, options, context, transport);
    const { client, certified, sockets } = reached;
    const commitment = rootOf(certified.blob.commitment);
    const verdict = await client.read(certified, sockets, { signal: context.signal });
    const payload = payloadOf(verdict, commitment);
    const id = idOf(payload);
    if (wanted === undefined || wanted === id || wanted === commitment) {
      return { id, payload, from: 'signers' };
    }
    throw new CliError(
      { code: 'CLI_MISMATCH', expected: wanted, actual: id },
      `the certificate is of another blob: SHA-256 ${id}, not ${wanted}`,
    );
  } finally {
    await transport.close();
  }
}

function payloadOf(verdict: SampleVerdict, commitment: Root): Uint8Array {
  const { answered: have, needed: need } = verdict.report;
  if (verdict.kind === 'unavailable') {
    throw new CliError(
      { code: 'CLI_BLOB_UNSERVED', have, need },
      `${have} rows of the blob came from its signers, and ${need} make it up`,
    );
  }
  if (verdict.kind === 'available' && verdict.confidence.kind === 'read') {
    const { value } = verdict.confidence;
    if (value.kind === 'payload') return value.payload;
  }
  const why =
    verdict.kind === 'badEncoding'
      ? `its maker committed to row ${verdict.evidence.row.index}, which is not of the codeword`
      : `what its rows decode to has another one`;
  throw new CliError(
    { code: 'CLI_BLOB_NULL', commitment },
    `no payload has the commitment ${commitment}: ${why}`,
  );
}
