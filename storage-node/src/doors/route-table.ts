import type { RouteTable } from '@cairn/node-runtime/http';
import { storageRoutes } from '@cairn/wire-protocol/route-table';

/** The routes of a storage node as they stand in its OpenAPI document. */
export function storageRouteTable(): RouteTable {
  return { tag: 'storage', routes: storageRoutes() };
}
