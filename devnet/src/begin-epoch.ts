import { encodeCall, type TransactionSender } from '@cairn/chain-access';
import {
  type Entrance,
  type Hub,
  openEpoch,
  readEpochInfo,
  readHasTicket,
  readPhase,
  readTerms,
  readVotes,
} from '@cairn/chain-access/da';
import { type Address, type Clock, DEVNET_CONSENSUS } from '@cairn/primitives';
import type { AnvilControl } from './anvil-control.ts';
import { DevnetError } from './errors.ts';

/** What bringing an epoch into office works with. */
export interface BeginEpochDeps {
  readonly hub: Hub;
  readonly entrance: Entrance;
  readonly anvil: AnvilControl;
  /** The administrator of the contracts, who pays as well. */
  readonly admin: TransactionSender;
  /** Accounts of the devnet's signers, which run and have joined. */
  readonly signers: readonly Address[];
  readonly clock: Clock;
}

interface Waiting {
  readonly signal: AbortSignal;
}

const { schedule } = DEVNET_CONSENSUS;
/** Blocks from an epoch's first one until tickets for the next are posted. */
const TICKETS_BLOCK = schedule.openBlocks + schedule.finalityBlocks;
/** An epoch that is nearly over is as good as none. */
const MIN_LEFT_SECONDS = 30;
/** What lies behind a pause takes two turns: the next epoch may have got its times before it. */
const MAX_TURNS = 4;
/** Epochs that a restart after a halt skips. */
const RESTART_STEP = 3;
const LOOK_EVERY_MS = 50;
/** Signers look once a second and wait for a final block; a machine may have other work. */
const TICKETS_WITHIN_MS = 60_000;
const SEAL_WITHIN_MS = 60_000;

/**
 * Sees to it that an epoch of the present is in office, and that blobs are taken in it.
 *
 * A chain that begins, or went on from an earlier run, would get there by itself after minutes: here
 * its blocks are made at once, as long as nobody uses it, and signers and keeper do in them what they
 * always do. A network that halted in a pause is started again by its administrator.
 *
 * @throws {DevnetError} NO_COMMITTEE; what the chain throws; the signal's reason
 */
export async function beginEpoch(deps: BeginEpochDeps, options: Waiting): Promise<void> {
  const { hub, entrance, anvil, admin } = deps;
  for (let turns = 0; !(await isInOffice(deps, options)); turns += 1) {
    if (turns === MAX_TURNS) {
      throw new DevnetError(
        { code: 'NO_COMMITTEE', turns },
        `no committee took office in ${turns} epochs: too few signers posted tickets`,
      );
    }
    await turnEpoch(deps, options);
  }
  const { epoch } = await readPhase(hub, options);
  if ((await readTerms(entrance, epoch, options)) === undefined) {
    await openEpoch({ entrance, sender: admin }, epoch, options);
    await anvil.mine(schedule.finalityBlocks, options);
  }
}

/** Whether the halt of a network that runs calls for its administrator. */
export async function isHalted(hub: Hub, options: Waiting): Promise<boolean> {
  return (await readPhase(hub, options)).phase === 'halted';
}

/** From wherever the epoch is to the next one in office, or to a new first epoch. */
async function turnEpoch(deps: BeginEpochDeps, options: Waiting): Promise<void> {
  const { hub, anvil } = deps;
  const { phase, epoch } = await readPhase(hub, options);
  if (phase === 'halted') await restart(deps, epoch, options);
  const start = await startBlock(hub, options);
  await mineTo(start + TICKETS_BLOCK + schedule.finalityBlocks + 1, deps, options);
  await awaitTickets(deps, options);
  // Sealed at its end, an epoch is followed by the next one at once, and that has the present for its time.
  await mineTo(start + schedule.epochBlocks, deps, options);
  await until(() => hasTurned(hub, start, options), SEAL_WITHIN_MS, deps, options);
  await anvil.mine(schedule.finalityBlocks, options);
}

/** Makes blocks with no time between them, so that the chain's time stays the clock's. */
async function mineTo(
  block: number,
  { hub, anvil }: BeginEpochDeps,
  options: Waiting,
): Promise<void> {
  const missing = block - (await hub.client.blockNumber(options));
  if (missing > 0) await anvil.mine(missing, options);
}

/** Whether an epoch holds office as of a final block and will for a while. */
async function isInOffice({ hub, clock }: BeginEpochDeps, options: Waiting): Promise<boolean> {
  const block = await hub.finalBlock(options);
  const { phase, epoch } = await readPhase(hub, { ...options, block });
  const info = await readEpochInfo(hub, epoch, { ...options, block });
  if (info === undefined || phase === 'halted') return false;
  const nowSeconds = Math.floor(clock.now() / 1000);
  return info.startSeconds <= nowSeconds && info.endSeconds - nowSeconds >= MIN_LEFT_SECONDS;
}

/** Waits until everyone with votes in the next epoch has posted a ticket, or it is too late for that. */
async function awaitTickets(deps: BeginEpochDeps, options: Waiting): Promise<void> {
  const { hub } = deps;
  const { phase, epoch } = await readPhase(hub, options);
  if (phase !== 'tickets') return;
  const missing: Address[] = [];
  for (const signer of deps.signers) {
    const votes = await readVotes(hub, { signer, epoch: epoch + 1 }, options);
    if (votes > 0) missing.push(signer);
  }
  const areIn = async (): Promise<boolean> => {
    if ((await readPhase(hub, options)).phase !== 'tickets') return true;
    for (let signer = missing.at(-1); signer !== undefined; signer = missing.at(-1)) {
      if (!(await readHasTicket(hub, { signer, epoch: epoch + 1 }, options))) return false;
      missing.pop();
    }
    return true;
  };
  await until(areIn, TICKETS_WITHIN_MS, deps, options);
}

/** Whether another epoch holds office than the one that began at `start`. */
async function hasTurned(hub: Hub, start: number, options: Waiting): Promise<boolean> {
  return (await startBlock(hub, options)) !== start;
}

/** What only the administrator can do: a new first epoch behind all that changes were made for. */
async function restart(
  { hub, admin }: BeginEpochDeps,
  epoch: number,
  { signal }: Waiting,
): Promise<void> {
  const data = encodeCall('function restart(uint64 epoch)', [epoch + RESTART_STEP]);
  const intent = `restart:${hub.network.hub}:${epoch}`;
  await admin.send({ intent, to: hub.sortition.address, data, valueWei: 0n }, { signal });
}

async function startBlock(hub: Hub, options: Waiting): Promise<number> {
  return (await hub.sortition.read('startBlock', [], options)).number(0);
}

/** Looks again and again until something holds or its time is over. */
async function until(
  holds: () => Promise<boolean>,
  withinMs: number,
  { clock }: Pick<BeginEpochDeps, 'clock'>,
  { signal }: Waiting,
): Promise<void> {
  const deadline = clock.monotonic() + withinMs;
  while (!(await holds()) && clock.monotonic() < deadline) {
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}
