import { type FileSource, fragmentSources, memoryFileSource } from '@cairn/log-layer';
import {
  concatBytes,
  FRAGMENT_BYTES,
  isFault,
  keccak256,
  type Root,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { encodeManifest } from '@cairn/wire-protocol';
import type { FileInput, FileReceipt, PutReceipt } from './client.ts';
import { chanceFromSeed } from './encryption/ciphers.ts';
import { encryptSource } from './encryption/encrypt.ts';
import type { Encryption } from './encryption/keys.ts';
import { type PreparedUpload, prepareUpload, recallUpload } from './prepare-upload.ts';
import type { PutOptions } from './put-options.ts';
import { sourceOf } from './sources.ts';
import { storeFiles, type UploadDeps } from './upload-file.ts';
import type { UploadJournal, UploadRecord } from './upload-journal.ts';
import type { UploadNetwork } from './upload-network.ts';

/** What storing files needs. */
export interface PutDeps extends UploadDeps {
  readonly journal: UploadJournal;
  /** Asks nodes and chains what they are, before anything is read or paid. @throws as `openUploadNetwork` */
  readonly openDestination: (request: DestinationRequest) => Promise<Destination>;
}

/** Where an upload may go. */
export interface DestinationRequest {
  readonly replicas: number;
  /** The consensus shard; the one that is cheapest then, unless told. */
  readonly shard?: number | undefined;
  readonly signal: AbortSignal;
}

/** Where an upload goes: the log of one chain, or of one of several that is chosen once the files are hashed. */
export interface Destination {
  /** What the journal remembers of files is for destinations of this name. */
  readonly name: string;
  /** The log for all files of the upload, chosen by the first that are asked about. */
  settle(
    files: readonly PreparedUpload[],
    options: Pick<PutOptions, 'tags' | 'resubmit' | 'onProgress'> & {
      readonly signal: AbortSignal;
    },
  ): Promise<UploadNetwork>;
  /** Everything is stored: what was remembered of the choice is forgotten. */
  done(): Promise<void>;
}

/** A file's parts, hashed and ready to be paid, with what ties them together. */
export interface PreparedPut {
  readonly plainBytes: number;
  /** In order; one unless the file was cut. */
  readonly parts: readonly PreparedUpload[];
  /** Lists the parts of a file that was cut. */
  readonly manifest: PreparedUpload | undefined;
  /** Where the journal keeps it; `undefined` if it does not. */
  readonly journalKey: string | undefined;
}

/** Options of preparing. */
export type PrepareOptions = Pick<
  PutOptions,
  'encryption' | 'fragmentBytes' | 'resumeKey' | 'name' | 'onProgress'
> & { readonly signal: AbortSignal };

/** Stores one file: encrypt, cut, hash, then the Upload journey over its parts. */
export async function putFile(
  input: FileInput,
  deps: PutDeps,
  options: PutOptions & { readonly signal: AbortSignal },
): Promise<PutReceipt> {
  const { signal, replicas = 1, shard } = options;
  const destination = await deps.openDestination({ replicas, shard, signal });
  const prepared = await preparePut(sourceOf(input), destination, deps, options);
  const files = filesOf(prepared);
  try {
    const network = await destination.settle(files, options);
    const receipts = await storeFiles(files, network, deps, options);
    if (prepared.journalKey !== undefined) await deps.journal.delete(prepared.journalKey);
    await destination.done();
    const { placement } = network;
    const receipt = receiptOf(prepared, receipts, options.encryption);
    return placement === undefined ? receipt : { ...receipt, placement };
  } catch (error) {
    await forgetIfChanged(prepared, deps, error);
    throw error;
  }
}

/** The files of the log that a put stores, the manifest last. */
export function filesOf({ parts, manifest }: PreparedPut): readonly PreparedUpload[] {
  return manifest === undefined ? parts : [...parts, manifest];
}

/** A record of a file that is no longer what it was must not be trusted again. */
export async function forgetIfChanged(
  { journalKey }: PreparedPut,
  { journal }: PutDeps,
  error: unknown,
): Promise<void> {
  if (journalKey === undefined || !isFault(error, 'SDK_SOURCE_CHANGED')) return;
  await journal.delete(journalKey);
}

/** The receipt of a put, from those of its files in order. */
export function receiptOf(
  { plainBytes, parts, manifest }: PreparedPut,
  receipts: readonly FileReceipt[],
  encryption: Encryption | undefined,
): PutReceipt {
  const fragments = receipts.slice(0, parts.length);
  const whole = manifest === undefined ? receipts[0] : receipts[parts.length];
  if (whole === undefined) throw new Error('a put without receipts');
  const feeWei = feeOf(receipts);
  return {
    ...whole,
    sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    ...(feeWei === undefined ? {} : { feeWei }),
    finalised: receipts.every(({ finalised }) => finalised),
    plainBytes,
    fragments,
    ...(encryption === undefined ? {} : { encryption: encryption.kind }),
  };
}

/** What was paid for receipts, of which those with one root share an entry; `undefined` if nothing. */
export function feeOf(receipts: readonly FileReceipt[]): bigint | undefined {
  const paid = new Map<Root, bigint>();
  for (const { root, feeWei } of receipts) if (feeWei !== undefined) paid.set(root, feeWei);
  return paid.size === 0 ? undefined : [...paid.values()].reduce((sum, fee) => sum + fee, 0n);
}

/** The manifest of a file that was cut: its parts under one name. */
export function cutFileManifest(
  name: string,
  roots: readonly Root[],
  sizeBytes: number,
): Uint8Array {
  const entries = [{ kind: 'file' as const, name, roots, sizeBytes }];
  return encodeManifest({ kind: 'directory', name: '/', entries });
}

/**
 * Encrypts, cuts and hashes a file, or recalls from the journal what an earlier run found out.
 *
 * @throws {SdkError} SDK_EMPTY_FILE, SDK_KEY_FORM; what the source throws
 */
export async function preparePut(
  plain: FileSource,
  destination: Pick<Destination, 'name'>,
  deps: PutDeps,
  options: PrepareOptions,
): Promise<PreparedPut> {
  const { encryption, onProgress, name = 'file' } = options;
  const journalKey = journalKeyOf(plain, destination, options);
  const record = journalKey === undefined ? undefined : await readRecord(journalKey, deps);
  const recalled =
    record?.plainBytes === plain.sizeBytes
      ? await recallParts(plain, record, deps, options)
      : undefined;
  // Without a usable record the chance is new: old chance must not meet new bytes.
  const seed = recalled?.seed ?? deps.rng.fill(new Uint8Array(32));
  const parts = recalled?.parts ?? (await prepareParts(plain, seed, deps, options));
  if (journalKey !== undefined && recalled === undefined) {
    await deps.journal.put(journalKey, {
      plainBytes: plain.sizeBytes,
      ...(encryption === undefined ? {} : { seed }),
      files: parts,
    });
  }
  const roots = parts.map(({ root }) => root);
  const manifest =
    parts.length > 1
      ? await prepareManifest(cutFileManifest(name, roots, plain.sizeBytes), seed, deps, options)
      : undefined;
  for (const { root, sizeBytes } of parts) onProgress?.({ step: 'prepared', root, sizeBytes });
  return { plainBytes: plain.sizeBytes, parts, manifest, journalKey };
}

/** A cut file's manifest, encrypted like its parts. */
async function prepareManifest(
  bytes: Uint8Array,
  seed: Uint8Array,
  deps: PutDeps,
  { encryption, signal }: PrepareOptions,
): Promise<PreparedUpload> {
  // The bytes are part of the chance: the same seed never covers two different contents.
  const own = keccak256(concatBytes(seed, utf8Bytes('fragments'), keccak256(bytes)));
  const stored = await storedSource(memoryFileSource(bytes), encryption, own);
  return prepareUpload(stored, deps, { signal, isRechecked: false });
}

async function prepareParts(
  plain: FileSource,
  seed: Uint8Array,
  deps: PutDeps,
  options: PrepareOptions,
): Promise<readonly PreparedUpload[]> {
  const { encryption, signal, onProgress, fragmentBytes } = options;
  const stored = await storedSource(plain, encryption, seed);
  const isRechecked = encryption !== undefined;
  const sources = stored.sizeBytes === 0 ? [stored] : fragmentSources(stored, fragmentBytes);
  const parts: PreparedUpload[] = [];
  for (const source of sources) {
    parts.push(await prepareUpload(source, deps, { signal, isRechecked, onProgress }));
  }
  return parts;
}

async function recallParts(
  plain: FileSource,
  { seed, files }: UploadRecord,
  { hasher }: PutDeps,
  { encryption, fragmentBytes }: PrepareOptions,
): Promise<{ readonly parts: PreparedUpload[]; readonly seed: Uint8Array } | undefined> {
  if (encryption !== undefined && seed === undefined) return undefined;
  const stored = await storedSource(plain, encryption, seed ?? new Uint8Array(32));
  const sources = fragmentSources(stored, fragmentBytes);
  if (sources.length !== files.length) return undefined;
  const parts: PreparedUpload[] = [];
  for (const [index, source] of sources.entries()) {
    const file = files[index];
    const part =
      file === undefined
        ? undefined
        : recallUpload(source, file, { hasher }, encryption !== undefined);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return { parts, seed: seed ?? new Uint8Array(32) };
}

async function storedSource(
  plain: FileSource,
  encryption: Encryption | undefined,
  seed: Uint8Array,
): Promise<FileSource> {
  if (encryption === undefined) return plain;
  return encryptSource(plain, encryption, await chanceFromSeed(seed));
}

/** A damaged record is as good as none: the file is hashed again. */
async function readRecord(
  key: string,
  { journal, logger }: PutDeps,
): Promise<UploadRecord | undefined> {
  try {
    return await journal.get(key);
  } catch (error) {
    if (!isFault(error, 'SDK_JOURNAL')) throw error;
    logger.warn({ reason: error.message }, 'a record of an upload is put aside');
    return undefined;
  }
}

/** Names an upload by its bytes, network and everything that changes what is stored. */
function journalKeyOf(
  plain: FileSource,
  { name: destination }: Pick<Destination, 'name'>,
  { resumeKey, encryption, fragmentBytes = FRAGMENT_BYTES }: PrepareOptions,
): string | undefined {
  const ownKey =
    'resumeKey' in plain && typeof plain.resumeKey === 'string' ? plain.resumeKey : undefined;
  const name = resumeKey ?? ownKey;
  if (name === undefined) return undefined;
  const { sizeBytes } = plain;
  return [destination, sizeBytes, fragmentBytes, encryptionName(encryption), name].join(' ');
}

function encryptionName(encryption: Encryption | undefined): string {
  if (encryption === undefined) return 'plain';
  const secret = 'key' in encryption ? encryption.key : encryption.recipient;
  const bytes = typeof secret === 'string' ? utf8Bytes(secret) : secret;
  return `${encryption.kind} ${toHex(keccak256(concatBytes(utf8Bytes('cairn/journal'), bytes)))}`;
}
