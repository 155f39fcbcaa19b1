import {
  type BlobHeader,
  encodeBlobHeader,
  leafHash,
  provePossession,
  type SigningKey,
  STATEMENT_KINDS,
  type Statement,
  signStatement,
  signTicket,
  type Ticket,
  treeRoot,
} from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import {
  type Address,
  type ConsensusParams,
  DEVNET_CONSENSUS,
  keccak256,
  memoryKeyValueStore,
  seededRng,
  silentLogger,
  utf8Bytes,
} from '@cairn/primitives';
import { readHeaderRlp } from '../src/client/header-rlp.ts';
import type { PaidBlob } from '../src/da/entrance-calls.ts';
import {
  bond,
  drawFirstSeed,
  type HubCaller,
  registerSigner,
  sealEpoch,
  setRoles,
  submitTickets,
} from '../src/da/hub-calls.ts';
import {
  type Phase,
  ROLES,
  readEntropyBlock,
  readNeedsFirstSeed,
  readPhase,
  readSeed,
} from '../src/da/hub-facts.ts';
import { type Entrance, openEntrance } from '../src/da/open-entrance.ts';
import { type Hub, openHub } from '../src/da/open-hub.ts';
import type { DaParams } from '../src/deploy/da-params.ts';
import { type DaDeployment, deployDa } from '../src/deploy/deploy-da.ts';
import { randomKey } from '../src/keys/private-key.ts';
import { type LocalSigner, signerFromKey } from '../src/keys/signer.ts';
import { createTransactionSender } from '../src/send/create-sender.ts';
import type { TransactionSender } from '../src/send/transaction-sender.ts';
import { ANVIL_KEYS, type Anvil, testSignal } from './anvil.ts';

export const BLS = blstBackend();
export const COIN = 10n ** 18n;
const HUNDRED_COINS = `0x${(100n * COIN).toString(16)}`;
/** Coins, and so seats, of the four signers: two of the large ones hold exactly two thirds. */
export const SIGNER_COINS: readonly bigint[] = [8n, 8n, 4n, 4n];
export const ALL_SEATS = 24n;

/**
 * Networks that signers have joined, by what their contracts were made with, as the chain tells its
 * state: founding one takes CPU seconds, which suites of one process spend once.
 */
const founded = new Map<string, { readonly deployment: DaDeployment; readonly state: string }>();

/** One signer: its account, its key. */
export interface TestSigner {
  readonly address: Address;
  readonly key: SigningKey;
  readonly account: LocalSigner;
  /** The account's, 32 bytes. */
  readonly accountKey: Uint8Array;
  /** Of `key`, 32 bytes. */
  readonly secret: Uint8Array;
  readonly sender: TransactionSender;
}

/** A network's contracts on a chain of the test's own, and four signers that joined it. */
export class DaNetwork {
  readonly anvil: Anvil;
  readonly deployment: DaDeployment;
  readonly hub: Hub;
  readonly entrance: Entrance;
  readonly signers: readonly TestSigner[];
  /** Pays for everything that is no signer's. */
  readonly payer: TransactionSender;

  private constructor(
    parts: Pick<DaNetwork, 'anvil' | 'deployment' | 'hub' | 'entrance' | 'signers' | 'payer'>,
  ) {
    this.anvil = parts.anvil;
    this.deployment = parts.deployment;
    this.hub = parts.hub;
    this.entrance = parts.entrance;
    this.signers = parts.signers;
    this.payer = parts.payer;
  }

  static async start(
    anvil: Anvil,
    consensus: ConsensusParams = DEVNET_CONSENSUS,
    wishes: Partial<DaParams> = {},
  ): Promise<DaNetwork> {
    const signal = testSignal();
    const { client } = anvil;
    // A second for each block, however long this machine takes over it.
    await anvil.rpc('anvil_setBlockTimestampInterval', 1);
    const genesisSalt = keccak256(utf8Bytes('a network for tests'));
    const params = { consensus, genesisSalt, genesisDelayBlocks: 60, ...wishes };
    const name = JSON.stringify(params, (_key, value: unknown) =>
      typeof value === 'bigint' ? `${value}` : value,
    );
    const known = founded.get(name);
    if (known !== undefined) await anvil.rpc('anvil_loadState', known.state);
    const deployment =
      known?.deployment ??
      (await deployDa(
        { client, signer: signerFromKey(ANVIL_KEYS[0]), pollMs: 5, params },
        { signal },
      ));
    const place = { client, firstBlock: deployment.block };
    const { finalityBlocks: finality } = consensus.schedule;
    const { sortition, daEntrance } = deployment.contracts;
    const hub = await openHub({ ...place, sortition, finality }, { signal });
    const entrance = await openEntrance({ ...place, entrance: daEntrance, finality }, { signal });
    const rng = seededRng(20_261_122);
    const signers: TestSigner[] = [];
    for (const [index, coins] of SIGNER_COINS.entries()) {
      const accountKey = randomKey(rng);
      const account = signerFromKey(accountKey);
      const secret = BLS.secretFromMaterial(rng.fill(new Uint8Array(32)));
      const key = BLS.openKey(secret);
      const sender = senderFor(anvil, hub, account);
      const signer = { address: account.address, key, account, accountKey, secret, sender };
      signers.push(signer);
      if (known !== undefined) continue;
      await anvil.rpc('anvil_setBalance', account.address, HUNDRED_COINS);
      await join(hub, signer, { coins, socket: `http://127.0.0.1:${4000 + index}` });
    }
    if (known === undefined) {
      const state = String(await anvil.rpc('anvil_dumpState'));
      founded.set(name, { deployment, state });
    }
    const payer = senderFor(anvil, hub, signerFromKey(ANVIL_KEYS[1]));
    return new DaNetwork({ anvil, deployment, hub, entrance, signers, payer });
  }

