import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkpointHash, encodeCheckpoint, leafHash, treePath, treeRoot } from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import { signerFromKey } from '@cairn/chain-access';
import { finalBlock } from '@cairn/chain-access/da';
import { deployJobBoard } from '@cairn/chain-access/deploy';
import { readLogRecords } from '@cairn/chain-access/possession';
import {
  type CitedContent,
  explainJobRefusal,
  JobRefusal,
  postJob,
  readHead,
  readJob,
  readPlaces,
  readShardContent,
  type ShardContent,
} from '@cairn/chain-access/shards';
import { createClient, fileJournal, resultFolder } from '@cairn/client-sdk';
import {
  citeContents,
  type JobEvent,
  type JobNetwork,
  type JobNetworkOptions,
  JobWorker,
  openJobNetwork,
  programId,
  scoreRows,
} from '@cairn/client-sdk/jobs';
import { encodeRecord } from '@cairn/commitments';
import { rootOf } from '@cairn/primitives';
import { type Endpoints, parseContentReference } from '@cairn/wire-protocol';
import { repositoryRoot } from '../architecture/house.ts';
import { type BundledProgram, bundleProgram } from './bundle-program.ts';
import { cairn, cairnJson } from './cli.ts';
import {
  expectedScores,
  floats,
  OUTPUTS,
  ROWS,
  safetensors,
  startWorker,
  storedAs,
  WIDTH,
  type Worker,
} from './compute-worker.ts';
import type { Network } from './network.ts';
import { until } from './wait.ts';

const options = { signal: new AbortController().signal };
/** Whom a job of a board of its own is kept for. */
const WORK_SECONDS = 10;

/** A devnet with two chains, and a folder for whatever tests write. */
export interface JobSurroundings {
  readonly network: Network;
  readonly endpoints: Endpoints;
  readonly folder: string;
}

/**
 * Declares what jobs over content of two chains are tested for, on a network that others use too. Its relayer is paused where a test
 * needs something not to be ordered yet.
 */
