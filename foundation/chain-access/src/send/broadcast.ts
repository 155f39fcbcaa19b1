import type { Hex } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainError } from '../client/errors.ts';

/** What an endpoint said to a signed transaction. */
type BroadcastAnswer =
  | { readonly kind: 'accepted' }
  /** No answer, or one that says nothing about the transaction: it may be on its way. */
  | { readonly kind: 'unknown'; readonly error: unknown }
  /** A transaction with this nonce is in a block. */
  | { readonly kind: 'nonceUsed' }
  /** Another form with this nonce waits, and this one offers too little to replace it. */
  | { readonly kind: 'underpriced' }
  /** The account cannot pay it now. */
  | { readonly kind: 'insufficientFunds'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string };

/**
 * Hands a signed transaction to the endpoint; doing so again changes nothing.
 *
 * The codes of these errors are the same for all of them (-32000), so their texts are all there is
 * to go by; a text nobody knows counts as a refusal, which costs nothing but the nonce's place.
 *
 * @throws the signal's reason
 */
export async function broadcast(
  client: ChainClient,
  raw: Hex,
  options: CallOptions,
): Promise<BroadcastAnswer> {
  try {
    await client.sendRawTransaction(raw, options);
    return { kind: 'accepted' };
  } catch (error) {
    options.signal.throwIfAborted();
    if (!(error instanceof ChainError) || error.facts.code !== 'CHAIN_RPC_ERROR') {
      return { kind: 'unknown', error };
    }
    return classify(error.facts.rpcMessage);
  }
}

function classify(message: string): BroadcastAnswer {
  if (
    /already known|already imported|known transaction|already exists|alreadyknown/i.test(message)
  ) {
    return { kind: 'accepted' };
  }
  if (/nonce.*(too low|already)|already mined|old nonce|oldnonce/i.test(message)) {
    return { kind: 'nonceUsed' };
  }
  if (/underpriced|max fee per gas less than block base fee|fee too low|feetoolow/i.test(message)) {
    return { kind: 'underpriced' };
  }
  if (/insufficient funds|insufficient balance|insufficientfunds/i.test(message)) {
    return { kind: 'insufficientFunds', message };
  }
  if (/pool is full|txpool is full|try again|busy|timeout|internal error/i.test(message)) {
    return { kind: 'unknown', error: new Error(message) };
  }
  return { kind: 'refused', message };
}
