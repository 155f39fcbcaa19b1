import type { FastifyInstance } from 'fastify';
import type { EventLoopWatch } from '../observe/event-loop-watch.ts';

/** Whether a node is fit, and if not, why, in sentences. */
export interface HealthReport {
  readonly ok: boolean;
  readonly reasons: readonly string[];
  /** What else goes on, by what does it, in a sentence each: it says nothing about fitness. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** Looks at a node's health; is asked at every request, so it should be cheap. */
export type HealthCheck = () => HealthReport | Promise<HealthReport>;

/** What the routes every host has need. */
export interface StandardRoutes {
  readonly name: string;
  readonly version: string;
  readonly commit: string | undefined;
  readonly live: HealthCheck | undefined;
  readonly ready: HealthCheck | undefined;
  readonly eventLoop: Pick<EventLoopWatch, 'worstDelayMs'>;
  readonly renderMetrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly isStopping: () => boolean;
}

/** An event loop later than this is not alive. */
const MAX_LOOP_DELAY_MS = 1000;

const reportSchema = (field: 'live' | 'ready'): Record<string, unknown> => ({
  type: 'object',
  properties: {
    [field]: { type: 'boolean' },
    reasons: { type: 'array', items: { type: 'string' } },
    facts: { type: 'object', additionalProperties: { type: 'string' } },
  },
  required: [field, 'reasons'],
});

/** Registers `/health/live`, `/health/ready`, `/metrics`, `/version` and `/openapi.json`. */
export function registerStandardRoutes(app: FastifyInstance, routes: StandardRoutes): void {
  const { name, version, commit, live, ready, eventLoop, renderMetrics, isStopping } = routes;
  const tags = ['node'];

  app.get(
    '/health/live',
    {
      schema: {
        summary: 'Whether the process works; 503 with reasons if it should be restarted',
        tags,
        response: { 200: reportSchema('live'), 503: reportSchema('live') },
      },
    },
    async (_, reply) => {
      const { ok, reasons } = (await live?.()) ?? { ok: true, reasons: [] };
      const lateMs = Math.round(eventLoop.worstDelayMs);
      const isLate = lateMs >= MAX_LOOP_DELAY_MS;
      void reply.code(ok && !isLate ? 200 : 503);
      return {
        live: ok && !isLate,
        reasons: isLate ? [...reasons, `the event loop ran ${lateMs} ms late`] : reasons,
      };
    },
  );

  app.get(
    '/health/ready',
    {
      schema: {
        summary: 'Whether requests should be sent here; 503 with reasons if not',
        tags,
        response: { 200: reportSchema('ready'), 503: reportSchema('ready') },
      },
    },
    async (_, reply) => {
      const report: HealthReport = isStopping()
        ? { ok: false, reasons: ['the node is stopping'] }
        : ((await ready?.()) ?? { ok: true, reasons: [] });
      const { ok, reasons, facts } = report;
      void reply.code(ok ? 200 : 503);
      return { ready: ok, reasons, ...(facts === undefined ? {} : { facts }) };
    },
  );

  app.get(
    '/metrics',
    { schema: { summary: 'Measures in the Prometheus text format', tags } },
    async (_, reply) => {
      const { contentType, body } = await renderMetrics();
      void reply.header('content-type', contentType);
      return body;
    },
  );

  app.get(
    '/version',
    {
      schema: {
        summary: 'Which program this is',
        tags,
        response: {
          200: {
            type: 'object',
            properties: {
              name: { type: 'string' },
              version: { type: 'string' },
              commit: { type: 'string' },
              node: { type: 'string' },
            },
            required: ['name', 'version', 'node'],
          },
        },
      },
    },
    async () => ({
      name,
      version,
      ...(commit === undefined ? {} : { commit }),
      node: process.versions.node,
    }),
  );

  app.get(
    '/openapi.json',
    { schema: { summary: 'This description of every route, OpenAPI 3.1', tags } },
    async () => app.swagger(),
  );
}