  /** An account with a hundred coins that joined nothing. */
  async guest(name: string): Promise<Pick<TestSigner, 'address' | 'sender'>> {
    const account = signerFromKey(keccak256(utf8Bytes(name)));
    await this.anvil.rpc('anvil_setBalance', account.address, HUNDRED_COINS);
    return { address: account.address, sender: senderFor(this.anvil, this.hub, account) };
  }

  /** Who pays for calls to the hub. */
  get caller(): HubCaller {
    return { hub: this.hub, sender: this.payer };
  }

  /** Mines until the current epoch, or the one after it, is in `wanted`. */
  async advanceTo(wanted: Phase): Promise<number> {
    const options = { signal: testSignal() };
    for (;;) {
      const { phase, epoch, untilBlock } = await readPhase(this.hub, options);
      if (phase === wanted) return epoch;
      if (untilBlock === undefined) throw new Error(`epoch ${epoch} waits in ${phase}`);
      await this.mine(untilBlock - (await this.anvil.client.blockNumber(options)));
    }
  }

  /** Blocks a second apart; none where the chain is there already, by others' transactions. */
  async mine(blocks: number): Promise<void> {
    if (blocks <= 0) return;
    await this.anvil.rpc('anvil_mine', `0x${blocks.toString(16)}`, '0x1');
  }

  /** The tickets of some signers for the next epoch. */
  async tickets(from: readonly TestSigner[] = this.signers): Promise<readonly Ticket[]> {
    const options = { signal: testSignal() };
    const epoch = (await readPhase(this.hub, options)).epoch + 1;
    const seed = await readSeed(this.hub, epoch, options);
    if (seed === undefined) throw new Error(`epoch ${epoch} has no seed`);
    return from.map(({ address, key }) => ({
      signer: address,
      signature: signTicket(key, this.hub.network, { epoch, seed }),
    }));
  }

  /** From anywhere in an epoch to the first block of the next one, with tickets of some signers. */
  async turn(from: readonly TestSigner[] = this.signers): Promise<number> {
    const options = { signal: testSignal() };
    await this.advanceTo('tickets');
    const phase = await readPhase(this.hub, options);
    if (await readNeedsFirstSeed(this.hub, phase, options)) {
      await this.mine(1);
      await drawFirstSeed(this.caller, await this.entropyHeader(), options);
    }
    if (from.length > 0) {
      await submitTickets(this.caller, await this.tickets(from), BLS, options);
    }
    await this.seal();
    return this.advanceTo('open');
  }

  /** Seals the next epoch once its time has come. */
  async seal(): Promise<void> {
    await this.advanceTo('seal');
    await sealEpoch(this.caller, await this.entropyHeader(), { signal: testSignal() });
  }

  async entropyHeader(): Promise<Uint8Array> {
    const options = { signal: testSignal() };
    const block = await readEntropyBlock(this.hub, options);
    const header = await readHeaderRlp(this.hub.client, block, options);
    if (header === undefined) throw new Error(`block ${block} is not there`);
    return header;
  }

  /** What quorum members sign for paid blobs, and the root under it. */
  statementOf(
    headers: readonly BlobHeader[],
    office: { epoch: number; quorumId: number },
  ): Statement {
    return {
      kind: STATEMENT_KINDS.batch,
      domain: this.entrance.domain,
      ...office,
      count: headers.length,
      root: treeRoot(headers.map((header) => leafHash(encodeBlobHeader(header)))),
    };
  }

  /** The signers' votes in the order of the members. */
  sign({ key }: TestSigner, statement: Statement): ReturnType<typeof signStatement> {
    return signStatement(key, this.hub.network, statement);
  }
}

/** A blob of 1,000 bytes that nobody holds. */
export function paidBlob(name: string): PaidBlob {
  return {
    suite: 0,
    log2K: 6,
    cosets: 3,
    rowSizeBytes: 64,
    sizeBytes: 1000,
    commitment: keccak256(utf8Bytes(name)),
    retentionEpochs: 2,
  };
}

function senderFor(anvil: Anvil, { chainId }: Hub, signer: LocalSigner): TransactionSender {
  return createTransactionSender({
    client: anvil.client,
    signer,
    journal: memoryKeyValueStore(),
    chainId,
    logger: silentLogger(),
    pollMs: 5,
    rebroadcastMs: 200,
    finalBlocks: 1,
  });
}

async function join(
  hub: Hub,
  { address, key, sender }: Pick<TestSigner, 'address' | 'key' | 'sender'>,
  { coins, socket }: { readonly coins: bigint; readonly socket: string },
): Promise<void> {
  const signal = testSignal();
  const caller = { hub, sender };
  await bond(caller, coins * COIN, { signal, intent: 'bond' });
  await setRoles(caller, ROLES.signer, { signal, intent: 'roles' });
  const registry = hub.registry.address;
  const possession = provePossession(key, { hubChainId: hub.chainId, registry, owner: address });
  const { publicKey } = key;
  await registerSigner(caller, { publicKey, possession, socket }, BLS, { signal });
}
