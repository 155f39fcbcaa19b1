import { silentLogger } from '@cairn/primitives';
import { openOffline } from '@cairn/storage-node/db';
import { dbMigrate } from '../../cli/src/commands/db-migrate.ts';
import { dbRestore } from '../../cli/src/commands/db-restore.ts';
import { dbScrub } from '../../cli/src/commands/db-scrub.ts';
import { dbSnapshot } from '../../cli/src/commands/db-snapshot.ts';
import { processIo } from '../../cli/src/io.ts';

/**
 * A process that does one thing to a data directory, to be killed while it does: the commands
 * themselves, without the look at sources that `cairn` takes first in a checkout.
 */
const [operation = '', dataDir = '', argument = ''] = process.argv.slice(2);
const { signal } = new AbortController();
const context = { io: processIo(), signal };
const options = { dataDir, json: true };

if (operation === 'scrub') await dbScrub(options, context);
else if (operation === 'migrate') await dbMigrate({ ...options, shard: argument }, context);
else if (operation === 'snapshot') await dbSnapshot(argument, options, context);
else if (operation === 'restore') await dbRestore(argument, options, context);
else if (operation === 'prune') {
  const stores = await openOffline(dataDir, { logger: silentLogger(), signal });
  await stores.prune(Number(argument), signal);
  await stores.close();
} else throw new Error(`nothing is called "${operation}"`);
