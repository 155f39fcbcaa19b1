// Runs `cairn` command lines in one process, from the built command, for as long as the tests that
// started it run: what is saved is what each start of a process costs. See kept-command.ts.
import { availableParallelism } from 'node:os';
import { buildIfStale } from '../../scripts/build.mjs';

buildIfStale();
const { run } = await import('../../dist/cairn.js');

/** Of the lines that run: how each is stopped. */
const running = new Map();
let isLeft = false;

/** Streams of a command without a terminal. */
function ioOf({ id, env, cwd, input }) {
  let said = '';
  const io = {
    writeOut: async (bytes) => {
      const out = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.slice());
      await tell({ id, out });
    },
    writeErr: (text) => {
      said += text;
    },
    env,
    cwd,
    isErrTerminal: false,
    isOutTerminal: false,
    columns: 80,
    cores: availableParallelism(),
    stdin: async function* () {
      if (input !== undefined) yield input;
    },
    askSecret: async () => undefined,
  };
  return { io, said: () => said };
}

function tell(message) {
  return new Promise((resolve) => {
    if (isLeft) resolve();
    else process.send(message, () => resolve());
  });
}

async function runLine(line) {
  const stop = new AbortController();
  const { io, said } = ioOf(line);
  const ended = run(line.args, { io, signal: stop.signal });
  running.set(line.id, { stop, ended });
  const status = await ended.catch((error) => {
    io.writeErr(`${error.stack}\n`);
    return 1;
  });
  running.delete(line.id);
  await tell({ id: line.id, status, stderr: said() });
}

process.on('message', (message) => {
  if (message.stop === true) running.get(message.id)?.stop.abort(new Error('the test is done'));
  else void runLine(message);
});

// The tests are over, or their process was killed: networks that still run are stopped first.
process.on('disconnect', () => {
  isLeft = true;
  const lines = [...running.values()];
  for (const { stop } of lines) stop.abort(new Error('nobody waits for this command'));
  void Promise.allSettled(lines.map(({ ended }) => ended)).then(() => process.exit());
});
