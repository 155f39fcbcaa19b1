// What a page runs to read streams without trusting a node: bundled for the browser by test/journeys/browser-kv.test.ts.
import { createClient } from '@cairn/client-sdk';
import { loadHasher } from '@cairn/commitments';
import {
  type KeyEvidence,
  parseStreamId,
  type RangeEvidence,
  verifyKeyEvidence,
  verifyRangeEvidence,
} from '@cairn/kv-layer';
import { parseAddress, utf8Bytes, utf8Text } from '@cairn/primitives';

/** What a page is told to read. */
export interface PageReads {
  readonly kv: readonly string[];
  readonly keys: readonly string[];
  readonly threshold: number;
  readonly stream: string;
  readonly present: string;
  readonly absent: string;
  /** A range that holds two keys of one length, one after another. */
  readonly gte: string;
  readonly lt: string;
  readonly neighbours: readonly [string, string];
  /** An entry before the newest that changed the stream. */
  readonly stale: number;
}

/** What a page found. */
export interface PageFindings {
  readonly value: string;
  readonly absent: boolean;
  readonly range: readonly string[];
  readonly scanned: readonly string[];
  /** Bits changed, one at a time, over all proofs and statements, and the codes they were refused with. */
  readonly bits: number;
  readonly codes: readonly string[];
  readonly reordered: string;
  readonly staleRoot: string;
  readonly otherValue: string;
}

/** Reads as any page may, across origins, and tries what a liar could change. */
export async function readInPage(asked: PageReads): Promise<PageFindings> {
  const { kv, keys, threshold } = asked;
  const client = createClient({ nodes: kv, kv, kvAttest: { keys, threshold } });
  const trust = { keys: keys.map(parseAddress), threshold };
  const hasher = await loadHasher();
  try {
    const stream = client.kv.stream(parseStreamId(asked.stream));
    const value = await stream.get(asked.present);
    const absent = await stream.get(asked.absent);
    const scanned: string[] = [];
    for await (const { key } of stream.scan({ gte: asked.gte, lt: asked.lt })) {
      scanned.push(utf8Text(key));
    }
    const [there, gone] = [await stream.prove(asked.present), await stream.prove(asked.absent)];
    const range = await stream.proveRange({ gte: asked.gte, lt: asked.lt });
    const checks: ((proof: Uint8Array) => unknown)[] = [
      (proof) => verifyKeyEvidence({ ...there, proof }, trust, hasher),
      (proof) => verifyKeyEvidence({ ...gone, proof }, trust, hasher),
      (proof) => verifyRangeEvidence({ ...range, proof }, trust, hasher),
    ];
    const codes = new Set<string>();
    let bits = 0;
    const proofs = [there, gone, range].map(({ proof }) => proof);
    for (const [index, proof] of proofs.entries()) {
      // Each check hashes a proof and recovers two signatures: every 5th byte, each time another bit.
      for (let at = index; at < proof.length; at += 5) {
        const changed = proof.slice();
        changed[at] = (changed[at] ?? 0) ^ (1 << (bits & 7));
        codes.add(refusal(() => checks[index]?.(changed)));
        bits += 1;
      }
    }
    const [signed] = there.statements;
    if (signed === undefined) throw new Error('nobody vouches');
    for (let at = 2; at < signed.statement.root.length; at += 1) {
      const { root } = signed.statement;
      const digit = (Number.parseInt(root[at] ?? '0', 16) ^ 1).toString(16);
      const statement = {
        ...signed.statement,
        root: `${root.slice(0, at)}${digit}${root.slice(at + 1)}` as typeof root,
      };
      const statements = [{ ...signed, statement }, ...there.statements.slice(1)];
      codes.add(refusal(() => verifyKeyEvidence({ ...there, statements }, trust, hasher)));
      bits += 1;
    }
    const older = await stream.prove(asked.present, { version: asked.stale });
    return {
      value: utf8Text(value?.value ?? new Uint8Array()),
      absent: absent === undefined && verifyKeyEvidence(gone, trust, hasher) === undefined,
      range: verifyRangeEvidence(range, trust, hasher)
        .filter(({ valueBytes }) => valueBytes > 0)
        .map(({ key }) => utf8Text(key)),
      scanned,
      bits,
      codes: [...codes].sort(),
      reordered: refusal(() => checks[2]?.(swapped(range, asked.neighbours))),
      staleRoot: refusal(() => verifyKeyEvidence(underRootOf(there, older), trust, hasher)),
      otherValue: refusal(() =>
        verifyKeyEvidence({ ...there, value: utf8Bytes('another') }, trust, hasher),
      ),
    };
  } finally {
    await client.close();
  }
}

/** A proof of the newest state, said to be of an older one that is vouched for. */
function underRootOf(evidence: KeyEvidence, older: KeyEvidence): KeyEvidence {
  return { ...evidence, sequence: older.sequence, statements: older.statements };
}

/** The proof with two keys in each other's place. */
function swapped({ proof }: RangeEvidence, [one, two]: readonly [string, string]): Uint8Array {
  const [first, second] = [placeOf(proof, utf8Bytes(one)), placeOf(proof, utf8Bytes(two))];
  const changed = proof.slice();
  changed.set(utf8Bytes(two), first);
  changed.set(utf8Bytes(one), second);
  return changed;
}

function placeOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at + part.length <= bytes.length; at += 1) {
    if (part.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  throw new Error('the proof does not show the key');
}

/** The code that something is refused with. @throws {Error} if it is not */
function refusal(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  throw new Error('what was changed was taken');
}

Object.assign(globalThis, { readInPage });
