/** Bytes that become text at a time: engines bound the arguments of one call. */
const PART_BYTES = 4096;

/**
 * Bytes as a text of one character a byte, for the keys of maps: it compares and hashes as the
 * engine's own texts do, which is several times faster than hex.
 */
export function keyText(bytes: Uint8Array): string {
  if (bytes.length <= PART_BYTES) return textOf(bytes);
  let text = '';
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    text += textOf(bytes.subarray(at, at + PART_BYTES));
  }
  return text;
}

/** A key, and its text once somebody needed it. */
export interface TextedKey {
  readonly key: Uint8Array;
  text?: string | undefined;
}

/** The text of a key, made once. */
export function textOfKey(named: TextedKey): string {
  named.text ??= keyText(named.key);
  return named.text;
}

function textOf(bytes: Uint8Array): string {
  // Spreading walks an iterator; `apply` takes the array as it is, three times faster.
  return Reflect.apply(String.fromCharCode, undefined, bytes);
}
