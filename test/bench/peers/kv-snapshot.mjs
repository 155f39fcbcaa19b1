// `make FOLDER KEYS` replays KEYS keys of one stream; `write FOLDER` writes the state's snapshot; `take FOLDER TURN`
// begins a state with it, on the disk, and reads one key; `copy FOLDER TURN` copies the same bytes; `read FOLDER TURN` reads
// 100 more keys of what `take` began, each proven when it is read; `prove FOLDER TURN` proves all that is left.
import { randomBytes } from 'node:crypto';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { loadHasher } from '@cairn/commitments';
import {
  BatchBuilder,
  exportSnapshot,
  importSnapshot,
  memoryBatchSource,
  parseStreamId,
  StreamReads,
  StreamState,
} from '@cairn/kv-layer';
import { openFlatFileStore } from '@cairn/node-runtime/files';
import { openLevelStore } from '@cairn/node-runtime/level';
import { chainIdOf, fromHex, MIB, parseAddress, sequenceOf, toHex } from '@cairn/primitives';

const SENDER = parseAddress(`0x${'a1'.repeat(20)}`);
const STREAM = parseStreamId(`0x${'01'.repeat(32)}`);
const IDENTITY = { chainId: chainIdOf(1), flow: SENDER, streams: [STREAM] };
const KEY_BYTES = 24;
const VALUE_BYTES = 64;
const KEYS_TOGETHER = 20_000;
/** Keys that are read one after another. */
const READS = 100;

const [mode, folder, count] = process.argv.slice(2);
const { signal } = new AbortController();
const path = join(folder, 'snapshot');
const about = join(folder, 'about.json');

const stores = async (name) => ({
  kv: await openLevelStore({
    directory: join(folder, name, 'index'),
    cacheBytes: 64 * MIB,
    writeBufferBytes: 32 * MIB,
  }),
  values: await openFlatFileStore({ directory: join(folder, name, 'values') }),
  hasher: await loadHasher(),
});

async function timed(work) {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  const cpuSeconds = (user + system) / 1e6;
  print({ cpuSeconds, wallSeconds: (performance.now() - started) / 1000 });
}

async function written(pieces, to) {
  const file = await open(to, 'w');
  let held = [];
  let length = 0;
  for await (const piece of pieces) {
    held.push(piece);
    length += piece.length;
    if (length < 262_144) continue;
    await file.writeFile(Buffer.concat(held));
    [held, length] = [[], 0];
  }
  await file.writeFile(Buffer.concat(held));
  await file.sync();
  await file.close();
}

const keys = mode === 'make' ? [] : JSON.parse(readFileSync(join(folder, 'known.json'), 'utf8'));

if (mode === 'make') {
  const made = await stores('made');
  const state = await StreamState.open(made, IDENTITY, { signal });
  const known = [];
  await timed(async () => {
    for (let left = Number(count); left > 0; left -= KEYS_TOGETHER) {
      const builder = new BatchBuilder();
      for (let key = 0; key < Math.min(left, KEYS_TOGETHER); key += 1) {
        const name = new Uint8Array(randomBytes(KEY_BYTES));
        if (left === Number(count) && key <= READS) known.push(toHex(name));
        builder.put(STREAM, name, new Uint8Array(randomBytes(VALUE_BYTES)));
      }
      const { bytes, tags } = builder.build();
      const sequence = sequenceOf(state.nextSequence);
      const source = memoryBatchSource(bytes);
      await state.apply([{ sequence, sender: SENDER, tags, timeSeconds: 1, source }], { signal });
    }
  });
  writeFileSync(join(folder, 'known.json'), JSON.stringify(known));
  await made.kv.close();
  await made.values.close();
} else if (mode === 'write') {
  const made = await stores('made');
  const state = await StreamState.open(made, IDENTITY, { signal });
  await timed(() => written(exportSnapshot(state, { signal }), path));
  const { stateRoot } = state.currentRoot(STREAM);
  writeFileSync(about, JSON.stringify({ root: toHex(stateRoot), version: state.nextSequence - 1 }));
  await made.kv.close();
  await made.values.close();
} else if (mode === 'take') {
  const { root, version } = JSON.parse(readFileSync(about, 'utf8'));
  const taken = await stores(`taken-${count}`);
  const trusted = new Map([[STREAM, fromHex(root)]]);
  await timed(async () => {
    const snapshot = createReadStream(path, { highWaterMark: 262_144 });
    await importSnapshot(taken, IDENTITY, snapshot, { trusted, version, signal });
    await readKeys(await StreamState.open(taken, IDENTITY, { signal }), keys.slice(0, 1));
  });
  await taken.kv.close();
  await taken.values.close();
} else if (mode === 'read' || mode === 'prove') {
  const taken = await stores(`taken-${count}`);
  const state = await StreamState.open(taken, IDENTITY, { signal });
  await timed(async () => {
    if (mode === 'read') await readKeys(state, keys.slice(1));
    else while (await state.unread.readNext({ signal }));
  });
  await taken.kv.close();
  await taken.values.close();
} else {
  await timed(() =>
    written(createReadStream(path, { highWaterMark: 262_144 }), join(folder, `copied-${count}`)),
  );
}

async function readKeys(state, keys) {
  const reads = new StreamReads(state);
  for (const key of keys) {
    const { bytes } = await reads.value(STREAM, fromHex(key), {
      start: 0,
      length: VALUE_BYTES,
      signal,
    });
    if (bytes.length !== VALUE_BYTES) throw new Error(`${key} has ${bytes.length} bytes`);
  }
}

function print(figures) {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
