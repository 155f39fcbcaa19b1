import type { RouteGroup } from '@cairn/node-runtime/http';
import { type Address, type ChainId, toHex } from '@cairn/primitives';
import type { Answers } from '../answers.ts';
import { type ReplayStatus, replayStatusJson } from '../replay-status.ts';
import { VERSION } from '../version.ts';

/** What the door shows. */
export interface StatusDoorDeps {
  readonly chainId: ChainId;
  readonly flow: Address;
  readonly answers: Answers;
  /** Who vouches for state roots here. */
  readonly signer: Address | undefined;
  readonly status: () => ReplayStatus;
}

/**
 * `GET /v1/status`: what the node replays, how far it is, and what it waits for. `GET /v1/streams`:
 * the streams that answer, each with its state root after the last entry that was replayed.
 */
export function statusDoor({ chainId, flow, answers, signer, status }: StatusDoorDeps): RouteGroup {
  return (app) => {
    app.get(
      '/v1/status',
      {
        schema: {
          operationId: 'getStatus',
          summary: 'What is replayed, and how far',
          tags: ['node'],
        },
      },
      async (_, reply) => {
        void reply.header('cache-control', 'no-store');
        return {
          version: VERSION,
          kind: 'kv-node',
          chainId,
          flow,
          domain: toHex(answers.state.domain),
          signer: signer ?? null,
          replay: replayStatusJson(status()),
        };
      },
    );
    app.get(
      '/v1/streams',
      {
        schema: {
          operationId: 'getStreams',
          summary: 'Streams that answer, with their state roots',
          tags: ['node'],
        },
      },
      async (_, reply) => {
        void reply.header('cache-control', 'no-store');
        const { state } = answers;
        return {
          domain: toHex(state.domain),
          next: state.nextSequence,
          streams: state.streams.map((stream) => {
            const root = state.currentRoot(stream);
            return {
              stream,
              stateRoot: root === undefined ? null : toHex(root.stateRoot),
              keys: root?.keyCount ?? 0,
              roles: root?.roleCount ?? 0,
            };
          }),
        };
      },
    );
  };
}
