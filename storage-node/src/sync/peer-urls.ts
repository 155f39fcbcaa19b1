import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { type Clock, LruCache } from '@cairn/primitives';

/** Hosts whose addresses are remembered. */
const MAX_HOSTS = 4096;
/** Time after which a host's addresses are looked up again. */
const FRESH_MS = 60_000;

/** Networks that are somebody's own (RFC 6890 and its IPv6 kin): a peer's address never leads there. */
const PRIVATE: readonly (readonly [string, number, 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 127, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
];

/** What judging addresses works with. */
export interface PeerUrlsDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Addresses of a host name; the system's unless told. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

/**
 * Decides whether a URL that a peer states may be asked. Anybody can state any URL; one that leads
 * into the operator's own network would make this node knock on doors for others.
 */
export class PeerUrls {
  readonly #deps: Required<PeerUrlsDeps>;
  readonly #private = new BlockList();
  readonly #known = new LruCache<string, { readonly isPublic: boolean; readonly untilMs: number }>({
    maxWeight: MAX_HOSTS,
  });

  constructor(deps: PeerUrlsDeps) {
    this.#deps = { resolve: addressesOf, ...deps };
    for (const [network, prefix, family] of PRIVATE)
      this.#private.addSubnet(network, prefix, family);
  }

  /** Whether all addresses of the URL's host are public. False for a host that has none. */
  async isPublic(url: string): Promise<boolean> {
    if (!URL.canParse(url)) return false;
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
    const nowMs = this.#deps.clock.monotonic();
    const known = this.#known.get(host);
    if (known !== undefined && known.untilMs > nowMs) return known.isPublic;
    const addresses = isIP(host) === 0 ? await this.#deps.resolve(host) : [host];
    const isPublic = addresses.length > 0 && addresses.every((one) => this.#isPublicAddress(one));
    this.#known.set(host, { isPublic, untilMs: nowMs + FRESH_MS });
    return isPublic;
  }

  #isPublicAddress(address: string): boolean {
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
    const plain = mapped ?? address;
    const family = isIP(plain);
    if (family === 0) return false;
    // ::ffff:0:0/96 in hexadecimal is IPv4 in disguise: no peer has reason to write it so.
    if (family === 6 && /^::ffff:/i.test(plain)) return false;
    return !this.#private.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }
}

async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return []; // there is no such host
    throw error;
  }
}
