import assert from 'node:assert/strict';
import { createHttpHost, type HttpHost } from '@cairn/node-runtime/http';
import { createMetrics } from '@cairn/node-runtime/observe';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { type HttpTransport, silentLogger, systemClock } from '@cairn/primitives';
import { parseProblem } from '@cairn/wire-protocol';
import {
  encodeTicket,
  type OfferedTicket,
  TICKET_BYTES,
  TICKET_TYPE,
  TICKETS_PATH,
} from '@cairn/wire-protocol/da';
import { describeProblem } from '../../src/doors/describe-problem.ts';
import { ticketDelivery } from '../../src/keeper/deliver-ticket.ts';
import { Keeper } from '../../src/keeper/keeper.ts';
import { PendingTickets } from '../../src/keeper/pending-tickets.ts';
import { ticketDoors } from '../../src/keeper/ticket-doors.ts';
import { BACKEND, FakeHub, type FakeSigner } from './fake-chain.ts';

const options = { signal: new AbortController().signal };

describe('a keeper that is brought tickets', () => {
  let hub: FakeHub;
  let pending: PendingTickets;
  let keeper: Keeper;
  let host: HttpHost;
  let transport: HttpTransport;
  before(() => {
    transport = createNodeTransport();
  });
  after(() => transport.close());
  beforeEach(async () => {
    hub = new FakeHub(3);
    hub.phaseNow = 'tickets';
    hub.finalPhaseNow = 'tickets';
    pending = new PendingTickets();
    const clock = systemClock();
    keeper = new Keeper({ chain: hub, pending, clock, logger: silentLogger() }, { pollMs: 1 });
    const metrics = createMetrics({ processMetrics: false });
    const { signal: stopping } = options;
    host = createHttpHost({
      name: 'keeper',
      version: '0.1.0',
      logger: silentLogger(),
      metrics,
      describeProblem,
      limits: { drainMs: 100 },
      routes: [
        ticketDoors(
          {
            chain: hub,
            pending,
            backend: BACKEND,
            clock,
            metrics: metrics.metrics,
            stopping,
          },
          { perSecond: 0.01, burst: 20 },
        ),
      ],
    });
    await host.start();
  });
  afterEach(() => host.stop());

  const offerOf = (signer: FakeSigner, epoch = 4): OfferedTicket => {
    const { signature } = hub.ticketOf(signer, epoch);
    return { epoch, signer: signer.address, signature: BACKEND.parseSignature(signature) };
  };
  const person = (index: number): FakeSigner => hub.people[index] ?? assert.fail();
  const post = async (body: Uint8Array, type = TICKET_TYPE) => {
    const url = `${host.address.url}${TICKETS_PATH}`;
    const headers = { 'content-type': type };
    const reply = await fetch(url, { method: 'POST', headers, body: Buffer.from(body) });
    if (reply.status === 202) return { status: 202, code: undefined };
    const { code } = parseProblem(await reply.json());
    return { status: reply.status, code };
  };

  it('brings the tickets of many to the chain in one call, each once', async () => {
    for (const signer of hub.people) {
      assert.equal((await post(encodeTicket(offerOf(signer)))).status, 202);
      assert.equal((await post(encodeTicket(offerOf(signer)))).status, 202, 'again');
    }
    await keeper.look(options);
    assert.deepEqual(hub.calls, ['submitTickets 3']);
    hub.posted.clear(); // not in a block yet
    assert.equal((await post(encodeTicket(offerOf(person(0))))).status, 202);
    assert.equal(pending.size, 0, 'a ticket that was taken out is not taken again');
  });

  it('refuses what is no ticket of the signer that counts now', async () => {
    const [first, second] = [person(0), person(1)];
    const forged = { ...offerOf(first), signer: second.address };
    assert.deepEqual(await post(encodeTicket(forged)), { status: 422, code: 'TICKET_WRONG' });
    assert.deepEqual(await post(encodeTicket(offerOf(first, 5))), {
      status: 409,
      code: 'TICKET_NOT_WANTED',
    });
    first.votes = 0;
    assert.deepEqual(await post(encodeTicket(offerOf(first))), {
      status: 422,
      code: 'TICKET_NO_VOTES',
    });
    hub.threshold = 0;
    second.isContributor = false;
    assert.deepEqual(await post(encodeTicket(offerOf(second))), {
      status: 422,
      code: 'TICKET_IDLE',
    });
    assert.deepEqual(await post(new Uint8Array(TICKET_BYTES)), { status: 400, code: 'WIRE_MAGIC' });
    assert.equal((await post(new Uint8Array(TICKET_BYTES + 1))).status, 413);
    const point = encodeTicket({ ...offerOf(person(2)), signature: new Uint8Array(96).fill(7) });
    assert.deepEqual(await post(point), { status: 400, code: 'BLS_NOT_A_SIGNATURE' });
    assert.deepEqual(await post(encodeTicket(offerOf(person(2))), 'text/plain'), {
      status: 415,
      code: 'MEDIA_TYPE',
    });
    await keeper.look(options);
    assert.deepEqual(hub.calls, []);
  });

  it('checks so many tickets in a burst and no more', async () => {
    const wrong = encodeTicket({ ...offerOf(person(0)), epoch: 9 });
    const replies = await Promise.all(Array.from({ length: 24 }, () => post(wrong)));
    const refused = replies.filter(({ code }) => code === 'TICKET_RATE');
    assert.equal(refused.length, 4);
    assert.ok(refused.every(({ status }) => status === 429));
  });

  describe('and signers that bring them', () => {
    const submitted: number[] = [];
    let left = 30;
    const delivery = (keepers: readonly string[]) =>
      ticketDelivery({
        keepers,
        transport,
        logger: silentLogger(),
        submit: async ({ epoch }) => {
          submitted.push(epoch);
        },
        blocksLeft: async () => left,
      });
    beforeEach(() => {
      submitted.length = 0;
      left = 30;
    });

    it('leave it to keepers for a third of the time, and then post by themselves', async () => {
      const deliver = delivery([host.address.url, 'http://127.0.0.1:1']);
      await deliver(offerOf(person(0)), options);
      assert.equal(pending.size, 1);
      left = 21;
      await deliver(offerOf(person(0)), options);
      assert.deepEqual(submitted, []);
      left = 20;
      await deliver(offerOf(person(0)), options);
      assert.deepEqual(submitted, [4], 'no keeper has brought it to the chain');
    });

    it('post at once where no keeper takes the ticket', async () => {
      await delivery(['http://127.0.0.1:1'])(offerOf(person(0)), options);
      assert.deepEqual(submitted, [4]);
      await delivery([])(offerOf(person(0)), options);
      assert.deepEqual(submitted, [4, 4]);
    });

    it('offer it again from time to time, for keepers that started anew', async () => {
      const deliver = delivery([host.address.url]);
      await deliver(offerOf(person(0)), options);
      assert.equal(pending.take(4, 9).length, 1);
      await host.stop();
      for (let look = 0; look < 4; look += 1) await deliver(offerOf(person(0)), options);
      assert.deepEqual(submitted, [4], 'the keeper is gone');
    });
  });
});
