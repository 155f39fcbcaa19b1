import assert from 'node:assert/strict';
import { isFault, type Root, rootOf } from '@cairn/primitives';
import fc from 'fast-check';
import {
  encodeHeldRequest,
  encodeRowRequest,
  isListenAddress,
  isPeerAddress,
  parseHeldRequest,
  parseRowRequest,
  parseSignerSocket,
  ROW_FORMS,
  ROWS_QUESTION,
} from '../../src/da/index.ts';

const commitment: fc.Arbitrary<Root> = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => rootOf(bytes));
const isWire = (error: unknown): boolean => isFault(error) && error.code.startsWith('WIRE_');

describe('questions to signers over libp2p', () => {
  it('come back as they were asked, within their bound', () => {
    const question = fc.record(
      {
        commitment,
        indexes: fc.uniqueArray(fc.nat(2 ** 32 - 1), { minLength: 1, maxLength: 256 }),
        form: fc.constantFrom(...ROW_FORMS),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(question, (asked) => {
        const bytes = encodeRowRequest(asked);
        assert.ok(bytes.length <= ROWS_QUESTION.maxRequestBytes);
        assert.deepEqual(parseRowRequest(bytes), asked);
      }),
    );
    fc.assert(
      fc.property(commitment, (root) => {
        assert.equal(parseHeldRequest(encodeHeldRequest(root)), root);
      }),
    );
  });

  it('are read one way only, or refused by a named fault', () => {
    const root = rootOf(new Uint8Array(32).fill(7));
    const rows = encodeRowRequest({ commitment: root, indexes: [1, 2, 3], form: 'full' });
    const spoiled = fc.tuple(
      fc.constantFrom(rows, encodeHeldRequest(root)),
      fc.nat(60),
      fc.nat(255),
      fc.integer({ min: -8, max: 8 }),
    );
    fc.assert(
      fc.property(spoiled, ([bytes, at, value, longer]) => {
        const other = new Uint8Array(bytes.length + longer);
        other.set(bytes.subarray(0, other.length));
        other[at % other.length] = value;
        for (const again of [
          (read: Uint8Array) => encodeRowRequest(parseRowRequest(read)),
          (read: Uint8Array) => encodeHeldRequest(parseHeldRequest(read)),
        ]) {
          try {
            assert.deepEqual(again(other), other);
          } catch (error) {
            assert.ok(isWire(error), String(error));
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('name one row to 256, each once', () => {
    const root = rootOf(new Uint8Array(32));
    for (const indexes of [[], [4, 4], Array.from({ length: 257 }, (_, index) => index)]) {
      assert.throws(() => encodeRowRequest({ commitment: root, indexes, form: 'bare' }), isWire);
    }
  });
});

describe('sockets of signers', () => {
  const peer = '12D3KooWEDCXVTF8Z9WCgCeobcJWa3fnG1Y8RhhH3WZWDcYUEQwm';

  it('are http addresses or multiaddresses with a peer', () => {
    assert.deepEqual(parseSignerSocket('https://signer.example:3201/da/'), {
      kind: 'http',
      url: 'https://signer.example:3201/da',
    });
    for (const place of [
      '/ip4/192.0.2.7/tcp/3202',
      '/ip6/2001:db8::1/tcp/3202',
      '/dns4/signer.example/tcp/443/wss',
      '/dns/signer.example/tcp/443/tls/ws',
    ]) {
      const address = `${place}/p2p/${peer}`;
      assert.deepEqual(parseSignerSocket(address), { kind: 'p2p', address });
      assert.ok(isPeerAddress(address) && isListenAddress(place) && !isListenAddress(address));
    }
  });

  it('lead nowhere otherwise', () => {
    for (const text of [
      undefined,
      '',
      'signer.example',
      'ftp://signer.example',
      'file:///etc',
      'http://',
      'http://a b',
      '/ip4/192.0.2.7/tcp/3202',
      `/unix/tmp/p2p/${peer}`,
      `/ip4/192.0.2.7/udp/3202/quic-v1/p2p/${peer}`,
      `/ip4/192.0.2.7/tcp/1/p2p/${peer}/p2p-circuit/p2p/${peer}`,
      `/ip4/192.0.2.7/tcp/1/p2p/${peer} x`,
    ]) {
      assert.equal(parseSignerSocket(text), undefined, text);
    }
  });
});