export function jobCases(surroundings: () => JobSurroundings): void {
  const open: JobNetwork[] = [];
  const rows = floats(41, ROWS * WIDTH);
  const weights = floats(42, OUTPUTS * WIDTH);
  let worker: BundledProgram | undefined;
  let dataset = '';
  let model = '';
  let jobId = 0;

  after(async () => {
    for (const each of open) await each.close();
    await worker?.remove();
  });

  const dir = (): string[] => ['--dir', surroundings().network.directory];
  const keyFile = (index: number): string =>
    join(surroundings().network.directory, surroundings().endpoints.keys[index] ?? '');
  const nodeOf = (chain: string): string[] => {
    const node = surroundings().endpoints.storage.find((each) => each.chain === chain);
    return ['--node', node?.rpc ?? ''];
  };
  const as = async (
    index: number,
    board: Pick<JobNetworkOptions, 'board'> = {},
  ): Promise<JobNetwork> => {
    const { folder, endpoints } = surroundings();
    const key = (await readFile(keyFile(index), 'utf8')).trim();
    const journal = fileJournal(join(folder, `account-${index}`));
    const parts = { endpoints, signer: signerFromKey(key), journal, backend: blstBackend() };
    const network = await openJobNetwork({ ...parts, ...board, connect: createClient }, options);
    open.push(network);
    return network;
  };
  /** Stops the relayer for as long as some work takes: nothing new is ordered. */
  const whilePaused = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const { processes } = await cairnJson(['devnet', 'status', ...dir()]);
    const listed = processes as { readonly name: string; readonly pid: number }[];
    const pid = listed.find(({ name }) => name === 'relayer')?.pid;
    assert.ok(pid !== undefined);
    process.kill(pid, 'SIGSTOP');
    try {
      return await work();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  };
  const post = (...extra: readonly string[]): string[] => {
    const cited = ['--dataset', dataset, '--model', model, '--tensor', 'head'];
    return ['job', 'post', ...cited, '--reward', '1000', ...extra, ...dir()];
  };

  it('have a contract that takes a job over content of both, and none over what is not ordered yet', async () => {
    const { folder } = surroundings();
    await mkdir(join(folder, 'rows'));
    await writeFile(join(folder, 'rows', 'part-0.f32'), rows);
    const path = join(folder, 'model.safetensors');
    await writeFile(path, safetensors(weights));
    await whilePaused(async () => {
      const data = ['file', 'put', join(folder, 'rows'), ...nodeOf('hub'), ...dir()];
      dataset = String((await cairnJson(data))['root']);
      const put = await cairnJson(['file', 'put', path, ...nodeOf('shard-1'), ...dir()]);
      model = String(put['root']);
      const early = await cairn(post());
      assert.equal(early.status, 5, early.stderr);
      assert.match(early.stderr, /file \d+ of shard \d+ is not ordered yet: its newest checkpoint/);
      assert.match(early.stderr, /--wait/);
      await refusesUnordered(await as(0), Number(put['sequence']));
    });
    const posted = await cairnJson(post('--wait'), { timeoutMs: 240_000 });
    jobId = Number(posted['job']);
    const shown = await cairnJson(['job', 'show', String(jobId), ...dir()]);
    assert.equal(shown['state'], 'open');
    const inputs = shown['inputs'] as { readonly chainId: number; readonly length: number }[];
    assert.deepEqual(
      inputs.map(({ chainId }) => chainId),
      [31_337, 31_338],
    );
    assert.equal(inputs[1]?.length, weights.length);
  });

  it('have it done by a worker that is killed half-way and goes on', async () => {
    const { folder, network } = surroundings();
    worker = await bundleProgram(join(repositoryRoot, 'examples', 'compute-worker.ts'));
    const start = (): Worker =>
      startWorker([
        worker?.path ?? '',
        join(network.directory, 'endpoints.json'),
        join(folder, 'worker'),
      ]);
    let first: Worker | undefined;
    await whilePaused(async () => {
      first = start();
      await first.said(`job ${jobId}: stored`);
      first.child.kill('SIGKILL');
    });
    const second = start();
    try {
      await second.said(`job ${jobId}: done`);
    } finally {
      second.child.kill('SIGTERM');
    }
    assert.match(second.text(), new RegExp(`job ${jobId}: resumed`));
    assert.equal(storedAs(second), storedAs(first), 'nothing was paid for twice');
    const shown = await cairnJson(['job', 'show', String(jobId), ...dir()]);
    assert.equal(shown['state'], 'done');
    const reference = join(folder, 'result.json');
    await writeFile(reference, JSON.stringify(shown['result']));
    const read = ['ref', 'resolve', reference, '--tensor', 'scores', '-o', '-', ...dir()];
    const scores = await cairn(read);
    assert.equal(scores.status, 0, scores.stderr);
    assert.ok(scores.stdout.equals(expectedScores(rows, weights)));
    assert.equal((await cairn(['job', 'check', String(jobId), ...dir()])).status, 0);
    const collect = ['job', 'collect', '--key-file', keyFile(1), ...dir()];
    assert.equal((await cairnJson(collect))['paidWei'], '1000');
    const late = await cairn(['job', 'take', String(jobId), '--key-file', keyFile(2), ...dir()]);
    assert.equal(late.status, 1);
    assert.match(late.stderr, /job \d+ has its result.*\(JobClosed; nothing was paid\)/);
  });

  it('leave a job alone that somebody else took, refuse what is not proven, and show a result that lies', async () => {
    const { folder } = surroundings();
    const poster = await as(0);
    const deployer = signerFromKey((await readFile(keyFile(3), 'utf8')).trim());
    const place = { client: poster.hub, orderingHub: poster.ordering.domain.address, pollMs: 50 };
    const board = await deployJobBoard(
      { ...place, signer: deployer, workSeconds: WORK_SECONDS },
      options,
    );
    const onBoard = ['--board', board];
    const id = String((await cairnJson(post(...onBoard)))['job']);
    const events: string[] = [];
    const helper = await as(1, { board });
    const results = resultFolder(join(folder, 'lost'));
    const deps = { network: helper, programs: [scoreRows], results };
    const onEvent = ({ kind }: JobEvent): void => {
      events.push(kind);
    };
    // A result of its own: the one that the hub's log has would be ordered at once.
    const [, resultChain] = helper.chainIds;
    assert.ok(resultChain !== undefined);
    const working = new JobWorker(deps, { onEvent, resultChain });
    const other = ['--key-file', keyFile(2), ...onBoard, ...dir()];
    await whilePaused(async () => {
      const lost = assert.rejects(working.work(Number(id), options), { code: 'JOB_LOST' });
      await until('the result to be stored', () => events.includes('stored'));
      const ownUntil = await takenUntil(helper, id);
      await until('the worker’s time to be over', async () => {
        return (await poster.nowSeconds(options)) >= ownUntil;
      });
      const taken = await cairn(['job', 'take', id, ...other]);
      assert.equal(taken.status, 0, taken.stderr);
      await lost;
    });
    const othersUntil = await takenUntil(helper, id);
    const again = await working.workOnce(options);
    const isLate = (await poster.nowSeconds(options)) >= othersUntil; // on a machine that hardly gets on
    assert.ok(again === undefined || isLate, 'it is left alone');
    if (again !== undefined) return; // done anew: there is nothing left to complete

    const shown = await cairnJson(['job', 'show', id, ...onBoard, ...dir()]);
    const [input] = shown['inputs'] as object[];
    const lie = join(folder, 'lie.json');
    const complete = (): Promise<Record<string, unknown>> =>
      cairnJson(['job', 'complete', id, '--result', lie, ...other]);
    await writeFile(lie, JSON.stringify({ ...input, sizeBytes: 9, offset: 0, length: 9 }));
    await assert.rejects(complete, /have no file 0x[0-9a-f]{64} of 9 bytes/);
    const forged = { ...parseContentReference(input), sizeBytes: 9, length: 9 };
    const [cited] = await citeContents(poster, [parseContentReference(input)], options);
    assert.ok(cited !== undefined);
    await refuses(poster, 'NotWhatIsProven', { ...cited, content: forged });
    await writeFile(lie, JSON.stringify(input));
    await complete(); // any ordered file passes: the board cannot tell
    const check = await cairn(['job', 'check', id, ...onBoard, ...dir()]);
    assert.equal(check.status, 4, check.stderr);
    assert.match(check.stderr, /JOB_RESULT_WRONG|makes 0x/);
  });
}

