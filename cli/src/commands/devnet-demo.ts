import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient, openFileSource, type PutReceipt } from '@cairn/client-sdk';
import { createDevnet, type Devnet } from '@cairn/devnet';
import { devnetStatus } from '@cairn/devnet/control';
import {
  formatBytes,
  formatCoin,
  formatDuration,
  type Root,
  SEGMENT_BYTES,
  systemClock,
  systemRng,
} from '@cairn/primitives';
import { type Endpoints, formatShard } from '@cairn/wire-protocol';
import {
  demonstrateSegment,
  digestOf,
  digestOfFile,
  fetchRange,
  writeSeededFile,
} from '../demo.ts';
import { BLOB_STEPS, type BlobTourResult, blobTour } from '../demo-blob.ts';
import { JOB_STEPS, type JobTourResult, jobTour } from '../demo-job.ts';
import { type StreamTourResult, streamTour } from '../demo-kv.ts';
import { type OrderedFileResult, shardTour, storeOnShards } from '../demo-shards.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { devnetDirectory } from '../network-options.ts';
import { Progress } from '../progress.ts';
import { PutProgress } from '../put-progress.ts';
import { portsFor } from './devnet-up.ts';

/** What `cairn devnet demo` takes. */
export interface DevnetDemoOptions {
  readonly dir?: string;
  readonly basePort?: number;
  readonly port?: number;
  /** Bytes of the file. */
  readonly size: number;
  readonly seed?: number;
  readonly json?: boolean;
}

/** The steps after those of the file. */
const STREAM_STEP = 7;
const JOB_STEP = 8;
/** Bytes of the part that is read over plain HTTP. */
const RANGE_BYTES = 4096;

/** What the tour found, for `--json`. */
interface TourResult {
  readonly root: Root;
  readonly sequence: number;
  readonly feeWei: string;
  readonly sizeBytes: number;
  readonly seed: number;
  readonly provenSegment: number;
  readonly readFrom: readonly string[];
  readonly putMs: number;
  readonly getMs: number;
  /** Absent on a network without a key-value node. */
  readonly stream?: StreamTourResult;
  /** Absent on a network without a board of jobs. */
  readonly job?: JobTourResult;
  /** Absent on a network that takes no blobs. */
  readonly blob?: BlobTourResult;
  /** By their place in the order; absent on a network with one log. */
  readonly shards?: readonly OrderedFileResult[];
}

