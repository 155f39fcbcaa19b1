import { StreamReads, type StreamState } from '@cairn/kv-layer';

/** The state that answers now, and reads of it: another one may take its place at any time. */
export class Answers {
  readonly #current: () => StreamState;
  #reads: { readonly state: StreamState; readonly reads: StreamReads } | undefined;

  constructor(current: () => StreamState) {
    this.#current = current;
  }

  get state(): StreamState {
    return this.#current();
  }

  get reads(): StreamReads {
    const { state } = this;
    if (this.#reads?.state !== state) this.#reads = { state, reads: new StreamReads(state) };
    return this.#reads.reads;
  }
}
