import assert from 'node:assert/strict';
import {
  FileTree,
  fileShape,
  type Hasher,
  loadHasher,
  nobleHasher,
  verifySegment,
} from '@cairn/commitments';
import {
  chainIdOf,
  Fault,
  MIB,
  parseRoot,
  rootOf,
  seededRng,
  sequenceOf,
  utf8Bytes,
} from '@cairn/primitives';
import {
  encodeManifest,
  encodeSegmentMessage,
  type ManifestDirectory,
  parseBoundedJson,
  parseEndpointsText,
  parseJsonRpcBody,
  parseManifest,
  parseSegmentMessage,
  parseZgFileInfo,
  parseZgProof,
  parseZgSegment,
  rpcError,
} from '@cairn/wire-protocol';
import { contentBytes } from '../support/content.ts';
import { mutate } from '../support/mutate.ts';
import { runsOf, seedOf } from '../support/soak.ts';

let hasher: Hasher = nobleHasher;
const SEED = seedOf(20_261_121);
const INPUTS = runsOf(200_000);
/** An input of a kilobyte that takes longer than this is a hang. */
const SLOWEST_MS = 250;
/** What a whole run may make the heap grow by: garbage not collected yet, and nothing kept. */
const GROWTH_MIB = 256;

/** A decoder, something valid for it, and how it is called on bytes. */
interface Decoder {
  readonly name: string;
  readonly valid: readonly Uint8Array[];
  readonly decode: (bytes: Uint8Array) => unknown;
}

/** A small file of three segments, its proofs and its messages. */
function sample() {
  const content = contentBytes(2 * 262_144 + 700);
  const shape = fileShape(content.length);
  const parts = [0, 1, 2].map((index) => {
    const real = content.subarray(index * 262_144, (index + 1) * 262_144);
    const data = new Uint8Array(Math.ceil(real.length / 256) * 256);
    data.set(real);
    return data;
  });
  const roots = Buffer.concat(
    parts.map((data, index) =>
      hasher.segmentRoot(data, index < shape.paddedSegments - 1 ? 1024 : shape.lastSegmentLeaves),
    ),
  );
  const tree = FileTree.fromSegmentRoots(hasher, shape, roots);
  const data = parts[2] ?? new Uint8Array();
  const proof = tree.proofAt(2);
  const message = encodeSegmentMessage({
    chainId: chainIdOf(31_337),
    sequence: sequenceOf(4),
    segment: { root: tree.root, sizeBytes: content.length, index: 2, data, proof },
  });
  return { root: rootOf(tree.root), tree, proof, data, message, sizeBytes: content.length };
}

const { root, proof, data, message, sizeBytes } = sample();
const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;
const zgProof = {
  lemma: [hex(hasher.segmentRoot(data, 3)), ...proof.siblings.map(hex), root],
  path: proof.siblings.map(() => false),
};
const zgSegment = {
  root,
  data: Buffer.from(data).toString('base64'),
  index: 2,
  proof: zgProof,
  fileSize: sizeBytes,
};
const zgInfo = {
  tx: {
    streamIds: [],
    data: [],
    dataMerkleRoot: root,
    merkleNodes: [[12, root]],
    startEntryIndex: 1024,
    size: sizeBytes,
    seq: 4,
  },
  finalized: true,
  isCached: false,
  uploadedSegNum: 3,
  pruned: false,
};
const manifest: ManifestDirectory = {
  kind: 'directory',
  name: '/',
  entries: [
    { kind: 'file', name: 'a.txt', roots: [parseRoot(root)], sizeBytes: 12 },
    { kind: 'directory', name: 'sub', entries: [{ kind: 'link', name: 'up', link: '../a.txt' }] },
  ],
};
const call = (params: unknown): Uint8Array =>
  utf8Bytes(
    JSON.stringify({
      jsonrpc: '2.0',
      id: 2 ** 54,
      method: 'zgs_uploadSegment',
      params,
    }),
  );
