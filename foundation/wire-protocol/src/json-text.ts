import { describeError, parseJson } from '@cairn/primitives';
import { WireError } from './errors.ts';

/**
 * The value of JSON text no deeper than `maxDepth`.
 *
 * The depth is counted before parsing, skipping strings at the speed of `indexOf`, so that megabytes
 * of base64 cost next to nothing.
 *
 * @throws {WireError} WIRE_JSON
 */
export function parseBoundedJson(text: string, maxDepth: number, what: string): unknown {
  if (jsonDepth(text, maxDepth) > maxDepth) {
    throw new WireError(
      { code: 'WIRE_JSON', what, reason: `deeper than ${maxDepth}` },
      `${what} nests deeper than ${maxDepth} levels`,
    );
  }
  try {
    return parseJson(text);
  } catch (error) {
    const reason = describeError(error).slice(0, 120);
    throw new WireError({ code: 'WIRE_JSON', what, reason }, `${what} is not JSON: ${reason}`);
  }
}

/** Nesting of brackets outside strings; stops counting just above `enough`. */
export function jsonDepth(text: string, enough: number): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charCodeAt(at);
    if (letter === 34) {
      at = endOfString(text, at);
    } else if (letter === 123 || letter === 91) {
      depth += 1;
      if (depth > deepest) deepest = depth;
      if (deepest > enough) return deepest;
    } else if (letter === 125 || letter === 93) {
      depth -= 1;
    }
  }
  return deepest;
}

/** Position of the quote that ends the string begun at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === 92) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return text.length;
}
