import type { HttpHost } from '@cairn/node-runtime/http';
import type { DaRole } from './config-schema.ts';
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

/** Starts the configured roles. @throws what starting throws */
export async function startRoles(
  parts: NodeParts,
  options: { readonly signal: AbortSignal },
): Promise<readonly StartedRole[]> {
  const starters = roleStarters();
  const started: StartedRole[] = [];
  for (const role of ROLE_ORDER) {
    if (!parts.config.node.roles.includes(role)) continue;
    started.push(await starters[role](parts, options));
  }
  return started;
}
