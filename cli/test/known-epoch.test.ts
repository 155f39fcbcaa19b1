import assert from 'node:assert/strict';
import { chainIdOf, isFault, parseAddress } from '@cairn/primitives';
import { formatKnownEpoch, type KnownEpoch, parseKnownEpoch } from '../src/known-epoch.ts';

const known: KnownEpoch = {
  hubChainId: chainIdOf(31_337),
  hub: parseAddress(`0x${'11'.repeat(20)}`),
  chainId: chainIdOf(31_337),
  entrance: parseAddress(`0x${'22'.repeat(20)}`),
  shardId: 0,
  cosets: 3,
  minLog2K: 6,
  graceSeconds: 60,
  header: new Uint8Array(320).fill(1),
  groups: [{ snapshot: new Uint8Array(256).fill(2), members: [new Uint8Array(124).fill(3)] }],
  sockets: new Map([[parseAddress(`0x${'33'.repeat(20)}`), 'http://127.0.0.1:1']]),
};

describe('an epoch file', () => {
  it('gives back what it was made of', () => {
    assert.deepEqual(parseKnownEpoch(formatKnownEpoch(known), 'epoch.json'), known);
    const ordering = { address: known.entrance, graceSeconds: 90 };
    const ofShards = { ...known, ordering };
    assert.deepEqual(parseKnownEpoch(formatKnownEpoch(ofShards), 'epoch.json'), ofShards);
  });

  it('need not say where anybody is reached', () => {
    const { sockets: _, ...file } = JSON.parse(formatKnownEpoch(known)) as Record<string, unknown>;
    assert.equal(parseKnownEpoch(JSON.stringify(file), 'epoch.json').sockets.size, 0);
  });

  it('that is none is told by its name and by what is wrong with it', () => {
    const whole = JSON.parse(formatKnownEpoch(known)) as Record<string, unknown>;
    const damaged: readonly (readonly [text: string, problem: RegExp])[] = [
      ['{', /JSON/i],
      ['[]', /not an object/],
      [JSON.stringify({ ...whole, version: 2 }), /version/],
      [JSON.stringify({ ...whole, graceSeconds: -1 }), /graceSeconds/],
      [JSON.stringify({ ...whole, hub: 'x' }), /x/],
      [JSON.stringify({ ...whole, groups: {} }), /groups/],
      [JSON.stringify({ ...whole, ordering: { graceSeconds: 1 } }), /address/],
      [JSON.stringify({ ...whole, ordering: 1 }), /ordering/],
      [JSON.stringify({ ...whole, sockets: { nobody: 'http://127.0.0.1:1' } }), /address/],
      [JSON.stringify({ ...whole, header: '0x0' }), /hex/i],
    ];
    for (const [text, problem] of damaged) {
      assert.throws(
        () => parseKnownEpoch(text, 'epoch.json'),
        (error) =>
          isFault(error, 'CLI_EPOCH_FILE') &&
          problem.test(error.message) &&
          error.message.startsWith('epoch.json'),
        text,
      );
    }
  });
});
