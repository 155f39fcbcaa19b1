import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { devnetLogs } from '../../src/commands/devnet-logs.ts';
import { fakeIo } from '../fake-io.ts';

describe('following logs', () => {
  let directory: string;
  let path: string;
  let stop: AbortController;
  let ended: Promise<unknown>;
  let written: string[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-logs-'));
    path = join(directory, 'logs', 'node.log');
    await mkdir(join(directory, 'logs'));
    await writeFile(path, 'a first line that is rather long\n');
    stop = new AbortController();
    written = [];
    const writeOut = async (text: string | Uint8Array) => void written.push(String(text));
    const io = { ...fakeIo(), writeOut };
    const options = { dir: directory, follow: true, lines: 10 };
    ended = devnetLogs(undefined, options, { io, signal: stop.signal });
    await printed('a first line that is rather long\n');
  });
  afterEach(async () => {
    stop.abort();
    await ended;
    await rm(directory, { recursive: true });
  });

  /** Waits until exactly this was printed since the last time. */
  const printed = async (text: string): Promise<void> => {
    while (written.join('').length < text.length) await new Promise(setImmediate);
    assert.ok(written.splice(0).join('') === text);
  };

  it('goes on with a log that was begun anew, shorter or longer', async () => {
    await appendFile(path, 'second\nhalf');
    await printed('second\n');
    await writeFile(path, 'anew\n');
    await printed('anew\n');
    await writeFile(`${path}.new`, 'another file that is longer than the one before\n');
    await rename(`${path}.new`, path);
    await printed('another file that is longer than the one before\n');
  });

  it('is not held up by a line longer than what is read at once', async () => {
    const long = 'x'.repeat(1_500_000);
    await appendFile(path, `${long}\nafter\n`);
    await printed(`${long.slice(0, 1_048_576)}\n${long.slice(1_048_576)}\nafter\n`);
  });
});
