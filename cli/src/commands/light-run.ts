import { resolve } from 'node:path';
import { blstBackend } from '@cairn/attestation/native';
import {
  createLightClient,
  type EpochTrust,
  formatCheckpoint,
  headOf,
  MAX_CHECKPOINT_CHARACTERS,
  parseCheckpoint,
  type RunCheckpoint,
  type RunReport,
  runLightClient,
  startTrust,
} from '@cairn/light-client';
import { readFileIfPresent, writeFileAtomic } from '@cairn/node-runtime/files';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import {
  describeError,
  formatBytes,
  type Hex,
  systemClock,
  toHex,
  utf8Text,
} from '@cairn/primitives';
import { type DaChain, openDaChain } from '../da-chain.ts';
import { chooseDaChain, type DaNetworkOptions } from '../da-options.ts';
import { usageError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { CommandContext, CommandIo } from '../io.ts';
import { readEpochFile, trustOf } from '../known-epoch.ts';
import { writeJson, writeLine } from '../output.ts';
import { basisOf, EXIT_OF_VERDICT, verdictJson } from '../sample-outcome.ts';

/** What `cairn light run` takes. */
export interface LightRunOptions extends DaNetworkOptions {
  readonly epochFile?: string;
  readonly trustedBlock?: Hex;
  readonly checkpoint?: string;
  readonly once?: boolean;
  readonly blobs?: number;
  readonly parallel: number;
  readonly fromBlock?: number;
  readonly requireHandovers?: boolean;
  readonly json?: boolean;
}

/**
 * Follows a network's epochs from what is trusted, verifies the certificate of each confirmed blob,
 * samples it from its signers, and prints a line each.
 */
export async function lightRun(options: LightRunOptions, context: CommandContext): Promise<number> {
  const { io, signal } = context;
  const chain = await openDaChain(await chooseDaChain(options, io), { signal });
  const transport = createNodeTransport();
  const clock = systemClock();
  try {
    const start = await beginning(chain, options, context);
    const { trust, next: from, samples, network } = start;
    const client = await createLightClient({ ...network, trust, transport });
    const { checkpoint: path, parallel, once: isOnce = false } = options;
    const { requireHandovers: needsHandovers = false } = options;
    const store = path === undefined ? undefined : storeAt(resolve(io.cwd, path));
    const kept = store === undefined ? {} : { store };
    const deps = { client, chain: chain.light, clock, transport, ...kept };
    const onWait = (error: unknown) =>
      io.writeErr(`waiting for the endpoint: ${describeError(error)}\n`);
    const how = { parallel, isOnce, needsHandovers, onWait };
    const reports = runLightClient(deps, { signal, from, samples, ...how });
    return await printAll(reports, options, context);
  } finally {
    await transport.close();
    await chain.close();
  }
}

/** Prints until the run ends, or as many as were asked for. */
async function printAll(
  reports: AsyncIterable<RunReport>,
  { blobs = Number.POSITIVE_INFINITY, json = false }: LightRunOptions,
  { io, signal }: CommandContext,
): Promise<ExitCode> {
  let worst: ExitCode = EXIT.ok;
  let judged = 0;
  try {
    for await (const report of reports) {
      await print(report, json, io);
      worst = worseOf(worst, exitOf(report));
      if (report.kind !== 'skipped') judged += 1;
      if (judged >= blobs) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error; // told to stop: that is how a run without an end ends
  }
  return worst;
}

/** What a run begins with. */
interface Beginning extends RunCheckpoint {
  readonly network: Pick<
    Parameters<typeof createLightClient>[0],
    'params' | 'entrance' | 'shardId'
  >;
}

async function beginning(
  chain: DaChain,
  options: LightRunOptions,
  context: CommandContext,
): Promise<Beginning> {
  const { io, signal } = context;
  const { light } = chain;
  const { checkpoint, epochFile, fromBlock } = options;
  const known =
    epochFile === undefined ? undefined : await readEpochFile(resolve(io.cwd, epochFile));
  const { shardId, cosets, minLog2K, graceSeconds } = known ?? light.entrance.settings;
  const trustingSeconds = await light.trustingSeconds({ signal });
  const params = { cosets, minDataRows: 2 ** minLog2K, graceSeconds, trustingSeconds };
  const network = { params, shardId, entrance: light.entrance.domain };
  const kept =
    checkpoint === undefined ? undefined : await readFileIfPresent(resolve(io.cwd, checkpoint));
  if (kept !== undefined) {
    const found = parseCheckpoint(
      utf8Text(kept.subarray(0, MAX_CHECKPOINT_CHARACTERS)),
      blstBackend(),
    );
    requireNetwork(found.trust, chain);
    return { ...found, network };
  }
  const trust = known === undefined ? await trustByChain(chain, options, context) : trustOf(known);
  requireNetwork(trust, chain);
  const { epoch } = headOf(trust).committee.office;
  const block = fromBlock ?? (await light.epochs.sealed(epoch, { signal }))?.block.number ?? 0;
  return { trust, next: { daIndex: 0, leafIndex: 0, block }, samples: [], network };
}

async function trustByChain(
  { light }: DaChain,
  { trustedBlock }: LightRunOptions,
  { io, signal }: CommandContext,
): Promise<EpochTrust> {
  if (trustedBlock !== undefined) return startTrust(await light.anchorAt(trustedBlock, { signal }));
  const { number, hash } = await light.finalBlock({ signal });
  io.writeErr(
    `beginning at block ${number}, ${hash}, on the endpoint’s word: name a block that you know with ` +
      '--trusted-block, or an epoch with --epoch-file\n',
  );
  return startTrust(await light.anchorAt(hash, { signal }));
}

/** @throws {CliError} CLI_USAGE for what is trusted of another network */
function requireNetwork({ network }: EpochTrust, { hub }: DaChain): void {
  const { hubChainId, hub: address } = hub.network;
  if (network.hubChainId === hubChainId && network.hub === address) return;
  throw usageError(
    'checkpoint',
    `what is trusted is of hub ${network.hub} on chain ${network.hubChainId}; this network’s is ${address} on chain ${hubChainId}`,
  );
}

/** A checkpoint in a file that its owner alone can read: it tells which rows are asked for next. */
function storeAt(path: string): {
  save(checkpoint: RunCheckpoint, options: { readonly signal: AbortSignal }): Promise<void>;
} {
  return {
    save: (checkpoint, { signal }) =>
      writeFileAtomic(path, formatCheckpoint(checkpoint), { mode: 0o600, signal }),
  };
}

function exitOf(report: RunReport): ExitCode {
  if (report.kind === 'judged') return EXIT_OF_VERDICT[report.verdict.kind];
  return report.kind === 'refused' ? EXIT.verification : EXIT.ok;
}

/** Something false is worse than something missing. */
function worseOf(one: ExitCode, other: ExitCode): ExitCode {
  if (one === EXIT.verification || other === EXIT.verification) return EXIT.verification;
  return one === EXIT.ok ? other : one;
}

async function print(report: RunReport, isJson: boolean, io: CommandIo): Promise<void> {
  const { daIndex, leafIndex, block, epoch, quorumId, content } = report.blob;
  const commitment = content === undefined ? undefined : toHex(content.header.commitment);
  const sizeBytes = content?.header.sizeBytes;
  if (isJson) {
    const place = { daIndex, leafIndex, block, epoch, quorumId, commitment, sizeBytes };
    await writeJson(io, { ...outcomeJson(report), ...place });
    return;
  }
  const size = sizeBytes === undefined ? '' : ` ${formatBytes(sizeBytes)},`;
  const name = commitment ?? `batch ${daIndex}`;
  await writeLine(io, `${name}${size} ${outcomeText(report)}`);
}

function outcomeJson(report: RunReport) {
  switch (report.kind) {
    case 'judged':
      return verdictJson(report.verdict);
    case 'skipped':
      return { verdict: 'skipped', reason: report.reason };
    case 'refused':
      return { verdict: 'refused', reason: report.error.code };
  }
}

function outcomeText(report: RunReport): string {
  switch (report.kind) {
    case 'judged': {
      const { kind, report: numbers } = report.verdict;
      const { answered, drawn, holders } = numbers;
      return `${kind}: ${answered} of ${drawn} rows from ${holders} signers${basisOf(report.verdict)}`;
    }
    case 'skipped':
      return `skipped: ${WHY_SKIPPED[report.reason]}`;
    case 'refused':
      return `refused: ${report.error.message}`;
  }
}

const WHY_SKIPPED: Readonly<Record<Extract<RunReport, { kind: 'skipped' }>['reason'], string>> = {
  VOID: 'it was not paid for',
  EXPIRED: 'its time is over',
  BEFORE_TRUST: 'it is older than what is trusted',
  UNTOLD: 'the chain does not tell what the batch holds',
};
