import assert from 'node:assert/strict';
import fc from 'fast-check';
import { answerFile, type FileAnswer } from '../../src/doors/files/answer-file.ts';
import { chooseRange } from '../../src/doors/files/byte-range.ts';
import { contentHeaders, contentTypeOf } from '../../src/doors/files/content-headers.ts';
import { directoryHtml, directoryJson } from '../../src/doors/files/directory-index.ts';
import { joinFiles, type ReadableFile, readWhole } from '../../src/doors/files/readable-file.ts';

const { signal } = new AbortController();

function fileOf(bytes: Uint8Array, etag = '0xaa'): ReadableFile {
  return {
    etag,
    sizeBytes: bytes.length,
    async *read(offset, length) {
      for (let at = offset; at < offset + length; at += 3) {
        yield bytes.subarray(at, Math.min(at + 3, offset + length));
      }
    },
  };
}

async function bodyOf(answer: FileAnswer): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of answer.body ?? []) parts.push(part);
  return Buffer.concat(parts);
}

const TEN = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
const ask = (headers: Record<string, string>, method: 'GET' | 'HEAD' = 'GET'): FileAnswer =>
  answerFile(fileOf(TEN), { method, headers, name: 'ten.bin', signal });

describe('answering for a file', () => {
  it('sends the whole with its length and a strong tag', async () => {
    const answer = ask({});
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['etag'], '"0xaa"');
    assert.equal(answer.headers['content-length'], '10');
    assert.deepEqual(new Uint8Array(await bodyOf(answer)), TEN);
  });

  it('sends the part that was asked for, in each of the three forms', async () => {
    for (const [range, first, last] of [
      ['bytes=2-4', 2, 4],
      ['bytes=7-', 7, 9],
      ['bytes=-3', 7, 9],
      ['bytes=0-999', 0, 9],
      ['bytes=-999', 0, 9],
    ] as const) {
      const answer = ask({ range });
      assert.equal(answer.status, 206, range);
      assert.equal(answer.headers['content-range'], `bytes ${first}-${last}/10`);
      assert.deepEqual(new Uint8Array(await bodyOf(answer)), TEN.slice(first, last + 1), range);
    }
  });

  it('says 416 with the size when nothing of the range exists', () => {
    for (const range of ['bytes=10-', 'bytes=10-12', 'bytes=-0']) {
      const answer = ask({ range });
      assert.equal(answer.status, 416, range);
      assert.equal(answer.headers['content-range'], 'bytes */10');
    }
  });

  it('ignores ranges it does not know', () => {
    for (const range of [
      'bytes=5-2',
      'bytes=0-1,4-5',
      'items=0-1',
      'bytes=-',
      'bytes=9999999999999999-',
      'x',
    ]) {
      assert.equal(ask({ range }).status, 200, range);
    }
  });

  it('honours preconditions before ranges', () => {
    assert.equal(ask({ 'if-none-match': '"0xbb", W/"0xaa"' }).status, 304);
    assert.equal(ask({ 'if-none-match': '*' }).status, 304);
    assert.equal(ask({ 'if-none-match': '"0xbb"', range: 'bytes=0-1' }).status, 206);
    assert.equal(ask({ 'if-match': '"0xbb"' }).status, 412);
    assert.equal(ask({ 'if-match': '"0xbb", "0xaa"' }).status, 200);
    assert.equal(ask({ 'if-match': '*' }).status, 200);
    assert.equal(ask({ 'if-match': 'W/"0xaa"' }).status, 412, 'a weak tag promises no bytes');
    assert.equal(ask({ 'if-range': '"0xbb"', range: 'bytes=0-1' }).status, 200);
    assert.equal(ask({ 'if-range': '"0xaa"', range: 'bytes=0-1' }).status, 206);
  });

  it('answers HEAD with the headers of the whole and no body, whatever range it names', () => {
    for (const range of ['bytes=2-4', 'bytes=99-']) {
      const head = ask({ range }, 'HEAD');
      assert.equal(head.status, 200);
      assert.deepEqual(head.headers, ask({}).headers);
      assert.equal(head.body, undefined);
    }
  });

  it('lets nobody keep a refusal', () => {
    for (const answer of [ask({ 'if-match': '"0xbb"' }), ask({ range: 'bytes=10-' })]) {
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.equal(answer.headers['content-length'], '0');
    }
    assert.match(ask({}).headers['cache-control'] ?? '', /immutable/);
  });

  it('never chooses bytes outside the file', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 30 }),
        fc.nat({ max: 100 }),
        fc.integer({ min: 1, max: 50 }),
        (text, a, size) => {
          for (const header of [
            text,
            `bytes=${text}`,
            `bytes=${a}-${text}`,
            `bytes=${a}-${a + size}`,
          ]) {
            const choice = chooseRange(header, size);
            if (choice.kind !== 'part') continue;
            const { first, last } = choice.range;
            assert.ok(first >= 0 && first <= last && last < size, header);
          }
        },
      ),
      { seed: 3 },
    );
  });
});

