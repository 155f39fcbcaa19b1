import { SecondaryIndexes, StreamReads, type StreamState } from '@cairn/kv-layer';

/** The state that answers now, and reads of it: another one may take its place at any time. */
export class Answers {
  readonly #current: () => StreamState;
  #reads:
    | {
        readonly state: StreamState;
        readonly reads: StreamReads;
        readonly indexes: SecondaryIndexes;
      }
    | undefined;

  constructor(current: () => StreamState) {
    this.#current = current;
  }

  get state(): StreamState {
    return this.#current();
  }

  get reads(): StreamReads {
    return this.#ofState().reads;
  }

  /** Indexes that streams declare; one for a state, since it builds them. */
  get indexes(): SecondaryIndexes {
    return this.#ofState().indexes;
  }

  #ofState(): { readonly reads: StreamReads; readonly indexes: SecondaryIndexes } {
    const { state } = this;
    if (this.#reads?.state !== state) {
      const reads = new StreamReads(state);
      this.#reads = { state, reads, indexes: new SecondaryIndexes(state, reads) };
    }
    return this.#reads;
  }
}
