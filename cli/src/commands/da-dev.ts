import { mkdir } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import {
  createDevDisperser,
  DELAYS,
  type DevDisperser,
  parseSwitches,
  SWITCHES_OFF,
  type SwitchState,
} from '@cairn/da-node/dev';
import { readSecretFile, writeSecretFile } from '@cairn/node-runtime/files';
import { createLogger } from '@cairn/node-runtime/observe';
import { isFault, type Json, stringifyJson, systemRng, toHex, utf8Bytes } from '@cairn/primitives';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeLocalFile } from '../local-files.ts';
import { shellQuoted, writeJson } from '../output.ts';
import { parseDuration } from '../parse-options.ts';
import { formatTable } from '../table.ts';

/** What `cairn da dev` takes. */
export interface DaDevOptions {
  readonly host: string;
  /** 0: any free ones, for every listener that is not told another. */
  readonly port: number;
  readonly grpcPort?: number;
  readonly nitroPort?: number;
  readonly adminPort?: number;
  readonly adminTokenFile: string;
  readonly latency?: string;
  /** Bytes. */
  readonly memory: number;
  /** Milliseconds. */
  readonly putTimeout: number;
  readonly putWait: 'dispersed' | 'confirmed' | 'final';
  readonly epochFile?: string;
  readonly json?: boolean;
}

const GRPC_PORT = 51_001;
const NITRO_PORT = 9880;
const ADMIN_PORT = 3199;
/** Random bytes of a new token. */
const TOKEN_BYTES = 24;

/** Serves the doors of a disperser over memory, prints where, and stops on Ctrl-C. */
export async function daDev(options: DaDevOptions, context: CommandContext): Promise<number> {
  const { io, signal } = context;
  const { host, port, memory: memoryBytes, putTimeout: putTimeoutMs, putWait } = options;
  const tokenFile = resolve(io.cwd, options.adminTokenFile);
  const switches = switchesOf(options.latency);
  const dev = await createDevDisperser(
    {
      host,
      port,
      grpcPort: options.grpcPort ?? (port === 0 ? 0 : GRPC_PORT),
      nitroPort: options.nitroPort ?? (port === 0 ? 0 : NITRO_PORT),
      adminPort: options.adminPort ?? (port === 0 ? 0 : ADMIN_PORT),
      adminToken: await tokenIn(tokenFile),
      switches,
      memoryBytes,
      putTimeoutMs,
      putWait,
    },
    { logger: createLogger({ level: 'warn', destination: 'stderr' }), signal },
  );
  try {
    await tell(dev, tokenFile, options, context);
    if (!signal.aborted) {
      await new Promise<void>((stopped) => {
        signal.addEventListener('abort', () => stopped(), { once: true });
      });
    }
    return EXIT.ok; // asked to stop: that is how it ends
  } finally {
    await dev.stop();
  }
}

/** `confirmed=12s,read=0` over what is usual. @throws {CliError} CLI_USAGE */
export function switchesOf(latency: string | undefined): SwitchState {
  if (latency === undefined) return SWITCHES_OFF;
  const entries = latency.split(',').map((part): [string, number] => {
    const [, stage = '', duration = ''] = /^(\w+)=(\w+)$/.exec(part.trim()) ?? [];
    if (!DELAYS.some((known) => known === stage)) {
      throw usageError(
        'latency',
        `"${part}" names no stage; write for instance confirmed=12s, with ${DELAYS.join(', ')}`,
      );
    }
    return [stage, duration === '0' ? 0 : parseDuration(duration)];
  });
  try {
    return parseSwitches({ latencyMs: Object.fromEntries(entries) }, SWITCHES_OFF);
  } catch (error) {
    if (isFault(error, 'DEV_SWITCH')) throw usageError('latency', error.message);
    throw error;
  }
}

async function tokenIn(path: string): Promise<string> {
  try {
    return await readSecretFile(path);
  } catch (error) {
    if (!isFault(error, 'KEY_FILE_MISSING')) throw error;
  }
  const token = toHex(systemRng().fill(new Uint8Array(TOKEN_BYTES))).slice(2);
  await mkdir(dirname(path), { recursive: true });
  await writeSecretFile(path, token);
  return token;
}

async function tell(
  dev: DevDisperser,
  adminTokenFile: string,
  { epochFile, json }: DaDevOptions,
  { io, signal }: CommandContext,
): Promise<void> {
  const { rest, nitro, grpc, admin } = dev;
  if (epochFile !== undefined) {
    const text = utf8Bytes(`${stringifyJson(await dev.epochFile())}\n`);
    await writeLocalFile(resolve(io.cwd, epochFile), text, { overwrite: true, signal });
  }
  if (json === true) {
    const places: Json = { rest, opStack: rest, eigenda: rest, nitro, grpc, admin, adminTokenFile };
    await writeJson(io, { ...places, epochFile: epochFile && resolve(io.cwd, epochFile) });
    return;
  }
  const token = shellQuoted(relative(io.cwd, adminTokenFile) || adminTokenFile);
  const rows = [
    ['REST', rest, '/v1/blobs'],
    ['OP Stack', rest, '--altda.da-server of op-batcher and op-node'],
    ['EigenDA', rest, '/put?commitment_mode=standard'],
    ['Nitro', nitro, 'daprovider_* of Arbitrum nodes'],
    ['0G gRPC', grpc, 'disperser.Disperser'],
    ['switches', admin, `the token is in ${token}`],
  ];
  await io.writeOut(`${formatTable(['door', 'address', 'for'], rows)}\n`);
  io.writeErr(
    `\nEverything is in memory and gone with this process. Ctrl-C stops it.\nTry: curl -H "authorization: Bearer $(cat ${token})" -d '{"puts":{"answer":"unavailable","next":3}}' ${admin}/admin/switches\n`,
  );
}
