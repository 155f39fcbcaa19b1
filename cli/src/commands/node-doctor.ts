import { readFile, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { createChainClient } from '@cairn/chain-access';
import { describeError, formatBytes, formatDuration, GIB, systemClock } from '@cairn/primitives';
import { askNode } from '../ask-node.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { chooseNetwork, type NetworkChoice, type NetworkOptions } from '../network-options.ts';
import { coloured, writeJson } from '../output.ts';
import { VERSION } from '../version.ts';

/** What `cairn node doctor` takes. */
export interface NodeDoctorOptions extends NetworkOptions {
  readonly config?: string;
  readonly keyFile?: string;
  readonly json?: boolean;
}

/** One thing looked at. */
export interface Check {
  readonly name: string;
  /** `skipped`: nothing names what to look at. */
  readonly result: 'ok' | 'failed' | 'skipped';
  /** What was found. */
  readonly detail: string;
  /** What to do about a failure. */
  readonly advice?: string;
}

/** A chain that a node is to keep. */
interface ChainPlan {
  readonly rpc?: string;
  readonly chainId?: number;
  readonly flow?: string;
}

/** The node a configuration describes, as far as the doctor looks. */
interface NodePlan extends ChainPlan {
  readonly dataDirectory?: string;
  readonly port?: number;
  /** Chains beside the first, by name. */
  readonly shards?: readonly (ChainPlan & { readonly name: string })[];
}

const OLDEST_NODE: readonly [number, number] = [20, 19];
/** Proofs and certificates carry times; a minute off is a wrong clock, not a slow line. */
const MAX_CLOCK_SKEW_MS = 30_000;
const LEAST_FILE_HANDLES = 4096;
const TIMEOUT_MS = 5_000;

/** Checks the machine and the network around a node. Exit code 1 if something needs doing. */
export async function nodeDoctor(
  options: NodeDoctorOptions,
  context: CommandContext,
): Promise<number> {
  const { io } = context;
  const network = await chooseNetwork(options, io).catch((error: unknown) => {
    // A node can be looked at before there is a network; a network that was named must be there.
    if (options.endpoints !== undefined || options.dir !== undefined) throw error;
    return undefined;
  });
  const plan = options.config === undefined ? {} : await planOf(options.config, context);
  const checks: Check[] = [
    checkNodeVersion(),
    await checkDisk(plan.dataDirectory ?? io.cwd),
    await checkFileHandles(),
    await checkPort(plan.port),
    await checkChain(plan, network, context),
    ...(await Promise.all(
      (plan.shards ?? []).map((shard) =>
        checkChain(shard, undefined, context, { name: shard.name, setting: 'shards.flow' }),
      ),
    )),
    ...(await checkNodes(network, context)),
    ...(await checkKeys(options, network, context)),
  ];
  const failed = checks.filter(({ result }) => result === 'failed');
  if (options.json === true) {
    await writeJson(io, { ok: failed.length === 0, checks: checks.map((check) => ({ ...check })) });
  } else {
    for (const check of checks) await io.writeOut(`${describeCheck(check, io)}\n`);
    io.writeErr(failed.length === 0 ? 'all is well\n' : `${failed.length} to look at\n`);
  }
  return failed.length === 0 ? EXIT.ok : EXIT.failure;
}

async function planOf(file: string, { io }: CommandContext): Promise<NodePlan> {
  const { loadStorageNodeConfig } = await import('@cairn/storage-node/config');
  const { node, chain, shards, http, indexer } = await loadStorageNodeConfig({
    file: resolve(io.cwd, file),
    env: io.env,
  });
  const isStorage = node.roles.includes('storage');
  return {
    dataDirectory: node.dataDirectory,
    port: isStorage ? http.port : indexer.port,
    rpc: chain.rpcUrl,
    shards: shards.map(({ name, rpcUrl: rpc, chainId, flow }) => ({ name, rpc, chainId, flow })),
    ...(chain.chainId === undefined ? {} : { chainId: chain.chainId }),
    ...(chain.flow === undefined ? {} : { flow: chain.flow }),
  };
}

/** Whether this Node.js is one that is tested. */
export function checkNodeVersion(text: string = process.versions.node): Check {
  const [major = 0, minor = 0] = text.split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  return {
    name: 'node.js',
    result: isOld ? 'failed' : 'ok',
    detail: text,
    ...(isOld ? { advice: `install Node.js ${OLDEST_NODE.join('.')} or newer` } : {}),
  };
}

async function checkDisk(directory: string): Promise<Check> {
  let at = directory;
  for (;;) {
    try {
      const { bavail, bsize } = await statfs(at);
      const freeBytes = bavail * bsize;
      const detail = `${formatBytes(freeBytes)} free at ${at}`;
      if (freeBytes >= GIB) return { name: 'disk', result: 'ok', detail };
      return { name: 'disk', result: 'failed', detail, advice: 'free at least 1 GiB' };
    } catch (error) {
      // Not made yet: where it will be made counts.
      if (dirname(at) === at) {
        return { name: 'disk', result: 'failed', detail: describeError(error) };
      }
      at = dirname(at);
    }
  }
}

async function checkFileHandles(): Promise<Check> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const found = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (found === undefined) {
    return { name: 'file handles', result: 'skipped', detail: 'this system does not say' };
  }
  const isEnough = found === 'unlimited' || Number(found) >= LEAST_FILE_HANDLES;
  return {
    name: 'file handles',
    result: isEnough ? 'ok' : 'failed',
    detail: found,
    ...(isEnough
      ? {}
      : { advice: `raise them: ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit` }),
  };
}

