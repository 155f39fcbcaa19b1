import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { repositoryRoot } from '../architecture/house.ts';
import { bundlePage, newPage, sharedBrowser } from '../support/browser.ts';
import type { CommitmentVector, PageReport } from '../support/browser-codec.ts';

describe('the codec in headless Chromium', () => {
  let server: Server | undefined;
  let browser: Browser | undefined;

  before(async function () {
    browser = await sharedBrowser();
    if (browser === undefined) this.skip();
    const script = await bundlePage('test/support/browser-codec.ts', 'esm');
    server = createServer((request, response) => {
      const isScript = request.url === '/codec.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(
        isScript ? script : '<!doctype html><script type="module" src="/codec.js"></script>',
      );
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  });

  after(async () => {
    await new Promise((resolve) =>
      server === undefined ? resolve(undefined) : server.close(resolve),
    );
  });

  it('gives every vector of the specification, on each codec that a page has', async () => {
    assert.ok(server !== undefined && browser !== undefined);
    const { port } = server.address() as AddressInfo;
    const page = await newPage(browser);
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.waitForFunction('typeof checkInPage === "function"');
    const vectors = specVectors();
    const report = (await page.evaluate(`checkInPage(${JSON.stringify(vectors)})`)) as PageReport;
    await page.close();
    assert.deepEqual(errors, []);
    // a page may have no GPU; where there is to be one, it counts
    const isGpu = report.gpu === 'opened' || process.env['CAIRN_REQUIRE_GPU'] !== undefined;
    const expected = ['reference', 'wasm', 'wasm-relaxed', ...(isGpu ? ['gpu'] : [])];
    assert.deepEqual(report.codecs, expected, report.gpu);
    assert.equal(report.checks, 4 * expected.length * vectors.length);
    assert.match(report.chosen, /^wasm/);
  });
});

function specVectors(): readonly CommitmentVector[] {
  const text = readFileSync(`${repositoryRoot}/docs/spec/codec.md`, 'utf8');
  const json = /```json\n([^`]*)```/.exec(text)?.[1] ?? '';
  const { commitments } = JSON.parse(json) as { commitments: readonly CommitmentVector[] };
  assert.equal(commitments.length, 6);
  return commitments;
}
