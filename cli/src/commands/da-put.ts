import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatBytes, formatDuration, type Root, systemClock, toHex } from '@cairn/primitives';
import { type BlobReceipt, MAX_RECEIPT_WAIT_SECONDS } from '@cairn/wire-protocol/da';
import { onCheapestShard } from '../blob-shard.ts';
import { chooseDisperser, type DaNetworkOptions } from '../da-options.ts';
import { DisperserClient, type PostOptions } from '../disperser-client.ts';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext, CommandIo } from '../io.ts';
import { openLocalInput, writeLocalFile } from '../local-files.ts';
import { writeJson, writeLine } from '../output.ts';

/** What `cairn da put` takes. */
export interface DaPutOptions extends DaNetworkOptions {
  readonly wait: 'dispersed' | 'confirmed';
  readonly certificate?: string;
  readonly archive?: boolean;
  readonly order?: PostOptions['order'];
  /** Milliseconds. */
  readonly timeout: number;
  readonly json?: boolean;
}

/** Posts a file or standard input as a blob, waits until its quorum signed, and prints its id. */
export async function daPut(
  typed: string,
  options: DaPutOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const payload = await readPayload(typed, context);
  const placed = await onCheapestShard(options, payload.length, context);
  const url = await chooseDisperser(placed, io);
  const client = new DisperserClient(url);
  const clock = systemClock();
  const begunAt = clock.monotonic();
  try {
    const { archive, order } = options;
    const how = {
      ...(archive === true ? { archive } : {}),
      ...(order === undefined ? {} : { order }),
    };
    const posted = await client.post(payload, { ...how, signal });
    const { consensusShard: shard } = placed;
    const where = shard === undefined ? '' : ` on consensus shard ${shard}`;
    io.writeErr(`posted ${formatBytes(payload.length)}${where}, waiting for its quorum\n`);
    const receipt = await reach(client, posted.id, options, context);
    const certificate = await client.certificate(receipt.id, { signal });
    if (options.certificate !== undefined) {
      const path = resolve(io.cwd, options.certificate);
      await writeLocalFile(path, certificate, { overwrite: true, signal });
    }
    const tookMs = clock.monotonic() - begunAt;
    await print(receipt, certificate, { shard, tookMs, isJson: options.json === true, io });
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

/** Waits for a stage of a blob. @throws {CliError} CLI_BLOB_ON_ITS_WAY when the time is over */
async function reach(
  client: DisperserClient,
  id: Root,
  { wait: stage, timeout }: DaPutOptions,
  { signal }: CommandContext,
): Promise<BlobReceipt> {
  const clock = systemClock();
  const deadline = clock.monotonic() + timeout;
  for (;;) {
    const leftSeconds = Math.max(0, Math.ceil((deadline - clock.monotonic()) / 1000));
    const timeoutSeconds = Math.min(leftSeconds, MAX_RECEIPT_WAIT_SECONDS);
    const receipt = await client.receipt(id, { signal, wait: { stage, timeoutSeconds } });
    if (hasReached(receipt, stage)) return receipt;
    if (clock.monotonic() < deadline) continue;
    const trouble = receipt.trouble === undefined ? '' : `: ${receipt.trouble.detail}`;
    throw new CliError(
      { code: 'CLI_BLOB_ON_ITS_WAY', id, stage: receipt.stage, wanted: stage },
      `${id} is ${receipt.stage} after ${formatDuration(timeout)}, not ${stage} yet${trouble}`,
    );
  }
}

function hasReached({ stage }: BlobReceipt, wanted: 'dispersed' | 'confirmed'): boolean {
  if (stage === 'confirmed' || stage === 'final') return true;
  return stage === wanted;
}

async function readPayload(typed: string, context: CommandContext): Promise<Uint8Array> {
  const input = await openLocalInput(typed, context);
  try {
    if (input.kind === 'directory') {
      throw usageError('path', `${typed} is a directory; a blob is made of one file`);
    }
    return await readFile(input.path, { signal: context.signal });
  } finally {
    await input.dispose();
  }
}

async function print(
  receipt: BlobReceipt,
  certificate: Uint8Array,
  {
    shard,
    tookMs,
    isJson,
    io,
  }: {
    readonly shard: number | undefined;
    readonly tookMs: number;
    readonly isJson: boolean;
    readonly io: CommandIo;
  },
): Promise<void> {
  const { id, stage, sizeBytes, commitment, epoch, quorumId, expirySeconds, transaction } = receipt;
  if (isJson) {
    const archive = receipt.archive && { ...receipt.archive };
    const place = { commitment, epoch, quorumId, expirySeconds, transaction, archive };
    await writeJson(io, { id, shard, stage, certificate: toHex(certificate), sizeBytes, ...place });
    return;
  }
  await writeLine(io, id);
  io.writeErr(
    `${stage} in ${formatDuration(tookMs)}: quorum ${quorumId} of epoch ${epoch} signed for it\n`,
  );
}
