import { addRoute, type RouteGroup } from '@cairn/node-runtime/http';
import { type NodeStatus, nodeStatusJson } from '@cairn/wire-protocol';
import { storageRouteTable } from './route-table.ts';

/** `GET /v1/status`: what the node follows and how far it is. */
export function statusDoor(status: () => NodeStatus): RouteGroup {
  return (app) => {
    const table = storageRouteTable();
    addRoute(app, table, 'getStatus', async (_, reply) => {
      void reply.header('cache-control', 'no-store');
      return nodeStatusJson(status());
    });
  };
}
