import { systemClock } from '@cairn/primitives';
import { formatShard, nodeStatusJson } from '@cairn/wire-protocol';
import { askChains, askNode, type NodeAnswer } from '../ask-node.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { chooseNetwork, type NetworkOptions } from '../network-options.ts';
import { writeJson, writeLine } from '../output.ts';
import { formatTable } from '../table.ts';

/** Says how the nodes of a network are. Exit code 1 if one is not ready. */
export async function nodeStatus(
  options: NetworkOptions & { readonly json?: boolean },
  { io, signal }: CommandContext,
): Promise<number> {
  const clock = systemClock();
  const places = await withChains(await nodeUrls(options, io), signal);
  const answers = await Promise.all(
    places.map(async ({ url, at }) => {
      const answer = await askNode(at, { signal, now: () => clock.now() });
      return { ...answer, url };
    }),
  );
  if (options.json === true) {
    await writeJson(io, { nodes: answers.map(answerJson) });
  } else {
    const head = ['NODE', 'STATE', 'KEEPS', 'NEXT', 'HEAD', 'VERSION'];
    await writeLine(io, formatTable(head, answers.map(answerRow)));
    const facts = answers.flatMap(({ url, facts: told }) =>
      Object.entries(told).map(([what, fact]) => [url, what, fact]),
    );
    if (facts.length > 0) {
      await writeLine(io, '');
      await writeLine(io, formatTable(['NODE', 'WHAT', 'STATE'], facts));
    }
  }
  return answers.every(({ isReady }) => isReady) ? EXIT.ok : EXIT.failure;
}

/** A node or one of its chains, and where its health is told. */
interface Place {
  readonly url: string;
  readonly at: string;
}

/**
 * A node that keeps several chains is asked about each: its own address stands for the first one, the others follow.
 * A chain whose address is named already is not asked twice.
 */
async function withChains(urls: readonly string[], signal: AbortSignal): Promise<readonly Place[]> {
  const found = await Promise.all(
    urls.map(async (url): Promise<readonly Place[]> => {
      const paths = await askChains(url, signal);
      if (paths.length < 2) return [{ url, at: url }];
      const [first = url, ...others] = paths.map((path) => `${url}${path}`);
      return [{ url, at: first }, ...others.map((at) => ({ url: at, at }))];
    }),
  );
  return [...new Map(found.flat().map((place) => [place.url, place])).values()];
}

/** Every node a command line names: those given, else all of the network. */
export async function nodeUrls(
  options: NetworkOptions,
  io: CommandContext['io'],
): Promise<readonly string[]> {
  const { indexer, nodes, listedNodes } = await chooseNetwork(options, io);
  if (options.node !== undefined) return nodes;
  return [...listedNodes, ...(indexer === undefined ? [] : [indexer])];
}

function answerRow({ url, isReady, reasons, status, version }: NodeAnswer): readonly string[] {
  return [
    url,
    isReady ? 'ready' : reasons.join(', '),
    status === undefined ? '-' : formatShard(status.shard),
    status === undefined ? '-' : String(status.nextSequence),
    String(status?.head ?? '-'),
    version ?? '-',
  ];
}

function answerJson({ url, isReachable, isReady, reasons, facts, status, version }: NodeAnswer) {
  return {
    url,
    reachable: isReachable,
    ready: isReady,
    reasons,
    facts,
    ...(version === undefined ? {} : { version }),
    ...(status === undefined ? {} : { status: nodeStatusJson(status) }),
  };
}
