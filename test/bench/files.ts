import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { MIB } from '@cairn/primitives';
import { contentBytes } from '../support/content.ts';

/** A file of `sizeMib` without repeating segments. Its first bytes differ with `seed`. */
export function makeFile(folder: string, sizeMib: number, seed = 0): string {
  const path = join(folder, `file-${sizeMib}-${seed}.bin`);
  const block = contentBytes(MIB, seed * 7_919);
  const file = openSync(path, 'w');
  for (let index = 0; index < sizeMib; index += 1) {
    new DataView(block.buffer).setUint32(0, index);
    new DataView(block.buffer).setUint32(4, seed);
    writeSync(file, block);
  }
  closeSync(file);
  return path;
}
