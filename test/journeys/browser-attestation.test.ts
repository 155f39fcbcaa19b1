import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { encodeSnapshot, KEY_BYTES, nobleBackend } from '@cairn/attestation';
import { bigEndianBytes, concatBytes, fromHex, toHex } from '@cairn/primitives';
import { repositoryRoot } from '../architecture/house.ts';
import { bundlePage, newPage, sharedBrowser } from '../support/browser.ts';
import type { PageReport, PageVectors } from '../support/browser-attestation.ts';

describe('certificates in headless Chromium', () => {
  it('are verified, and refused with one bit changed', async function () {
    const browser = await sharedBrowser();
    if (browser === undefined) this.skip();
    const script = await bundlePage('test/support/browser-attestation.ts');
    const page = await newPage(browser);
    try {
      await page.addScriptTag({ content: script });
      const call = `verifyInPage(${JSON.stringify(pageVectors())})`;
      const report = (await page.evaluate(call)) as PageReport;
      assert.deepEqual(report, { checks: 10, signedWeight: '16', refusal: 'SIGNATURE_WRONG' });
    } finally {
      await page.close();
    }
  });
});

function pageVectors(): PageVectors {
  const text = readFileSync(`${repositoryRoot}/test/vectors/consensus.json`, 'utf8');
  const vectors = JSON.parse(text) as {
    readonly keys: PageVectors['keys'];
    readonly shard: { readonly id: number };
    readonly certificateCase: {
      readonly hub: string;
      readonly entrance: string;
      readonly chainId: number;
      readonly snapshot: {
        readonly totalWeight: string;
        readonly membersRoot: string;
        readonly aggPk: readonly string[];
        readonly hash: string;
      };
      readonly certificateMode2: string;
      readonly digest: string;
    };
  };
  const { snapshot, ...known } = vectors.certificateCase;
  const words = snapshot.aggPk.map((word) => bigEndianBytes(BigInt(word), KEY_BYTES / 3));
  const encoded = encodeSnapshot({
    epoch: 1,
    quorumId: 0,
    memberCount: 5,
    totalWeight: BigInt(snapshot.totalWeight),
    membersRoot: fromHex(snapshot.membersRoot),
    aggregateKey: nobleBackend().parseKey(concatBytes(...words)),
  });
  return {
    hubChainId: known.chainId,
    hub: known.hub,
    entrance: known.entrance,
    shardId: vectors.shard.id,
    keys: vectors.keys,
    snapshot: toHex(encoded),
    snapshotHash: snapshot.hash,
    certificate: known.certificateMode2,
    digest: known.digest,
  };
}
