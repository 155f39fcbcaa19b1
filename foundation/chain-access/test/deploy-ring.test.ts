import assert from 'node:assert/strict';
import { type Address, parseAddress } from '@cairn/primitives';
import { getCreateAddress } from 'ethers/address';
import { createRing, type Step, type Steps } from '../src/deploy/steps.ts';
import { TransactionError } from '../src/send/errors.ts';

const FROM = parseAddress(`0x${'ab'.repeat(20)}`);
const addressAt = (nonce: number): Address => parseAddress(getCreateAddress({ from: FROM, nonce }));

/** An account of which somebody else has the key too: `strangers` says before which steps it sends. */
class SharedAccount implements Steps {
  readonly #strangers: (step: string) => boolean;
  readonly #spendsOnRefusal: boolean;
  nonce = 5;
  refused = 0;

  constructor(strangers: (step: string) => boolean, { spendsOnRefusal = false } = {}) {
    this.#strangers = strangers;
    this.#spendsOnRefusal = spendsOnRefusal;
  }

  async create(
    step: string,
    _abi: unknown,
    _bytecode: string,
    args: readonly unknown[],
  ): Promise<Step> {
    if (this.#strangers(step)) this.nonce += 1;
    const address = addressAt(this.nonce);
    // As the contracts do: one that is told another place for itself refuses.
    if (args[0] !== address && step.startsWith('checks')) {
      this.refused += 1;
      if (this.#spendsOnRefusal) this.nonce += 1;
      throw refusal(step, this.#spendsOnRefusal);
    }
    this.nonce += 1;
    return { address, nonce: this.nonce - 1, block: 1 };
  }

  async call(): Promise<void> {}
}

const refusal = (intent: string, isMined: boolean): TransactionError =>
  new TransactionError(
    {
      code: 'TX_REVERTED',
      intent,
      transactionHash: isMined ? `0x${'01'.repeat(32)}` : undefined,
      errorName: 'OfAnother',
      errorArgs: {},
      reason: 'another',
    },
    'the contract refuses',
  );

const after: Step = { address: FROM, nonce: 4, block: 1 };
const part = (step: string, place: number) => ({
  step,
  abi: [],
  bytecode: '0x',
  args: (at: (place: number) => Address) => [at(place)],
  mismatch: 'OfAnother',
});
const parts = [part('first', 0), part('checks2', 1), part('checks3', 2)] as const;

describe('making contracts that know each other', () => {
  it('tells each the addresses that all of them get', async () => {
    const account = new SharedAccount(() => false);
    const made = await createRing(account, { from: FROM, after, parts });
    assert.deepEqual(
      made.map(({ address }) => address),
      [5, 6, 7].map(addressAt),
    );
  });

  for (const spendsOnRefusal of [false, true]) {
    for (const victim of ['first:1', 'checks2:1', 'checks3:1']) {
      const cost = spendsOnRefusal ? 'with its nonce' : 'on trial';
      it(`begins anew where a stranger comes before ${victim}, refused ${cost}`, async () => {
        const account = new SharedAccount((step) => step === victim, { spendsOnRefusal });
        const made = await createRing(account, { from: FROM, after, parts });
        const [first] = made;
        assert.deepEqual(
          made.map(({ address }) => address),
          [0, 1, 2].map((place) => addressAt(first.nonce + place)),
        );
        assert.equal(account.refused, victim === 'first:1' ? 0 : 1);
      });
    }
  }

  it('gives up where a stranger comes every time', async () => {
    const account = new SharedAccount((step) => step.startsWith('checks3'));
    await assert.rejects(createRing(account, { from: FROM, after, parts }), {
      code: 'DEPLOY_NONCES_TAKEN',
    });
  });

  it('hands on a refusal for another reason', async () => {
    const account = new SharedAccount((step) => step.startsWith('checks3'));
    const [first, second, third] = parts;
    const ring = [first, second, { ...third, mismatch: 'SomethingElse' }] as const;
    await assert.rejects(createRing(account, { from: FROM, after, parts: ring }), {
      code: 'TX_REVERTED',
    });
  });
});
