import { createMetrics } from '@cairn/node-runtime/observe';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { systemClock, systemRng } from '@cairn/primitives';
import type { RoleContext, StartedRole } from '../roles.ts';
import { VERSION } from '../version.ts';
import { createIndexer } from './create-indexer.ts';

/**
 * Starts the indexer role. Where the process is a storage node too, that node is trusted as well.
 *
 * @throws what listening throws, EADDRINUSE among it
 */
export async function startIndexer({
  config,
  log,
  service,
  storage,
}: RoleContext): Promise<StartedRole> {
  const transport = createNodeTransport();
  service.opened('indexer transport', () => transport.close());
  const own = storage === undefined ? [] : [storage.address.url];
  const indexer = createIndexer(
    {
      ...config.indexer,
      trusted: [...new Set([...own, ...config.indexer.trusted])],
      version: VERSION,
      drainMs: config.limits.drainMs,
      maxConnections: config.limits.maxConnections,
    },
    {
      transport,
      clock: systemClock(),
      rng: systemRng(),
      logger: log.logger.child({ role: 'indexer' }),
      metrics: createMetrics(),
    },
  );
  service.opened('indexer', () => indexer.stop());
  await indexer.start();
  return { role: 'indexer', url: indexer.url };
}
