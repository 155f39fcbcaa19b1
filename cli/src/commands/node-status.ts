import { systemClock } from '@cairn/primitives';
import { formatShard, nodeStatusJson } from '@cairn/wire-protocol';
import { askNode, type NodeAnswer } from '../ask-node.ts';
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
  const urls = await nodeUrls(options, io);
  const clock = systemClock();
  const answers = await Promise.all(
    urls.map((url) => askNode(url, { signal, now: () => clock.now() })),
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
