import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBlobHeader, leafHash, sumVotes, verifyVote } from '@cairn/attestation';
import {
  type Contract,
  confirmBatch,
  EpochBook,
  openMining,
  readPhase,
  SignerBook,
  setSocket,
  submitBlobs,
} from '@cairn/chain-access/da';
import { loadRowSuite } from '@cairn/commitments/rows';
import {
  arcRows,
  assignRows,
  commitBlob,
  encodeSlice,
  headerOf,
  loadWasmCodec,
  loadWasmCombiner,
  rowsOf,
} from '@cairn/erasure-codec';
import { createHttpHost, type HttpHost } from '@cairn/node-runtime/http';
import { createMetrics } from '@cairn/node-runtime/observe';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import {
  DEVNET_CONSENSUS,
  type HttpTransport,
  seededRng,
  silentLogger,
  systemClock,
} from '@cairn/primitives';
import {
  DELIVERY_TYPE,
  encodeDelivery,
  encodeVoteRequest,
  parseBatchVote,
  SLICES_PATH,
  VOTE_REQUEST_TYPE,
  VOTES_PATH,
} from '@cairn/wire-protocol/da';
import { Anvil, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import {
  BLS,
  DaNetwork,
  type TestSigner,
} from '../../../foundation/chain-access/test/da-network.ts';
import { ChainEpochs } from '../../src/chain/chain-epochs.ts';
import { chainOffice } from '../../src/chain/chain-office.ts';
import { chainRewards } from '../../src/chain/chain-rewards.ts';
import { ChainSignerFacts, signerNetworkOf } from '../../src/chain/chain-signer-facts.ts';
import type { DaChain } from '../../src/chain/connect-chain.ts';
import { describeProblem } from '../../src/doors/describe-problem.ts';
import { payOutChainOf } from '../../src/keeper/open-pay-out-chain.ts';
import { PayOut } from '../../src/keeper/pay-out.ts';
import { auditRulesOf } from '../../src/signer/office/audit-rules.ts';
import { httpOfficePeers } from '../../src/signer/office/http-office-peers.ts';
import { type Office, openOffice } from '../../src/signer/office/open-office.ts';
import { openSigner, type Signer } from '../../src/signer/open-signer.ts';
import { httpSignerPeers } from '../../src/signer-peers.ts';
import { ChainClock } from './chain-clock.ts';

const codec = await loadWasmCodec();
const combiner = await loadWasmCombiner();

/** A signer with its office, in this process. */
export interface OfficeSigner extends TestSigner {
  readonly signer: Signer;
  readonly office: Office;
  readonly host: HttpHost;
}

/** A chain with four signers that serve, audit, report and claim, and a keeper that moves fees on. */
export class OfficeWorld {
  readonly network: DaNetwork;
  readonly chain: DaChain;
  readonly signers: readonly OfficeSigner[];
  readonly clock: ChainClock;
  /** What a keeper does about fees. */
  readonly payOut: PayOut;
  readonly #parts: {
    readonly anvil: Anvil;
    readonly folder: string;
    readonly transport: HttpTransport;
    readonly stop: AbortController;
  };

  private constructor(
    parts: Pick<OfficeWorld, 'network' | 'chain' | 'signers' | 'clock' | 'payOut'>,
    rest: {
      readonly anvil: Anvil;
      readonly folder: string;
      readonly transport: HttpTransport;
      readonly stop: AbortController;
    },
  ) {
    this.network = parts.network;
    this.chain = parts.chain;
    this.signers = parts.signers;
    this.clock = parts.clock;
    this.payOut = parts.payOut;
    this.#parts = rest;
  }

  static async start(): Promise<OfficeWorld> {
    const anvil = await Anvil.start('--gas-limit', '60000000');
    // A second for each block, however long this machine takes over it.
    await anvil.rpc('anvil_setBlockTimestampInterval', 1);
    const folder = await mkdtemp(join(tmpdir(), 'cairn-office-'));
    const wishes = { pricePerByteEpochWei: 10n ** 12n, drawOneRowIn: 16, prizeDivisor: 4 };
    const network = await DaNetwork.start(anvil, DEVNET_CONSENSUS, wishes);
    const { hub, entrance } = network;
    const book = new SignerBook(hub);
    const chain = {
      client: anvil.client,
      chainId: hub.chainId,
      hub,
      entrance,
      signers: book,
      epochs: new EpochBook({ hub, signers: book, backend: BLS }),
      close: async () => undefined,
    };
    const clock = new ChainClock();
    const transport = createNodeTransport();
    const stop = new AbortController();
    const mining = await openMining(entrance, { signal: testSignal() });
    const logger = silentLogger();
    const sockets = new ChainEpochs(
      { chain, sender: undefined, clock, logger, stopping: stop.signal },
      { pollMs: 100, socketsMs: 10_000 },
    );
    const signers: OfficeSigner[] = [];
    for (const [index, who] of network.signers.entries()) {
      const { address, key, sender, account } = who;
      const metrics = createMetrics({ processMetrics: false });
      const identity = { address, key, backend: BLS };
      const signer = await openSigner(
        {
          chain: new ChainSignerFacts(chain),
          network: signerNetworkOf(chain),
          identity,
          clock,
          logger,
          metrics: metrics.metrics,
          version: '0.1.0',
        },
        {
          directory: join(folder, `${index}`),
          capacityBytes: 256 * 1024 ** 2,
          mayCreateProtection: true,
          reserveBytes: 0,
        },
        { signal: testSignal() },
      );
      const office = openOffice({
        ...signer.office,
        chain: chainOffice(chain),
        rewards: chainRewards({ mining, sender }, BLS),
        network: signerNetworkOf(chain),
        mining: mining.domain,
        rules: auditRulesOf(entrance.settings),
        identity,
        backend: BLS,
        signDigest: (digest) => account.signDigest(digest),
        protection: signer.protection,
        sockets,
        peers: { ...httpSignerPeers(transport), ...httpOfficePeers(transport) },
        clock,
        logger,
        metrics: metrics.metrics,
        stopping: stop.signal,
      });
      const host = createHttpHost({
        name: 'signer',
        version: '0.1.0',
        logger,
        metrics,
        describeProblem,
        limits: { drainMs: 100 },
        routes: [signer.routes, office.routes],
      });
      await host.start();
      const socket = host.address.url;
      await setSocket({ hub, sender }, socket, { intent: 'socket', signal: testSignal() });
      signers.push({ ...who, signer, office, host });
    }
    const payOut = new PayOut({
      chain: payOutChainOf(hub, { mining, sender: network.payer }),
      clock,
      logger,
    });
    const world = new OfficeWorld(
      { network, chain, signers, clock, payOut },
      { anvil, folder, transport, stop },
    );
    await world.mine(1);
    return world;
  }

  /** Blocks a second apart; the clock follows. */
  async mine(blocks: number): Promise<void> {
    await this.network.mine(blocks);
    await this.#follow();
  }

  /** A round of every signer's duties, one signer after another. */
  async look(): Promise<void> {
    for (const { office } of this.signers) await office.look({ signal: testSignal() });
  }

  /** From anywhere in an epoch to the first blocks of the next. @returns that epoch */
  async turn(): Promise<number> {
    await this.network.turn();
    await this.mine(3);
    return (await readPhase(this.network.hub, { signal: testSignal() })).epoch;
  }

  /** Blobs that are submitted, delivered, signed for and confirmed. @returns their leaves */
  async disperse(
    count: number,
    { suite = 0, bytes = 3000 }: { readonly suite?: 0 | 1; readonly bytes?: number } = {},
  ): Promise<readonly Uint8Array[]> {
    const { entrance, hub, payer, deployment } = this.network;
    const signal = testSignal();
    const { epoch } = await readPhase(hub, { signal });
    const { cosets, minLog2K } = entrance.settings;
    const rows = await loadRowSuite(suite);
    const blobs = [];
    for (let at = 0; at < count; at += 1) {
      const payload = seededRng(at + 100 * suite + deployment.block).fill(
        new Uint8Array(bytes + at),
      );
      const options = { codec, suite: rows, combiner, clock: systemClock(), signal };
      blobs.push(await commitBlob(payload, { cosets, minLog2K }, options));
    }
    const wanted = blobs.map(({ layout, commitment }) => ({
      suite,
      log2K: layout.log2K,
      cosets: layout.cosets,
      rowSizeBytes: layout.rowBytes,
      sizeBytes: layout.payloadBytes,
      commitment,
      retentionEpochs: 8,
    }));
    const intent = `blobs of suite ${suite}`;
    const orders = await submitBlobs(
      { entrance, sender: payer },
      { blobs: wanted, epoch },
      { intent, signal },
    );
    await this.mine(3);
    const committee = await this.chain.epochs.committee({ epoch, quorumId: 0 }, { signal });
    const seats = committee.members.map(({ index, seats: own }) => ({ id: index, seats: own }));
    for (const [at, blob] of blobs.entries()) {
      const { commitment, layout } = blob;
      const { seed } = committee.snapshot.office;
      const arcs = assignRows(seats, layout, { suite: rows, commitment, seed });
      for (const { signer, index } of committee.members) {
        const arc = arcs[index];
        const header = orders[at]?.header;
        if (arc === undefined || header === undefined) throw new Error('no such member');
        const proven = await rowsOf(blob, arcRows(arc, layout), { signal });
        const slice = encodeSlice({ header: headerOf(blob), rows: proven });
        const body = encodeDelivery({ epoch, header, promise: undefined, slice });
        const url = `${this.#hostOf(signer)}${SLICES_PATH}`;
        const headers = { 'content-type': DELIVERY_TYPE };
        const reply = await fetch(url, { method: 'PUT', headers, body: Buffer.from(body) });
        if (reply.status !== 200) throw new Error(`not delivered: ${await reply.text()}`);
      }
    }
    const headers = orders.map(({ header }) => header);
    const statement = this.network.statementOf(headers, { epoch, quorumId: 0 });
    const votes = [];
    for (const { signer, index } of committee.members) {
      const reply = await fetch(`${this.#hostOf(signer)}${VOTES_PATH}`, {
        method: 'POST',
        headers: { 'content-type': VOTE_REQUEST_TYPE },
        body: Buffer.from(encodeVoteRequest({ kind: 1, epoch, quorumId: 0, headers })),
      });
      if (reply.status !== 200) throw new Error(`not signed: ${await reply.text()}`);
      const vote = parseBatchVote(new Uint8Array(await reply.arrayBuffer()));
      const signature = BLS.parseSignature(vote.signature);
      const context = { network: hub.network, statement, committee };
      votes.push(verifyVote({ memberIndex: index, signature }, context, BLS));
    }
    const { signature, absent } = sumVotes(votes, committee, BLS);
    await confirmBatch(
      { entrance, sender: payer },
      { statement, committee, absent, signature },
      BLS,
      { signal },
    );
    await this.mine(3);
    return headers.map((header) => leafHash(encodeBlobHeader(header)));
  }

  /** Events of a contract, as the endpoint tells them. */
  async logsOf(
    contract: Contract,
    event: string,
  ): Promise<readonly { readonly topics: readonly string[]; readonly data: string }[]> {
    const { address } = contract;
    const query = { address, topics: [contract.topic(event)], fromBlock: '0x0' };
    const logs = await this.chain.client.rpc('eth_getLogs', [query], { signal: testSignal() });
    return logs as readonly { readonly topics: readonly string[]; readonly data: string }[];
  }

  async stop(): Promise<void> {
    const { stop, transport, anvil, folder } = this.#parts;
    stop.abort(new Error('the test is over'));
    for (const { host, signer } of this.signers) {
      await host.stop();
      await signer.close();
    }
    await transport.close();
    await anvil.stop();
    await rm(folder, { recursive: true, force: true });
  }

  #hostOf(address: string): string {
    const found = this.signers.find((signer) => signer.address === address);
    if (found === undefined) throw new Error(`${address} is no signer here`);
    return found.host.address.url;
  }

  async #follow(): Promise<void> {
    const block = await this.chain.client.getBlock('latest', { signal: testSignal() });
    this.clock.seconds = block?.timestamp ?? this.clock.seconds;
  }
}
