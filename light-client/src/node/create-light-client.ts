import { blstBackend } from '@cairn/attestation/native';
import {
  createLightClient as createPlainLightClient,
  type LightClientOptions,
} from '../create-light-client.ts';
import type { LightClient } from '../light-client.ts';

/** `createLightClient` whose signatures are checked by blst unless told, some ten times faster. */
export async function createLightClient(options: LightClientOptions): Promise<LightClient> {
  return createPlainLightClient({ backend: blstBackend(), ...options });
}
