import { type Json, keccak256, toHex } from '@cairn/primitives';
import type { Caller } from '../../disperser/accounts.ts';
import { NITRO_HEADER_BYTE, type NitroCertificate, parseNitroCertificate } from './certificate.ts';
import { invalidCertificate, NitroError } from './errors.ts';
import type { MessageStreams } from './message-streams.ts';
import { MAX_MESSAGE_BYTES, type NitroProvider, type ReadCall } from './nitro-provider.ts';
import { assertParams, bytesParam, countParam, hashParam, wideParam } from './values.ts';

/** Who calls, and with whose memory and patience. */
export interface NitroCall extends ReadCall {
  readonly caller: Caller;
}

/** A method by its parameters. What it throws is answered as an error. */
export type NitroMethod = (params: readonly unknown[], call: NitroCall) => Promise<Json>;

/** Bytes of a sequencer's message before its certificate: five numbers of 64 bits. */
const SEQUENCER_HEADER_BYTES = 40;
/** Under which a machine asks for what stands behind a certificate. */
const CERTIFICATE_PREIMAGE = '3';
/** Form of the proofs that follow a claim. */
const PROOF_VERSION = 0x01;

/** The methods of `daprovider` by name, results spelled as Nitro's clients read them. */
export function nitroMethods(
  provider: NitroProvider,
  streams: MessageStreams,
): ReadonlyMap<string, NitroMethod> {
  const stored = async (message: Uint8Array, until: number, call: NitroCall): Promise<Json> => {
    const certificate = await provider.store(message, until, call.caller, call);
    return { 'serialized-da-cert': toHex(certificate) };
  };
  const methods: Readonly<Record<string, NitroMethod>> = {
    getSupportedHeaderBytes: async () => ({ headerBytes: toHex(Uint8Array.of(NITRO_HEADER_BYTE)) }),
    getMaxMessageSize: async () => ({ maxSize: MAX_MESSAGE_BYTES }),
    store: async (params, call) => {
      assertParams(params, 2);
      return stored(bytesParam(params, 0), countParam(params, 1), call);
    },
    startChunkedStore: async (params) => {
      assertParams(params, 6);
      const [timestampSeconds, parts, partBytes, totalBytes, untilSeconds] = [0, 1, 2, 3, 4].map(
        (index) => countParam(params, index),
      ) as [number, number, number, number, number];
      bytesParam(params, 5); // the poster's signature: who may post is the account's affair
      const head = { timestampSeconds, parts, partBytes, totalBytes, untilSeconds };
      return { BatchId: `0x${streams.start(head).toString(16)}` };
    },
    sendChunk: async (params) => {
      assertParams(params, 4);
      streams.take(wideParam(params, 0), countParam(params, 1), bytesParam(params, 2));
      return null;
    },
    commitChunkedStore: async (params, call) => {
      assertParams(params, 2);
      const { message, untilSeconds } = streams.finish(wideParam(params, 0));
      return stored(message, untilSeconds, call);
    },
    recoverPayload: async (params, call) => {
      const { payload } = await recovered(params, call, provider);
      return { Payload: base64(payload) };
    },
    collectPreimages: async (params, call) => ({
      Preimages: preimagesOf(await recovered(params, call, provider)),
    }),
    recoverPayloadAndPreimages: async (params, call) => {
      const found = await recovered(params, call, provider);
      return { Payload: base64(found.payload), Preimages: preimagesOf(found) };
    },
    generateReadPreimageProof: async (params, call) => {
      assertParams(params, 2);
      const offset = wideParam(params, 0);
      const certificate = parseNitroCertificate(bytesParam(params, 1));
      return { proof: toHex(await provider.proveRead(certificate, offset, call)) };
    },
    generateCertificateValidityProof: async (params, call) => {
      assertParams(params, 1);
      const certificate = certificateOrNone(bytesParam(params, 0));
      const isValid = certificate !== undefined && (await provider.isValid(certificate, call));
      return { proof: toHex(Uint8Array.of(isValid ? 1 : 0, PROOF_VERSION)) };
    },
  };
  return new Map(Object.entries(methods).map(([name, method]) => [`daprovider_${name}`, method]));
}

interface Recovered {
  /** As the message carries it. */
  readonly bytes: Uint8Array;
  readonly payload: Uint8Array;
}

/** What stands behind the certificate in a sequencer's message. */
async function recovered(
  params: readonly unknown[],
  call: NitroCall,
  provider: NitroProvider,
): Promise<Recovered> {
  assertParams(params, 3);
  wideParam(params, 0); // number of the batch
  hashParam(params, 1); // block that carried it
  const message = bytesParam(params, 2);
  if (message.length <= SEQUENCER_HEADER_BYTES) {
    throw invalidCertificate('length', 'the message of the sequencer holds no certificate');
  }
  const bytes = message.subarray(SEQUENCER_HEADER_BYTES);
  return { bytes, payload: await provider.recover(parseNitroCertificate(bytes), call) };
}

function preimagesOf({ bytes, payload }: Recovered): Json {
  return { [CERTIFICATE_PREIMAGE]: { [toHex(keccak256(bytes))]: base64(payload) } };
}

/** `undefined` for bytes that are no certificate, of which the contract says the same. */
function certificateOrNone(bytes: Uint8Array): NitroCertificate | undefined {
  try {
    return parseNitroCertificate(bytes);
  } catch (error) {
    if (error instanceof NitroError) return undefined;
    throw error;
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
