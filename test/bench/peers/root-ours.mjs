// Our file root, on one thread, without the pool.

import { createReadStream, statSync } from 'node:fs';
import { commitStream, loadHasher } from '@cairn/commitments';
import { toHex } from '@cairn/primitives';

const path = process.argv[2];
const { size } = statSync(path);
const hasher = await loadHasher();
const source = createReadStream(path, { highWaterMark: 1024 * 1024 });
const before = process.cpuUsage();
const { root } = await commitStream(source, size, { hasher, signal: new AbortController().signal });
const { user, system } = process.cpuUsage(before);
process.stderr.write(`${toHex(root)}\n`);
process.stdout.write(`${JSON.stringify({ cpuSeconds: (user + system) / 1e6, bytes: size })}\n`);
