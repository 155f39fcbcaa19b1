import { deepEqual, equal } from 'node:assert/strict';
import type { EpochHeader } from '@cairn/attestation';
import { type Root, rootOf } from '@cairn/primitives';
import type { PromisedOrder, SubmittedOrder } from '../../src/disperser/blob-order.ts';
import { OpenPromises } from '../../src/disperser/open-promises.ts';

const { signal } = new AbortController();
const idOf = (byte: number): Root => rootOf(new Uint8Array(32).fill(byte));
/** An epoch with so many quorums beside its committee. */
const epochOf = (quorums: number) => ({
  office: {
    snapshotHashes: new Array<Uint8Array>(quorums === 1 ? 1 : quorums + 1).fill(new Uint8Array(32)),
  } as unknown as EpochHeader,
});
const holding = (freeWei: bigint) => ({ freeDepositWei: async () => freeWei });
const promised = (quorumId: number, maxFeeWei: bigint): PromisedOrder =>
  ({ quorumId, promise: { maxFeeWei } }) as PromisedOrder;

describe('open promises', () => {
  it('are covered five times over for each quorum, as signers ask', async () => {
    const open = new OpenPromises();
    const four = epochOf(4);
    const isCovered = async (freeWei: bigint): Promise<boolean> => {
      const cover = await open.reserve(idOf(9), 10n, four, holding(freeWei), { signal });
      open.drop(idOf(9));
      return cover.isCovered;
    };
    equal(await isCovered(199n), false);
    equal(await isCovered(200n), true);
    open.note({ id: idOf(1), stage: 'ordered', order: promised(2, 30n) });
    open.note({ id: idOf(2), stage: 'ordered', order: promised(3, 20n) });
    deepEqual(await open.reserve(idOf(9), 10n, four, holding(799n), { signal }), {
      isCovered: false,
      freeWei: 799n,
      neededWei: 800n, // 30 in the fuller quorum and 10 more, five times for four
    });
    equal(await isCovered(800n), true);
  });

  it('count from before they are made until they are charged or come to nothing', async () => {
    const open = new OpenPromises();
    const reserve = (byte: number) =>
      open.reserve(idOf(byte), 10n, epochOf(1), holding(100n), { signal });
    equal((await reserve(1)).isCovered, true);
    equal((await reserve(2)).isCovered, true);
    equal((await reserve(3)).isCovered, false);
    open.note({ id: idOf(1), stage: 'ordered', order: promised(0, 10n) });
    equal((await reserve(3)).isCovered, false);
    open.note({ id: idOf(1), stage: 'confirmed', order: promised(0, 10n) });
    equal((await reserve(3)).isCovered, false, 'a confirmation can be taken back');
    open.note({ id: idOf(1), stage: 'final', order: promised(0, 10n) });
    equal((await reserve(3)).isCovered, true);
    open.drop(idOf(2));
    equal((await reserve(4)).isCovered, true);
  });

  it('are none where a blob is paid first', async () => {
    const open = new OpenPromises();
    const order = { quorumId: 0, submitted: {} } as SubmittedOrder;
    open.note({ id: idOf(1), stage: 'ordered', order });
    const cover = await open.reserve(idOf(2), 10n, epochOf(1), holding(50n), { signal });
    equal(cover.isCovered, true);
  });
});