async function checkPort(port: number | undefined): Promise<Check> {
  if (port === undefined || port === 0) {
    return { name: 'port', result: 'skipped', detail: 'give --config to have its port checked' };
  }
  const isFree = await new Promise<boolean>((settle) => {
    const server = createServer();
    server.once('error', () => settle(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => settle(true)),
    );
  });
  if (isFree) return { name: 'port', result: 'ok', detail: `${port} is free` };
  const clock = systemClock();
  const { signal } = new AbortController();
  const answer = await askNode(`http://127.0.0.1:${port}`, { signal, now: () => clock.now() });
  if (answer.isReachable) {
    return { name: 'port', result: 'ok', detail: `${port} is in use by a node that runs already` };
  }
  const advice = 'end the program that listens there, or set another http.port';
  return { name: 'port', result: 'failed', detail: `${port} is in use`, advice };
}

async function checkChain(
  plan: ChainPlan,
  network: NetworkChoice | undefined,
  { signal }: CommandContext,
  { name, setting } = { name: 'chain', setting: 'chain.flow' },
): Promise<Check> {
  const rpcUrl = plan.rpc ?? network?.rpc;
  if (rpcUrl === undefined) {
    return { name, result: 'skipped', detail: 'give --rpc or --config to have it asked' };
  }
  const expected = plan.chainId ?? network?.chainId;
  const flow = plan.flow ?? network?.flow;
  const client = createChainClient({ rpcUrl, attempts: 1, timeoutMs: TIMEOUT_MS });
  try {
    const chainId = await client.chainId({ signal });
    if (expected !== undefined && chainId !== expected) {
      const detail = `${client.endpoint} is chain ${chainId}, not ${expected}`;
      return { name, result: 'failed', detail, advice: 'give the RPC address of the right chain' };
    }
    const head = await client.blockNumber({ signal });
    if (flow !== undefined) {
      const { parseAddress } = await import('@cairn/primitives');
      const code = await client.getCode(parseAddress(flow), { signal });
      if (code.length === 0) {
        const detail = `chain ${chainId} has no contract at ${flow}`;
        return { name, result: 'failed', detail, advice: `set ${setting} to the log contract` };
      }
    }
    return { name, result: 'ok', detail: `${client.endpoint}: chain ${chainId}, block ${head}` };
  } catch (error) {
    signal.throwIfAborted();
    const advice = 'check the address and that the chain runs';
    return { name, result: 'failed', detail: describeError(error), advice };
  } finally {
    await client.close();
  }
}

