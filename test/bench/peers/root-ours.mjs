// Our file root, on one thread, without the pool.

import { commitStream, loadHasher } from '@cairn/commitments';
import { openFileSource } from '@cairn/node-runtime/files';
import { toHex } from '@cairn/primitives';

const path = process.argv[2];
const hasher = await loadHasher();
const file = await openFileSource(path);
const { signal } = new AbortController();
const before = process.cpuUsage();
const { root } = await commitStream(file.pieces({ signal, reuse: true }), file.sizeBytes, {
  hasher,
  signal,
});
const { user, system } = process.cpuUsage(before);
process.stderr.write(`${toHex(root)}\n`);
process.stdout.write(
  `${JSON.stringify({ cpuSeconds: (user + system) / 1e6, bytes: file.sizeBytes })}\n`,
);
