import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  type Client,
  type CostQuote,
  type DirectoryReceipt,
  type Encryption,
  openFileSource,
  type PutReceipt,
  walkDirectory,
} from '@cairn/client-sdk';
import { formatBytes, formatCoin, systemClock } from '@cairn/primitives';
import { connect } from '../connect.ts';
import { chooseEncryption, type EncryptOptions } from '../encryption-options.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext, CommandIo } from '../io.ts';
import { findKey, requireKey } from '../keys.ts';
import { type LocalInput, openLocalInput } from '../local-files.ts';
import { chooseNetwork, type NetworkOptions } from '../network-options.ts';
import { shellQuoted, writeJson, writeLine } from '../output.ts';
import { placeJson, placementInWords, placementJson, shardInWords } from '../placement-in-words.ts';
import { Progress } from '../progress.ts';
import { PutProgress } from '../put-progress.ts';

/** What `cairn file put` takes. */
export interface FilePutOptions extends NetworkOptions, EncryptOptions {
  readonly replicas: number;
  readonly tags?: Uint8Array;
  readonly fragmentSize?: number;
  readonly resume?: boolean;
  readonly wait: 'accepted' | 'finalized';
  /** Milliseconds. */
  readonly timeout: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Stores a file, a directory or standard input, and prints its root. */
export async function filePut(
  typed: string,
  options: FilePutOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const network = await chooseNetwork(options, io);
  const input = await openLocalInput(typed, context);
  if (input.kind === 'directory' && options.tags !== undefined) {
    throw usageError('tags', 'tags belong to one log entry; a directory has many');
  }
  try {
    const encryption = await chooseEncryption(options, network.keyFiles, context);
    const payer =
      options.dryRun === true
        ? await findKey(options, network.keyFiles, context)
        : await requireKey('pay for storage', options, network.keyFiles, context);
    const client = await connect(network, {
      ...(payer === undefined ? {} : { payer }),
      // Encrypting anew would make other bytes, and those would be paid for again.
      areHashesTrusted: options.resume === true || encryption !== undefined,
    });
    try {
      return options.dryRun === true
        ? await quote(client, input, encryption, options, context)
        : await put(client, input, encryption, options, context);
    } catch (error) {
      // What was piped in is gone.
      if (signal.aborted && typed !== '-')
        io.writeErr(`\ncontinue with: ${resumeCommand(typed)}\n`);
      throw error;
    } finally {
      await client.close();
    }
  } finally {
    await input.dispose();
  }
}

async function put(
  client: Client,
  input: LocalInput,
  encryption: Encryption | undefined,
  options: FilePutOptions,
  { io, signal }: CommandContext,
): Promise<number> {
  const progress = new Progress({ io, clock: systemClock() });
  const shown = new PutProgress(progress);
  const common = {
    signal,
    replicas: options.replicas,
    ...(options.consensusShard === undefined ? {} : { shard: options.consensusShard }),
    finalityRequired: options.wait === 'finalized',
    timeoutMs: options.timeout,
    onProgress: (event: Parameters<PutProgress['show']>[0]) => shown.show(event),
    ...(options.fragmentSize === undefined ? {} : { fragmentBytes: options.fragmentSize }),
    ...(encryption === undefined ? {} : { encryption }),
  };
  try {
    if (input.kind === 'directory') {
      const receipt = await client.files.putDirectory(walkDirectory(input.path), common);
      progress.clear();
      await printDirectory(receipt, options, io);
      return EXIT.ok;
    }
    const source = await openFileSource(input.path);
    try {
      const receipt = await client.files.put(source, {
        ...common,
        name: basename(input.path),
        ...(options.tags === undefined ? {} : { tags: options.tags }),
      });
      progress.clear();
      await printFile(receipt, options, io);
      return EXIT.ok;
    } finally {
      await source.close();
    }
  } finally {
    progress.clear();
  }
}

async function printFile(
  receipt: PutReceipt,
  { json }: FilePutOptions,
  io: CommandIo,
): Promise<void> {
  const { root, sequence, chainId, plainBytes, transactionHash, feeWei, finalised } = receipt;
  if (json !== true) {
    await writeLine(io, root);
    const fee = feeWei === undefined ? 'nothing to pay' : `fee ${formatCoin(feeWei)} coins`;
    const copies = receipt.holders.map(({ url }) => url).join(', ');
    const place = `sequence ${sequence}${shardInWords(receipt)}`;
    io.writeErr(`stored ${formatBytes(plainBytes)} at ${place}; ${fee}; on ${copies}\n`);
    if (!finalised) io.writeErr('its holders do not have all of it yet\n');
    return;
  }
  await writeJson(io, {
    root,
    sequence,
    chainId,
    ...placeJson(receipt),
    sizeBytes: plainBytes,
    storedBytes: receipt.sizeBytes,
    transactionHash,
    feeWei: (feeWei ?? 0n).toString(),
    finalised,
    encryption: receipt.encryption,
    holders: receipt.holders.map(({ url, shard, segments }) => ({
      url,
      shard: { ...shard },
      segments,
    })),
    fragments:
      receipt.fragments.length === 1
        ? undefined
        : receipt.fragments.map((part) => ({
            root: part.root,
            sequence: part.sequence,
            sizeBytes: part.sizeBytes,
          })),
  });
}

async function printDirectory(
  { root, manifest, files, totalBytes, feeWei }: DirectoryReceipt,
  { json }: FilePutOptions,
  io: CommandIo,
): Promise<void> {
  if (json === true) {
    const { sequence, chainId, finalised } = manifest;
    await writeJson(io, {
      root,
      sequence,
      chainId,
      ...placeJson(manifest),
      sizeBytes: totalBytes,
      files,
      feeWei: feeWei.toString(),
      finalised,
    });
    return;
  }
  await writeLine(io, root);
  const count = files === 1 ? '1 file' : `${files} files`;
  const place = shardInWords(manifest);
  const fee = `fee ${formatCoin(feeWei)} coins`;
  io.writeErr(`stored ${count}, ${formatBytes(totalBytes)}${place}; ${fee}\n`);
}

/** Says what storing would cost. Nothing is read but lengths, and nothing is paid. */
async function quote(
  client: Client,
  input: LocalInput,
  encryption: Encryption | undefined,
  options: FilePutOptions,
  { io, signal }: CommandContext,
): Promise<number> {
  const sizes: number[] = [];
  if (input.kind === 'file') sizes.push((await stat(input.path)).size);
  else {
    for await (const item of walkDirectory(input.path)) {
      if (item.kind === 'file') sizes.push((await stat(`${input.path}/${item.path}`)).size);
    }
  }
  const quotes: CostQuote[] = [];
  for (const size of sizes.filter((size) => size > 0 || input.kind === 'file')) {
    quotes.push(
      await client.files.quote(size, {
        signal,
        name: basename(input.path),
        ...(options.fragmentSize === undefined ? {} : { fragmentBytes: options.fragmentSize }),
        ...(encryption === undefined ? {} : { encryption: encryption.kind }),
        ...(options.tags === undefined ? {} : { tags: options.tags }),
        ...(options.consensusShard === undefined ? {} : { shard: options.consensusShard }),
      }),
    );
  }
  const [first] = quotes;
  const placement = first?.placement;
  const sumOf = (amount: (quote: CostQuote) => bigint): bigint =>
    quotes.reduce((sum, each) => sum + amount(each), 0n);
  const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
  const feeWei = sumOf((each) => each.feeWei);
  const gasFeeWei = sumOf((each) => each.gasFeeWei ?? 0n);
  const chargedBytes = quotes.reduce((sum, each) => sum + each.chargedSectors * 256, 0);
  if (options.json === true) {
    await writeJson(io, {
      dryRun: true,
      sizeBytes,
      files: quotes.length,
      chargedBytes,
      pricePerSectorWei: (quotes[0]?.pricePerSectorWei ?? 0n).toString(),
      feeWei: feeWei.toString(),
      gasFeeWei: gasFeeWei.toString(),
      totalWei: (feeWei + gasFeeWei).toString(),
      ...(placement === undefined ? {} : { placement: placementJson(placement) }),
    });
  } else {
    await writeLine(io, `${formatCoin(feeWei + gasFeeWei)} coins`);
    const parts = `storage ${formatCoin(feeWei)}, gas ${formatCoin(gasFeeWei)}`;
    io.writeErr(`${parts}; ${formatBytes(chargedBytes)} charged for ${formatBytes(sizeBytes)}\n`);
    if (placement !== undefined) io.writeErr(placementInWords(placement));
    io.writeErr('nothing was paid\n');
  }
  return EXIT.ok;
}

/** The command line that goes on with this one. */
function resumeCommand(typed: string): string {
  const args = process.argv.slice(2).filter((argument) => argument !== '--resume');
  if (!args.includes(typed)) return `cairn file put ${shellQuoted(typed)} --resume`;
  return ['cairn', ...args.map(shellQuoted), '--resume'].join(' ');
}
