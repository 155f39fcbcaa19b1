import type { PeerVerdict } from '@cairn/primitives';
import { type GossipSub, gossipsub, TopicValidatorResult } from '@libp2p/gossipsub';
import { type KadDHT, kadDHT, passthroughMapper } from '@libp2p/kad-dht';
import { mdns } from '@libp2p/mdns';
import { type Ping, ping } from '@libp2p/ping';
import type { Libp2pOptions, ServiceFactoryMap } from 'libp2p';

/** Services of libp2p by which nodes find and tell each other. */
export interface Discovery {
  readonly services: ServiceFactoryMap<DiscoveryServices>;
  readonly found: NonNullable<Libp2pOptions['peerDiscovery']>;
  /** Whether a peer is to be kept out. */
  readonly refuses: (peer: string) => boolean;
  /** What became of the services. @throws {Error} before a node was made of them */
  readonly running: () => Pick<DiscoveryServices, 'dht' | 'gossip'>;
  /** Peers without a connection whose addresses are kept. */
  readonly rememberedPeers: number;
}

/** What discovery is made with. */
export interface DiscoveryOptions {
  /** Whether others can dial this node: only then does it answer for the table of peers. */
  readonly isReached: boolean;
  /** Whether nodes of the local network are looked for by multicast. */
  readonly mdns: boolean;
  /** Topics that are heard; others are refused before they are read. */
  readonly topics: readonly string[];
  readonly refuses: (peer: string) => boolean;
}

/** The services, as they are found on the node. */
export interface DiscoveryServices extends Record<string, unknown> {
  readonly ping: Ping;
  readonly dht: KadDHT;
  readonly gossip: GossipSub;
}

/** Cairn's own table: its nodes answer for nobody else's. */
const DHT_PROTOCOL = '/cairn/kad/1.0.0';
/** The longest message that is told to all: announcements have some two hundred bytes. */
export const MAX_TOLD_BYTES = 4096;
/** Bytes that may wait for a peer that does not take its messages. */
const MAX_WAITING_BYTES = 1024 ** 2;
/** Peers whose addresses stay known after they left: enough to come back to a network. */
const REMEMBERED_PEERS = 2048;

/** What gossipsub takes for an answer. */
export const VERDICTS: Readonly<Record<PeerVerdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
};

/** Kademlia, gossipsub, ping and, if wanted, mDNS, each with every bound that it has. */
export function createDiscovery(options: DiscoveryOptions): Discovery {
  const { isReached, topics, refuses } = options;
  let dht: KadDHT | undefined;
  let gossip: GossipSub | undefined;
  return {
    services: {
      ping: ping({ maxInboundStreams: 2, maxOutboundStreams: 2, timeout: 10_000 }),
      dht: (components) => {
        dht = kadDHT({
          protocol: DHT_PROTOCOL,
          clientMode: !isReached,
          // Which addresses are told is configured, not guessed from their kind.
          peerInfoMapper: passthroughMapper,
          kBucketSize: 20,
          prefixLength: 8,
          alpha: 3,
          routingTableUpdateMaxQueueSize: 256,
          pingOldContactMaxQueueSize: 64,
          pingNewContactMaxQueueSize: 64,
          maxInboundStreams: 32,
          maxOutboundStreams: 64,
          validators: {},
          selectors: {},
        })(components);
        return dht;
      },
      gossip: (components) => {
        gossip = gossipsub({
          emitSelf: false,
          allowPublishToZeroTopicPeers: true,
          ignoreDuplicatePublishError: true,
          fallbackToFloodsub: false,
          doPX: false,
          allowedTopics: [...topics],
          maxInboundStreams: 2,
          maxOutboundStreams: 2,
          maxInboundDataLength: 16 * MAX_TOLD_BYTES,
          maxOutboundBufferSize: MAX_WAITING_BYTES,
          maxTopicBytesPerPeer: 16 * 1024,
          decodeRpcLimits: {
            maxSubscriptions: 16,
            maxMessages: 256,
            maxIhaveMessageIDs: 1000,
            maxIwantMessageIDs: 1000,
            maxIdontwantMessageIDs: 1000,
            maxControlMessages: 64,
            maxPeerInfos: 0,
          },
          // Many honest nodes may share an address; what counts against a peer is what it says.
          scoreParams: { IPColocationFactorWeight: 0 },
        })(components);
        return gossip;
      },
    },
    found: options.mdns ? [mdns({ interval: 20_000 })] : [],
    refuses,
    running: () => {
      if (dht === undefined || gossip === undefined) throw new Error('no node was made yet');
      return { dht, gossip };
    },
    rememberedPeers: REMEMBERED_PEERS,
  };
}
