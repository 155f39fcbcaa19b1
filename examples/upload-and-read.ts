// Stores a file on the devnet that runs here, then reads it back, every byte proven against its root.
//
//   npx cairn devnet up            (in another terminal)
//   npx tsx --conditions=@cairn/source examples/upload-and-read.ts README.md
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
// biome-ignore lint/correctness/noUndeclaredDependencies: a workspace of this repository
import { createClient, openFileSource } from '@cairn/client-sdk';

interface Endpoints {
  readonly chains: readonly { readonly rpc: string }[];
  readonly indexer: string;
  readonly keys: readonly string[];
}

const [path = 'package.json', endpointsPath = '.cairn/devnet/endpoints.json'] =
  process.argv.slice(2);
const endpoints = JSON.parse(await readFile(endpointsPath, 'utf8')) as Endpoints;
// A funded development key. On a real network keep yours in a keystore: `npx cairn key new FILE`.
const key = await readFile(join(dirname(endpointsPath), endpoints.keys[0] ?? ''), 'utf8');

const client = createClient({
  indexer: endpoints.indexer,
  rpc: endpoints.chains[0]?.rpc ?? '',
  signer: key.trim(),
});
try {
  const source = await openFileSource(path);
  const receipt = await client.files.put(source, {
    onProgress: (event) => process.stderr.write(`${event.step}\n`),
  });
  await source.close();
  process.stdout.write(`root ${receipt.root}, sequence ${receipt.sequence}\n`);

  // The stream gives a segment only after its proof held; a node that lies is dropped for the next.
  const pieces: Uint8Array[] = [];
  for await (const piece of client.files.get(receipt.root)) pieces.push(piece);
  const isSame = Buffer.concat(pieces).equals(await readFile(path));
  process.stdout.write(`read ${receipt.plainBytes} bytes back, ${isSame ? 'the same' : 'OTHER'}\n`);

  // Random access: only the segments that hold these bytes are fetched.
  const head = await client.files.getBytes(receipt.root, { range: { offset: 0, length: 16 } });
  process.stdout.write(`first bytes: ${Buffer.from(head).toString('hex')}\n`);
} finally {
  await client.close();
}
