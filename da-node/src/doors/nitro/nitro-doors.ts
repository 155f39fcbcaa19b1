import type { RouteGroup } from '@cairn/node-runtime/http';
import { type Clock, MIB, type Rng } from '@cairn/primitives';
import { MessageStreams } from './message-streams.ts';
import { type NitroDoorDeps, nitroDoor } from './nitro-door.ts';
import { nitroMethods } from './nitro-methods.ts';
import {
  MAX_MESSAGE_BYTES,
  NitroProvider,
  type NitroProviderDeps,
  type NitroProviderSettings,
} from './nitro-provider.ts';

/** What the door of Arbitrum nodes and the provider behind it are made of. */
export interface NitroDoorsDeps extends NitroProviderDeps, Omit<NitroDoorDeps, 'methods'> {
  readonly clock: Clock;
  /** Names messages that come in parts. */
  readonly rng: Rng;
}

/** Messages in parts that are not whole. Source of the first: Nitro's own receiver. */
const STREAM_BOUNDS = {
  maxMessageBytes: MAX_MESSAGE_BYTES,
  maxPending: 10,
  maxPendingBytes: 64 * MIB,
} as const;

/** All that a disperser answers Arbitrum nodes. */
export function nitroDoors(deps: NitroDoorsDeps, settings: NitroProviderSettings): RouteGroup {
  const provider = new NitroProvider(deps, settings);
  const streams = new MessageStreams(deps, STREAM_BOUNDS);
  return nitroDoor({ ...deps, methods: nitroMethods(provider, streams) });
}