/** The tour: on the devnet that runs, or on one of its own that it stops again. */
export async function devnetDemo(
  options: DevnetDemoOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const clock = systemClock();
  const startedAt = clock.monotonic();
  const directory = devnetDirectory(options, io);
  const status = await devnetStatus(directory);
  const say = async (text: string): Promise<void> => {
    if (options.json === true) io.writeErr(`${text}\n`);
    else await io.writeOut(`${text}\n`);
  };
  let own: Devnet | undefined;
  const folder = await mkdtemp(join(tmpdir(), 'cairn-demo-'));
  try {
    let endpoints = status.state === 'ready' ? status.endpoints : undefined;
    if (endpoints === undefined) {
      own = await createDevnet({ directory, ports: portsFor(options, { kind: 'any' }), signal });
      endpoints = own.endpoints;
      const after = formatDuration(own.readyAfterMs);
      const signers = endpoints.da?.signers.length ?? 0;
      await say(
        `1. Started a network: ${chainsInWords(endpoints)}, ${endpoints.storage.length} storage nodes, an indexer, a key-value node, ${dispersersInWords(endpoints)}, ${signers} signers (${after}).`,
      );
    } else {
      await say(`1. Using the network in ${directory}: ${endpoints.storage.length} storage nodes.`);
    }
    const [payer = '', worker = payer] = await Promise.all(
      endpoints.keys
        .slice(0, 2)
        .map(async (key) => (await readFile(join(directory, key), 'utf8')).trim()),
    );
    const seed = options.seed ?? systemRng().below(2 ** 32);
    const place = { endpoints, directory, payer };
    // They are brought into the order while the tour goes on.
    const onShards = await storeOnShards(place, { seed }, context);
    const files = await tour({ endpoints, directory, folder, options, seed, say }, context);
    const stream = await streamTour({ endpoints, payer, step: STREAM_STEP, say }, context);
    const parties = { poster: payer, worker, folder: join(folder, 'job') };
    const job = await jobTour({ endpoints, ...parties, seed, firstStep: JOB_STEP, say }, context);
    const blobStep = job === undefined ? JOB_STEP : JOB_STEP + JOB_STEPS;
    const blob = await blobTour({ endpoints, own, seed, firstStep: blobStep, say }, context);
    const shardStep = { step: blob === undefined ? blobStep : blobStep + BLOB_STEPS, say };
    const shards = onShards && (await shardTour(place, onShards, shardStep, context));
    if (shards === undefined) {
      await say(
        `${shardStep.step}. One chain here: there is no order of several to prove. See: npx cairn`,
      );
      await say('     devnet up --consensus-shards 2');
    }
    const result: TourResult = {
      ...files,
      ...(stream === undefined ? {} : { stream }),
      ...(job === undefined ? {} : { job }),
      ...(blob === undefined ? {} : { blob }),
      ...(shards === undefined ? {} : { shards }),
    };
    if (options.json === true) await io.writeOut(`${JSON.stringify(result)}\n`);
    const took = formatDuration(clock.monotonic() - startedAt);
    await say(`\nDone in ${took}. Every byte of file and blob was proven by whoever received it.`);
    if (own === undefined) await say(`Read it again: npx cairn file get ${result.root} -o copy`);
    else await say('Keep a network running with: npx cairn devnet up');
    return EXIT.ok;
  } finally {
    await own?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function chainsInWords({ chains }: Endpoints): string {
  return chains.length === 1 ? 'a chain' : `${chains.length} chains in one order`;
}

function dispersersInWords({ dispersers = [] }: Endpoints): string {
  return dispersers.length === 0 ? 'a disperser' : `${1 + dispersers.length} dispersers`;
}

async function tour(
  {
    endpoints,
    directory,
    folder,
    options,
    seed,
    say,
  }: {
    readonly endpoints: Endpoints;
    readonly directory: string;
    readonly folder: string;
    readonly options: DevnetDemoOptions;
    readonly seed: number;
    readonly say: (text: string) => Promise<void>;
  },
  { io, signal }: CommandContext,
): Promise<TourResult> {
  const clock = systemClock();
  const progress = new Progress({ io, clock });
  const path = join(folder, 'file');
  const { size } = options;
  await writeSeededFile(path, size, { seed, signal });
  const original = await digestOfFile(path);
  await say(`2. Made a file of ${formatBytes(size)} of random bytes (seed ${seed}).`);

  const [chain] = endpoints.chains;
  const storage = endpoints.storage.filter((node) => node.chain === chain?.name);
  const replicas = storage.length >= 3 ? 2 : 1;
  const payer = await readFile(join(directory, endpoints.keys[0] ?? ''), 'utf8');
  const writer = createClient({
    ...(endpoints.indexer === undefined ? {} : { indexer: endpoints.indexer }),
    ...(chain === undefined ? {} : { rpc: chain.rpc }),
    signer: payer.trim(),
  });
  const putAt = clock.monotonic();
  const receipt = await store(writer, { path, replicas, progress, signal });
  const putMs = clock.monotonic() - putAt;
  const { root, sequence, feeWei = 0n, holders } = receipt;
  await say(`3. Stored it in ${formatDuration(putMs)}, ${formatBytes((size / putMs) * 1000)}/s:`);
  await say(`     root      ${root}`);
  await say(`     sequence  ${sequence} on chain ${receipt.chainId}`);
  await say(`     fee       ${formatCoin(feeWei)} coins`);
  for (const { url, shard, segments } of holders) {
    await say(`     holder    ${url} keeps shard ${formatShard(shard)}: ${segments} segments`);
  }

  const index = systemRng().below(Math.ceil(size / SEGMENT_BYTES));
  const full = holders.find(({ shard }) => shard.count === 1) ?? holders[0];
  const proofUrl = full?.url ?? storage[0]?.rpc ?? '';
  const { segment, codeOfChange } = await demonstrateSegment(
    { root, index, url: proofUrl },
    { signal },
  );
  const { siblings } = segment.proof;
  await say(
    `4. Took segment ${index} from ${proofUrl} with its proof of ${siblings.length} hashes:`,
  );
  await say(`     proven to be part of the file; with one bit changed: ${codeOfChange}`);

  // Where another full copy lies on nodes that were not asked yet, it is read from those.
  const others = storage.filter(({ rpc }) => rpc !== proofUrl).map(({ rpc }) => rpc);
  const readFrom = replicas > 1 && full?.shard.count === 1 ? others : holders.map(({ url }) => url);
  const reader = createClient({
    nodes: readFrom,
    ...(chain === undefined ? {} : { rpc: chain.rpc }),
  });
  const getAt = clock.monotonic();
  const copy = await readBack(reader, { root, size, progress, signal });
  const getMs = clock.monotonic() - getAt;
  requireSame(original.sha256, copy.sha256);
  await say(`5. Read all of it back from ${readFrom.join(' and ')}:`);
  await say(
    `     ${formatDuration(getMs)}, ${formatBytes((size / getMs) * 1000)}/s, every segment verified`,
  );
  await say(`     SHA-256 ${copy.sha256} on both sides`);

  const url = endpoints.indexer ?? proofUrl;
  const offset = systemRng().below(Math.max(1, size - RANGE_BYTES));
  const range = { offset, length: Math.min(RANGE_BYTES, size - offset) };
  const part = await fetchRange({ root, url }, range, { signal });
  const expected = await digestOfFile(path, range);
  requireSame(expected.sha256, (await digestOf(single(part.bytes))).sha256);
  await say(
    `6. Read bytes ${offset}-${offset + range.length - 1} over plain HTTP (status ${part.status}):`,
  );
  await say(`     curl -r ${offset}-${offset + range.length - 1} ${url}/v1/files/${root}`);
  return {
    root,
    sequence,
    feeWei: feeWei.toString(),
    sizeBytes: size,
    seed,
    provenSegment: index,
    readFrom,
    putMs: Math.round(putMs),
    getMs: Math.round(getMs),
  };
}

async function store(
  client: Client,
  {
    path,
    replicas,
    progress,
    signal,
  }: {
    readonly path: string;
    readonly replicas: number;
    readonly progress: Progress;
    readonly signal: AbortSignal;
  },
): Promise<PutReceipt> {
  const shown = new PutProgress(progress, { isQuiet: true });
  const source = await openFileSource(path);
  try {
    return await client.files.put(source, {
      replicas,
      signal,
      onProgress: (event) => shown.show(event),
    });
  } finally {
    progress.clear();
    await source.close();
    await client.close();
  }
}

async function readBack(
  client: Client,
  {
    root,
    size,
    progress,
    signal,
  }: {
    readonly root: Root;
    readonly size: number;
    readonly progress: Progress;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly sha256: string }> {
  let doneBytes = 0;
  try {
    return await digestOf(
      counted(client.files.get(root, { signal }), (length) => {
        doneBytes += length;
        progress.update('reading', doneBytes, size);
      }),
    );
  } finally {
    progress.clear();
    await client.close();
  }
}

async function* counted(
  stream: AsyncIterable<Uint8Array>,
  onPiece: (length: number) => void,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of stream) {
    onPiece(piece.length);
    yield piece;
  }
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}

function requireSame(expected: string, actual: string): void {
  if (expected === actual) return;
  throw new CliError(
    { code: 'CLI_MISMATCH', expected, actual },
    `what was read is not what was stored: SHA-256 ${actual}, not ${expected}`,
  );
}
