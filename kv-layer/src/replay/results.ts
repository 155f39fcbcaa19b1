import { type Address, RESULT_KEY_CHARACTERS } from '@cairn/primitives';
import { type AccessOp, accessOpShape } from '../batch/access-op.ts';
import type { ParseFault } from '../batch/parse-batch.ts';
import type { StreamId } from '../stream-id.ts';

/** The batch was applied. */
export const COMMIT = 'Commit';
/** The sender may not write to any key of a tagged stream. */
export const SENDER_NO_WRITE_PERMISSION = 'SenderNoWritePermission';
/** A key that was read or is written has a newer version than the batch's (spelled as 0G spells it). */
export const VERSION_CONFLICT = 'VersionConfliction';
/** A stream is written that is not tagged, or read that this node does not watch. */
export const TAGS_MISMATCH = 'TagsMismatch';
/** This node gave up on the batch's bytes; a local decision that others need not share. */
export const DOWNLOAD_FAILED = 'DownloadFailed';

/** The result of a batch that cannot be read. */
export function parseFaultResult(fault: ParseFault): string {
  return fault === 'invalid'
    ? 'DataParseError: Invalid stream data'
    : 'DataParseError: Stream read/write/access_control list too long';
}

/** The result of a write that the sender may not make. */
export function writeDeniedResult(stream: StreamId, key: Uint8Array): string {
  return `WritePermissionDenied: stream: ${stream}, key: ${resultKeyText(key)}`;
}

/** The result of an access control that the sender may not use. */
export function controlDeniedResult(control: {
  readonly op: AccessOp;
  readonly stream: StreamId;
  readonly key: Uint8Array | undefined;
  readonly account: Address;
}): string {
  const { op, stream, key, account } = control;
  const { name, hasKey } = accessOpShape(op);
  const keyText = hasKey && key !== undefined ? resultKeyText(key) : 'NONE';
  return (
    `AccessControlPermissionDenied: operation: ${name}, stream: ${stream}, ` +
    `key: ${keyText}, account: ${account}`
  );
}

/** A key as result strings show it: its first 32 characters, or UNKNOWN if it is not UTF-8. */
export function resultKeyText(key: Uint8Array): string {
  const text = strictText(key);
  if (text === undefined) return 'UNKNOWN';
  let shown = '';
  let count = 0;
  for (const character of text) {
    if (count === RESULT_KEY_CHARACTERS) break;
    shown += character;
    count += 1;
  }
  return shown;
}

/** A byte-order mark is a character like others here. */
function strictText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined; // not UTF-8
    throw error;
  }
}
