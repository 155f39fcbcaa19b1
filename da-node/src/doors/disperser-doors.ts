import type { RouteGroup } from '@cairn/node-runtime/http';
import { type AltDaDoors, altDaRoutes } from './alt-da/alt-da-routes.ts';
import { type EigendaDoorDeps, eigendaDoor } from './eigenda/eigenda-door.ts';
import { type EigendaServer, eigendaRoutes } from './eigenda/eigenda-routes.ts';
import { type OpStackDoorDeps, opStackDoor, type PutStage } from './op-stack/op-stack-doors.ts';
import { type BlobDoorsDeps, blobDoors } from './rest/blob-doors.ts';

/** What the doors of a disperser's listener share. */
export type DoorDeps = Omit<BlobDoorsDeps, 'place'> &
  Omit<OpStackDoorDeps, 'shardId' | 'putStage' | 'getTimeoutMs'> &
  Omit<EigendaDoorDeps, 'putStage' | 'getTimeoutMs'>;

/** What a disperser tells of itself, and how patient it is. */
export interface DoorSettings {
  readonly server: EigendaServer;
  /** How far a blob is when a rollup that put it has its answer. */
  readonly putWait: PutStage;
  /** Time for a rollup's GET until its reply begins; `GET_TIMEOUT_MS` unless told. */
  readonly getTimeoutMs?: number;
}

/** Time for a GET: below the 120 s of silence after which a host closes the connection. */
export const GET_TIMEOUT_MS = 60_000;

/** All that a disperser answers on its own listener: blobs, and the doors of rollups. */
export function disperserDoors(
  deps: DoorDeps,
  { server, putWait, getTimeoutMs = GET_TIMEOUT_MS }: DoorSettings,
): readonly RouteGroup[] {
  const { shardId } = deps.network;
  const rollups: AltDaDoors = {
    opStack: opStackDoor({ ...deps, shardId, putStage: putWait, getTimeoutMs }),
    eigenda: eigendaDoor({ ...deps, putStage: confirmedAtLeast(putWait), getTimeoutMs }),
  };
  return [
    blobDoors({ ...deps, place: { chainId: server.chainId, shardId } }),
    altDaRoutes(rollups),
    eigendaRoutes(server),
  ];
}

/** For certificates that count by their confirmation: before it they would be of no use. */
export function confirmedAtLeast(stage: PutStage): Exclude<PutStage, 'dispersed'> {
  return stage === 'dispersed' ? 'confirmed' : stage;
}
