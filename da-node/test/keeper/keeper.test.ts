import assert from 'node:assert/strict';
import { ChainError } from '@cairn/chain-access';
import { silentLogger, systemClock } from '@cairn/primitives';
import { acceptTicket } from '../../src/keeper/accept-ticket.ts';
import { Keeper } from '../../src/keeper/keeper.ts';
import { PendingTickets } from '../../src/keeper/pending-tickets.ts';
import { postTicket } from '../../src/keeper/ticketing.ts';
import { BACKEND, FakeHub, type FakeSigner } from './fake-chain.ts';

const options = { signal: new AbortController().signal };

function keeperOf(hub: FakeHub): { keeper: Keeper; pending: PendingTickets } {
  const pending = new PendingTickets();
  const deps = { chain: hub, pending, clock: systemClock(), logger: silentLogger() };
  return { keeper: new Keeper(deps, { pollMs: 1 }), pending };
}

function firstOf(hub: FakeHub): FakeSigner {
  const [first] = hub.people;
  assert.ok(first !== undefined);
  return first;
}

describe('a keeper', () => {
  it('does nothing while there is nothing to do', async () => {
    const hub = new FakeHub();
    const { keeper } = keeperOf(hub);
    for (const phase of ['open', 'closed', 'quiet', 'halted'] as const) {
      hub.phaseNow = phase;
      await keeper.look(options);
    }
    assert.deepEqual(hub.calls, []);
  });

  it('draws the first seed before it relays tickets', async () => {
    const hub = new FakeHub();
    const { keeper, pending } = keeperOf(hub);
    hub.phaseNow = 'tickets';
    hub.hasFirstSeed = false;
    hub.header = undefined;
    await keeper.look(options);
    assert.deepEqual(hub.calls, [], 'the entropy block is not there yet');
    hub.header = Uint8Array.of(1);
    await keeper.look(options);
    for (const signer of hub.people) pending.add(4, hub.ticketOf(signer));
    await keeper.look(options);
    assert.deepEqual(hub.calls, ['drawFirstSeed', 'submitTickets 3']);
  });

  it('cuts tickets into calls of 64, and makes the same calls again at every look', async () => {
    const hub = new FakeHub(70);
    const { keeper, pending } = keeperOf(hub);
    hub.phaseNow = 'tickets';
    for (const signer of hub.people) pending.add(4, hub.ticketOf(signer));
    await keeper.look(options);
    assert.deepEqual(hub.calls, ['submitTickets 64', 'submitTickets 6']);
    await keeper.look(options); // a reorganisation may have undone them
    assert.equal(hub.calls.length, 4);
    hub.phaseNow = 'quiet';
    await keeper.look(options);
    hub.epoch += 1;
    hub.phaseNow = 'tickets';
    await keeper.look(options);
    assert.equal(hub.calls.length, 4, 'tickets of an epoch that is over are forgotten');
  });

  it('takes it for done when another keeper was faster', async () => {
    const hub = new FakeHub();
    const { keeper } = keeperOf(hub);
    hub.phaseNow = 'seal';
    hub.outcome = 'overtaken';
    await keeper.look(options);
    assert.deepEqual(hub.calls, ['seal']);
    assert.equal(hub.phaseNow, 'sealed');
  });

  it('reports who owed a ticket, until nobody is left', async () => {
    const hub = new FakeHub(4);
    const { keeper } = keeperOf(hub);
    const [posted, owing, free, gone] = hub.people;
    assert.ok(posted !== undefined && owing !== undefined);
    assert.ok(free !== undefined && gone !== undefined);
    hub.posted.set(posted.address, hub.ticketOf(posted));
    free.isContributor = false;
    gone.votes = 0;
    hub.phaseNow = 'sealed';
    await keeper.look(options);
    await keeper.look(options);
    await keeper.look(options);
    assert.deepEqual(hub.reported, [owing.address]);
  });

  /** Runs for so many looks; `before` is called before each wait. */
  async function runFor(hub: FakeHub, looks: number, before: (sleeps: number) => void) {
    const stop = new AbortController();
    const waits: number[] = [];
    const clock = {
      ...systemClock(),
      sleep: async (waitMs: number) => {
        waits.push(waitMs);
        before(waits.length);
        if (waits.length === looks) stop.abort(new Error('enough'));
      },
    };
    const told: string[] = [];
    const note = (level: string) => (_: unknown, text?: string) => {
      told.push(`${level}: ${text}`);
    };
    const logger = { ...silentLogger(), warn: note('warn'), error: note('error') };
    const deps = { chain: hub, pending: new PendingTickets(), clock, logger };
    await assert.rejects(new Keeper(deps).run(stop.signal), /enough/);
    return { waits, told };
  }

  it('tries a step that keeps failing every ten seconds, and says so once', async () => {
    const hub = new FakeHub();
    hub.phaseNow = 'seal';
    hub.failure = new Error('the account is empty');
    const { waits, told } = await runFor(hub, 20, () => undefined);
    assert.equal(hub.calls.length, 20);
    assert.deepEqual(waits.slice(0, 5), [2000, 4000, 8000, 10_000, 10_000]);
    assert.equal(waits.at(-1), 10_000);
    assert.equal(told.filter((line) => line.startsWith('warn')).length, 7);
    assert.equal(told.filter((line) => line.startsWith('error')).length, 1);
  });

  it('goes on where it was after an outage of any length, and tells of it once', async () => {
    const hub = new FakeHub();
    hub.phaseNow = 'seal';
    hub.failure = new ChainError(
      { code: 'CHAIN_UNREACHABLE', endpoint: 'http://chain', method: 'eth_call', attempts: 3 },
      'nobody answers',
    );
    const { told } = await runFor(hub, 40, (sleeps) => {
      if (sleeps === 30) hub.failure = undefined;
    });
    assert.equal(hub.phaseNow, 'sealed');
    assert.deepEqual(
      told.filter((line) => line.includes('answer')),
      ['warn: the chain does not answer, waiting for it'],
    );
    assert.equal(told.filter((line) => line.startsWith('error')).length, 0);
  });
});

