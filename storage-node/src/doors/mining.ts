import type { RouteGroup } from '@cairn/node-runtime/http';
import type { Mining } from '../mining/create-mining.ts';

/**
 * Routes of the admin socket about mining: `GET /v1/admin/mining`, null where the node is not configured
 * to mine; `POST /v1/admin/mining/start` and `/stop`, which take effect within milliseconds.
 */
export function miningDoor(mining: Mining | undefined): RouteGroup {
  return (app) => {
    app.get('/v1/admin/mining', async () => mining?.statusJson() ?? null);
    app.post('/v1/admin/mining/start', async () => {
      mining?.start();
      return mining?.statusJson() ?? null;
    });
    app.post('/v1/admin/mining/stop', async () => {
      mining?.stop();
      return mining?.statusJson() ?? null;
    });
  };
}
