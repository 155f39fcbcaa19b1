// Copies what a URL serves into a file and makes it durable: `node copy-plain.mjs URL PATH` prints what it took.
import { open } from 'node:fs/promises';
import { get } from 'node:http';

const [url = '', path = ''] = process.argv.slice(2);
const began = performance.now();
const cpuBefore = process.cpuUsage();
const file = await open(path, 'w');
const reply = await new Promise((resolve, reject) => get(url, resolve).once('error', reject));
let bytes = 0;
for await (const part of reply) {
  await file.write(part);
  bytes += part.length;
}
await file.datasync();
await file.close();
const { user, system } = process.cpuUsage(cpuBefore);
const wallSeconds = (performance.now() - began) / 1000;
process.stdout.write(JSON.stringify({ bytes, wallSeconds, cpuSeconds: (user + system) / 1e6 }));
