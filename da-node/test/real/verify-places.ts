/**
 * Verifies where files and blobs of several chains stand with nothing but a file: one checkpoint of the hub that is trusted,
 * and headers of epochs, which say whose quorum a blob is. Speaks to nobody. Prints what was proven.
 */
import { readFileSync } from 'node:fs';
import {
  type CertifiedBlob,
  type LoggedFile,
  type OrderedCheckpoint,
  parseCheckpoint,
  parseEpochHeader,
  verifyBlobContent,
  verifyFileContent,
  verifyOrderedCheckpoint,
} from '@cairn/attestation';
import { fromHex, toHex } from '@cairn/primitives';

/** What it is told, as JSON with bytes in hexadecimal digits. */
export interface TrustedAndBrought {
  /** Of the hub, trusted. */
  readonly checkpoint: Uint8Array;
  readonly files: readonly { readonly ordered: OrderedCheckpoint; readonly file: LoggedFile }[];
  readonly blobs: readonly {
    readonly ordered: OrderedCheckpoint;
    readonly blob: CertifiedBlob;
    readonly office: Uint8Array;
  }[];
}

const [path = ''] = process.argv.slice(2);
const told = JSON.parse(readFileSync(path, 'utf8'), (_key, value: unknown) =>
  typeof value === 'string' ? fromHex(value) : value,
) as TrustedAndBrought;
const { logRoot: root, logCount: count } = parseCheckpoint(told.checkpoint);
const proven = [
  ...told.files.map(({ ordered, file }) => {
    const found = verifyFileContent(file, verifyOrderedCheckpoint(ordered, { root, count }));
    return [found.checkpoint.shardId, toHex(found.fileRoot)];
  }),
  ...told.blobs.map(({ ordered, blob, office }) => {
    const placed = verifyOrderedCheckpoint(ordered, { root, count });
    const { header } = verifyBlobContent(blob, placed, parseEpochHeader(office));
    return [placed.shardId, toHex(header.commitment)];
  }),
];
process.stdout.write(`${JSON.stringify(proven)}\n`);
