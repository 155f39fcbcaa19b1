// Our replay of key-value batches: `replay FOLDER ENTRIES KEYS` applies ENTRIES log entries of KEYS
// writes each, whose files lie one after another on the disk, with roots and fsync; `proofs FOLDER
// SIZES…` grows one stream and proves keys of it at each size.

import { randomBytes } from 'node:crypto';
import { mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { loadHasher } from '@cairn/commitments';
import {
  BatchBuilder,
  fileBatchSource,
  parseStreamId,
  StateProofs,
  StreamReads,
  StreamState,
  verifyStateProof,
} from '@cairn/kv-layer';
import { openFlatFileStore } from '@cairn/node-runtime/files';
import { openLevelStore } from '@cairn/node-runtime/level';
import { chainIdOf, MIB, parseAddress, sequenceOf } from '@cairn/primitives';

const SENDER = parseAddress(`0x${'a1'.repeat(20)}`);
const STREAM = parseStreamId(`0x${'01'.repeat(32)}`);
const KEY_BYTES = 24;
const VALUE_BYTES = 64;
/** Log entries handed over together: those of a few blocks for a node at the head, fewer than it has when it catches up. */
const GROUP_KEYS = 25_600;
const MAX_GROUP = 256;

const [mode, folder, ...numbers] = process.argv.slice(2);
const { signal } = new AbortController();
mkdirSync(folder, { recursive: true });
const hasher = await loadHasher();
const kv = await openLevelStore({
  directory: join(folder, 'index'),
  cacheBytes: 32 * MIB,
  writeBufferBytes: 32 * MIB,
});
const values = await openFlatFileStore({ directory: join(folder, 'values') });
const state = await StreamState.open(
  { kv, values, hasher },
  { chainId: chainIdOf(1), flow: SENDER, streams: [STREAM] },
  { signal },
);
const batches = openSync(join(folder, 'batches'), 'w+');
let end = 0;
const keys = [];

/** Log entries whose files were written to the disk. */
function makeEntries(first, count, keysPerEntry) {
  const places = [];
  let tags;
  for (let index = 0; index < count; index += 1) {
    const builder = new BatchBuilder();
    for (let key = 0; key < keysPerEntry; key += 1) {
      const name = new Uint8Array(randomBytes(KEY_BYTES));
      if (keys.length < 10_000) keys.push(name);
      builder.put(STREAM, name, new Uint8Array(randomBytes(VALUE_BYTES)));
    }
    const built = builder.build();
    tags = built.tags;
    writeSync(batches, built.bytes, 0, built.bytes.length, end);
    places.push({ offset: end, sizeBytes: built.bytes.length });
    end += built.bytes.length;
  }
  return places.map(({ offset, sizeBytes }, index) => ({
    sequence: sequenceOf(first + index),
    sender: SENDER,
    tags,
    timeSeconds: first + index,
    source: fileBatchSource(sizeBytes, async (at, length) => {
      const bytes = new Uint8Array(length);
      readSync(batches, bytes, 0, length, offset + at);
      return bytes;
    }),
  }));
}

async function applyAll(entries, keysPerEntry) {
  const size = Math.min(MAX_GROUP, Math.max(1, Math.floor(GROUP_KEYS / keysPerEntry)));
  for (let at = 0; at < entries.length; at += size) {
    const { applied } = await state.apply(entries.slice(at, at + size), { signal });
    if (!applied.every(({ result }) => result === 'Commit')) throw new Error('not committed');
  }
}

async function timed(work) {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - started) / 1000 };
}

if (mode === 'replay') {
  const [count, keysPerEntry] = numbers.map(Number);
  const entries = makeEntries(0, count, keysPerEntry);
  const replay = await timed(() => applyAll(entries, keysPerEntry));
  const reads = new StreamReads(state);
  const asked = 5000;
  const point = await timed(async () => {
    for (let index = 0; index < asked; index += 1) {
      const key = keys[(index * 7) % keys.length];
      await reads.value(STREAM, key, { start: 0, length: 262_144, signal });
    }
  });
  print({
    entries: count,
    keys: count * keysPerEntry,
    ...replay,
    reads: asked,
    readCpuSeconds: point.cpuSeconds,
  });
} else {
  const proofs = new StateProofs(state);
  const sizes = [];
  for (const size of numbers.map(Number)) {
    while (keysSoFar() < size) {
      const keysPerEntry = Math.min(20_000, size - keysSoFar());
      await applyAll(makeEntries(Number(state.nextSequence), 1, keysPerEntry), keysPerEntry);
    }
    let bytes = 0;
    const asked = keys.slice(0, 500);
    const made = [];
    const prove = await timed(async () => {
      for (const key of asked) made.push(await proofs.prove(STREAM, { keys: [key] }, { signal }));
    });
    const verify = await timed(async () => {
      for (const { proof, stateRoot } of made) {
        bytes += proof.length;
        verifyStateProof(proof, { stateRoot, stream: STREAM }, hasher);
      }
    });
    sizes.push({
      size,
      bytes: bytes / asked.length,
      proveMicroseconds: (prove.cpuSeconds / asked.length) * 1e6,
      verifyMicroseconds: (verify.cpuSeconds / asked.length) * 1e6,
    });
  }
  print({ sizes });
}
await kv.close();
await values.close();

function keysSoFar() {
  return state.currentRoot(STREAM)?.keyCount ?? 0;
}

function print(figures) {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
