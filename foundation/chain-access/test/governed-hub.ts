import { silentLogger } from '@cairn/primitives';
import { deployContracts } from '../src/deploy/deploy-contracts.ts';
import { deployGovernance, type GovernanceParams } from '../src/deploy/deploy-governance.ts';
import type { DeployedContracts } from '../src/deploy/deployment.ts';
import { parseGovernedCall } from '../src/governance/describe-call.ts';
import { type Governance, openGovernance } from '../src/governance/open-governance.ts';
import { signerFromKey } from '../src/keys/signer.ts';
import { ANVIL_KEYS, testSignal } from './anvil.ts';
import type { DaNetwork } from './da-network.ts';
import { senderOn } from './shard-network.ts';

/** A hub whose contracts a timelock administers, under the votes of its signers. */
export interface GovernedHub {
  readonly governance: Governance;
  /** A log on the hub's chain, and the Directory that names everything. */
  readonly log: DeployedContracts;
}

/** Names the contracts of a hub in a Directory, and hands every role to who votes. */
export async function governHub(hub: DaNetwork, params: GovernanceParams): Promise<GovernedHub> {
  const options = { signal: testSignal() };
  const { client } = hub.anvil;
  const signer = signerFromKey(ANVIL_KEYS[0]);
  const place = { client, signer, logger: silentLogger(), pollMs: 5 };
  const made = await deployContracts({ ...place, params: { pricePerSectorWei: 1000n } }, options);
  const { directory } = made.contracts;
  const sender = senderOn(hub.anvil, hub.hub.chainId, signer);
  const named = new Map([['directory', directory]]);
  const { stakeHub } = hub.deployment.contracts;
  for (const [name, address] of Object.entries(hub.deployment.contracts)) {
    const text = `directory.set(${name}, ${address})`;
    const { target: to, data, valueWei } = parseGovernedCall(text, named);
    await sender.send({ intent: text, to, data, valueWei }, options);
  }
  const proposer = { stakeHub };
  const { stakeGovernor } = await deployGovernance(
    { ...place, params, proposer, directory },
    options,
  );
  if (stakeGovernor === undefined) throw new Error('unreachable: a hub has a governor');
  const governance = await openGovernance({ client, governor: stakeGovernor }, options);
  return { governance, log: made.contracts };
}
