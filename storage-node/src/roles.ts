import type { ServiceContext } from '@cairn/node-runtime/lifecycle';
import type { AdjustableLogger } from './adjustable-logger.ts';
import type { StorageNodeConfig } from './config.ts';
import type { NodeRole } from './config-schema.ts';
import type { StorageNode } from './create-storage-node.ts';

/** What a role is started with. */
export interface RoleContext {
  readonly config: StorageNodeConfig;
  readonly log: AdjustableLogger;
  readonly service: ServiceContext;
  /** The storage role of this process, if it has one: roles start in the order of `ROLE_ORDER`. */
  readonly storage: StorageNode | undefined;
  /** Begins an orderly stop of the process. */
  readonly shutdown: () => void;
}

/** A role that is up, as the ready line tells it. */
export interface StartedRole {
  readonly role: NodeRole;
  /** Address of its public listener. */
  readonly url: string;
  readonly storage?: StorageNode;
}

/** Starts a role and leaves its end to the service. @throws what starting throws */
export type RoleStarter = (context: RoleContext) => Promise<StartedRole>;

/** Roles in the order they start. */
export const ROLE_ORDER: readonly NodeRole[] = ['storage', 'indexer'];

/** How each role is started. What only one role needs is loaded when it starts. */
export function roleStarters(): Readonly<Record<NodeRole, RoleStarter>> {
  return {
    storage: async (context) => (await import('./start-storage.ts')).startStorage(context),
    indexer: async (context) => (await import('./indexer/start-indexer.ts')).startIndexer(context),
  };
}

/** Starts the configured roles. @throws what starting throws */
export async function startRoles(
  context: Omit<RoleContext, 'storage'>,
): Promise<readonly StartedRole[]> {
  const starters = roleStarters();
  const started: StartedRole[] = [];
  for (const role of ROLE_ORDER) {
    if (!context.config.node.roles.includes(role)) continue;
    const storage = started.find((other) => other.storage !== undefined)?.storage;
    started.push(await starters[role]({ ...context, storage }));
  }
  return started;
}
