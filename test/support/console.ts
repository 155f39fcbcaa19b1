// Peers that print every step drown the report: their words are held back while a test runs.
// biome-ignore-all lint/suspicious/noConsole: this file is about the console
const print = { log: console.log, error: console.error, info: console.info, warn: console.warn };

/** Makes the console say nothing until `restoreConsole`. */
export function silenceConsole(): void {
  const nothing = (): void => undefined;
  Object.assign(console, { log: nothing, error: nothing, info: nothing, warn: nothing });
}

/** Gives the console its voice back. */
export function restoreConsole(): void {
  Object.assign(console, print);
}
