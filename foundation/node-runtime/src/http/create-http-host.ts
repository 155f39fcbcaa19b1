import { randomBytes } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import type { Logger } from '@cairn/primitives';
import cors from '@fastify/cors';
import swagger from '@fastify/swagger';
import { type FastifyInstance, fastify } from 'fastify';
import type { MetricsRegistry } from '../observe/create-metrics.ts';
import { watchEventLoop } from '../observe/event-loop-watch.ts';
import { answerFaults, answerProtocolFault, refuseConnection } from './answer-faults.ts';
import { ConnectionWatch } from './connections.ts';
import { type HealthCheck, registerStandardRoutes } from './health-routes.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { MOUNTED } from './mount-hosts.ts';
import { type DescribeProblem, describeInternally } from './problem.ts';
import { removeStaleSocket } from './unix-socket.ts';

/**
 * A set of routes that registers itself on the app it is given. Hooks and body parsers it adds
 * hold for its own routes only.
 */
export type RouteGroup = (app: FastifyInstance) => void | Promise<void>;

/** Where a host listens, who it is and how it answers. */
export interface HttpHostOptions {
  /** Address to listen on; 127.0.0.1 unless told. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port?: number;
  /** A unix socket to listen on instead, made with mode 0600. */
  readonly socketPath?: string;
  /** Shown by `/version` and in `/openapi.json`. */
  readonly name: string;
  readonly version: string;
  readonly commit?: string;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  readonly limits?: Partial<HttpLimits>;
  readonly routes?: readonly RouteGroup[];
  /** Unless told, every fault of a route is an internal error. */
  readonly describeProblem?: DescribeProblem;
  /** Besides the event loop, which the host watches itself. */
  readonly live?: HealthCheck;
  readonly ready?: HealthCheck;
  /** Header names scripts in browsers may read besides the usual ones; problems go without them. */
  readonly exposedHeaders?: readonly string[];
  /** The path below which another host hands requests to this one: the OpenAPI document names it. */
  readonly mountPath?: string;
}

/** Where a host can be reached. */
export interface HttpAddress {
  /** Without a slash at its end; `http://localhost` for a unix socket. */
  readonly url: string;
  /** 0 for a unix socket. */
  readonly port: number;
  readonly socketPath: string | undefined;
}

/** An HTTP server with the routes of a node. */
export interface HttpHost {
  /** Builds the routes and listens. @throws what listening throws, EADDRINUSE among it */
  start(): Promise<void>;
  /** Builds the routes without listening, for `mountHosts` of another host. Instead of `start`. */
  open(): Promise<void>;
  /** Stops listening, lets running requests end within the drain time, then cuts the rest. */
  stop(): Promise<void>;
  /** Where it listens. @throws {Error} before `start` */
  readonly address: HttpAddress;
  /** The app beneath, for tests and for what a route group cannot do. */
  readonly app: FastifyInstance;
}

/** Header that names a request in replies and logs. */
const REQUEST_ID_HEADER = 'x-cairn-request-id';
/** Headers of replies that scripts in browsers may read. */
const EXPOSED_HEADERS = [
  'ETag',
  'Content-Range',
  'Content-Length',
  'Accept-Ranges',
  'Retry-After',
  REQUEST_ID_HEADER,
];
const DURATION_BUCKETS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];
/** How often a stopping host looks for connections that have become idle. */
const DRAIN_STEP_MS = 50;

/**
 * A host with health, metrics, version and OpenAPI routes, CORS for every origin, request ids and
 * problems for faults. Credentials never travel in cookies, so any origin may ask.
 */
export function createHttpHost(options: HttpHostOptions): HttpHost {
  return new FastifyHost(options);
}

class FastifyHost implements HttpHost {
  readonly app: FastifyInstance;
  readonly #options: HttpHostOptions;
  readonly #limits: HttpLimits;
  readonly #connections: ConnectionWatch;
  #address: HttpAddress | undefined;
  #started = false;
  #stopped: Promise<void> | undefined;
  #stopWatching: () => void = () => undefined;

