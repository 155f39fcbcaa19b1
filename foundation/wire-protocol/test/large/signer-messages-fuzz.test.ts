import assert from 'node:assert/strict';
import { STATEMENT_KINDS } from '@cairn/attestation';
import {
  chainIdOf,
  isFault,
  parseAddress,
  parseRoot,
  type Rng,
  rootOf,
  seededRng,
  stringifyJson,
} from '@cairn/primitives';
import fc from 'fast-check';
import { mutate } from '../../../../test/support/mutate.ts';
import { runsOf, seedOf } from '../../../../test/support/soak.ts';
import { encodeAuditSheet, parseAuditSheet } from '../../src/da/audit-sheet.ts';
import { encodePromiseTerms, parsePromiseTerms } from '../../src/da/blob-promise.ts';
import { blobReceiptJson, parseBlobReceipt } from '../../src/da/blob-receipt.ts';
import {
  encodeCheckpointOffer,
  encodeCheckpointRequest,
  parseCheckpointOffer,
  parseCheckpointRequest,
} from '../../src/da/checkpoint-messages.ts';
import {
  encodeDelivery,
  encodeDeliveryHead,
  parseDelivery,
  parseDeliveryHead,
} from '../../src/da/delivery.ts';
import { encodeOfficeVote, parseOfficeVote } from '../../src/da/office-votes.ts';
import { encodeRowReply, parseRowReply } from '../../src/da/row-reply.ts';
import {
  encodeReportRequest,
  encodeServedReport,
  parseReportRequest,
  parseServedReport,
} from '../../src/da/served-report.ts';
import { encodeSignedHandover, parseSignedHandover } from '../../src/da/signed-handover.ts';
import {
  heldBlobJson,
  parseHeldBlob,
  parseSignerStatus,
  signerStatusJson,
} from '../../src/da/signer-shapes.ts';
import { encodeTicket, parseTicket } from '../../src/da/ticket-message.ts';
import {
  encodeBatchVote,
  encodeVoteRequest,
  parseBatchVote,
  parseVoteRequest,
} from '../../src/da/votes.ts';
import { promisedBlobs, submittedHeaders } from '../da/da-support.ts';

const SEED = seedOf(52_603);
const RUNS = runsOf(200_000);
/** In bytes of memory: a decoder that believes a count it cannot hold takes far more. */
const MOST_GROWTH = 200 * 2 ** 20;

/** A decoder with messages that it takes; `again` writes what it read. */
interface Case {
  readonly name: string;
  readonly messages: readonly Uint8Array[];
  /** JSON may be written in many ways; what is binary has one form only. */
  readonly isJson?: boolean;
  again(bytes: Uint8Array): Uint8Array;
}

/** The same for JSON: what is no JSON does not get to a decoder. */
function jsonCase<Value>(
  name: string,
  values: readonly Value[],
  { write, read }: { write(value: Value): unknown; read(json: unknown): Value },
): Case {
  const bytesOf = (json: unknown): Uint8Array => Buffer.from(JSON.stringify(json));
  const plain = (value: Value): unknown => JSON.parse(stringifyJson(write(value) as never));
  return {
    name,
    isJson: true,
    messages: values.map((value) => bytesOf(plain(value))),
    again: (bytes) => bytesOf(plain(read(JSON.parse(Buffer.from(bytes).toString())))),
  };
}

