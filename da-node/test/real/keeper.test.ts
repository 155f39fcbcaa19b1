import assert from 'node:assert/strict';
import {
  bond,
  EpochBook,
  type Phase,
  ROLES,
  readHasTicket,
  readPhase,
  readStake,
  readTargetEpoch,
  readVotes,
  SignerBook,
  setRoles,
  submitTickets,
  VoterBook,
} from '@cairn/chain-access/da';
import { silentLogger, systemClock } from '@cairn/primitives';
import { Anvil, hasAnvil, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import {
  BLS,
  COIN,
  DaNetwork,
  type TestSigner,
} from '../../../foundation/chain-access/test/da-network.ts';
import { acceptTicket } from '../../src/keeper/accept-ticket.ts';
import { Keeper } from '../../src/keeper/keeper.ts';
import { drawFactsOf, keeperChainOf } from '../../src/keeper/open-keeper-chain.ts';
import { PendingTickets } from '../../src/keeper/pending-tickets.ts';
import { rejoinWhenDue } from '../../src/keeper/rejoin.ts';
import { runTicketing } from '../../src/keeper/ticketing.ts';

/** Blocks at the end of a draw: room for what is sent, and for the blocks of transactions. */
const SPARE_BLOCKS = 10;

describe('epochs kept going', () => {
  let anvil: Anvil;
  let network: DaNetwork;
  let epochs: EpochBook;
  let stop: AbortController;
  let running: Promise<unknown>[] = [];
  /** Who sends tickets. */
  let ticketing: TestSigner[] = [];
  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start('--gas-limit', '60000000');
    network = await DaNetwork.start(anvil);
    const signers = new SignerBook(network.hub);
    epochs = new EpochBook({ hub: network.hub, signers, backend: BLS });
  });
  beforeEach(() => {
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort(new Error('the test is over'));
    await Promise.allSettled(running);
    running = [];
    ticketing = [];
  });
  after(async () => anvil?.stop());

  const options = () => ({ signal: testSignal() });
  const clock = {
    ...systemClock(),
    // Looks come ten times as often as the daemon's: blocks are mined by the test.
    sleep: (ms: number, signal: AbortSignal) => systemClock().sleep(ms / 10, signal),
  };

  function startKeeper(sender: TestSigner['sender']): PendingTickets {
    const pending = new PendingTickets();
    const voters = new VoterBook(network.hub);
    const chain = keeperChainOf({ hub: network.hub, voters, sender, backend: BLS });
    const keeper = new Keeper({ chain, pending, clock, logger: silentLogger() });
    running.push(keeper.run(stop.signal).catch(() => undefined));
    return pending;
  }

  /** Each signer's own part; tickets go to a keeper, or to the chain. */
  function startTicketing(from: readonly TestSigner[], pending?: PendingTickets): void {
    const chain = drawFactsOf(network.hub);
    ticketing.push(...from);
    for (const { address, key, sender } of from) {
      const run = runTicketing(
        {
          chain,
          signer: address,
          key,
          backend: BLS,
          clock,
          logger: silentLogger(),
          rejoin: (within) => rejoinWhenDue({ hub: network.hub, sender }, within),
          deliver: async (ticket, within) => {
            if (pending === undefined) {
              await submitTickets({ hub: network.hub, sender }, [ticket], BLS, within);
            } else {
              await acceptTicket({ chain, pending, backend: BLS }, ticket, within);
            }
          },
        },
        stop.signal,
      );
      running.push(run.catch(() => undefined));
    }
  }

  /** Whether everyone who sends tickets, and has votes, has one in the draw for an epoch. */
  async function haveTickets(epoch: number): Promise<boolean> {
    for (const { address: signer } of ticketing) {
      if ((await readVotes(network.hub, { signer, epoch }, options())) === 0) continue;
      if (!(await readHasTicket(network.hub, { signer, epoch }, options()))) return false;
    }
    return true;
  }

  /** Mines until an epoch is in a phase, leaving time for others to act in each block. */
  async function mineUntil(epoch: number, wanted: Phase): Promise<void> {
    const within = options();
    for (;;) {
      const now = await readPhase(network.hub, within);
      if (now.epoch > epoch || (now.epoch === epoch && now.phase === wanted)) return;
      const isDrawn = now.phase === 'tickets' && (await haveTickets(now.epoch + 1));
      const acts = (now.phase === 'tickets' && !isDrawn) || now.phase === 'seal';
      const head = await anvil.client.blockNumber(within);
      const left = (now.untilBlock ?? head + 1) - head;
      // On a busy machine the last blocks for tickets wait for them.
      const waits = now.phase === 'tickets' && !isDrawn && left <= SPARE_BLOCKS;
      if (!waits) await network.mine(acts ? 1 : left);
      if (acts) await systemClock().sleep(80, within.signal);
    }
  }

  it('turns three epochs with two keepers and every signer’s ticket', async () => {
    const [first] = network.signers;
    assert.ok(first !== undefined);
    const pending = startKeeper(network.payer);
    startKeeper(first.sender);
    startTicketing(network.signers.slice(0, 2), pending);
    startTicketing(network.signers.slice(2));
    for (let epoch = 1; epoch <= 3; epoch += 1) {
      await mineUntil(epoch, 'open');
      await network.mine(2);
      const sealed = await epochs.sealed(epoch, options());
      assert.equal(sealed?.drawnEpoch, epoch, 'nothing is carried over');
      const committee = await epochs.committee({ epoch, quorumId: 0 }, options());
      assert.equal(committee.members.length, 4);
    }
    for (const { address } of network.signers) {
      const stake = await readStake(network.hub, address, options());
      assert.equal(stake.jailedUntilEpoch, undefined);
    }
  });

  it('puts back what a reorganisation undid', async () => {
    const { epoch } = await readPhase(network.hub, options());
    const pending = startKeeper(network.payer);
    startTicketing(network.signers, pending);
    await mineUntil(epoch, 'tickets');
    const who = { signer: network.signers[0]?.address ?? assert.fail(), epoch: epoch + 1 };
    const within = options();
    while (!(await readHasTicket(network.hub, who, within))) {
      await network.mine(1);
      await systemClock().sleep(40, within.signal);
    }
    await anvil.reorg(4);
    await mineUntil(epoch + 1, 'open');
    await network.mine(2);
    const sealed = await epochs.sealed(epoch + 1, options());
    assert.equal(sealed?.drawnEpoch, epoch + 1);
    const committee = await epochs.committee({ epoch: epoch + 1, quorumId: 0 }, options());
    assert.equal(committee.members.length, 4);
  });

  it('carries an epoch over when tickets are missing, and reports who owed one', async () => {
    const { epoch } = await readPhase(network.hub, options());
    const pending = startKeeper(network.payer);
    startTicketing(network.signers.slice(0, 2), pending);
    await mineUntil(epoch, 'sealed');
    const within = options();
    for (const { address } of network.signers.slice(2)) {
      for (;;) {
        const { jailedUntilEpoch } = await readStake(network.hub, address, within);
        if (jailedUntilEpoch === epoch + 2) break;
        await systemClock().sleep(20, within.signal);
      }
    }
    await mineUntil(epoch + 1, 'open');
    await network.mine(2);
    const sealed = await epochs.sealed(epoch + 1, options());
    assert.equal(sealed?.drawnEpoch, epoch);
    const committee = await epochs.committee({ epoch: epoch + 1, quorumId: 0 }, options());
    assert.equal(committee.members.length, 4);
    for (const { address } of network.signers.slice(0, 2)) {
      const stake = await readStake(network.hub, address, options());
      assert.equal(stake.jailedUntilEpoch, undefined);
    }
  });

  it('takes suspended signers back in', async () => {
    const { epoch } = await readPhase(network.hub, options());
    const [, , suspended] = network.signers;
    assert.ok(suspended !== undefined);
    const membership = () =>
      rejoinWhenDue({ hub: network.hub, sender: suspended.sender }, options());
    assert.equal(
      (await readStake(network.hub, suspended.address, options())).jailedUntilEpoch,
      epoch + 1,
    );
    startKeeper(network.payer);
    startTicketing(network.signers);
    await mineUntil(epoch + 4, 'open');
    await network.mine(2);
    const committee = await epochs.committee({ epoch: epoch + 4, quorumId: 0 }, options());
    assert.equal(committee.snapshot.epoch, epoch + 4);
    assert.equal(committee.members.length, 4);
    assert.equal(await membership(), 'in');
  });

  it('takes the votes of stake that stays silent without a key, and seals again', async () => {
    const { hub } = network;
    const account = await network.guest('silent');
    const silent = { hub, sender: account.sender };
    await bond(silent, 12n * COIN, { ...options(), intent: 'bond' });
    await setRoles(silent, ROLES.signer, { ...options(), intent: 'roles' });
    const from = await readTargetEpoch(hub, options());
    const votesIn = (epoch: number) =>
      readVotes(hub, { signer: account.address, epoch }, options());
    assert.equal(await votesIn(from), 12, 'more than a third of all votes');
    startKeeper(network.payer);
    startTicketing(network.signers);
    await mineUntil(from - 1, 'sealed');
    const within = options();
    while ((await readStake(hub, account.address, within)).jailedUntilEpoch === undefined) {
      await systemClock().sleep(20, within.signal);
    }
    assert.equal(await votesIn(from), 0);
    // Totals of epochs that are fixed already keep counting its votes.
    const again = await readTargetEpoch(hub, options());
    await mineUntil(again, 'open');
    await network.mine(2);
    const drawnFor = async (epoch: number) => (await epochs.sealed(epoch, options()))?.drawnEpoch;
    assert.equal(await drawnFor(from), from - 1, 'carried over');
    assert.equal(await drawnFor(again), again, 'sealed with its own tickets');
    for (const { address } of network.signers) {
      const stake = await readStake(hub, address, options());
      assert.equal(stake.jailedUntilEpoch, undefined);
    }
  });
});
