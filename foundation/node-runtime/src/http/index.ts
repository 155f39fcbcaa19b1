/** An HTTP server for a node's routes, on fastify. */
import '@fastify/swagger'; // brings the types of the OpenAPI fields that routes carry

export type {
  FastifyInstance as HttpApp,
  FastifyReply as HttpReplyOut,
  FastifyRequest as HttpRequestIn,
  RouteOptions as HttpRoute,
} from 'fastify';
export {
  addRoute,
  type DescribedRoute,
  pathNumber,
  pathText,
  queryNumber,
  queryValue,
  type RouteHandler,
  type RouteTable,
} from './add-route.ts';
export {
  acceptBytes,
  acceptStreams,
  bodyBytes,
  bodyStream,
  type RawBodyOptions,
  readableFrom,
} from './body.ts';
export {
  createHttpHost,
  type HttpAddress,
  type HttpHost,
  type HttpHostOptions,
  type RouteGroup,
} from './create-http-host.ts';
export { DiskProbe } from './disk-probe.ts';
export type { HealthCheck, HealthReport } from './health-routes.ts';
export type { HttpLimits } from './limits.ts';
export { type MountOptions, mountHosts } from './mount-hosts.ts';
export { isOver, onceOver, type RawReply } from './once-over.ts';
export { answerPlainOptions } from './plain-options.ts';
export { type DescribeProblem, HttpError, type HttpFault, type HttpProblem } from './problem.ts';
export { ClientGone, requestSignal } from './request-signal.ts';
export { takeRequests } from './take-requests.ts';
export {
  acceptWebSocket,
  refuseUpgrade,
  WEB_SOCKET_CLOSE,
  type WebSocketOut,
} from './web-socket.ts';
