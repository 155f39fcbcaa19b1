// The official SDK's merkleTree() over a file.
import { ZgFile } from '@0gfoundation/0g-ts-sdk';

const file = await ZgFile.fromFilePath(process.argv[2]);
const before = process.cpuUsage();
const [tree, error] = await file.merkleTree();
const { user, system } = process.cpuUsage(before);
if (error !== null) throw error;
process.stderr.write(`${tree.rootHash()}\n`);
process.stdout.write(
  `${JSON.stringify({ cpuSeconds: (user + system) / 1e6, bytes: file.size() })}\n`,
);
await file.close();
