import type { HttpTransport, Json, Root } from '@cairn/primitives';
import {
  callJsonRpc,
  INDEXER,
  parseZgShardedNodeList,
  parseZgShardedNodes,
  type ZgShardedNode,
} from '@cairn/wire-protocol';

/** What an indexer says; every reply checked and bounded. */
export interface IndexerClient {
  readonly url: string;
  /** Nodes that can be written to: those the operator trusts first. */
  nodes(options: { readonly signal: AbortSignal }): Promise<readonly ZgShardedNode[]>;
  /** Nodes that say they have the file; none if it is unknown or still spreading. */
  fileLocations(
    root: Root,
    options: { readonly signal: AbortSignal },
  ): Promise<readonly ZgShardedNode[]>;
}

/** An indexer at `url`. Nothing is sent before the first call. */
export function indexerClient(
  url: string,
  { transport, timeoutMs }: { readonly transport: HttpTransport; readonly timeoutMs: number },
): IndexerClient {
  const call = (method: string, params: readonly Json[], signal: AbortSignal): Promise<unknown> =>
    callJsonRpc(transport, url, method, params, { signal, timeoutMs });
  return {
    url,
    async nodes({ signal }) {
      const reply = await call(INDEXER.getShardedNodes, [], signal);
      const { trusted, discovered } = parseZgShardedNodes(reply);
      return [...trusted, ...discovered];
    },
    async fileLocations(root, { signal }) {
      return parseZgShardedNodeList(await call(INDEXER.getFileLocations, [root], signal));
    },
  };
}
