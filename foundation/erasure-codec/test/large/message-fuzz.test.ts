import assert from 'node:assert/strict';
import { loadRowSuite, type RowSuite } from '@cairn/commitments/rows';
import { concatBytes, equalBytes, type Rng, seededRng } from '@cairn/primitives';
import { runsOf, seedOf } from '../../../../test/support/soak.ts';
import { dataMatrix, payloadOf } from '../../src/blob-matrix.ts';
import { encodeParams, parseParams } from '../../src/blob-params.ts';
import type { RowCombiner } from '../../src/combination.ts';
import { headerOf } from '../../src/commitment.ts';
import { CodecError, SliceError } from '../../src/errors.ts';
import { encodeBadRow, parseBadRow, verifyBadRow } from '../../src/evidence.ts';
import { scalarCombiner } from '../../src/kernels/scalar-combiner.ts';
import { layoutOf } from '../../src/layout.ts';
import { MAX_PAYLOAD_BYTES } from '../../src/params.ts';
import { encodeRow, parseRow, type RowMessage } from '../../src/row-message.ts';
import { verifySlice } from '../../src/slice.ts';
import { encodeSlice, parseSlice } from '../../src/slice-message.ts';
import { assertParams, verifyHeader } from '../../src/verified-header.ts';
import { verifyDataRow, verifyRow } from '../../src/verify-row.ts';
import { loadWasmCombiner } from '../../src/wasm/wasm-combiner.ts';
import { committed, forge, type MemoryBlob, rowAt, sliceAt } from '../blob-support.ts';

const SEED = seedOf(4_096);
const INPUTS = runsOf(200_000);
/** Mutants of each kind that also go through the verifier, which takes longer. */
const CHECKED = runsOf(10_000);
/** Garbage not collected yet, and nothing kept. The largest blob announced has 512 MiB of rows. */
const GROWTH_BYTES = 192 * 2 ** 20;
const SAMPLE_EVERY = 500;
const PARAMS_AT = 8;

/** What comes from outside, and what is done with it. */
interface Decoder<Message> {
  readonly name: string;
  readonly valid: Uint8Array;
  /** Bytes before the parameters of its blob, if it has such. */
  readonly paramsAt?: number;
  readonly decode: (bytes: Uint8Array) => Message;
  readonly encode: (message: Message) => Uint8Array;
  readonly verify?: (message: Message) => unknown;
}

/** Some of a blob of 64 rows, for each decoder, verified with one combiner or the other. */
function decodersOf(
  blob: MemoryBlob,
  bad: MemoryBlob,
  suite: RowSuite,
  combinerAt: () => RowCombiner,
): readonly Decoder<unknown>[] {
  const { layout, commitment, cosetRoots } = blob;
  const header = headerOf(blob);
  const rows = [127, 0, 1];
  const paramsAt = PARAMS_AT;
  const verifyOne = (message: RowMessage): unknown => {
    const expected = { layout, commitment };
    const options = { suite, combiner: combinerAt() };
    if (message.kind === 'data') return verifyDataRow(message, expected, options);
    if (message.kind === 'bare') assertParams(message, layout, suite);
    const given = message.kind === 'full' ? message.header : header;
    return verifyRow(message.row, verifyHeader(given, expected, options), options);
  };
  const rowDecoder = (name: string, message: RowMessage): Decoder<unknown> =>
    decoder({
      name,
      paramsAt,
      valid: encodeRow(message),
      decode: parseRow,
      encode: encodeRow,
      verify: verifyOne,
    });
  return [
    decoder({
      name: 'slices',
      paramsAt,
      valid: encodeSlice(sliceAt(blob, rows)),
      decode: parseSlice,
      encode: encodeSlice,
      verify: (slice) =>
        verifySlice(slice, { layout, commitment, rows }, { suite, combiner: combinerAt() }),
    }),
    rowDecoder('bare rows', { kind: 'bare', suite: suite.id, layout, row: rowAt(blob, 100) }),
    rowDecoder('full rows', { kind: 'full', header, row: rowAt(blob, 64) }),
    rowDecoder('data rows', {
      kind: 'data',
      suite: blob.suite,
      layout,
      cosetRoots,
      combination: blob.combinations.subarray(9 * 32, 10 * 32),
      combinationPath: concatBytes(...blob.combinationTree.pathAt(9)),
      row: rowAt(blob, 9),
    }),
    decoder({
      name: 'evidence',
      paramsAt,
      valid: encodeBadRow({ header: headerOf(bad), row: rowAt(bad, 73) }),
      decode: parseBadRow,
      encode: encodeBadRow,
      verify: (evidence) =>
        verifyBadRow(evidence, bad.commitment, { suite, combiner: combinerAt() }),
    }),
    decoder({
      name: 'parameters',
      valid: encodeParams({ suite: suite.id, layout }),
      paramsAt: 0,
      decode: parseParams,
      encode: encodeParams,
    }),
    decoder({
      name: 'data rows of a payload',
      valid: blob.held.data,
      decode: (data) => payloadOf(data, layout),
      encode: (payload) => dataMatrix(payload, layout),
    }),
  ];
}

