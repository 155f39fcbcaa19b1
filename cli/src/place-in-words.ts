import { toHex } from '@cairn/primitives';

/** "File R at sequence n, in shard S, at global index G". */
export function placeInWords({
  fileRoot,
  sequence,
  shardId,
  globalIndex,
}: {
  readonly fileRoot: Uint8Array;
  readonly sequence: number;
  readonly shardId: number;
  readonly globalIndex: number;
}): string {
  return `file ${toHex(fileRoot)} at sequence ${sequence}, in shard ${shardId}, at global index ${globalIndex}`;
}
