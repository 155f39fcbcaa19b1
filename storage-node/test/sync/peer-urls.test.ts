import assert from 'node:assert/strict';
import { PeerUrls } from '../../src/sync/peer-urls.ts';

describe('URLs that peers state', () => {
  let nowMs = 0;
  let lookups = 0;
  const names = new Map<string, readonly string[]>([
    ['good.example', ['203.0.113.7', '2001:db8::1']],
    ['inside.example', ['10.1.2.3']],
    ['mixed.example', ['203.0.113.7', '127.0.0.1']],
  ]);
  const urls = new PeerUrls({
    clock: { monotonic: () => nowMs },
    resolve: async (host) => {
      lookups += 1;
      return names.get(host) ?? [];
    },
  });

  it('may lead to public addresses', async () => {
    for (const url of [
      'http://203.0.113.7:5678',
      'https://good.example/base',
      'http://[2001:db8::1]/',
    ]) {
      assert.equal(await urls.isPublic(url), true, url);
    }
  });

  it('never lead into somebody’s own network, however they are written', async () => {
    const inside = [
      'http://127.0.0.1:5678',
      'http://2130706433/', // 127.0.0.1 as one number
      'http://0x7f.1/',
      'http://10.0.0.1',
      'http://169.254.169.254/latest',
      'http://192.168.1.1',
      'http://172.31.255.255',
      'http://100.64.0.1',
      'http://[::1]:5678',
      'http://[::ffff:127.0.0.1]/',
      'http://[fe80::1]/',
      'http://[fd00::1]/',
      'http://inside.example',
      'http://mixed.example',
      'http://nobody.example',
      'no url',
    ];
    for (const url of inside) assert.equal(await urls.isPublic(url), false, url);
  });

  it('are looked up once a minute', async () => {
    await urls.isPublic('http://good.example');
    const before = lookups;
    await urls.isPublic('http://good.example/again');
    assert.equal(lookups, before);
    nowMs += 60_001;
    await urls.isPublic('http://good.example');
    assert.equal(lookups, before + 1);
  });
});
