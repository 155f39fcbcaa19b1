import { type BlsBackend, parseBlobHeader, parseCertificate } from '@cairn/attestation';
import { type Clock, MIB, withDeadline } from '@cairn/primitives';
import { problemOf } from '@cairn/wire-protocol';
import type { Caller } from '../../disperser/accounts.ts';
import type { BlobRecord } from '../../disperser/blob-record.ts';
import type { Disperser } from '../../disperser/disperser.ts';
import { DispersalError } from '../../disperser/errors.ts';
import type { DispersalNetwork } from '../../disperser/ports.ts';
import type { AdmitPayload } from '../../retriever/read-blob.ts';
import type { PutStage } from '../op-stack/op-stack-doors.ts';
import { type PayloadSources, readPayload } from '../read-payload.ts';
import { encodeNitroCertificate, type NitroCertificate } from './certificate.ts';
import { messageTooLarge, NitroError } from './errors.ts';
import { judgeNitroCertificate, type NitroJudgeDeps, PROVABLE_SUITE } from './judge-certificate.ts';
import { proveRead, type ReadProofDeps } from './read-proof.ts';
import { FallBack } from './rpc-fault.ts';

/** What a provider of data availability for Arbitrum chains is made of. */
export interface NitroProviderDeps
  extends Omit<NitroJudgeDeps, 'network'>,
    Pick<PayloadSources, 'reader' | 'archive'> {
  readonly network: Pick<
    DispersalNetwork,
    'entrance' | 'shardId' | 'graceSeconds' | 'epochSeconds' | 'layout'
  >;
  readonly disperser: Pick<
    Disperser,
    'requireAccount' | 'accept' | 'find' | 'reached' | 'payload' | 'findByCommitment'
  >;
  readonly backend: Pick<BlsBackend, 'parseSignature'>;
  /** Makes and hashes rows of the suite that contracts prove. */
  readonly tools: Omit<ReadProofDeps, 'layout'>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly stopping: AbortSignal;
}

/** How a provider behaves. */
export interface NitroProviderSettings {
  /** The stage of a blob at which its certificate is given out. */
  readonly putStage: Exclude<PutStage, 'dispersed'>;
  /** Time for a message to get there; then the poster is told to go elsewhere. */
  readonly putTimeoutMs: number;
  /** Time for a payload to be read. */
  readonly getTimeoutMs: number;
  /** Epochs for which signers keep a blob. */
  readonly retentionEpochs: number;
}

/** For whom something is read, and with whose memory. */
export interface ReadCall {
  readonly admit: AdmitPayload;
  readonly signal: AbortSignal;
}

/** Bytes of a message at most. */
export const MAX_MESSAGE_BYTES: number = 16 * MIB;
/** Problems that lie with who stores: another provider would say the same. */
const CLIENT_STATUS: readonly number[] = [400, 401, 408, 413, 422, 429, 499];

/** Stores messages as blobs whose rows a contract can prove, and reads them back by certificate. */
export class NitroProvider {
  readonly #deps: NitroProviderDeps;
  readonly #settings: NitroProviderSettings;

  constructor(deps: NitroProviderDeps, settings: NitroProviderSettings) {
    this.#deps = deps;
    this.#settings = settings;
  }

