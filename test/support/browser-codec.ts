// What a page runs to check the codec: bundled for the browser by test/journeys/browser-codec.test.ts.
import { loadRowSuite } from '@cairn/commitments/rows';
import {
  type CommitOptions,
  chooseCodec,
  commitBlob,
  encodeSlice,
  loadWasmCodec,
  loadWasmCombiner,
  parseSlice,
  readValue,
  referenceCodec,
  sliceOf,
  verifyHeader,
  verifyMembership,
  verifySlice,
} from '@cairn/erasure-codec';
import { openGpuCodec } from '@cairn/erasure-codec/gpu';
import { equalBytes, fromHex, toHex } from '@cairn/primitives';

/** A vector of docs/spec/codec.md. */
export interface CommitmentVector {
  readonly suite: 0 | 1;
  readonly payload: string;
  readonly cosets: number;
  readonly minLog2K: number;
  readonly commitment: string;
  readonly slice: { readonly rows: readonly number[]; readonly sha256: string };
}

/** What a page found. */
export interface PageReport {
  /** Codec names, each of which gave every vector. */
  readonly codecs: readonly string[];
  readonly checks: number;
  readonly chosen: string;
  /** The GPU's name, or why there is none. */
  readonly gpu: string;
}

/** @throws {Error} naming the codec and the vector that differ */
export async function checkInPage(vectors: readonly CommitmentVector[]): Promise<PageReport> {
  const { signal } = new AbortController();
  const wasm = await loadWasmCodec();
  const codecs: CommitOptions['codec'][] = [
    referenceCodec(),
    await loadWasmCodec({ build: 'strict' }),
    wasm,
  ];
  const names = ['reference', 'wasm', wasm.name];
  let gpu = 'navigator.gpu is absent';
  if (navigator.gpu !== undefined) {
    try {
      codecs.push(await openGpuCodec({ gpu: navigator.gpu, decoder: wasm, signal }));
      names.push('gpu');
      gpu = 'opened';
    } catch (error) {
      gpu = String(error);
    }
  }
  let checks = 0;
  const combiner = await loadWasmCombiner();
  for (const [at, codec] of codecs.entries()) {
    for (const vector of vectors) {
      const where = `${names[at]}, suite ${vector.suite}, ${vector.payload.length / 2} bytes`;
      const suite = await loadRowSuite(vector.suite);
      const payload = fromHex(vector.payload);
      const blob = await commitBlob(payload, vector, { codec, suite, combiner, signal });
      const expected = { commitment: fromHex(vector.commitment), layout: blob.layout };
      check(
        equalBytes(blob.commitment, expected.commitment),
        `${where}: ${toHex(blob.commitment)}`,
      );
      const { rows } = vector.slice;
      const message = encodeSlice(await sliceOf(blob, rows, { signal }));
      const digest = await crypto.subtle.digest('SHA-256', message.slice());
      check(toHex(new Uint8Array(digest)) === `0x${vector.slice.sha256}`, `${where}: its slice`);
      verifySlice(parseSlice(message), { ...expected, rows }, { suite, combiner });
      const { dataRows, rows: all } = blob.layout;
      const last = Array.from({ length: dataRows }, (_, row) => all - 1 - row);
      const slice = await sliceOf(blob, last.reverse(), { signal });
      const header = verifyHeader(slice.header, expected, { suite, combiner });
      const members = slice.rows.map((row) => verifyMembership(row, header, { suite }));
      const value = await readValue(members, expected, { codec: wasm, suite, combiner, signal });
      check(value.kind === 'payload' && equalBytes(value.payload, payload), `${where}: its value`);
      blob.held.release();
      checks += 4;
    }
  }
  const chosen = await chooseCodec({ suite: await loadRowSuite(0), combiner, signal });
  return { codecs: names, checks, chosen: chosen.name, gpu };
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not as specified: ${what}`);
}

Object.assign(globalThis, { checkInPage });
