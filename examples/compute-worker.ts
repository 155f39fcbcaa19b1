// Does jobs of the network's board: reads the dataset and the tensor that a job cites, every byte proven, wherever they are
// kept; scores the rows; stores the result in the log; and cites it, for which the board pays. Killed and started again it goes
// on with the job it has. Ctrl-C stops it.
//
//   npx cairn devnet up --consensus-shards 2        (in another terminal)
//   npx cairn job post --dataset ROOT --model ROOT --tensor NAME --reward 1000000 --wait
//   npx tsx --conditions=@cairn/source examples/compute-worker.ts
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
// biome-ignore-start lint/correctness/noUndeclaredDependencies: workspaces of this repository
import { blstBackend } from '@cairn/attestation/native';
import { signerFromKey } from '@cairn/chain-access';
import { createClient, fileJournal, resultFolder } from '@cairn/client-sdk';
import { JobWorker, openJobNetwork, scoreRows } from '@cairn/client-sdk/jobs';
import { parseEndpointsText } from '@cairn/wire-protocol';

// biome-ignore-end lint/correctness/noUndeclaredDependencies: workspaces of this repository

const [path = '.cairn/devnet/endpoints.json', state = '.cairn/worker'] = process.argv.slice(2);
const endpoints = parseEndpointsText(await readFile(path, 'utf8'));
// A funded development key, not the one that posts. On a real network keep yours in a keystore: `npx cairn key new FILE`.
const key = (await readFile(join(dirname(path), endpoints.keys[1] ?? ''), 'utf8')).trim();

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stopping.abort(new Error(`stopped by ${name}`)));
}
const { signal } = stopping;

const network = await openJobNetwork(
  {
    endpoints,
    backend: blstBackend(),
    signer: signerFromKey(key),
    // What survives a crash: payments that were signed, and results until the log has them.
    journal: fileJournal(join(state, 'journal')),
    connect: createClient,
  },
  { signal },
);
const worker = new JobWorker(
  // A worker of your own has programs of its own: see `JobProgram`.
  { network, programs: [scoreRows], results: resultFolder(join(state, 'results')) },
  {
    onEvent: ({ kind, jobId, ...facts }) => {
      process.stdout.write(`job ${jobId}: ${kind} ${text(facts)}\n`);
    },
  },
);
process.stdout.write(`working for ${network.board.address} as ${network.account}\n`);
try {
  await worker.run(signal);
} catch (error) {
  if (!signal.aborted) throw error;
} finally {
  await network.close();
}

/** The rest of an event: errors by their words. */
function text(facts: object): string {
  return JSON.stringify(facts, (_, value: unknown) =>
    value instanceof Error ? value.message : value,
  );
}
