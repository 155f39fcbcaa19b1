import type { RouteGroup } from '@cairn/node-runtime/http';
import { type NodeStatus, nodeStatusJson } from '@cairn/wire-protocol';
import { addRoute } from './route-options.ts';

/** `GET /v1/status`: what the node follows and how far it is. */
export function statusDoor(status: () => NodeStatus): RouteGroup {
  return (app) => {
    addRoute(app, 'getStatus', async (_, reply) => {
      void reply.header('cache-control', 'no-store');
      return nodeStatusJson(status());
    });
  };
}
