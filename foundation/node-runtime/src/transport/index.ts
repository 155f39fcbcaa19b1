/** Requests to other machines, on `node:http`. */
export { createNodeTransport, type NodeTransportOptions } from './node-transport.ts';
