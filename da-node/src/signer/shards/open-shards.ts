import type { Domain, Network } from '@cairn/attestation';
import { isOutage } from '@cairn/chain-access';
import type { RouteGroup } from '@cairn/node-runtime/http';
import { type Clock, describeError, type Logger } from '@cairn/primitives';
import type { ChainOptions, SignerChain, SignerNetwork } from '../ports.ts';
import type { ProtectionLog } from '../protection-log.ts';
import type { SignerIdentity } from '../seat.ts';
import { checkpointDoors } from './checkpoint-doors.ts';
import type { ShardChains } from './ports.ts';
import { CheckpointSigner } from './sign-checkpoints.ts';
import { ShardWatch } from './watch-shards.ts';

/** What a signer's part in the order of shards stands on. */
export interface ShardsDeps {
  readonly chain: Pick<SignerChain, 'epochHeader' | 'committee'>;
  readonly chains: ShardChains;
  readonly network: Network;
  /** What orders checkpoints. */
  readonly orderingHub: Domain;
  /** Seconds of an epoch, and those after its end in which its bundles are taken. */
  readonly times: Pick<SignerNetwork, 'epochSeconds' | 'graceSeconds'>;
  readonly identity: SignerIdentity;
  readonly protection: ProtectionLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the signer stops for good. */
  readonly stopping: AbortSignal;
}

/** A signer's part in the order of consensus shards. */
export interface Shards {
  readonly routes: RouteGroup;
  readonly watch: ShardWatch;
  /** Looks at every shard once. @throws what the hub's chain throws */
  look(options: ChainOptions): Promise<void>;
  /** Looks again and again until `signal` aborts. @throws the signal's reason */
  run(signal: AbortSignal): Promise<void>;
}

/** The longest wait after failures; it doubles up to there. */
const MAX_WAIT_MS = 30_000;

/** Puts together what a signer does for the order of shards: watching their chains, signing their checkpoints. */
export function openShards(deps: ShardsDeps, { pollMs }: { readonly pollMs: number }): Shards {
  const { clock, logger } = deps;
  const watch = new ShardWatch(deps);
  const signer = new CheckpointSigner({ ...deps, watch });
  return {
    routes: checkpointDoors({ ...deps, watch, signer }),
    watch,
    look: (options) => watch.look(options),
    run: async (signal) => {
      let waitMs = pollMs;
      for (;;) {
        signal.throwIfAborted();
        try {
          await watch.look({ signal });
          waitMs = pollMs;
        } catch (error) {
          signal.throwIfAborted();
          waitMs = Math.min(2 * waitMs, Math.max(MAX_WAIT_MS, pollMs));
          const facts = { reason: describeError(error), retryInMs: waitMs };
          if (isOutage(error)) logger.debug(facts, 'the hub does not answer about its shards');
          else logger.warn(facts, 'looking at the shards failed and is tried again');
        }
        await clock.sleep(waitMs, signal);
      }
    },
  };
}