  constructor(options: HttpHostOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
    this.app = buildApp(this.#limits);
    this.#connections = new ConnectionWatch(this.app.server);
  }

  get address(): HttpAddress {
    if (this.#address === undefined) throw new Error('the HTTP host does not listen yet');
    return this.#address;
  }

  async open(): Promise<void> {
    if (this.#started) throw new Error('the HTTP host was started before');
    this.#started = true;
    await this.#addRoutes();
  }

  async start(): Promise<void> {
    const { app } = this;
    await this.open();
    app.server.maxConnections = this.#limits.maxConnections;
    const { host = '127.0.0.1', port = 0, socketPath } = this.#options;
    if (socketPath === undefined) {
      await app.listen({ host, port });
    } else {
      await removeStaleSocket(socketPath);
      await app.listen({ path: socketPath });
      await chmod(socketPath, 0o600);
    }
    this.#address = addressOf(app, host, socketPath);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  async #addRoutes(): Promise<void> {
    const { app } = this;
    const options = this.#options;
    const { name, version, commit, live, ready, metrics, exposedHeaders = [], mountPath } = options;
    const eventLoop = watchEventLoop();
    this.#stopWatching = () => eventLoop.stop();
    observeRequests(app, metrics);
    answerFaults(app, {
      describe: options.describeProblem ?? describeInternally,
      logger: options.logger,
      ownHeaders: exposedHeaders,
    });
    await app.register(cors, {
      origin: '*',
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
      exposedHeaders: [...EXPOSED_HEADERS, ...exposedHeaders],
      maxAge: 86_400,
    });
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: name, version },
        ...(mountPath === undefined ? {} : { servers: [{ url: mountPath }] }),
      },
    });
    registerStandardRoutes(app, {
      name,
      version,
      commit,
      live,
      ready,
      eventLoop,
      renderMetrics: () => metrics.render(),
      isStopping: () => this.#stopped !== undefined,
    });
    for (const group of options.routes ?? []) {
      await app.register(async (scope) => {
        await group(scope);
      });
    }
    await app.ready();
  }

  async #drain(): Promise<void> {
    const { server } = this.app;
    // Connections kept by clients become idle when their last reply is through.
    const idle = setInterval(() => this.#connections.closeIdle(), DRAIN_STEP_MS);
    const deadline = setTimeout(() => server.closeAllConnections(), this.#limits.drainMs);
    try {
      await this.app.close();
    } finally {
      clearInterval(idle);
      clearTimeout(deadline);
      this.#stopWatching();
    }
  }
}

function buildApp(limits: HttpLimits): FastifyInstance {
  const prefix = randomBytes(4).toString('hex');
  let count = 0;
  const nextId = (): string => {
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
  const app = fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    connectionTimeout: limits.idleTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    requestIdHeader: false,
    genReqId: nextId,
    routerOptions: { maxParamLength: limits.maxParameterLength },
    // Outside values are refused, not bent: nothing is dropped and only query text is converted.
    // The schemas are our own: checking them against the one of schemas costs each host a tenth of a second.
    ajv: {
      customOptions: {
        removeAdditional: false,
        coerceTypes: 'array',
        allErrors: false,
        validateSchema: false,
      },
    },
    http: {
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      maxHeaderSize: limits.headerBytes,
    },
    // Met before any hook has run, so what the hooks add is added here.
    frameworkErrors: (error, request, reply) => {
      reply.headers({ [REQUEST_ID_HEADER]: request.id, 'access-control-allow-origin': '*' });
      answerProtocolFault(error, request, reply);
    },
    clientErrorHandler: (error, socket) => refuseConnection(error, socket, nextId()),
  });
  // What handlers return has the shape that their table describes. Making a serializer of each schema
  // would be most of what starting a host costs.
  app.setSerializerCompiler(() => JSON.stringify);
  return app;
}

/** Times every request and names it in its reply. */
function observeRequests(app: FastifyInstance, { metrics }: MetricsRegistry): void {
  const duration = metrics.histogram({
    name: 'cairn_http_duration_seconds',
    help: 'time from the head of a request to the end of its reply, by route pattern and status',
    labels: ['route', 'code'],
    buckets: DURATION_BUCKETS,
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.header(REQUEST_ID_HEADER, request.id);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    if (MOUNTED in request.routeOptions.config) return done();
    // The pattern, never the path: an unknown path has none and all of them are one label.
    const route = request.routeOptions.url ?? 'none';
    duration.observe(reply.elapsedTime / 1000, { route, code: String(reply.statusCode) });
    done();
  });
}

function addressOf(
  app: FastifyInstance,
  host: string,
  socketPath: string | undefined,
): HttpAddress {
  const bound = app.server.address();
  if (bound === null || typeof bound === 'string') {
    return { url: 'http://localhost', port: 0, socketPath };
  }
  const shown = bound.address === '::' || bound.address === '0.0.0.0' ? loopbackOf(host) : host;
  const name = shown.includes(':') ? `[${shown}]` : shown;
  return { url: `http://${name}:${bound.port}`, port: bound.port, socketPath: undefined };
}

/** How a listener on every address is reached from here. */
function loopbackOf(host: string): string {
  return host.includes(':') ? '::1' : '127.0.0.1';
}
