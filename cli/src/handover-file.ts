import type { HandoverOffer } from '@cairn/light-client';
import { describeError, fromHex, isRecord, parseJson, toHex, utf8Text } from '@cairn/primitives';
import {
  encodeSignedHandover,
  MAX_SIGNED_HANDOVER_BYTES,
  parseSignedHandover,
} from '@cairn/wire-protocol/da';
import { CliError } from './errors.ts';
import { readBounded } from './local-files.ts';

/** Handovers in a file at most: years of epochs of a day. */
export const MAX_HANDOVERS = 1024;
/** Bytes of a file of handovers: 1,024 of 21 KB, a large committee with some absent, are a third of it. */
const MAX_HANDOVER_FILE_BYTES = 128 * 2 ** 20;

/** Handovers, oldest first, as one line of JSON. */
export function formatHandovers(handovers: readonly HandoverOffer[]): string {
  const list = handovers.map((each) => toHex(encodeSignedHandover(each)));
  return `${JSON.stringify({ version: 1, handovers: list })}\n`;
}

/**
 * The handovers of a file that `cairn chain handovers` wrote. Nothing is proven by reading them.
 *
 * @throws {CliError} CLI_HANDOVER_FILE; what the disk throws
 */
export async function readHandovers(path: string): Promise<readonly HandoverOffer[]> {
  const text = utf8Text(await readBounded(path, MAX_HANDOVER_FILE_BYTES));
  try {
    const file = parseJson(text);
    const list = isRecord(file) && file['version'] === 1 ? file['handovers'] : undefined;
    if (!Array.isArray(list)) throw new RangeError('it has no list of handovers of version 1');
    if (list.length > MAX_HANDOVERS) {
      throw new RangeError(`it has ${list.length} handovers, and may have ${MAX_HANDOVERS}`);
    }
    return list.map((each: unknown) => {
      if (typeof each !== 'string' || each.length > 2 + 2 * MAX_SIGNED_HANDOVER_BYTES) {
        throw new RangeError(`a handover is hex of up to ${MAX_SIGNED_HANDOVER_BYTES} bytes`);
      }
      return parseSignedHandover(fromHex(each));
    });
  } catch (error) {
    const problem = describeError(error);
    throw new CliError(
      { code: 'CLI_HANDOVER_FILE', path, problem },
      `${path} holds no handovers: ${problem}`,
      { cause: error },
    );
  }
}