/** A decoder whose kind of message only it knows. */
function decoder<Message>(one: Decoder<Message>): Decoder<unknown> {
  let last: Message;
  const { verify } = one;
  return {
    name: one.name,
    valid: one.valid,
    ...(one.paramsAt === undefined ? {} : { paramsAt: one.paramsAt }),
    decode: (bytes) => {
      last = one.decode(bytes);
      return last;
    },
    encode: () => one.encode(last),
    ...(verify === undefined ? {} : { verify: () => verify(last) }),
  };
}

/** Changed bytes, cut or longer ones, a piece elsewhere, a number that tempts, another blob's start. */
function mutate({ valid, paramsAt = 0 }: Decoder<unknown>, rng: Rng): Uint8Array {
  const at = rng.below(valid.length);
  const copy = valid.slice();
  switch (rng.below(8)) {
    case 0:
      return valid.slice(0, at);
    case 1:
      return concatBytes(valid, rng.fill(new Uint8Array(1 + rng.below(64))));
    case 2:
      return copy.copyWithin(rng.below(valid.length), at, at + rng.below(200));
    case 3: {
      const value = [0, 1, 0x7fffffff, 0xffffffff, 2 ** rng.below(32)][rng.below(5)] ?? 0;
      new DataView(copy.buffer).setUint32(Math.min(at, valid.length - 4), value, true);
      return copy;
    }
    case 4:
      copy[rng.below(Math.min(40, copy.length))] = rng.below(256); // magic to parameters
      return copy;
    case 5: {
      const layout = layoutOf(rng.below(1 + MAX_PAYLOAD_BYTES), {
        cosets: 1 + rng.below(3),
        minLog2K: 6 + rng.below(7),
      });
      copy.set(encodeParams({ suite: rng.below(2) === 0 ? 0 : 1, layout }), paramsAt);
      return rng.below(4) === 0 ? copy.subarray(0, at) : copy;
    }
    case 6:
      return rng.fill(new Uint8Array(rng.below(400)));
    default:
      for (let change = rng.below(8); change >= 0; change -= 1) {
        copy[rng.below(copy.length)] = rng.below(256);
      }
      return copy;
  }
}

function memoryBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external; // external: arrays too
}

/** Whether an error is a refusal; anything else is a crash. */
function isRefusal(error: unknown): boolean {
  return error instanceof SliceError || error instanceof CodecError;
}

describe('what comes from outside about blobs', () => {
  let decoders: readonly Decoder<unknown>[];
  before(async () => {
    const suite = await loadRowSuite(0);
    const combiners = [scalarCombiner(), await loadWasmCombiner()];
    let turn = 0;
    const blob = await committed(3_000, suite, { cosets: 1 });
    const parity = blob.held.parity.slice();
    parity[9 * 64] = (parity[9 * 64] ?? 0) ^ 8;
    const bad = await forge({ data: blob.held.data, parity }, blob.layout, suite);
    const combinerAt = (): RowCombiner => {
      turn += 1;
      return combiners[turn % combiners.length] ?? assert.fail();
    };
    decoders = decodersOf(blob, bad, suite, combinerAt);
  });

  for (const [place, name] of [
    'slices',
    'bare rows',
    'full rows',
    'data rows',
    'evidence',
    'parameters',
    'data rows of a payload',
  ].entries()) {
    it(`${name}: ${INPUTS} mutants are read or refused by name, and none is believed (seed ${SEED})`, () => {
      const one = decoders[place] ?? assert.fail();
      assert.equal(one.name, name);
      one.decode(one.valid); // else the mutants test nothing
      one.verify?.(undefined);
      const rng = seededRng(SEED + place);
      const before = memoryBytes();
      let read = 0;
      for (let input = 0; input < INPUTS; input += 1) {
        const mutant = mutate(one, rng);
        const what = `seed ${SEED}, ${name}, input ${input}`;
        if (input % SAMPLE_EVERY === 0) {
          const grown = memoryBytes() - before;
          assert.ok(grown < GROWTH_BYTES, `${what}: ${grown} bytes more are held`);
        }
        let message: unknown;
        try {
          message = one.decode(mutant);
        } catch (error) {
          if (!isRefusal(error)) throw new Error(what, { cause: error });
          continue;
        }
        assert.ok(equalBytes(one.encode(message), mutant), `${what}: one form only`);
        read += 1;
        if (one.verify === undefined || read > CHECKED || equalBytes(mutant, one.valid)) continue;
        let isBelieved = false;
        try {
          one.verify(message);
          isBelieved = true;
        } catch (error) {
          if (!isRefusal(error)) throw new Error(what, { cause: error });
        }
        assert.ok(!isBelieved, `${what}: believed`);
      }
      assert.ok(read > INPUTS / 100, `only ${read} of ${INPUTS} had the form of a message`);
      assert.ok(read < INPUTS, 'none was refused');
    });
  }
});
