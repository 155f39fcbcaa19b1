import { type BlsBackend, provePossession, type SigningKey } from '@cairn/attestation';
import {
  bond,
  type HubCaller,
  ROLES,
  readStake,
  registerSigner,
  type SignerBook,
  setRoles,
  setSocket,
} from '@cairn/chain-access/da';
import { equalBytes, type Logger } from '@cairn/primitives';
import { DaNodeError } from '../node-errors.ts';

/** What joining works with. */
export interface JoinDeps extends HubCaller {
  readonly signers: Pick<SignerBook, 'refresh' | 'get'>;
  readonly key: SigningKey;
  readonly backend: Pick<BlsBackend, 'expandSignature'>;
  readonly logger: Logger;
}

/** What is to hold on chain. */
export interface Membership {
  /** Stake that is bonded, at least. */
  readonly bondWei: bigint;
  /** Where the signer is reached; at most 128 bytes. */
  readonly socket: string;
}

/**
 * Makes the account a signer: bonds what is missing, takes the role, registers the key and the
 * address. What holds already is left; a crash in between goes on where it was, and pays once.
 *
 * @throws {DaNodeError} NODE_OTHER_KEY for an account that registered another key; as `sendCall`
 */
export async function joinSigners(
  deps: JoinDeps,
  { bondWei, socket }: Membership,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const { hub, sender, key, signers, backend, logger } = deps;
  const owner = sender.address;
  const caller = { hub, sender };
  const { bondedWei, roles } = await readStake(hub, owner, { signal });
  if (bondedWei < bondWei) {
    const amountWei = bondWei - bondedWei;
    await bond(caller, amountWei, { intent: await intentOf('bond', deps, signal), signal });
    logger.info({ owner, amountWei }, 'the stake is bonded');
  }
  if ((roles & ROLES.signer) === 0) {
    const intent = await intentOf('setRoles', deps, signal);
    await setRoles(caller, roles | ROLES.signer, { intent, signal });
  }
  await signers.refresh({ signal });
  const entry = signers.get(owner);
  const registered = entry?.keys.at(-1);
  if (registered === undefined) {
    const claim = { hubChainId: hub.chainId, registry: hub.registry.address, owner };
    const possession = provePossession(key, claim);
    const registration = { publicKey: key.publicKey, possession, socket };
    await registerSigner(caller, registration, backend, { signal });
    logger.info({ owner, socket }, 'the signer is registered');
    return;
  }
  const { publicKey, fromEpoch } = registered;
  if (!equalBytes(publicKey, key.publicKey)) {
    throw new DaNodeError(
      { code: 'NODE_OTHER_KEY', signer: owner, epoch: fromEpoch },
      `${owner} registered another key than the one in keys.bls, for epoch ${fromEpoch} on`,
    );
  }
  if (entry?.socket !== socket) {
    await setSocket(caller, socket, { intent: await intentOf('setSocket', deps, signal), signal });
    logger.info({ owner, socket }, 'the address of the signer is registered');
  }
}

/** Names a call by the transactions before it: after a crash it is the same one until it is made. */
async function intentOf(
  call: string,
  { hub, sender }: Pick<JoinDeps, 'hub' | 'sender'>,
  signal: AbortSignal,
): Promise<string> {
  const sent = await hub.client.getTransactionCount(sender.address, 'latest', { signal });
  return `${call}:${hub.network.hub}:${sent}`;
}
