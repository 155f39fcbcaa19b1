import assert from 'node:assert/strict';
import { Fault } from '@cairn/primitives';
import { EXIT, reportOf } from '../src/exit-codes.ts';

const faultOf = (code: string, facts: object = {}) => new Fault({ code, ...facts }, 'it happened');

describe('exit codes', () => {
  it('say what kind of failure it was', () => {
    const cases: Readonly<Record<string, number>> = {
      CLI_USAGE: EXIT.usage,
      ID_NOT_A_ROOT: EXIT.usage,
      TOPOLOGY_INVALID: EXIT.usage,
      CONFIG_INVALID: EXIT.usage,
      SDK_FILE_NOT_FOUND: EXIT.notFound,
      SDK_PATH_NOT_FOUND: EXIT.notFound,
      PROOF_WRONG_ROOT: EXIT.verification,
      SDK_SEAL_BROKEN: EXIT.verification,
      CLI_MISMATCH: EXIT.verification,
      PARITY: EXIT.verification,
      SLICE_COMMITMENT: EXIT.verification,
      ROW_PATH: EXIT.verification,
      ROW_COMBINATION: EXIT.verification,
      SIGNATURE_WRONG: EXIT.verification,
      WEIGHT_TOO_LOW: EXIT.verification,
      CERTIFICATE_FOREIGN: EXIT.verification,
      CLI_BLOB_ON_ITS_WAY: EXIT.timeout,
      CLI_NO_BLOBS: EXIT.usage,
      DA_EPOCH_UNKNOWN: EXIT.notFound,
      CLI_BLOB_UNTOLD: EXIT.notFound,
      CLI_BLOB_UNSERVED: EXIT.timeout,
      TRUST_EXPIRED: EXIT.verification,
      TRUST_CHAIN_DIFFERS: EXIT.verification,
      TRUST_WITNESS_DIFFERS: EXIT.verification,
      CHAIN_BAD_PROOF: EXIT.verification,
      CHAIN_BLOCK_UNKNOWN: EXIT.notFound,
      NO_COMMITTEE: EXIT.timeout,
      SDK_NOT_FINAL: EXIT.timeout,
      TOO_FEW_ROWS: EXIT.timeout,
      DEADLINE_PASSED: EXIT.timeout,
      SDK_NO_PAYER: EXIT.auth,
      KEY_FILE_PERMISSIONS: EXIT.auth,
      KEYSTORE_WRONG_PASSWORD: EXIT.auth,
      SDK_WRONG_KEY: EXIT.auth,
      DISK_FULL: EXIT.noSpace,
      NODE_DISK_FULL: EXIT.noSpace,
      SDK_EMPTY_FILE: EXIT.failure,
      CLI_FOLDER_NOT_EMPTY: EXIT.failure,
      QUEUE_FULL: EXIT.failure,
      DEVICE_FULL: EXIT.failure,
      PORT_IN_USE: EXIT.failure,
      CLI_INTERRUPTED: EXIT.interrupted,
      SOMETHING_NEW: EXIT.failure,
    };
    for (const [code, exit] of Object.entries(cases)) {
      assert.equal(reportOf(faultOf(code)).exit, exit, code);
    }
  });

  it('always come with something to do', () => {
    for (const error of [faultOf('SOMETHING_NEW'), new Error('x'), 'text', undefined]) {
      assert.ok(reportOf(error).next.length > 10);
    }
  });

  it('advise --force only where it helps', () => {
    assert.match(reportOf(faultOf('CLI_OUTPUT_EXISTS')).next, /--force/);
    assert.doesNotMatch(reportOf(faultOf('SDK_PATH_EXISTS')).next, /--force/);
    assert.doesNotMatch(reportOf(faultOf('CLI_FOLDER_NOT_EMPTY')).next, /--force/);
  });

  it('advise something of its own for what a codec finds wrong', () => {
    const unknown = reportOf(faultOf('SOMETHING_NEW')).next;
    for (const code of ['PARITY', 'TOO_FEW_ROWS', 'QUEUE_FULL', 'DEVICE_FULL', 'SLICE_FORM']) {
      assert.notEqual(reportOf(faultOf(code)).next, unknown, code);
    }
  });

  it('tell a lie from an absence', () => {
    const absent = faultOf('SDK_SEGMENT_UNAVAILABLE', { evidence: [] });
    const lie = faultOf('SDK_SEGMENT_UNAVAILABLE', { evidence: [{ code: 'PROOF_WRONG_ROOT' }] });
    assert.equal(reportOf(absent).exit, EXIT.timeout);
    assert.equal(reportOf(lie).exit, EXIT.verification);
  });

  it('know the errors of the system, bare or wrapped', () => {
    const bare = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    assert.equal(reportOf(bare).exit, EXIT.notFound);
    assert.equal(reportOf(faultOf('DISK_IO', { errno: 'ENOENT' })).exit, EXIT.notFound);
    assert.equal(reportOf(faultOf('DISK_IO', { errno: 'EIO' })).exit, EXIT.failure);
  });

  it('keep the sentence and its causes', () => {
    const error = new Fault({ code: 'X' }, 'outer', { cause: new Error('inner') });
    assert.equal(reportOf(error).message, 'outer: inner');
  });
});
