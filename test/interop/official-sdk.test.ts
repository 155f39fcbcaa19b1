import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Downloader,
  getFlowContract,
  Indexer,
  MemData,
  StorageNode,
  Uploader,
  type UploadOption,
  ZgFile,
} from '@0gfoundation/0g-ts-sdk';
import { ethers } from 'ethers';
import { cairn, cairnJson } from '../support/cli.ts';
import { restoreConsole, silenceConsole } from '../support/console.ts';
import { contentOf } from '../support/content.ts';
import { type Network, rpc } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';
import { isSoak } from '../support/soak.ts';
import { until } from '../support/wait.ts';

const KIB = 1024;
const SIZES = [
  1,
  255,
  256,
  257,
  256 * KIB - 1,
  256 * KIB,
  256 * KIB + 1,
  1024 * KIB,
  3 * 1024 * KIB + 17,
  ...(isSoak ? [40 * 1024 * KIB] : []),
];
const RETRIES = { Retries: 100, Interval: 1, MaxGasPrice: 0, TooManyDataRetries: 3 };

type SdkSigner = Parameters<typeof getFlowContract>[1];

/** The official SDK, unmodified, against our nodes; it prints a lot, which is kept out of the report. */
describe('the official 0G SDK', () => {
  let network: Network;
  let folder: string;
  let provider: ethers.JsonRpcProvider;
  let signer: SdkSigner;
  let indexer: Indexer;
  let fileNumber = 0;

  before(async () => {
    network = await sharedNetwork();
    folder = await mkdtemp(join(tmpdir(), 'cairn-interop-'));
    provider = new ethers.JsonRpcProvider(network.chainRpc);
    // The SDK's types name the CommonJS twin of the same classes.
    signer = new ethers.Wallet(network.key, provider) as unknown as SdkSigner;
    indexer = new Indexer(network.endpoints.indexer);
  });

  after(async () => {
    provider?.destroy();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  beforeEach(silenceConsole);
  afterEach(restoreConsole);

  const freshContent = (length: number): Uint8Array => {
    fileNumber += 1;
    return contentOf(fileNumber, length);
  };

  /** Uploads through the indexer. @throws the SDK's error */
  const upload = async (
    content: Uint8Array,
    options: UploadOption = {},
  ): Promise<{ root: string; sequence: number }> => {
    const [result, error] = await indexer.upload(
      new MemData(content),
      network.chainRpc,
      signer,
      options,
      RETRIES,
    );
    if (error !== null) throw error;
    assert.ok('rootHash' in result);
    return { root: result.rootHash, sequence: result.txSeq };
  };

  /** What the SDK downloads to a file. @throws the SDK's error */
  const download = async (root: string | string[]): Promise<Buffer> => {
    const path = join(folder, randomUUID());
    const error = await (Array.isArray(root)
      ? indexer.download(root, path, true)
      : indexer.download(root, path, true));
    if (error !== null) throw error;
    return readFile(path);
  };

  /** What our command reads back, verified. */
  const readWithCairn = async (root: string, extra: readonly string[] = []): Promise<Buffer> => {
    const result = await cairn([
      'file',
      'get',
      root,
      '--output',
      '-',
      '--dir',
      network.directory,
      ...extra,
    ]);
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  };

  for (const size of SIZES) {
    it(`uploads ${size} bytes through the indexer; SDK and command read them back`, async () => {
      const content = freshContent(size);
      const { root } = await upload(content);
      assert.ok((await download(root)).equals(content));
      assert.ok((await readWithCairn(root)).equals(content));
    });

    it(`reads ${size} bytes that the command stored`, async () => {
      const content = freshContent(size);
      const path = join(folder, randomUUID());
      await writeFile(path, content);
      const put = await cairnJson(['file', 'put', path, '--dir', network.directory]);
      assert.ok((await download(String(put['root']))).equals(content));
    });
  }

  it('computes the roots that we compute', async () => {
    for (const size of SIZES) {
      const path = join(folder, randomUUID());
      await writeFile(path, freshContent(size));
      const file = await ZgFile.fromFilePath(path);
      const [tree, error] = await file.merkleTree();
      await file.close();
      assert.equal(error, null);
      const ours = await cairnJson(['file', 'root', path]);
      assert.equal(ours['root'], tree?.rootHash(), `${size} bytes`);
    }
  });

  it('uploads and downloads directly, without an indexer, on a full node', async () => {
    const content = freshContent(3 * 1024 * KIB + 17);
    const nodes = [new StorageNode(network.fullNode)];
    const flow = getFlowContract(network.endpoints.chains[0]?.contracts['flow'] ?? '', signer);
    const uploader = new Uploader(nodes, network.chainRpc, flow);
    const [result, error] = await uploader.uploadFile(
      new MemData(content),
      { taskSize: 3 },
      RETRIES,
    );
    assert.equal(error, null);
    const path = join(folder, randomUUID());
    assert.equal(await new Downloader(nodes).download(result.rootHash, path, true), null);
    assert.ok((await readFile(path)).equals(content));
  });

  it('uploads and downloads directly on two nodes that keep half each', async () => {
    const content = freshContent(1024 * KIB); // four segments: both halves are of equal length
    const nodes = network.shardNodes.map((url) => new StorageNode(url));
    const flow = getFlowContract(network.endpoints.chains[0]?.contracts['flow'] ?? '', signer);
    const [result, error] = await new Uploader(nodes, network.chainRpc, flow).uploadFile(
      new MemData(content),
      {},
      RETRIES,
    );
    assert.equal(error, null);
    const [blob, readError] = await new Downloader(nodes).downloadToBlob(result.rootHash, true);
    assert.equal(readError, null);
    assert.ok(Buffer.from(await blob.arrayBuffer()).equals(content));
  });

  it('stores two replicas of a file of one segment', async () => {
    // The SDK loses segments where its nodes have task lists of different lengths, as a full node and
    // two halves have for longer files; one segment is one task for each node that keeps it.
    const content = freshContent(200 * KIB);
    const { root } = await upload(content, { expectedReplica: 2 });
    for (const url of [network.fullNode, ...network.shardNodes]) {
      // The half that keeps nothing of it reads the chain by itself.
      await until(`${url} to have all that is its own`, async () => {
        const info = await rpc(url, 'zgs_getFileInfo', [root, true]);
        return (info as { finalized: boolean } | null)?.finalized === true;
      });
    }
    assert.ok((await download(root)).equals(content));
  });

  it('attaches tags that the log keeps', async () => {
    const content = freshContent(300);
    const { root } = await upload(content, { tags: '0xcafe01' });
    const stat = await cairnJson(['file', 'stat', root, '--dir', network.directory]);
    assert.match(JSON.stringify(stat), /0xcafe01/);
  });

  it('cuts a file into fragments and reads them back as one', async () => {
    const content = freshContent(1200 * KIB + 5);
    const [result, error] = await indexer.upload(
      new MemData(content),
      network.chainRpc,
      signer,
      { fragmentSize: 512 * KIB },
      RETRIES,
    );
    assert.equal(error, null);
    assert.ok('rootHashes' in result);
    assert.equal(result.rootHashes.length, 3);
    const parts: Blob[] = [];
    for (const root of result.rootHashes) {
      const [blob, readError] = await indexer.downloadToBlob(root);
      assert.equal(readError, null);
      parts.push(blob);
    }
    assert.ok(Buffer.from(await new Blob(parts).arrayBuffer()).equals(content));
    const ours = await Promise.all(result.rootHashes.map((root) => readWithCairn(root)));
    assert.ok(Buffer.concat(ours).equals(content));
  });

  it('stores the same file twice', async () => {
    const content = freshContent(600 * KIB);
    const first = await upload(content);
    assert.equal((await upload(content)).sequence, first.sequence); // already there: nothing is sent
    const again = await upload(content, { skipIfFinalized: false });
    assert.equal(again.root, first.root);
    const { nextTxSeq } = (await rpc(network.fullNode, 'zgs_getStatus')) as { nextTxSeq: number };
    const info = (await rpc(network.fullNode, 'zgs_getFileInfoByTxSeq', [nextTxSeq - 1])) as {
      finalized: boolean;
      tx: { dataMerkleRoot: string };
    };
    assert.equal(info.tx.dataMerkleRoot, first.root);
    assert.equal(
      info.finalized,
      true,
      'the second entry is served from the first, without a transfer',
    );
  });

  it('encrypts with a shared key (v1), and our command decrypts', async () => {
    const content = freshContent(700_001);
    const key = new Uint8Array(32).fill(7);
    const { root } = await upload(content, { encryption: { type: 'aes256', key } });
    const [blob, error] = await indexer.downloadToBlob(root, { decryption: { symmetricKey: key } });
    assert.equal(error, null);
    assert.ok(Buffer.from(await blob.arrayBuffer()).equals(content));
    const keyFile = join(folder, 'shared.key');
    await writeFile(keyFile, Buffer.from(key).toString('hex'), { mode: 0o600 });
    assert.ok((await readWithCairn(root, ['--decrypt', keyFile])).equals(content));
  });

  it('encrypts for a recipient (v2), and our command decrypts', async () => {
    const content = freshContent(300_003);
    const recipient = new ethers.SigningKey(`0x${'11'.repeat(32)}`);
    const { root } = await upload(content, {
      encryption: { type: 'ecies', recipientPubKey: recipient.compressedPublicKey },
    });
    const keyFile = join(folder, 'recipient.key');
    await writeFile(keyFile, recipient.privateKey, { mode: 0o600 });
    assert.ok((await readWithCairn(root, ['--decrypt', keyFile])).equals(content));
  });

  it('decrypts what our command encrypted (v1 and v2)', async () => {
    const content = freshContent(400_009);
    const path = join(folder, randomUUID());
    await writeFile(path, content);
    const keyFile = join(folder, 'ours.key');
    await writeFile(keyFile, '09'.repeat(32), { mode: 0o600 });
    const v1 = await cairnJson([
      'file',
      'put',
      path,
      '--encrypt',
      'v1',
      '--encryption-key',
      keyFile,
      '--dir',
      network.directory,
    ]);
    const [plain, error] = await indexer.downloadToBlob(String(v1['root']), {
      decryption: { symmetricKey: new Uint8Array(32).fill(9) },
    });
    assert.equal(error, null);
    assert.ok(Buffer.from(await plain.arrayBuffer()).equals(content));

    const recipient = new ethers.SigningKey(`0x${'22'.repeat(32)}`);
    const v2 = await cairnJson([
      'file',
      'put',
      path,
      '--encrypt',
      'v2',
      '--recipient',
      recipient.compressedPublicKey,
      '--dir',
      network.directory,
    ]);
    const [forRecipient, secondError] = await indexer.downloadToBlob(String(v2['root']), {
      decryption: { privateKey: recipient.privateKey },
    });
    assert.equal(secondError, null);
    assert.ok(Buffer.from(await forRecipient.arrayBuffer()).equals(content));
  });
});
