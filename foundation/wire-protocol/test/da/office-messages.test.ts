import { deepEqual, equal, throws } from 'node:assert/strict';
import { STATEMENT_KINDS } from '@cairn/attestation';
import { chainIdOf, isFault, parseAddress, toHex } from '@cairn/primitives';
import fc from 'fast-check';
import {
  type AuditSheet,
  auditDigest,
  compareDrawnRows,
  encodeAuditSheet,
  parseAuditSheet,
} from '../../src/da/audit-sheet.ts';
import { encodeOfficeVote, parseOfficeVote } from '../../src/da/office-votes.ts';
import {
  encodeReportRequest,
  encodeServedReport,
  parseReportRequest,
  parseServedReport,
} from '../../src/da/served-report.ts';
import { encodeSignedHandover, parseSignedHandover } from '../../src/da/signed-handover.ts';
import { encodeTicket, parseTicket, TICKET_BYTES } from '../../src/da/ticket-message.ts';
import { SEED } from './da-support.ts';

const isRefused = (error: unknown): boolean =>
  isFault(error) && /^(WIRE|MESSAGE|ID)_/.test(error.code);
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
/** Objects as parsers make them. */
const PLAIN = { noNullPrototype: true } as const;
const plainRecord = <Fields>(
  fields: {
    [Field in keyof Fields]: fc.Arbitrary<Fields[Field]>;
  },
): fc.Arbitrary<Fields> => fc.record(fields, PLAIN) as fc.Arbitrary<Fields>;
const addresses = bytes(20).map((value) => parseAddress(toHex(value)));
const epochs = fc.nat();
const quorums = fc.nat({ max: 16 });
const flips = fc.array(fc.nat(), { minLength: 20, maxLength: 20 });

/** One form only: what is read is written again the same, and damage is refused or means something else. */
function assertOneForm<Message>(
  messages: fc.Arbitrary<Message>,
  encode: (message: Message) => Uint8Array,
  parse: (message: Uint8Array) => Message,
): void {
  fc.assert(
    fc.property(messages, flips, (message, places) => {
      const encoded = encode(message);
      deepEqual(parse(encoded), message);
      for (const place of places) {
        throws(() => parse(encoded.subarray(0, place % encoded.length)), isRefused);
        const changed = encoded.slice();
        const bit = place % (changed.length * 8);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        try {
          deepEqual(encode(parse(changed)), changed);
        } catch (error) {
          if (!isRefused(error)) throw error;
        }
      }
    }),
    { seed: SEED, numRuns: 40 },
  );
}

const names = plainRecord({
  period: fc.nat({ max: 99 }),
  leaf: bytes(32),
  row: fc.nat({ max: 999 }),
});
const sheets: fc.Arbitrary<AuditSheet> = plainRecord({
  epoch: epochs,
  quorumId: quorums,
  auditor: addresses,
  rows: fc
    .uniqueArray(names, {
      maxLength: 8,
      selector: ({ period, leaf, row }) => `${period}/${leaf}/${row}`,
    })
    .map((rows) => rows.sort(compareDrawnRows)),
  signature: bytes(65),
});

describe('messages of a signer’s office', () => {
  it('of a ticket have one form', () => {
    const tickets = plainRecord({ epoch: epochs, signer: addresses, signature: bytes(96) });
    assertOneForm(tickets, encodeTicket, parseTicket);
    const ticket = { epoch: 1, signer: parseAddress(`0x${'11'.repeat(20)}`) };
    equal(encodeTicket({ ...ticket, signature: new Uint8Array(96) }).length, TICKET_BYTES);
    throws(() => encodeTicket({ ...ticket, signature: new Uint8Array(95) }), isRefused);
  });

  it('of votes have one form, and belong to handovers and reports only', () => {
    const common = { epoch: epochs, signer: addresses, root: bytes(32), signature: bytes(96) };
    const handovers = plainRecord({
      kind: fc.constant(STATEMENT_KINDS.handover),
      quorumId: fc.constant(0),
      count: fc.constant(1),
      ...common,
    });
    const reports = plainRecord({
      kind: fc.constant(STATEMENT_KINDS.served),
      quorumId: quorums,
      count: fc.integer({ min: 2, max: 999 }),
      ...common,
    });
    assertOneForm(fc.oneof(handovers, reports), encodeOfficeVote, parseOfficeVote);
  });

  it('of a handover have one form', () => {
    const handovers = plainRecord({
      snapshot: bytes(256),
      certificate: fc.uint8Array({ minLength: 1, maxLength: 900 }),
    });
    fc.assert(
      fc.property(handovers, (handover) => {
        deepEqual(parseSignedHandover(encodeSignedHandover(handover)), handover);
      }),
      { seed: SEED },
    );
    throws(() => parseSignedHandover(new Uint8Array(300)), isRefused);
    const long = { snapshot: new Uint8Array(256), certificate: new Uint8Array(256 * 1024) };
    throws(() => encodeSignedHandover(long), isRefused);
  });

  it('of an audit have one form, and a digest for one contract', () => {
    assertOneForm(sheets, encodeAuditSheet, parseAuditSheet);
    const mining = (address: string, chain: number) => ({
      chainId: chainIdOf(chain),
      address: parseAddress(address),
    });
    fc.assert(
      fc.property(sheets, (sheet) => {
        const digests = [
          auditDigest(sheet, mining(`0x${'01'.repeat(20)}`, 1)),
          auditDigest(sheet, mining(`0x${'02'.repeat(20)}`, 1)),
          auditDigest(sheet, mining(`0x${'01'.repeat(20)}`, 2)),
          auditDigest({ ...sheet, epoch: sheet.epoch + 1 }, mining(`0x${'01'.repeat(20)}`, 1)),
        ];
        equal(new Set(digests.map(toHex)).size, digests.length);
      }),
      { seed: SEED, numRuns: 20 },
    );
  });

  it('of an audit are refused with rows out of order or twice', () => {
    const row = { period: 1, leaf: new Uint8Array(32), row: 1 };
    const sheet = {
      epoch: 1,
      quorumId: 0,
      auditor: parseAddress(`0x${'11'.repeat(20)}`),
      signature: new Uint8Array(65),
    };
    throws(() => encodeAuditSheet({ ...sheet, rows: [row, row] }), isRefused);
    throws(() => encodeAuditSheet({ ...sheet, rows: [{ ...row, row: 2 }, row] }), isRefused);
  });

  it('of a report and of a request to sign one have one form', () => {
    const entries = fc
      .record({ holder: addresses, drawn: fc.nat({ max: 99 }), served: fc.nat({ max: 99 }) }, PLAIN)
      .map(({ drawn, served, ...entry }) => ({ ...entry, drawn: drawn + served, served }));
    const reports = plainRecord({
      epoch: epochs,
      quorumId: quorums,
      entries: fc.array(entries, { minLength: 2, maxLength: 9 }),
    });
    assertOneForm(reports, encodeServedReport, parseServedReport);
    const named = plainRecord({ auditor: addresses, digest: bytes(32) });
    const requests = plainRecord({
      epoch: epochs,
      quorumId: quorums,
      root: bytes(32),
      proposer: addresses,
      sheets: fc
        .uniqueArray(named, { minLength: 1, maxLength: 6, selector: ({ auditor }) => auditor })
        .map((list) => list.sort((left, right) => (left.auditor < right.auditor ? -1 : 1))),
    });
    assertOneForm(requests, encodeReportRequest, parseReportRequest);
  });
});
