import { abortable } from '@cairn/primitives';
import { createStorageNode } from './create-storage-node.ts';
import type { RoleContext, StartedRole } from './roles.ts';

/** Starts the storage role. @throws as `StorageNode.start` */
export async function startStorage({
  config,
  log,
  service,
  shutdown,
}: RoleContext): Promise<StartedRole> {
  const node = createStorageNode({ config, log, onShutdown: shutdown });
  service.opened('storage node', () => node.stop());
  await node.start({ signal: service.signal });
  service.runner.run('storage node', (signal) => abortable(node.failed, signal));
  return { role: 'storage', url: node.address.url, storage: node };
}
