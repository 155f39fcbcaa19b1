import { silentLogger } from '@cairn/primitives';
import { openOffline } from '@cairn/storage-node/db';
import { openSealing } from './sealing.ts';

/** A process that seals everything in a data directory, to be killed while it does. */
const [directory = '', history = ''] = process.argv.slice(2);
const { signal } = new AbortController();
const stores = await openOffline(directory, { logger: silentLogger(), signal });
const sealing = await openSealing(stores, history);
await sealing.seal();
await sealing.close();
await stores.close();