describe('a ticket offered to a keeper', () => {
  const accept = (hub: FakeHub, pending: PendingTickets, signer: FakeSigner, epoch = 4) =>
    acceptTicket(
      { chain: hub, pending, backend: BACKEND },
      { epoch, signer: signer.address, signature: hub.ticketOf(signer).signature },
      options,
    );

  it('waits once it is known to be its signer’s', async () => {
    const hub = new FakeHub();
    const pending = new PendingTickets();
    hub.phaseNow = 'tickets';
    await accept(hub, pending, firstOf(hub));
    await accept(hub, pending, firstOf(hub));
    assert.equal(pending.size, 1);
    assert.equal(pending.take(4, 9).length, 1);
    assert.equal(pending.size, 0);
  });

  it('is refused by name when it cannot count', async () => {
    const hub = new FakeHub();
    const pending = new PendingTickets();
    const signer = firstOf(hub);
    await assert.rejects(accept(hub, pending, signer), { code: 'TICKET_NOT_WANTED' });
    hub.phaseNow = 'tickets';
    await assert.rejects(accept(hub, pending, signer, 5), { code: 'TICKET_NOT_WANTED' });
    const other = hub.people[1] ?? assert.fail();
    const stolen = { ...signer, key: other.key };
    await assert.rejects(accept(hub, pending, stolen), { code: 'TICKET_WRONG' });
    hub.threshold = 0;
    signer.isContributor = false;
    await assert.rejects(accept(hub, pending, signer), { code: 'TICKET_IDLE' });
    signer.votes = 0;
    await assert.rejects(accept(hub, pending, signer), { code: 'TICKET_NO_VOTES' });
    assert.equal(pending.size, 0);
  });

  it('makes room for those of the next epoch', () => {
    const hub = new FakeHub();
    const pending = new PendingTickets();
    pending.add(4, hub.ticketOf(firstOf(hub)));
    assert.deepEqual(pending.take(5, 9), []);
    pending.add(5, hub.ticketOf(firstOf(hub)));
    assert.deepEqual(pending.take(4, 9), []);
    assert.equal(pending.take(5, 9).length, 1);
  });
});

describe('a signer’s ticket', () => {
  const post = (hub: FakeHub, signer: FakeSigner, delivered: number[] = []) =>
    postTicket(
      {
        chain: hub,
        signer: signer.address,
        key: signer.key,
        backend: BACKEND,
        deliver: async ({ epoch }) => {
          delivered.push(epoch);
        },
      },
      options,
    );

  it('is not shown before its phase stands in a final block', async () => {
    const hub = new FakeHub();
    const delivered: number[] = [];
    hub.phaseNow = 'tickets';
    hub.finalPhaseNow = 'closed';
    assert.deepEqual(await post(hub, firstOf(hub), delivered), { kind: 'notNow' });
    hub.finalPhaseNow = 'tickets';
    hub.phaseNow = 'quiet';
    assert.deepEqual(await post(hub, firstOf(hub), delivered), { kind: 'notNow' });
    assert.deepEqual(delivered, []);
  });

  it('is delivered where it wins or is owed, until it is in a block', async () => {
    const hub = new FakeHub();
    const signer = firstOf(hub);
    const delivered: number[] = [];
    hub.phaseNow = hub.finalPhaseNow = 'tickets';
    const first = await post(hub, signer, delivered);
    assert.deepEqual(first, { kind: 'delivered', epoch: 4, seats: 4 });
    await post(hub, signer, delivered);
    hub.threshold = 0;
    assert.deepEqual(await post(hub, signer, delivered), { kind: 'delivered', epoch: 4, seats: 0 });
    hub.posted.set(signer.address, hub.ticketOf(signer));
    assert.deepEqual(await post(hub, signer, delivered), { kind: 'posted', epoch: 4 });
    assert.deepEqual(delivered, [4, 4, 4]);
  });

  it('stays unseen where it is good for nothing', async () => {
    const hub = new FakeHub();
    const signer = firstOf(hub);
    hub.phaseNow = hub.finalPhaseNow = 'tickets';
    hub.threshold = 0;
    signer.isContributor = false;
    assert.deepEqual(await post(hub, signer), { kind: 'idle', epoch: 4 });
    const other = { ...signer, key: hub.people[1]?.key ?? assert.fail() };
    assert.deepEqual(await post(hub, other), { kind: 'otherKey', epoch: 4 });
    signer.votes = 0;
    assert.deepEqual(await post(hub, signer), { kind: 'noVotes', epoch: 4 });
  });
});
