import { equal, ok } from 'node:assert/strict';
import {
  bigEndianBytes,
  concatBytes,
  fromHex,
  isRecord,
  keccak256,
  toHex,
} from '@cairn/primitives';
import { testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import type { DaNetwork } from './da-network.ts';

const VALIDATE = 'function validateCertificate(bytes proof) view returns (bool)';
const READ =
  'function validateReadPreimage(bytes32 certificateHash, uint256 offset, bytes proof) view returns (bytes)';
const STANDARD = 'commitment_mode=standard';

/** Clients of rollups' doors on a network's disperser, and the contract that one of them asks. */
export class RollupClients {
  readonly #network: DaNetwork;

  constructor(network: DaNetwork) {
    this.#network = network;
  }

  async putEigenda(payload: Uint8Array): Promise<Uint8Array> {
    const url = `${this.#network.disperser.url('disperser')}/put?${STANDARD}`;
    const reply = await fetch(url, { method: 'POST', body: Buffer.from(payload) });
    equal(reply.status, 200);
    return new Uint8Array(await reply.arrayBuffer());
  }

  async getEigenda(certificate: Uint8Array): Promise<Uint8Array> {
    const block = await this.#network.anvil.client.blockNumber({ signal: testSignal() });
    const query = `${STANDARD}&l1_inclusion_block_number=${block}`;
    const url = `${this.#network.disperser.url('disperser')}/get/${toHex(certificate)}?${query}`;
    const reply = await fetch(url);
    const body = new Uint8Array(await reply.arrayBuffer());
    equal(reply.status, 200, new TextDecoder().decode(body));
    return body;
  }

  async storeNitro(message: Uint8Array): Promise<Uint8Array> {
    const result = await this.#nitro('store', [toHex(message), '0x0']);
    return fromHex(result['serialized-da-cert'] as `0x${string}`);
  }

  async recoverNitro(certificate: Uint8Array): Promise<Uint8Array> {
    const message = toHex(concatBytes(new Uint8Array(40), certificate));
    const hash = `0x${'00'.repeat(32)}`;
    const { Payload } = await this.#nitro('recoverPayload', ['0x1', hash, message]);
    return new Uint8Array(Buffer.from(String(Payload), 'base64'));
  }

  /** What the disperser would have a prover claim of a certificate. */
  async claimNitro(certificate: Uint8Array): Promise<boolean> {
    const { proof } = await this.#nitro('generateCertificateValidityProof', [toHex(certificate)]);
    return proof === '0x0101';
  }

  /** What the contract says of it. */
  async isValidOnChain(certificate: Uint8Array): Promise<boolean> {
    const [isValid] = await this.#call(VALIDATE, [toHex(framed(certificate))]);
    return isValid === true;
  }

  /** Up to 32 bytes of the payload as the contract proves them, given the disperser's proof. */
  async readOnChain(certificate: Uint8Array, offset: number): Promise<Uint8Array> {
    const params = [`0x${offset.toString(16)}`, toHex(certificate)];
    const { proof } = await this.#nitro('generateReadPreimageProof', params);
    const given = concatBytes(framed(certificate), fromHex(proof as `0x${string}`));
    const args = [toHex(keccak256(certificate)), offset, toHex(given)];
    const [bytes] = await this.#call(READ, args);
    return fromHex(String(bytes) as `0x${string}`);
  }

  #call(fragment: string, args: readonly unknown[]): Promise<readonly unknown[]> {
    const { anvil, deployment } = this.#network;
    const { nitroCertificateValidator } = deployment.contracts;
    return anvil.client.call(nitroCertificateValidator, fragment, args, { signal: testSignal() });
  }

  async #nitro(name: string, params: readonly unknown[]): Promise<Record<string, unknown>> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: `daprovider_${name}`, params });
    const headers = { 'content-type': 'application/json' };
    const url = this.#network.disperser.url('nitro');
    const reply: unknown = await (await fetch(url, { method: 'POST', body, headers })).json();
    ok(isRecord(reply) && isRecord(reply['result']), JSON.stringify(reply));
    return reply['result'];
  }
}

/** A certificate behind its length, as a prover hands it to the contract. */
function framed(certificate: Uint8Array): Uint8Array {
  return concatBytes(bigEndianBytes(certificate.length, 8), certificate);
}
