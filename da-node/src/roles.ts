import type { HttpHost } from '@cairn/node-runtime/http';
import type { DaRole } from './config-schema.ts';
import { DaNodeError } from './node-errors.ts';
import type { NodeParts } from './node-parts.ts';

/** A role that is up. */
export interface StartedRole {
  readonly role: DaRole;
  /** Its listener; it stops before the loops do. */
  readonly host: HttpHost;
  /** Doors with listeners of their own, by name; they stop with the first. */
  readonly doors?: Readonly<Record<string, RoleDoor>>;
}

/** A listener that speaks something else than the role's own. */
export interface RoleDoor {
  /** `host:port`. */
  readonly address: string;
  stop(): Promise<void>;
}

/** Starts a role and leaves its end to the runner and the parts. @throws what starting throws */
export type RoleStarter = (
  parts: NodeParts,
  options: { readonly signal: AbortSignal },
) => Promise<StartedRole>;

/** Roles in the order they start: a keeper moves on what signers wait for, and these what dispersers do. */
export const ROLE_ORDER: readonly DaRole[] = ['keeper', 'signer', 'relayer', 'disperser'];

/** How each role is started. What only one role needs is loaded when it starts. */
export function roleStarters(): Readonly<Record<DaRole, RoleStarter>> {
  return {
    keeper: async (parts) => (await import('./create-keeper.ts')).startKeeper(parts),
    signer: async (parts, options) =>
      (await import('./create-signer.ts')).startSigner(parts, options),
    relayer: async (parts, options) =>
      (await import('./create-relayer.ts')).startRelayer(parts, options),
    disperser: async (parts, options) =>
      (await import('./create-disperser.ts')).startDisperser(parts, options),
  };
}

/** Starts the configured roles. @throws {DaNodeError} NODE_ROLE_ELSEWHERE; what starting throws */
export async function startRoles(
  parts: NodeParts,
  options: { readonly signal: AbortSignal },
): Promise<readonly StartedRole[]> {
  requireRolesHere(parts);
  const starters = roleStarters();
  const started: StartedRole[] = [];
  for (const role of ROLE_ORDER) {
    if (!parts.config.node.roles.includes(role)) continue;
    started.push(await starters[role](parts, options));
  }
  return started;
}

/** Stake, epochs and their order are the hub's: only blobs are taken away from it. */
function requireRolesHere({ config, chain }: Pick<NodeParts, 'config' | 'chain'>): void {
  const { chainId, hub } = chain;
  if (hub.chainId === chainId) return;
  const role = config.node.roles.find((each) => each !== 'disperser');
  if (role === undefined) return;
  throw new DaNodeError(
    { code: 'NODE_ROLE_ELSEWHERE', role, chainId, hubChainId: hub.chainId },
    `a ${role} works with the hub on chain ${hub.chainId}, and the entrance is on chain ${chainId}: name that of the hub in [chain], and this chain in [shards]`,
  );
}
