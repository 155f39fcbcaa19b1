/** `bytes` over a plain buffer, as WebCrypto wants them; copied only if they are shared memory. */
export function plainBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

/** HKDF with SHA-256: `lengthBytes` bytes of key material. */
export async function hkdf(
  secret: Uint8Array,
  salt: Uint8Array,
  label: string,
  lengthBytes: number,
): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey('raw', plainBytes(secret), 'HKDF', false, [
    'deriveBits',
  ]);
  const info = new TextEncoder().encode(label);
  const bits = await crypto.subtle.deriveBits(
    { name: 'HKDF', hash: 'SHA-256', salt: plainBytes(salt), info },
    key,
    lengthBytes * 8,
  );
  return new Uint8Array(bits);
}
