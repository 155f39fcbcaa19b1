/** The keys a text may have meant: `did you mean "port"?`, or the whole list if it is short. */
export function suggestionFor(
  text: string,
  known: readonly string[],
  show: (key: string) => string = (key) => key,
): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const key of known) {
    const distance = editDistance(text.toLowerCase(), key.toLowerCase());
    if (distance < bestDistance) {
      best = key;
      bestDistance = distance;
    }
  }
  if (best !== undefined && bestDistance <= Math.max(2, Math.floor(best.length / 3))) {
    return `did you mean "${show(best)}"?`;
  }
  if (known.length === 0 || known.length > 12) return undefined;
  return `known here: ${known.map(show).join(', ')}`;
}

/** Longest text compared: the cost grows with the product of the lengths. */
const MAX_COMPARED = 100;

/** Letters to insert, drop or replace to get from one text to the other (Levenshtein). */
export function editDistance(left: string, right: string): number {
  const from = left.slice(0, MAX_COMPARED);
  const to = right.slice(0, MAX_COMPARED);
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
