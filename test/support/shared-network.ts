import { type Network, startNetwork } from './network.ts';

const shared = new Map<string, Promise<Network>>();

/**
 * A network for all the tests of a run that stop none of its processes: started when the first asks
 * for one like it, stopped after the last.
 *
 * @param extra - as for `startNetwork`; one full storage node and two that keep half each, and a
 * key-value node, unless told
 */
export function sharedNetwork(extra: readonly string[] = ['--kv', '1']): Promise<Network> {
  const key = extra.join(' ');
  const network = shared.get(key) ?? startNetwork(extra);
  shared.set(key, network);
  return network;
}

after(async () => {
  for (const network of shared.values()) await (await network).stop();
});