/**
 * The contract refuses a file whose checkpoint would be the next in the order, by the proof that would then hold: it has no root
 * of an order of that length.
 */
async function refusesUnordered(network: JobNetwork, sequence: number): Promise<void> {
  const { ordering } = network;
  const [, chainId] = network.chainIds;
  assert.ok(chainId !== undefined);
  const { shard, client } = await network.proverOf(chainId, options);
  const place = { shard, client, orderingHub: ordering.domain.address };
  const head = await readHead(ordering, shard.shardId, options);
  const [number, previous] = [head.number + 1, head.hash];
  let content: ShardContent | undefined;
  await until('a final block with the file', async () => {
    const block = await finalBlock(client, shard.finality, options);
    content = await readShardContent(place, block, options);
    return content.logCount > sequence;
  });
  assert.ok(content !== undefined && shard.flow !== undefined);
  const range = { fromBlock: 0, toBlock: content.blockNumber };
  const records = await readLogRecords(client, shard.flow, range, options);
  const record = records[sequence];
  assert.ok(record !== undefined);
  const logged = records.map((each) => leafHash(encodeRecord(each)));
  const checkpoint = { ...content, number, previous };
  const places = await readPlaces(ordering, options);
  const leaves = [...places.map(({ hash }) => hash), checkpointHash(checkpoint)];
  const [globalIndex, count] = [places.length, leaves.length];
  const path = treePath(leaves, globalIndex);
  const ordered = { body: encodeCheckpoint(checkpoint), globalIndex, path };
  const order = { root: treeRoot(leaves), count };
  const proof = { record, path: treePath(logged, sequence), checkpoint, ordered, order };
  const { sizeBytes, fileRoot } = record;
  const whole = { root: rootOf(fileRoot), sizeBytes, offset: 0, length: sizeBytes };
  const cited = { content: { chainId, globalIndex, ...whole }, proof };
  await refuses(network, 'NotOrdered', cited);
}

/** Until when a job is kept for who took it, seconds. */
async function takenUntil({ board }: JobNetwork, id: string): Promise<number> {
  const job = await readJob(board, Number(id), options);
  return job?.takenUntilSeconds ?? assert.fail(`there is no job ${id}`);
}

/** The contract refuses a job over what is cited, by name, and nothing is paid. */
async function refuses(network: JobNetwork, refusal: string, cited: CitedContent): Promise<void> {
  const deadlineSeconds = (await network.nowSeconds(options)) + 600;
  const request = { program: programId(scoreRows.name), inputs: [cited], deadlineSeconds };
  const intent = `refused:${refusal}`;
  const posting = postJob(network.caller(), { ...request, feeWei: 1n }, { ...options, intent });
  const error = explainJobRefusal(await posting.catch((thrown: unknown) => thrown));
  assert.ok(error instanceof JobRefusal, String(error));
  assert.equal(error.facts.refusal, refusal);
  assert.equal(error.facts.transactionHash, undefined);
}
