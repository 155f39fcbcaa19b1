import type { ConfigSchema } from '@cairn/node-runtime/config';
import { isListenAddress, isPeerAddress } from '@cairn/wire-protocol/peers';

/** How a node takes part in the network of its peers. */
export interface P2pConfig {
  readonly enabled: boolean;
  /** File with the key that the node is known by; `undefined`: `p2p.key` in the data directory. */
  readonly keyFile: string | undefined;
  /** Multiaddresses to listen on; none for a node that others reach over its own connections only. */
  readonly listen: readonly string[];
  /** Multiaddresses that others are told; those listened on if there are none. */
  readonly announce: readonly string[];
  /** Peers to meet first: multiaddresses that end in a peer id. */
  readonly boot: readonly string[];
  /** Where the public listener is reached by others; `listener`: where it listens; `undefined`: nowhere. */
  readonly publicUrl: string | undefined;
  readonly mdns: boolean;
  readonly targetPeers: number;
  readonly maxConnections: number;
  /** Whether URLs of peers may lead into private networks. */
  readonly privateUrls: boolean;
  /** Whether what the shard lacks is fetched from peers. */
  readonly sync: boolean;
  readonly parallelRequests: number;
}

/** The section as it is written in the file. */
export interface P2pSection {
  readonly enabled: boolean;
  readonly key_file: string;
  readonly listen: readonly string[];
  readonly announce: readonly string[];
  readonly boot: readonly string[];
  readonly public_url: string;
  readonly mdns: boolean;
  readonly target_peers: number;
  readonly max_connections: number;
  readonly private_urls: boolean;
  readonly sync: boolean;
  readonly parallel_requests: number;
}

const addresses = (description: string, fallback: readonly string[]): ConfigSchema => ({
  type: 'array',
  description,
  default: [...fallback],
  items: { type: 'string' },
  maxItems: 32,
});

/** The schema of the section `p2p`. */
export const P2P_SCHEMA: ConfigSchema = {
  type: 'object',
  description: 'The network of storage nodes: finding others, fetching what the shard lacks.',
  properties: {
    enabled: { type: 'boolean', description: 'Whether the node takes part.', default: false },
    key_file: {
      type: 'string',
      description:
        'File with the key that others know the node by, made if there is none; empty: p2p.key in the data directory.',
      default: '',
    },
    listen: addresses(
      'Multiaddresses to listen on. None: others reach this node only over connections that it opened.',
      ['/ip4/127.0.0.1/tcp/0'],
    ),
    announce: addresses(
      'Multiaddresses that others are told, such as /dns4/storage.example/tcp/4001. None: those listened on.',
      [],
    ),
    boot: addresses('Peers to meet first: multiaddresses that end in /p2p/<peer id>.', []),
    public_url: {
      type: 'string',
      description:
        'URL under which others reach the public listener, for bulk transfers; "listener": the one it listens on. Empty: they fetch over libp2p.',
      default: '',
      pattern: '^(listener|https?://.*)?$',
    },
    mdns: {
      type: 'boolean',
      description: 'Whether nodes of the local network are looked for by multicast.',
      default: false,
    },
    target_peers: {
      type: 'integer',
      description: 'Connections that are looked for; more come by themselves.',
      default: 24,
      minimum: 1,
      maximum: 200,
    },
    max_connections: {
      type: 'integer',
      description: 'Connections at once, of both directions.',
      default: 150,
      minimum: 8,
      maximum: 2000,
    },
    private_urls: {
      type: 'boolean',
      description:
        'Whether URLs that peers state may lead into private networks. For devnets; elsewhere it lets strangers make this node ask your own machines.',
      default: false,
    },
    sync: {
      type: 'boolean',
      description: 'Whether what the shard lacks is fetched from peers.',
      default: true,
    },
    parallel_requests: {
      type: 'integer',
      description: 'Requests to peers at once, each for up to 2 MiB.',
      default: 8,
      minimum: 1,
      maximum: 64,
    },
  },
};

/** The section's settings. */
export function p2pConfigOf(section: P2pSection): P2pConfig {
  return {
    enabled: section.enabled,
    keyFile: section.key_file === '' ? undefined : section.key_file,
    listen: section.listen,
    announce: section.announce,
    boot: section.boot,
    publicUrl: section.public_url === '' ? undefined : section.public_url.replace(/\/+$/, ''),
    mdns: section.mdns,
    targetPeers: section.target_peers,
    maxConnections: section.max_connections,
    privateUrls: section.private_urls,
    sync: section.sync,
    parallelRequests: section.parallel_requests,
  };
}

/** What the schema lets through and still cannot work. */
export function p2pProblems({
  listen,
  announce,
  boot,
  public_url: url,
}: P2pSection): readonly { readonly field: string; readonly rule: string }[] {
  const problems: { field: string; rule: string }[] = [];
  const isPlain = (text: string): boolean => isListenAddress(text) || isPeerAddress(text);
  if (!listen.every(isListenAddress)) {
    problems.push({
      field: 'p2p.listen',
      rule: 'must be multiaddresses over TCP, such as /ip4/0.0.0.0/tcp/4001',
    });
  }
  if (!announce.every(isPlain)) {
    problems.push({ field: 'p2p.announce', rule: 'must be multiaddresses over TCP' });
  }
  if (!boot.every(isPeerAddress)) {
    problems.push({ field: 'p2p.boot', rule: 'must be multiaddresses that end in /p2p/<peer id>' });
  }
  if (url !== '' && url !== 'listener' && !URL.canParse(url))
    problems.push({ field: 'p2p.public_url', rule: 'must be a URL' });
  return problems;
}