const jsonOf = (bytes: Uint8Array): unknown =>
  parseBoundedJson(new TextDecoder('utf-8').decode(bytes), 16, 'a test');

const DECODERS: readonly Decoder[] = [
  {
    name: 'JSON-RPC bodies',
    valid: [
      call([zgSegment]),
      call({ a: 1 }),
      utf8Bytes(`[${'{"jsonrpc":"2.0","id":1,"method":"m"},'.repeat(3)}{}]`),
    ],
    decode: (bytes) => {
      const body = parseJsonRpcBody(bytes);
      if (body.kind === 'refused') throw rpcError(body.error);
      if (body.kind === 'single' && body.call.kind === 'refusal') throw rpcError(body.call.error);
    },
  },
  { name: 'binary segment messages', valid: [message], decode: parseSegmentMessage },
  {
    name: 'segments with proofs, verified',
    valid: [message],
    decode: (bytes) => verifySegment(parseSegmentMessage(bytes).segment, hasher),
  },
  {
    name: '0G segments',
    valid: [utf8Bytes(JSON.stringify(zgSegment))],
    decode: (bytes) => parseZgSegment(jsonOf(bytes)),
  },
  {
    name: '0G proofs',
    valid: [utf8Bytes(JSON.stringify(zgProof))],
    decode: (bytes) => parseZgProof(jsonOf(bytes)),
  },
  {
    name: '0G file infos',
    valid: [utf8Bytes(JSON.stringify(zgInfo))],
    decode: (bytes) => parseZgFileInfo(jsonOf(bytes)),
  },
  { name: 'directory manifests', valid: [encodeManifest(manifest)], decode: parseManifest },
  {
    name: 'endpoint files',
    valid: [
      utf8Bytes(
        '{"version":1,"chains":[{"name":"hub","rpc":"http://127.0.0.1:1","chainId":1,"contracts":{}}],"indexer":"http://127.0.0.1:2","storage":[],"keys":[]}',
      ),
    ],
    decode: (bytes) => parseEndpointsText(new TextDecoder().decode(bytes)),
  },
];

describe('hostile input', () => {
  before(async () => {
    hasher = await loadHasher();
  });

  for (const { name, valid, decode } of DECODERS) {
    it(`${name}: every damaged input is decoded or refused with a named fault`, () => {
      for (const bytes of valid) decode(bytes); // else the mutants test nothing
      const rng = seededRng(SEED);
      let refused = 0;
      const before = process.memoryUsage().heapUsed;
      for (let input = 0; input < INPUTS; input += 1) {
        const bytes = mutate(valid[rng.below(valid.length)] ?? new Uint8Array(), rng);
        const startedAt = performance.now();
        try {
          decode(bytes);
        } catch (error) {
          refused += 1;
          if (!(error instanceof Fault)) {
            throw new Error(
              `seed ${SEED}, input ${input} (${hex(bytes).slice(0, 2000)}) threw ${String(error)}`,
              { cause: error },
            );
          }
        }
        const tookMs = performance.now() - startedAt;
        // One slow input may be the machine's doing: only one that stays slow is ours.
        if (tookMs > SLOWEST_MS && isSlowAgain(() => decode(bytes))) {
          assert.fail(`seed ${SEED}, input ${input} took ${tookMs.toFixed(0)} ms, and again`);
        }
      }
      assert.ok(refused > INPUTS / 10, `only ${refused} of ${INPUTS} were refused`);
      const grownMib = (process.memoryUsage().heapUsed - before) / MIB;
      assert.ok(grownMib < GROWTH_MIB, `the heap grew by ${grownMib.toFixed(0)} MiB`);
    });
  }
});

function isSlowAgain(work: () => unknown): boolean {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const startedAt = performance.now();
    try {
      work();
    } catch {
      // refused again, which is not the question
    }
    if (performance.now() - startedAt < SLOWEST_MS) return false;
  }
  return true;
}
