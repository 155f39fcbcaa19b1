import { join } from 'node:path';
import { type Mining, openMining, readPhase, submitTickets } from '@cairn/chain-access/da';
import { type Ordering, openOrdering } from '@cairn/chain-access/shards';
import type { HealthReport } from '@cairn/node-runtime/http';
import type { P2pHost } from '@cairn/node-runtime/p2p';
import { ChainEpochs } from './chain/chain-epochs.ts';
import { chainOffice } from './chain/chain-office.ts';
import { ChainPlaces } from './chain/chain-places.ts';
import { chainRewards } from './chain/chain-rewards.ts';
import { ChainShards, openShardEndpoints, type ShardEndpoints } from './chain/chain-shards.ts';
import { ChainSignerFacts, signerNetworkOf } from './chain/chain-signer-facts.ts';
import { joinSigners } from './chain/join-signers.ts';
import { outlastOutages } from './chain/outlast-outages.ts';
import { describeProblem } from './doors/describe-problem.ts';
import { ticketDelivery } from './keeper/deliver-ticket.ts';
import { drawFactsOf } from './keeper/open-keeper-chain.ts';
import { rejoinWhenDue } from './keeper/rejoin.ts';
import { runTicketing } from './keeper/ticketing.ts';
import { NODE_KEYS } from './keyspace.ts';
import type { NodeParts } from './node-parts.ts';
import { registeredSocket } from './open-p2p.ts';
import { signerPeers } from './reach-signers.ts';
import { readBlsKey } from './read-keys.ts';
import { startHost } from './role-host.ts';
import type { RoleDoor, StartedRole } from './roles.ts';
import { auditRulesOf } from './signer/office/audit-rules.ts';
import { httpOfficePeers } from './signer/office/http-office-peers.ts';
import { type Office, openOffice } from './signer/office/open-office.ts';
import { openSigner, type Signer } from './signer/open-signer.ts';
import type { OtherPlaces } from './signer/places.ts';
import type { SignerIdentity } from './signer/seat.ts';
import { openShards, type Shards } from './signer/shards/open-shards.ts';
import { VERSION } from './version.ts';

/** Addresses of signers read longer ago than this are read again. */
const SOCKETS_MS = 10_000;
/** Time between looks of the office at least: each asks several things of the chain for each epoch in reach. */
const MIN_OFFICE_POLL_MS = 4000;

const NOT_JOINED: HealthReport = { ok: false, reasons: ['the signer has not joined yet'] };

/**
 * Starts the signer role: keeps slices, signs for what it holds, and takes part in the draw of every
 * epoch. Joins the network first where it is told to.
 *
 * @throws {SignerError} PROTECTION_MISSING, PROTECTION_FOREIGN, SIGNER_DAMAGED, KEYSTORE_PASSWORD;
 *   {DaNodeError} NODE_KEY, NODE_OTHER_KEY; {StorageError}; {LevelError}; what joining and listening
 *   throw
 */
export async function startSigner(
  parts: NodeParts,
  { signal }: { readonly signal: AbortSignal },
): Promise<StartedRole> {
  const { config, account, backend, runner, opened, watch } = parts;
  const key = await readBlsKey(config.keys, backend);
  const identity = { address: account.address, key, backend };
  const elsewhere = await openElsewhere(parts, signal);
  const { places } = elsewhere;
  const signer = await openKeeping(parts, identity, places, signal);
  opened('signer', () => signer.close());
  if (places !== undefined) {
    runner.run('entrances of shards', (inner) => places.run(config.shards.pollMs, inner));
  }
  runner.run('tidying up', (inner) => signer.run(inner));
  let hasJoined = !config.signer.join;
  const ready = (): HealthReport => (hasJoined ? watch.ready() : NOT_JOINED);
  const office = await openChainOffice(parts, signer, identity, signal);
  const shards = openChainShards(parts, signer, identity, elsewhere);
  const { p2p } = parts;
  if (p2p !== undefined) await signer.answerOver(p2p);
  const ofShards = shards === undefined ? [] : [shards.routes];
  const routes = [signer.routes, office.routes, ...ofShards];
  const doors = { routes, describeProblem, ready };
  const host = await startHost('signer', config.signer, doors, parts);
  if (config.signer.join) await joinNetwork(parts, identity, host.address.url, signal);
  hasJoined = true;
  runner.run('ticketing', (inner) => takePart(parts, identity, inner));
  runner.run('office', (inner) => office.run(inner));
  if (shards !== undefined) runner.run('shards', (inner) => shards.run(inner));
  return { role: 'signer', host, ...(p2p === undefined ? {} : { doors: { p2p: doorOf(p2p) } }) };
}

/** The libp2p host as the process knows doors. */
function doorOf(host: P2pHost): RoleDoor {
  return { address: host.addresses[0] ?? host.peerId, stop: () => host.stop() };
}

/** Opens what a signer keeps. A log of what was signed that was made here and is gone is no new one. */
async function openKeeping(
  { config, chain, index, clock, logger, metrics }: NodeParts,
  identity: SignerIdentity,
  others: OtherPlaces | undefined,
  signal: AbortSignal,
): Promise<Signer> {
  const { capacityBytes, reserveBytes, maxPayerBytes, memoryBytes } = config.signer;
  const facts = new ChainSignerFacts(chain);
  const network = signerNetworkOf(chain);
  const signer = await openSigner(
    {
      chain: facts,
      network,
      ...(others === undefined ? {} : { others }),
      identity,
      clock,
      logger,
      metrics: metrics.metrics,
      version: VERSION,
    },
    {
      directory: join(config.node.dataDirectory, 'signer'),
      capacityBytes,
      reserveBytes,
      maxPayerBytes,
      deliveryBytes: memoryBytes,
      mayCreateProtection: (await index.get(NODE_KEYS.isProtected)) === undefined,
    },
    { signal },
  );
  const value = new Uint8Array(0);
  await index.write([{ type: 'put', key: NODE_KEYS.isProtected, value }], { sync: true });
  return signer;
}

