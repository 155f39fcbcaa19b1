/** Whether the full counts run (`npm run test:soak`). */
export const isSoak: boolean = process.env['CAIRN_SOAK'] === '1';

/** Of what is done with one seed in every `npm test`, more finds nothing that the soak does not. */
const MOST_RUNS = 5000;

/** How often to do something: `full` in the soak, a tenth of it, but no more than 5,000, in `npm test`. */
export function runsOf(full: number): number {
  return isSoak ? full : Math.min(MOST_RUNS, Math.ceil(full / 10));
}

/** The seed of a run: `CAIRN_SEED` to replay one, a fixed one otherwise. Put it in every failure. */
export function seedOf(fallback: number): number {
  const text = process.env['CAIRN_SEED'];
  return text === undefined ? fallback : Number(text);
}
