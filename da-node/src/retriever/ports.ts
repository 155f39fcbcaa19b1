import type { Root } from '@cairn/primitives';
import type { HeldBlob, RowForm } from '@cairn/wire-protocol/da';

/** Rows asked of one signer at a time. */
export interface RowRequest {
  readonly commitment: Root;
  /** At most 256, and no more than fit into a reply of 1 MiB. */
  readonly indexes: readonly number[];
  readonly form: RowForm;
}

/** The signers' doors for readers. What comes from them is not proven. */
export interface RowPeers {
  /** What a signer says it holds of a blob; `undefined` if it says that it keeps no row. */
  held(
    socket: string,
    commitment: Root,
    options: { readonly signal: AbortSignal },
  ): Promise<HeldBlob | undefined>;
  /** Row messages of the codec, for those of the rows that the signer holds and sends at once. */
  rows(
    socket: string,
    request: RowRequest,
    options: { readonly signal: AbortSignal },
  ): Promise<readonly Uint8Array[]>;
}
