import { utf8Text } from '@cairn/primitives';

/** Bytes as base64, for JSON. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** Text as it is where a terminal shows it as it is, else quoted; bytes that are no text as base64. */
export function shown(bytes: Uint8Array): string {
  let text: string;
  try {
    text = utf8Text(bytes);
  } catch {
    return `base64:${base64(bytes)}`;
  }
  return /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text) ? JSON.stringify(text) : text;
}