  /**
   * The certificate of a message, once the chain has confirmed it.
   *
   * @param untilSeconds - unix seconds until which it is to be kept
   * @throws {NitroError} NITRO_MESSAGE_SIZE, NITRO_RETENTION; {DispersalError} for what lies with the
   *   caller; {FallBack} for everything else; the signal's reason
   */
  async store(
    message: Uint8Array,
    untilSeconds: number,
    caller: Caller,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    const { disperser, clock, stopping } = this.#deps;
    const { putStage, putTimeoutMs } = this.#settings;
    if (message.length > MAX_MESSAGE_BYTES) {
      throw messageTooLarge(message.length, MAX_MESSAGE_BYTES);
    }
    this.#requireRetention(untilSeconds);
    const work = async (inner: AbortSignal): Promise<Uint8Array> => {
      const how = { suite: PROVABLE_SUITE, signal: stopping } as const;
      const { id } = await disperser.accept(message, caller, how);
      return this.#certificateOf(await disperser.reached(id, putStage, inner), inner);
    };
    try {
      return await withDeadline('a dispersal', putTimeoutMs, work, { clock, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (CLIENT_STATUS.includes(problemOf(error).status)) throw error;
      throw new FallBack('the message was not stored', { cause: error });
    }
  }

  /**
   * The payload of a valid certificate.
   *
   * @throws {NitroError} NITRO_CERTIFICATE, NITRO_UNDECIDED; {RetrievalError}; {DeadlineError}; what the
   *   chain throws; the signal's reason
   */
  async recover(certificate: NitroCertificate, call: ReadCall): Promise<Uint8Array> {
    const { clock } = this.#deps;
    const { getTimeoutMs } = this.#settings;
    const { admit, signal } = call;
    const read = async (inner: AbortSignal): Promise<Uint8Array> => {
      await judgeNitroCertificate(certificate, this.#deps, { signal: inner });
      return this.#payloadOf(certificate, { admit, signal: inner });
    };
    return withDeadline('a read', getTimeoutMs, read, { clock, signal });
  }

  /** Whether a certificate is valid. @throws as `recover`, but NITRO_CERTIFICATE */
  async isValid(
    certificate: NitroCertificate,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<boolean> {
    try {
      await judgeNitroCertificate(certificate, this.#deps, { signal });
      return true;
    } catch (error) {
      if (error instanceof NitroError && error.facts.code === 'NITRO_CERTIFICATE') return false;
      throw error;
    }
  }

  /** What proves bytes of the payload on chain, see `proveRead`. @throws as `recover` */
  async proveRead(
    certificate: NitroCertificate,
    offset: bigint,
    call: ReadCall,
  ): Promise<Uint8Array> {
    const payload = await this.recover(certificate, call);
    const { tools, network } = this.#deps;
    const { commitment } = certificate.header;
    const deps = { ...tools, layout: network.layout };
    return proveRead(payload, commitment, offset, deps, { signal: call.signal });
  }

  async #payloadOf(
    { epoch, quorumId, header: { commitment } }: NitroCertificate,
    options: ReadCall,
  ): Promise<Uint8Array> {
    // A record knows where its blob is now, should it have been dispersed again.
    const record = await this.#deps.disperser.findByCommitment(commitment);
    if (record !== undefined) return readPayload(record, this.#deps, options);
    return (await this.#deps.reader({ commitment, epoch, quorumId }, options)).payload;
  }

  /** The certificate of a dispersed blob, in the form that contracts take apart. */
  async #certificateOf(
    { id, stage, certificate: bytes }: BlobRecord,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { backend, epochs, network } = this.#deps;
    const found = bytes === undefined ? undefined : parseCertificate(bytes, backend);
    const committee = found && (await epochs.committee(found.epoch, found.quorumId, { signal }));
    if (found === undefined || committee === undefined) {
      throw new DispersalError(
        { code: 'BLOB_NOT_DISPERSED', id, stage },
        `the certificate of ${id} is gone: it is ${stage}`,
      );
    }
    const { epoch, quorumId, count, leafIndex, path, body } = found;
    const { seed } = committee.snapshot.office;
    const header = parseBlobHeader(body);
    const place = { entrance: network.entrance, epoch, quorumId, count, leafIndex };
    return encodeNitroCertificate({ ...place, seed, header, path });
  }

  /** @throws {NitroError} NITRO_RETENTION */
  #requireRetention(untilSeconds: number): void {
    const { clock, network } = this.#deps;
    const nowSeconds = Math.floor(clock.now() / 1000);
    const keptSeconds = nowSeconds + this.#settings.retentionEpochs * network.epochSeconds;
    if (untilSeconds <= keptSeconds) return;
    throw new NitroError(
      { code: 'NITRO_RETENTION', askedSeconds: untilSeconds, keptSeconds },
      `blobs are kept until ${keptSeconds} here, and the message asks for ${untilSeconds}`,
    );
  }
}
