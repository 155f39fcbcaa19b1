/**
 * The HTTP routes of data availability: of dispersers, signers, keepers and offices. An entry of its own, so
 * that a storage node, which has none of them, starts without what their messages take.
 */
export type { HttpRoute, JsonSchema, RouteReply } from '../route-parts.ts';
export { blobRoutes } from './blob-route-table.ts';
export { checkpointRoutes, keeperRoutes, officeRoutes } from './office-route-table.ts';
export { signerRoutes } from './signer-route-table.ts';
