import { equal, ok } from 'node:assert/strict';
import {
  type BlobHeader,
  type Certificate,
  encodeBlobHeader,
  encodeCertificate,
  promisedIndex,
  STATEMENT_KINDS,
  statementDigest,
} from '@cairn/attestation';
import { concatBytes, isFault, type Rng, seededRng, toHex } from '@cairn/primitives';
import { runsOf, seedOf } from '../../../test/support/soak.ts';
import {
  encodeEigendaCertificate,
  parseEigendaCertificate,
} from '../../src/doors/eigenda/certificate.ts';
import {
  encodeNitroCertificate,
  parseNitroCertificate,
} from '../../src/doors/nitro/certificate.ts';
import { encodeOpCommitment, parseOpCommitment } from '../../src/doors/op-stack/commitment.ts';
import { backend, ENTRANCE, NETWORK, signerAddress, signerKey } from '../dispersal/committee.ts';

const SEED = seedOf(52_104);
const RUNS = runsOf(200_000);

describe('decoders of rollups’ doors', () => {
  const rng = seededRng(SEED);
  const header: BlobHeader = {
    suite: 1,
    log2K: 6,
    cosets: 3,
    rowSizeBytes: 64,
    sizeBytes: 1000,
    commitment: new Uint8Array(32).fill(3),
    submitter: signerAddress(7),
    shardId: 0,
    submissionIndex: promisedIndex({ epoch: 5, slot: 9 }),
    expirySeconds: 1_900_000_000,
  };
  const place = { epoch: 5, quorumId: 0, count: 5, leafIndex: 4 };
  const path = [1, 2, 3].map((fill) => new Uint8Array(32).fill(fill));

  it(`take an Arbitrum certificate in its one form only (seed ${SEED})`, () => {
    const seed = new Uint8Array(32).fill(9);
    const valid = encodeNitroCertificate({ entrance: ENTRANCE, ...place, seed, header, path });
    equal(toHex(encodeNitroCertificate(parseNitroCertificate(valid))), toHex(valid));
    refuseOrAgree(valid, 'NITRO_CERTIFICATE', (bytes) =>
      encodeNitroCertificate(parseNitroCertificate(bytes)),
    );
  });

  it(`take an EigenDA client’s certificate in its one form only (seed ${SEED})`, () => {
    const statement = {
      kind: STATEMENT_KINDS.promisedBatch,
      domain: ENTRANCE,
      ...place,
      root: new Uint8Array(32),
    };
    const signature = signerKey(0).sign(statementDigest(NETWORK.network, statement));
    const certificate: Certificate = {
      network: NETWORK.network,
      kind: STATEMENT_KINDS.promisedBatch,
      domain: ENTRANCE,
      ...place,
      body: encodeBlobHeader(header),
      path,
      signers: { mode: 'bitmap', bits: Uint8Array.of(0b1011) },
      signature,
    };
    const valid = encodeEigendaCertificate(encodeCertificate(certificate));
    refuseOrAgree(valid, 'EIGENDA_', (bytes) =>
      encodeEigendaCertificate(encodeCertificate(parseEigendaCertificate(toHex(bytes), backend))),
    );
  });

  it(`take an OP Stack commitment in its one form only (seed ${SEED})`, () => {
    const { commitment } = header;
    const valid = encodeOpCommitment({ commitment, epoch: 5, quorumId: 0, shardId: 0 });
    refuseOrAgree(valid, 'OP_COMMITMENT', (bytes) => {
      const parsed = parseOpCommitment(toHex(bytes));
      if (parsed.kind === 'keccak') return concatBytes(Uint8Array.of(0), parsed.hash);
      const { shardId } = parsed;
      if (shardId === undefined) return bytes; // 0G's frame, which is read and never made
      return encodeOpCommitment({ ...parsed, shardId });
    });
  });

  /** Every input is refused by its fault, or is what its value is encoded as. */
  function refuseOrAgree(
    valid: Uint8Array,
    code: string,
    again: (bytes: Uint8Array) => Uint8Array,
  ): void {
    let taken = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const input = mutated(valid, rng);
      try {
        equal(toHex(again(input)), toHex(input));
        taken += 1;
      } catch (error) {
        const isRefusal = isFault(error) && error.code.startsWith(code);
        ok(isRefusal, `run ${run} of seed ${SEED}, ${toHex(input)}: ${String(error)}`);
      }
    }
    ok(taken > 0, 'some mutations change nothing but values');
  }
});

/** A valid message with bits turned, bytes cut, added or repeated; or none at all. */
function mutated(valid: Uint8Array, rng: Rng): Uint8Array {
  switch (rng.below(6)) {
    case 0:
      return rng.fill(new Uint8Array(rng.below(2 * valid.length)));
    case 1:
      return valid.slice(0, rng.below(valid.length));
    case 2:
      return concatBytes(valid, rng.fill(new Uint8Array(1 + rng.below(64))));
    case 3: {
      const at = rng.below(valid.length);
      return concatBytes(valid.subarray(0, at), valid.subarray(rng.below(valid.length)));
    }
    default: {
      const copy = valid.slice();
      for (let turns = rng.below(3); turns >= 0; turns -= 1) {
        const bit = rng.below(copy.length * 8);
        copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      }
      return copy;
    }
  }
}
