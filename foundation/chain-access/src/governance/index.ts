/** How a network decides: proposals that stake votes on, and the timelock that does what passed. */

export {
  describeGovernedCall,
  type NamedContracts,
  parseGovernedCall,
} from './describe-call.ts';
export { GovernanceError, type GovernanceFault } from './errors.ts';
export {
  castVote,
  executeProposal,
  type GovernanceCaller,
  ownDescription,
  proposalIdOf,
  propose,
  queueProposal,
  readableDescription,
  type Support,
  type Wish,
} from './governance-calls.ts';
export { type Governance, openGovernance } from './open-governance.ts';
export {
  addShardCall,
  firstCheckpointAfter,
  type ModuleChange,
  readNamedContracts,
  setModuleCalls,
} from './proposed-calls.ts';
export {
  type GovernedCall,
  type Proposal,
  type ProposalState,
  type ProposalsOptions,
  type Proposed,
  readProposal,
  readProposalState,
  readProposals,
} from './read-proposals.ts';