describe('content headers', () => {
  it('hands active types over as downloads and keeps names harmless', () => {
    const headers = contentHeaders('a"b/c\r\n\\ü.html');
    assert.match(headers['content-disposition'] ?? '', /^attachment; filename="a_b_c____\.html"/);
    assert.match(headers['content-security-policy'] ?? '', /^sandbox/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(contentHeaders('image.png')['content-disposition'] ?? '', /^inline/);
    assert.match(contentHeaders('x.svg')['content-disposition'] ?? '', /^attachment/);
    assert.equal(contentTypeOf('model.safetensors'), 'application/octet-stream');
  });

  it('takes names that are cut inside a character, or hold half of one', () => {
    for (const name of [`${'a'.repeat(199)}😀`, 'half \ud83d of one.txt', "it's (1)*.txt"]) {
      const disposition = contentHeaders(name)['content-disposition'] ?? '';
      assert.match(disposition, /filename\*=UTF-8''[\w.~!%-]+$/);
      assert.doesNotThrow(() => decodeURIComponent(disposition.split("''")[1] ?? ''));
    }
  });
});

describe('directories', () => {
  it('lists by relative links and escapes what people named their files', () => {
    const html = directoryHtml('/0xaa/', [
      { name: 'sub dir', kind: 'directory' },
      { name: '<img src=x onerror=alert(1)>&.txt', kind: 'file', sizeBytes: 12 },
      { name: 'link', kind: 'symlink', target: '<b>' },
    ]);
    assert.match(html, /<a href="sub%20dir\/">sub dir\/<\/a>/);
    assert.doesNotMatch(html, /<img|<b>/);
    assert.match(html, /<td>12<\/td>/);
    assert.match(directoryHtml('/', [{ name: '\udc00', kind: 'file' }]), /href="%EF%BF%BD"/);
    assert.deepEqual(directoryJson([{ name: 'l', kind: 'symlink' }]), [
      { name: 'l', type: 'symbolic' },
    ]);
  });
});

describe('fragments read as one file', () => {
  it('gives the same bytes as the whole, wherever the cut is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 5 }),
        fc.nat({ max: 40 }),
        fc.nat({ max: 40 }),
        async (parts, from, count) => {
          const whole = Buffer.concat(parts);
          const joined = joinFiles(parts.map((part, index) => fileOf(part, `r${index}`)));
          assert.ok(whole.equals(await readWhole(joined, 1000, { signal })));
          const read: Uint8Array[] = [];
          for await (const part of joined.read(from, count, { signal })) read.push(part);
          assert.ok(whole.subarray(from, from + count).equals(Buffer.concat(read)));
        },
      ),
      { seed: 5, numRuns: 50 },
    );
  });

  it('names any number of them in a header that stays short', () => {
    const parts = Array.from({ length: 16_384 }, (_, index) => fileOf(TEN, `0x${index}`));
    const { etag } = joinFiles(parts);
    assert.match(etag, /^[0-9a-f]{64}$/);
    assert.notEqual(etag, joinFiles(parts.slice(1)).etag);
    const { headers } = answerFile(joinFiles(parts), {
      method: 'HEAD',
      headers: {},
      name: '',
      signal,
    });
    assert.equal('x-cairn-root' in headers, false, 'a digest is no root');
  });

  it('refuses to hold a larger file in memory than allowed', async () => {
    await assert.rejects(readWhole(fileOf(TEN), 9, { signal }), /10 bytes, more than the 9/);
  });
});
