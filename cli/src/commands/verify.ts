import { resolve } from 'node:path';
import { describeError, systemClock, toHex, utf8Text } from '@cairn/primitives';
import {
  type FilePlaceProof,
  MAX_FILE_PLACE_PROOF_CHARACTERS,
  parseFilePlaceProof,
} from '@cairn/wire-protocol';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { readHandovers } from '../handover-file.ts';
import type { CommandContext } from '../io.ts';
import { readBounded } from '../local-files.ts';
import { writeJson, writeLine } from '../output.ts';
import { placeInWords } from '../place-in-words.ts';
import { readPlaceTrust, verifyPlace } from '../verify-place.ts';

/** What `cairn verify` takes. */
export interface VerifyOptions {
  /** A file with what is trusted. */
  readonly trust: string;
  /** A file with handovers that lead on from the trusted epoch. */
  readonly handovers?: string;
  readonly json?: boolean;
}

/** Proves a file's place in the order from two local files, asking nobody. */
export async function verify(
  typed: string,
  { trust, handovers: handoverFile, json }: VerifyOptions,
  { io }: CommandContext,
): Promise<number> {
  const proof = await readProof(resolve(io.cwd, typed));
  const trusted = await readPlaceTrust(resolve(io.cwd, trust));
  if (handoverFile !== undefined && trusted.kind !== 'epoch') {
    throw usageError('handovers', 'handovers lead on from an epoch, not from a checkpoint');
  }
  const handovers =
    handoverFile === undefined ? [] : await readHandovers(resolve(io.cwd, handoverFile));
  const clock = systemClock();
  const { file, orderCount } = verifyPlace(proof, trusted, { clock, handovers });
  const { checkpoint, fileRoot, sequence, sizeBytes, submitter, timeSeconds } = file;
  const { shardId, globalIndex } = checkpoint;
  if (json === true) {
    const record = { root: toHex(fileRoot), sequence, sizeBytes, submitter, timeSeconds };
    const place = { shardId, checkpoint: checkpoint.number, globalIndex, orderCount };
    await writeJson(io, { ...record, ...place });
    return EXIT.ok;
  }
  await writeLine(io, placeInWords({ fileRoot, sequence, shardId, globalIndex }));
  return EXIT.ok;
}

async function readProof(path: string): Promise<FilePlaceProof> {
  const bytes = await readBounded(path, MAX_FILE_PLACE_PROOF_CHARACTERS);
  try {
    return parseFilePlaceProof(utf8Text(bytes));
  } catch (error) {
    const problem = describeError(error);
    throw new CliError(
      { code: 'CLI_PROOF_FILE', path, problem },
      `${path} is no proof of a file's place: ${problem}`,
    );
  }
}