describe('messages between dispersers, signers and keepers', () => {
  const rng = seededRng(SEED);
  const bytes = (length: number): Uint8Array => rng.fill(new Uint8Array(length));
  const signer = parseAddress(`0x${'5a'.repeat(20)}`);
  const place = { epoch: 7, quorumId: 3 };
  const blobs = fc.sample(promisedBlobs, { seed: SEED, numRuns: 3 });
  const headers = fc.sample(submittedHeaders, { seed: SEED, numRuns: 3 });
  const checkpoints = [1, 2, 3].map((number) => ({
    shardId: 1,
    number,
    previous: bytes(32),
    flowRoot: bytes(32),
    flowLength: 9,
    logRoot: bytes(32),
    logCount: 3,
    daRoot: bytes(32),
    daCount: 2,
    blockNumber: 10 * number,
    blockHash: bytes(32),
    timeSeconds: 1_800_000_000,
  }));
  const vote = { root: bytes(32), signer, signature: bytes(96), epoch: 7 };

  const cases: readonly Case[] = [
    {
      name: 'delivery heads',
      messages: [
        ...blobs.map(encodeDeliveryHead),
        ...headers.map((header) => encodeDeliveryHead({ epoch: 1, header, promise: undefined })),
      ],
      again: (given) => encodeDeliveryHead(parseDeliveryHead(given)),
    },
    {
      name: 'deliveries',
      messages: blobs.map((blob) => encodeDelivery({ ...blob, slice: bytes(40) })),
      again: (given) => encodeDelivery(parseDelivery(given)),
    },
    {
      name: 'terms of promises',
      messages: blobs.map(({ promise }) => encodePromiseTerms(promise)),
      again: (given) => encodePromiseTerms(parsePromiseTerms(given)),
    },
    {
      name: 'requests for votes',
      messages: [1, 5].map((kind) =>
        encodeVoteRequest({ ...place, kind: kind as 1 | 5, headers: headers.slice(kind % 2) }),
      ),
      again: (given) => encodeVoteRequest(parseVoteRequest(given)),
    },
    {
      name: 'votes',
      messages: [encodeBatchVote({ ...vote, kind: 1, quorumId: 3, count: 9 })],
      again: (given) => encodeBatchVote(parseBatchVote(given)),
    },
    {
      name: 'votes of office',
      messages: [
        encodeOfficeVote({ ...vote, kind: STATEMENT_KINDS.served, quorumId: 3, count: 9 }),
        encodeOfficeVote({ ...vote, kind: STATEMENT_KINDS.handover, quorumId: 0, count: 1 }),
        encodeOfficeVote({ ...vote, kind: STATEMENT_KINDS.checkpoints, quorumId: 0, count: 64 }),
      ],
      again: (given) => encodeOfficeVote(parseOfficeVote(given)),
    },
    {
      name: 'offers of checkpoints',
      messages: [0, 1, 3].map((count) => encodeCheckpointOffer(checkpoints.slice(0, count))),
      again: (given) => encodeCheckpointOffer(parseCheckpointOffer(given)),
    },
    {
      name: 'requests to sign checkpoints',
      messages: [1, 3].map((count) =>
        encodeCheckpointRequest({ epoch: 7, checkpoints: checkpoints.slice(0, count) }),
      ),
      again: (given) => encodeCheckpointRequest(parseCheckpointRequest(given)),
    },
    {
      name: 'audit sheets',
      messages: [0, 1, 5].map((count) => {
        const rows = Array.from({ length: count }, (_, row) => ({
          period: row,
          leaf: bytes(32),
          row,
        }));
        return encodeAuditSheet({ ...place, auditor: signer, rows, signature: bytes(65) });
      }),
      again: (given) => encodeAuditSheet(parseAuditSheet(given)),
    },
    {
      name: 'served reports',
      messages: [
        encodeServedReport({
          ...place,
          entries: [signer, signer].map((holder) => ({ holder, drawn: 9, served: 8 })),
        }),
      ],
      again: (given) => encodeServedReport(parseServedReport(given)),
    },
    {
      name: 'requests for reports',
      messages: [
        encodeReportRequest({
          ...place,
          root: bytes(32),
          proposer: signer,
          sheets: ['01', '02', '03'].map((byte) => ({
            auditor: parseAddress(`0x${byte.repeat(20)}`),
            digest: bytes(32),
          })),
        }),
      ],
      again: (given) => encodeReportRequest(parseReportRequest(given)),
    },
    {
      name: 'signed handovers',
      messages: [encodeSignedHandover({ snapshot: bytes(256), certificate: bytes(300) })],
      again: (given) => encodeSignedHandover(parseSignedHandover(given)),
    },
    {
      name: 'tickets',
      messages: [encodeTicket({ epoch: 7, signer, signature: bytes(96) })],
      again: (given) => encodeTicket(parseTicket(given)),
    },
    {
      name: 'replies with rows',
      messages: [encodeRowReply([bytes(40)]), encodeRowReply([bytes(9), bytes(0), bytes(30)])],
      again: (given) => encodeRowReply(parseRowReply(given)),
    },
    jsonCase(
      'receipts',
      [
        {
          id: parseRoot(`0x${'ab'.repeat(32)}`),
          chainId: chainIdOf(31_337),
          shardId: 0,
          sizeBytes: 5,
          stage: 'final' as const,
          commitment: rootOf(bytes(32)),
          archive: { stage: 'stored' as const, root: rootOf(bytes(32)), sequence: 9 },
          trouble: { code: 'STALLED', detail: 'it came to nothing' },
        },
      ],
      { write: blobReceiptJson, read: parseBlobReceipt },
    ),
    jsonCase(
      'statuses of signers',
      [
        {
          version: '0.1.0',
          address: signer,
          blsPublicKey: bytes(48),
          chainId: chainIdOf(31_337),
          entrance: signer,
          shardId: 0,
          others: [{ shardId: 1, chainId: chainIdOf(31_338), entrance: signer }],
          heldBlobs: 1,
          heldBytes: 2,
          capacityBytes: 3,
        },
      ],
      { write: signerStatusJson, read: parseSignerStatus },
    ),
    jsonCase(
      'what is held of a blob',
      [
        {
          commitment: rootOf(bytes(32)),
          sizeBytes: 9,
          suite: 1,
          slices: [{ ...place, firstRow: 4, rows: 16, expirySeconds: 99 }],
        },
      ],
      { write: heldBlobJson, read: parseHeldBlob },
    ),
  ];

  for (const { name, messages, again, isJson = false } of cases) {
    it(`${name}: ${RUNS} inputs are read in one form or refused by name (seed ${SEED})`, () => {
      for (const message of messages)
        assert.deepEqual(Buffer.from(again(message)), Buffer.from(message));
      const before = process.memoryUsage.rss();
      const chance = seededRng(SEED);
      for (let run = 0; run < RUNS; run += 1) {
        check({ again, isJson }, mutant(messages, chance), `${name}, run ${run}`);
      }
      assert.ok(process.memoryUsage.rss() - before < MOST_GROWTH);
    });
  }
});

function mutant(messages: readonly Uint8Array[], rng: Rng): Uint8Array {
  return mutate(messages[rng.below(messages.length)] ?? new Uint8Array(0), rng);
}

/** What is read of any bytes is written as those bytes; of JSON, as JSON that says the same. */
function check(
  { again, isJson }: Required<Pick<Case, 'again' | 'isJson'>>,
  bytes: Uint8Array,
  where: string,
): void {
  try {
    const written = Buffer.from(again(bytes));
    assert.deepEqual(isJson ? Buffer.from(again(written)) : Buffer.from(bytes), written, where);
  } catch (error) {
    if (isFault(error) && /^(WIRE|MESSAGE|ID|BYTES|HEX)_/.test(error.code)) return;
    if (error instanceof SyntaxError) return; // of JSON, which is parsed before a decoder sees it
    throw new Error(`${where} (seed ${SEED}): ${Buffer.from(bytes).toString('hex')}`, {
      cause: error,
    });
  }
}
