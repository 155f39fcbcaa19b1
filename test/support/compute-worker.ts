import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { seededRng } from '@cairn/primitives';
import { commandEnv } from './cli.ts';
import { until } from './wait.ts';

/** The worker's process, and what it said. */
export interface Worker {
  readonly child: ChildProcess;
  text(): string;
  /** Resolves once it said that. */
  said(words: string): Promise<void>;
}

/** Starts a program of this checkout. */
export function startWorker(args: readonly string[]): Worker {
  const child = spawn(process.execPath, [...args], { env: commandEnv() });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  }
  const said = async (words: string): Promise<void> => {
    await until(`the worker to say "${words}"`, () => {
      assert.equal(child.exitCode, null, text);
      return text.includes(words);
    });
  };
  return { child, text: () => text, said };
}

/** Number of the result's file in the log. */
export function storedAs(worker: Worker | undefined): string | undefined {
  return /"sequence":(\d+)/.exec(worker?.text() ?? '')?.[1];
}

/** Values of a row, scores of a row, and rows. */
export const [WIDTH, OUTPUTS, ROWS] = [8, 3, 500] as const;

/** What the program says, once more: sums of 64-bit products by rising column, rounded once. */
export function expectedScores(rows: Buffer, weights: Buffer): Buffer {
  const scores = Buffer.alloc(ROWS * OUTPUTS * 4);
  for (let row = 0; row < ROWS; row += 1) {
    for (let output = 0; output < OUTPUTS; output += 1) {
      let sum = 0;
      for (let at = 0; at < WIDTH; at += 1) {
        const weight = weights.readFloatLE(4 * (output * WIDTH + at));
        sum += weight * rows.readFloatLE(4 * (row * WIDTH + at));
      }
      scores.writeFloatLE(sum, 4 * (row * OUTPUTS + output));
    }
  }
  return scores;
}

/** Seeded F32 values, little-endian. */
export function floats(seed: number, count: number): Buffer {
  const rng = seededRng(seed);
  const bytes = Buffer.alloc(count * 4);
  for (let at = 0; at < count; at += 1) bytes.writeFloatLE(rng.below(2000) / 1000 - 1, at * 4);
  return bytes;
}

/** A model with a tensor `head` of these values, behind another one. */
export function safetensors(values: Buffer): Buffer {
  const end = 8 + values.length;
  const header = JSON.stringify({
    bias: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    head: { dtype: 'F32', shape: [OUTPUTS, WIDTH], data_offsets: [8, end] },
  });
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(8), values]);
}