/** What the signer does by virtue of its office, on the chain and with the other signers. */
async function openChainOffice(
  parts: NodeParts,
  { office, protection }: Signer,
  identity: SignerIdentity,
  signal: AbortSignal,
): Promise<Office> {
  const { config, chain, account, sender, backend, transport, clock, logger, metrics, opened } =
    parts;
  const open = (): Promise<Mining> => openMining(chain.entrance, { signal });
  const mining = await outlastOutages(open, { clock, logger }, signal);
  const stopping = new AbortController();
  opened('office', async () => stopping.abort(new Error('the signer is stopping')));
  const { pollMs } = config.chain;
  const sockets = new ChainEpochs(
    { chain, sender: undefined, clock, logger, stopping: stopping.signal },
    { pollMs, socketsMs: SOCKETS_MS },
  );
  return openOffice(
    {
      ...office,
      chain: chainOffice(chain),
      rewards: chainRewards({ mining, sender }, backend),
      network: signerNetworkOf(chain),
      mining: mining.domain,
      rules: auditRulesOf(chain.entrance.settings),
      identity,
      backend,
      signDigest: (digest) => account.signDigest(digest),
      protection,
      sockets,
      peers: { ...signerPeers(parts), ...httpOfficePeers(transport) },
      clock,
      logger,
      metrics: metrics.metrics,
      stopping: stopping.signal,
    },
    { pollMs: Math.max(MIN_OFFICE_POLL_MS, pollMs) },
  );
}

/** The consensus shards beside the one of the hub's chain, as a signer reaches them. */
interface Elsewhere {
  /** `undefined` where the hub orders none. */
  readonly ordering: Ordering | undefined;
  readonly endpoints: ShardEndpoints;
  /** Where blobs are kept and signed for as well; `undefined` for nowhere. */
  readonly places: ChainPlaces | undefined;
}

/** Finds out what the hub orders, and where its shards are reached. */
async function openElsewhere(
  { config, chain, clock, logger, opened }: NodeParts,
  signal: AbortSignal,
): Promise<Elsewhere> {
  const { rpcs, keepsBlobs } = config.shards;
  const open = (): Promise<Ordering | undefined> => openOrdering(chain.hub, { signal });
  const ordering = await outlastOutages(open, { clock, logger }, signal);
  const endpoints = openShardEndpoints(rpcs, chain, clock);
  opened('shard endpoints', () => endpoints.close());
  if (ordering === undefined || !keepsBlobs) return { ordering, endpoints, places: undefined };
  const places = new ChainPlaces({ chain, ordering, endpoints, clock, logger });
  return { ordering, endpoints, places };
}

/** What the signer does for the order of consensus shards; `undefined` where the hub orders none. */
function openChainShards(
  parts: NodeParts,
  { protection }: Signer,
  identity: SignerIdentity,
  { ordering, endpoints }: Elsewhere,
): Shards | undefined {
  const { config, chain, clock, logger, opened } = parts;
  if (ordering === undefined) return undefined;
  const { pollMs } = config.shards;
  const stopping = new AbortController();
  opened('shards', async () => stopping.abort(new Error('the signer is stopping')));
  return openShards(
    {
      chain: new ChainSignerFacts(chain),
      chains: new ChainShards({ ordering, endpoints, logger }),
      network: chain.hub.network,
      orderingHub: ordering.domain,
      times: {
        epochSeconds: chain.entrance.settings.epochSeconds,
        graceSeconds: ordering.graceSeconds,
      },
      identity,
      protection,
      clock,
      logger,
      stopping: stopping.signal,
    },
    { pollMs },
  );
}

/** Bonds and registers what is missing, however long the chain takes to answer. */
async function joinNetwork(
  { config, chain, sender, backend, p2p, clock, logger }: NodeParts,
  { key }: SignerIdentity,
  listensAt: string,
  signal: AbortSignal,
): Promise<void> {
  const { hub, signers } = chain;
  const { bondWei, url } = config.signer;
  const membership = { bondWei, socket: registeredSocket(url ?? listensAt, p2p) };
  const deps = { hub, sender, signers, key, backend, logger };
  const join = (): Promise<void> => joinSigners(deps, membership, { signal });
  await outlastOutages(join, { clock, logger }, signal);
}

/** Brings this signer's ticket of every epoch to keepers, or posts it from its own account. */
function takePart(
  { config, chain, sender, backend, transport, clock, logger }: NodeParts,
  { address, key }: SignerIdentity,
  signal: AbortSignal,
): Promise<void> {
  const { hub } = chain;
  const deps = { chain: drawFactsOf(hub), signer: address, key, backend, clock, logger };
  return runTicketing(
    {
      ...deps,
      deliver: ticketDelivery({
        keepers: config.signer.keepers,
        transport,
        logger,
        submit: async ({ signer, signature }, options) => {
          const ticket = { signer, signature: backend.parseSignature(signature) };
          await submitTickets({ hub, sender }, [ticket], backend, options);
        },
        blocksLeft: async (options) => {
          const { phase, untilBlock = 0 } = await readPhase(hub, options);
          if (phase !== 'tickets') return 0;
          return untilBlock - (await hub.client.blockNumber(options));
        },
      }),
      rejoin: (options) => rejoinWhenDue({ hub, sender }, options),
    },
    signal,
  );
}