async function checkNodes(
  network: NetworkChoice | undefined,
  { signal }: CommandContext,
): Promise<readonly Check[]> {
  const clock = systemClock();
  const urls =
    network === undefined ? [] : [...new Set([...network.nodes, ...network.listedNodes])];
  if (urls.length === 0) {
    return [{ name: 'clock', result: 'skipped', detail: 'no node to compare it with' }];
  }
  const answers = await Promise.all(
    urls.map((url) => askNode(url, { signal, now: () => clock.now() })),
  );
  const checks: Check[] = answers.map((answer) => {
    const { url, isReady, reasons, version } = answer;
    if (!isReady) {
      const advice = 'look at its log; for a devnet: cairn devnet logs';
      return { name: 'node', result: 'failed', detail: `${url}: ${reasons.join(', ')}`, advice };
    }
    const other = version === undefined || version === VERSION ? '' : `, version ${version}`;
    return { name: 'node', result: 'ok', detail: `${url} is ready${other}` };
  });
  const skews = answers.flatMap(({ clockSkewMs }) =>
    clockSkewMs === undefined ? [] : [clockSkewMs],
  );
  return [checkClock(skews), ...checks];
}

/** Whether this machine's clock agrees with those of nodes, which tell whole seconds. */
export function checkClock(skewsMs: readonly number[]): Check {
  const sorted = [...skewsMs].sort((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median === undefined) {
    return { name: 'clock', result: 'skipped', detail: 'no node told the time' };
  }
  const detail = `${formatDuration(Math.abs(median))} from the nodes`;
  if (Math.abs(median) <= MAX_CLOCK_SKEW_MS) return { name: 'clock', result: 'ok', detail };
  return {
    name: 'clock',
    result: 'failed',
    detail,
    advice: 'set it by NTP, on this machine or theirs',
  };
}

async function checkKeys(
  { keyFile }: NodeDoctorOptions,
  network: NetworkChoice | undefined,
  { io }: CommandContext,
): Promise<readonly Check[]> {
  const named = keyFile ?? io.env['CAIRN_KEY_FILE'];
  const paths =
    named === undefined ? (network?.keyFiles ?? []).slice(0, 1) : [resolve(io.cwd, named)];
  if (paths.length === 0) {
    return [{ name: 'key', result: 'skipped', detail: 'give --key-file to have its file checked' }];
  }
  return Promise.all(paths.map(checkKeyFile));
}

/** Whether only its owner can read a key file. */
export async function checkKeyFile(path: string): Promise<Check> {
  try {
    const { mode } = await stat(path);
    const shown = path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path;
    if ((mode & 0o077) === 0) {
      return { name: 'key', result: 'ok', detail: `${shown} is its owner's alone` };
    }
    const detail = `${shown} has mode 0${(mode & 0o777).toString(8)}: others may read it`;
    return { name: 'key', result: 'failed', detail, advice: `chmod 600 ${path}` };
  } catch (error) {
    return {
      name: 'key',
      result: 'failed',
      detail: describeError(error),
      advice: 'check the path',
    };
  }
}

function describeCheck({ name, result, detail, advice }: Check, io: CommandContext['io']): string {
  const marks = { ok: 'ok     ', failed: 'FAILED ', skipped: 'skipped' };
  const colours = { ok: 'green', failed: 'red', skipped: 'bold' } as const;
  const mark = coloured(marks[result], colours[result], io);
  return `${mark}  ${name.padEnd(12)}  ${detail}${advice === undefined ? '' : `; ${advice}`}`;
}
