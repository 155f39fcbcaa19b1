import {
  createHttpHost,
  type DescribeProblem,
  DiskProbe,
  type HealthReport,
  type HttpHost,
  type RouteGroup,
} from '@cairn/node-runtime/http';
import type { ListenSettings } from './config.ts';

import type { NodeParts } from './node-parts.ts';
import { VERSION } from './version.ts';

/** What a role answers on its listener. */
export interface RoleDoors {
  readonly routes: readonly RouteGroup[];
  readonly describeProblem?: DescribeProblem;
  readonly ready: () => HealthReport;
}

/**
 * Listens for a role, or for one of its doors: what it answers beside health, measures and version,
 * nothing for admins.
 *
 * @throws what listening throws
 */
export async function startHost(
  name: string,
  { host, port }: ListenSettings,
  { routes, describeProblem, ready }: RoleDoors,
  { config, clock, logger, metrics, opened }: NodeParts,
): Promise<HttpHost> {
  const probe = new DiskProbe({ clock }, config.node.dataDirectory);
  const listener = createHttpHost({
    host,
    port,
    name: `cairn-da-${name}`,
    version: VERSION,
    logger,
    metrics,
    limits: { maxConnections: config.limits.maxConnections, drainMs: config.limits.drainMs },
    ...(describeProblem === undefined ? {} : { describeProblem }),
    live: () => probe.live(),
    ready,
    routes,
  });
  opened(`${name} listener`, () => listener.stop());
  await listener.start();
  return listener;
}
