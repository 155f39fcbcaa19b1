import { createHash, timingSafeEqual } from 'node:crypto';
import { encodeEpochHeader, encodeMember, encodeSnapshot } from '@cairn/attestation';
import {
  acceptBytes,
  bodyBytes,
  type HttpRequestIn,
  pathText,
  type RouteGroup,
} from '@cairn/node-runtime/http';
import { type Json, parseJson, toHex, utf8Text } from '@cairn/primitives';
import type { DevEpochs } from './dev-epochs.ts';
import { DEV_NETWORK } from './dev-network.ts';
import { DevError } from './errors.ts';
import type { Switches } from './switches.ts';

/** What the admin of a disperser without a chain turns and reads. */
export interface AdminDoorsDeps {
  readonly switches: Switches;
  readonly epochs: DevEpochs;
  /** What every request shows as its bearer token. */
  readonly token: string;
}

/** A change of switches is a few words. */
const MAX_BODY_BYTES = 16_384;

/**
 * `GET /admin/switches`, `POST /admin/switches` with what is to change, `POST /admin/reset`, and
 * `GET /admin/epochs/{epoch}`: what checking certificates of an epoch takes. For loopback only.
 */
export function adminDoors({ switches, epochs, token }: AdminDoorsDeps): RouteGroup {
  return (app) => {
    acceptBytes(app, { maxBytes: MAX_BODY_BYTES });
    app.addHook('onRequest', async (request) => requireToken(request, token));
    app.get('/admin/switches', async () => switches.state);
    app.post('/admin/switches', async (request) => switches.turn(jsonIn(request)));
    app.post('/admin/reset', async () => switches.reset());
    app.get('/admin/epochs/:epoch', async (request) =>
      epochFile(Number(pathText(request, 'epoch')), epochs),
    );
  };
}

/** An epoch in the form of the file that `cairn da verify --epoch-file` reads. @throws {DevError} DEV_EPOCH */
export async function epochFile(epoch: number, epochs: DevEpochs): Promise<Json> {
  const committee = await epochs.committee(epoch, 0);
  if (committee === undefined) {
    throw new DevError(
      { code: 'DEV_EPOCH', epoch },
      `epoch ${epoch} is not known; ${epochs.current} is in office`,
    );
  }
  const { snapshot, members } = committee;
  const { network, entrance, shardId, layout, graceSeconds } = DEV_NETWORK;
  return {
    version: 1,
    hubChainId: network.hubChainId,
    hub: network.hub,
    chainId: entrance.chainId,
    entrance: entrance.address,
    shardId,
    ...layout,
    graceSeconds,
    header: toHex(encodeEpochHeader(snapshot.office)),
    groups: [
      {
        snapshot: toHex(encodeSnapshot(snapshot)),
        members: members.map((member) => toHex(encodeMember(member))),
      },
    ],
    sockets: {},
  };
}

function requireToken({ headers }: HttpRequestIn, token: string): void {
  const shown = /^Bearer (\S{1,512})$/.exec(headers.authorization ?? '')?.[1] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (timingSafeEqual(digest(shown), digest(token))) return;
  throw new DevError({ code: 'DEV_TOKEN' }, 'switches are turned with the admin token');
}

function jsonIn(request: HttpRequestIn): unknown {
  try {
    return parseJson(utf8Text(bodyBytes(request)));
  } catch (cause) {
    throw new DevError({ code: 'DEV_SWITCH', field: '(body)' }, 'the body is not JSON', { cause });
  }
}
