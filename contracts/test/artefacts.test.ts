import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { keccak_256 } from '@noble/hashes/sha3.js';
import {
  CONTRACT_NAMES,
  EPOCH_PHASES,
  SUBMISSION_FAULTS,
  SUBMIT_EVENT_TOPIC,
  SUBMIT_SELECTOR,
  VOID_REASONS,
} from '../src/constants.ts';
import {
  chunkDecayRewardAbi,
  chunkDecayRewardBytecode,
} from '../src/generated/chunk-decay-reward.ts';
import {
  chunkLinearRewardAbi,
  chunkLinearRewardBytecode,
} from '../src/generated/chunk-linear-reward.ts';
import { daEntranceAbi, daEntranceBytecode } from '../src/generated/da-entrance.ts';
import { daMiningAbi, daMiningBytecode } from '../src/generated/da-mining.ts';
import { directoryAbi } from '../src/generated/directory.ts';
import { epochMirrorAbi, epochMirrorBytecode } from '../src/generated/epoch-mirror.ts';
import { flowAbi, flowBytecode } from '../src/generated/flow.ts';
import { jobBoardAbi, jobBoardBytecode } from '../src/generated/job-board.ts';
import {
  nitroCertificateValidatorAbi,
  nitroCertificateValidatorBytecode,
} from '../src/generated/nitro-certificate-validator.ts';
import { orderingHubAbi, orderingHubBytecode } from '../src/generated/ordering-hub.ts';
import { poraMineAbi, poraMineBytecode } from '../src/generated/pora-mine.ts';
import { possessionAbi, possessionBytecode } from '../src/generated/possession.ts';
import { priceMarketAbi } from '../src/generated/price-market.ts';
import { quorumVerifierAbi, quorumVerifierBytecode } from '../src/generated/quorum-verifier.ts';
import { randaoEntropyAbi } from '../src/generated/randao-entropy.ts';
import { signerRegistryAbi, signerRegistryBytecode } from '../src/generated/signer-registry.ts';
import { slasherAbi, slasherBytecode } from '../src/generated/slasher.ts';
import { sortitionAbi, sortitionBytecode } from '../src/generated/sortition.ts';
import { stakeGovernorBytecode } from '../src/generated/stake-governor.ts';
import { stakeHubAbi, stakeHubBytecode } from '../src/generated/stake-hub.ts';
import { timelockBytecode } from '../src/generated/timelock.ts';

/** What the tests read of an ABI entry or parameter. */
interface AbiPart {
  readonly type: string;
  readonly name?: string;
  readonly indexed?: boolean;
  readonly stateMutability?: string;
  readonly inputs?: readonly AbiPart[];
  readonly outputs?: readonly AbiPart[];
  readonly components?: readonly AbiPart[];
}

/** Functions of the official flow that clients, nodes and miners call: selector, signature, result. */
const OFFICIAL_FLOW = `
  bc8c11f8 submit(((uint256,bytes,(bytes32,uint256)[]),address)) uint256,bytes32,uint256,uint256
  49aa3395 batchSubmit(((uint256,bytes,(bytes32,uint256)[]),address)[]) uint256[],bytes32[],uint256[],uint256[]
  80f55605 market() address
  fd54b228 tree() uint256,uint256
  b8a409ac submissionIndex() uint256
  77e19824 numSubmissions() uint256
  900cf0cf epoch() uint256
  93e405a0 epochStartPosition() uint256
  231b0268 firstBlock() uint256
  f0682054 blocksPerEpoch() uint256
  9bbbfdbb deployDelay() uint256
  c7dd5221 rootHistory() address
  127f0f07 getContext() (uint256,uint256,bytes32,uint256,bytes32,bytes32)
  7d590708 getEpochRange(bytes32) (uint128,uint128)
  4282b532 getEpochRangeHistory(uint256) (uint128,uint128,bytes32)
  6d7ad0fc getFlowRootByTxSeq(uint256) bytes32
  1deb0fca computeFlowRoot() bytes32
  38d45e10 makeContext()
  18a641ef makeContextFixedTimes(uint256)
  b464b53e makeContextWithResult() (uint256,uint256,bytes32,uint256,bytes32,bytes32)
  31bae174 queryContextAtPosition(uint128) (uint128,uint128,bytes32)
  8456cb59 pause()
  3f4ba83a unpause()
  5c975abb paused() bool`;

/** The same for the official market. */
const OFFICIAL_MARKET = `
  61ec5082 pricePerSector() uint256
  14aa90a1 setPricePerSector(uint256)
  da6eb36a chargeFee(uint256,uint256,uint256)`;

/** The same for the official mine. */
const OFFICIAL_MINE = `
  ae722e82 submit((bytes32,bytes32,bytes32,(uint256,uint256,uint64,uint64),uint256,uint256,bytes32,bytes32[128],bytes32[]))
  296beba7 computeWorkerContext(bytes32) ((uint256,uint256,bytes32,uint256,bytes32,bytes32),uint256,bytes32,uint64)
  047c13f5 requestMinerId(address,uint64) bytes32
  b0628ee0 transferBeneficial(address,bytes32)
  ffbc9bd0 canSubmit() bool
  e282e27b poraVersion() uint64
  39cd53ee beneficiaries(bytes32) address
  48f61441 poraTarget() uint256
  78203ab6 getSubtaskDigest((uint256,uint256,bytes32,uint256,bytes32,bytes32),bytes32) bytes32
  3baebb75 basicCheck((bytes32,bytes32,bytes32,(uint256,uint256,uint64,uint64),uint256,uint256,bytes32,bytes32[128],bytes32[]),(uint256,uint256,bytes32,uint256,bytes32,bytes32))
  c10a7297 computeWorkerContextCaller() address
  1600c624 setTargetMineBlocks(uint256)
  5bdca855 setTargetSubmissions(uint256)
  704d3c96 setDifficultyAdjustRatio(uint256)
  2a02573b setMaxShards(uint64)
  ad08fdfb setMinDifficulty(uint256)
  0c655e1f setNumSubtasks(uint256)
  84f96bb6 setSubtaskInterval(uint256)
  8c0bca06 pora((bytes32,bytes32,bytes32,(uint256,uint256,uint64,uint64),uint256,uint256,bytes32,bytes32[128],bytes32[]),bytes32) bytes32`;

/** The same for the official reward. */
const OFFICIAL_REWARD = `
  b7a3c04c claimMineReward(uint256,address,bytes32)
  59e96700 fillReward(uint256,uint256)
  f301af42 rewards(uint256) (uint128,uint128,uint128,uint40,uint40)
  0a539a19 rewardDeadline(uint256) uint256
  b3b30c1a firstRewardableChunk() uint64,uint256
  ed88c68e donate()
  0373a23a setBaseReward(uint256)
  9b1d3091 setServiceFeeRate(uint256)
  f0f44260 setTreasury(address)
  e2982c21 payments(address) uint256
  31b3eb94 withdrawPayments(address)`;

/** What an Arbitrum chain's one-step proof calls. */
const CERTIFICATE_VALIDATOR = `
  08273c74 validateReadPreimage(bytes32,uint256,bytes) bytes
  e667d8aa validateCertificate(bytes) bool`;

describe('contract artefacts', () => {
  it('fit the size limit of deployed code', () => {
    // The creation code holds the deployed code, so 24,576 bytes of it are enough.
    const stake = [stakeHubBytecode, signerRegistryBytecode, sortitionBytecode, slasherBytecode];
    const blobs = [daEntranceBytecode, daMiningBytecode, quorumVerifierBytecode];
    const doors = [nitroCertificateValidatorBytecode];
    const rewards = [chunkLinearRewardBytecode, chunkDecayRewardBytecode];
    const mining = [poraMineBytecode, possessionBytecode, ...rewards];
    const shards = [orderingHubBytecode, epochMirrorBytecode];
    const governance = [stakeGovernorBytecode, timelockBytecode];
    const others = [...doors, ...shards, ...governance, jobBoardBytecode];
    for (const bytecode of [flowBytecode, ...mining, ...stake, ...blobs, ...others]) {
      assert.ok(bytecode.length / 2 - 1 < 24_576);
    }
  });

  it('keep every selector and result of the official flow', () => {
    assertFunctions(flowAbi, OFFICIAL_FLOW);
  });

  it('keep the selectors and results of the official market', () => {
    assertFunctions(priceMarketAbi, OFFICIAL_MARKET);
  });

  it('keep the selectors and results of the official mine and reward', () => {
    assertFunctions(poraMineAbi, OFFICIAL_MINE);
    assertFunctions(chunkLinearRewardAbi, OFFICIAL_REWARD);
  });

  it('keep the selectors and results that provers of Arbitrum chains call', () => {
    assertFunctions(nitroCertificateValidatorAbi, CERTIFICATE_VALIDATOR);
  });

  it('keep the event topics and which fields are indexed', () => {
    assert.equal(topicOf(flowAbi, 'Submit'), SUBMIT_EVENT_TOPIC);
    assert.equal(
      topicOf(flowAbi, 'NewEpoch'),
      '0xbc8a3fd82465d43f1709e44ed882f7e1af0147274196ef1ec009f5d52ff4e993',
    );
    assert.deepEqual(indexedOf('Submit'), ['sender', 'identity']);
    assert.deepEqual(indexedOf('NewEpoch'), ['sender', 'index']);
    for (const [abi, name, topic] of [
      [poraMineAbi, 'NewMinerId', '0xbfeb006f'],
      [poraMineAbi, 'UpdateMinerId', '0x9a26a8e7'],
      [poraMineAbi, 'NewSubmission', '0xfedd8f58'],
      [chunkLinearRewardAbi, 'DistributeReward', '0xf099de0c'],
    ] as const) {
      assert.equal(topicOf(abi, name).slice(0, 10), topic, name);
    }
  });

  it('keep the selectors of errors that clients know', () => {
    const selectors = entriesOf(flowAbi, 'error').map((error) => selectorOf(signatureOf(error)));
    for (const known of ['f85c6482', 'd93c0665']) assert.ok(selectors.includes(known), known);
  });

  // A call added here needs an answer to "who may make it, and what if they do": see Roles.t.sol.
  it('change state in no other calls than these', () => {
    const administered = ['acceptAdmin()', 'transferAdmin(address)'];
    assert.deepEqual(changingCalls(flowAbi), [
      'acceptAdmin()',
      'batchSubmit(((uint256,bytes,(bytes32,uint256)[]),address)[])',
      'makeContext()',
      'makeContextFixedTimes(uint256)',
      'makeContextWithResult()',
      'pause()',
      'queryContextAtPosition(uint128)',
      'submit(((uint256,bytes,(bytes32,uint256)[]),address))',
      'transferAdmin(address)',
      'unpause()',
    ]);
    const market = ['chargeFee(uint256,uint256,uint256)', 'setPricePerSector(uint256)'];
    assert.deepEqual(changingCalls(priceMarketAbi), [...administered, ...market].toSorted());
    const directory = ['set(bytes32,address)'];
    assert.deepEqual(changingCalls(directoryAbi), [...administered, ...directory].toSorted());
  });

  // See PoraMine.t.sol, MiningSchedule.t.sol and Rewards.t.sol.
  it('mine and pay for mining in no other calls than these', () => {
    assert.deepEqual(namesOf(changingCalls(poraMineAbi)), [
      'acceptAdmin',
      'canSubmit',
      'computeWorkerContext',
      'requestMinerId',
      'setDifficultyAdjustRatio',
      'setMaxShards',
      'setMinDifficulty',
      'setNumSubtasks',
      'setSubtaskInterval',
      'setTargetMineBlocks',
      'setTargetSubmissions',
      'submit',
      'transferAdmin',
      'transferBeneficial',
    ]);
    const reward = [
      'acceptAdmin',
      'claimMineReward',
      'donate',
      'fillReward',
      'setBaseReward',
      'setServiceFeeRate',
      'setTreasury',
      'transferAdmin',
      'withdrawPayments',
    ];
    assert.deepEqual(namesOf(changingCalls(chunkDecayRewardAbi)), reward);
    const linear = [...reward, 'renew'].toSorted();
    assert.deepEqual(namesOf(changingCalls(chunkLinearRewardAbi)), linear);
  });

  // See Possession.t.sol.
  it('hold providers to their duties in no other calls than these', () => {
    assert.deepEqual(namesOf(changingCalls(possessionAbi)), [
      'add',
      'anchor',
      'answer',
      'close',
      'fund',
      'open',
      'openPeriod',
      'refundClosed',
      'refundLapsed',
      'release',
      'reportMissed',
      'requestClose',
      'start',
      'withdrawPayments',
    ]);
  });

  // See StakeHub.t.sol, SignerRegistry.t.sol, Sortition.t.sol and Slasher.t.sol.
  it('change stake, keys and epochs in no other calls than these', () => {
    const administered = ['acceptAdmin()', 'transferAdmin(address)'];
    const owners = ['bond()', 'collectReward()', 'rejoin()', 'requestUnbond(uint128)'];
    const named = ['setClock(address)', 'setModule(address,bool)', 'setRoles(uint32)'];
    const judged = [
      'freeze(address,bytes32,uint64)',
      'jail(address,uint32)',
      'release(address,uint128,bytes32)',
      'reserve(address,uint128,bytes32)',
      'slash(address,uint16,bytes32,address)',
      'unfreeze(address,bytes32)',
      'withdraw()',
    ];
    const stake = [...administered, ...owners, ...named, ...judged].toSorted();
    assert.deepEqual(changingCalls(stakeHubAbi), stake);
    assert.deepEqual(changingCalls(signerRegistryAbi), [
      'register(uint256[4],uint256[8],string)',
      'rotateKey(uint256[4],uint256[8])',
      'setSocket(string)',
    ]);
    const epochs = [
      'drawFirstSeed(bytes)',
      'reportMissed(address,uint64)',
      'restart(uint64)',
      'seal(bytes)',
      'submitTickets(address[],uint256[8][])',
    ];
    assert.deepEqual(changingCalls(sortitionAbi), [...administered, ...epochs].toSorted());
    assert.deepEqual(namesOf(changingCalls(slasherAbi)), [
      'slashCheckpoint',
      'slashDA',
      'slashFromCertificates',
      'slashHandover',
    ]);
    assert.deepEqual(changingCalls(randaoEntropyAbi), []);
  });

  // See DAIntake.t.sol, DABatches.t.sol, DAPromises.t.sol, DARewards.t.sol and DALottery.t.sol.
  it('order checkpoints and follow epochs in no other calls than these', () => {
    assert.deepEqual(namesOf(changingCalls(orderingHubAbi)), [
      ...['acceptAdmin', 'addShard', 'anchorOrder', 'changeShard'],
      ...['submitBundle', 'submitBundleReduced', 'transferAdmin'],
    ]);
    assert.deepEqual(namesOf(changingCalls(epochMirrorAbi)), [
      ...['acceptAdmin', 'acceptEpoch', 'acceptHubCheckpoint', 'acceptHubCheckpointReduced'],
      ...['anchor', 'reduce', 'transferAdmin'],
    ]);
  });

  it('take jobs and their results in no other calls than these', () => {
    assert.deepEqual(namesOf(changingCalls(jobBoardAbi)), [
      ...['complete', 'post', 'take', 'withdraw', 'withdrawPayments'],
    ]);
  });

  it('take blobs, certificates and fees in no other calls than these', () => {
    assert.deepEqual(namesOf(changingCalls(daEntranceAbi)), [
      'acceptAdmin',
      'confirmBatch',
      'confirmPromised',
      'confirmReduced',
      'deposit',
      'openEpoch',
      'releaseFees',
      'requestWithdraw',
      'setPrices',
      'submitBlobs',
      'transferAdmin',
      'withdraw',
    ]);
    assert.deepEqual(namesOf(changingCalls(daMiningAbi)), [
      'claim',
      'claimServed',
      'confirmReport',
      'fixPools',
      'openPeriod',
      'payTreasury',
      'publishArcs',
      'receiveFees',
      'recycle',
    ]);
    assert.deepEqual(namesOf(changingCalls(quorumVerifierAbi)), ['reduce']);
  });

  it('announce blobs as nodes read them', () => {
    const [announced] = entriesOf(daEntranceAbi, 'event').filter(
      ({ name }) => name === 'BlobSubmitted',
    );
    assert.ok(announced);
    assert.equal(
      signatureOf(announced),
      'BlobSubmitted(uint64,address,uint64,uint32,bytes32,uint64,bytes,uint64)',
    );
  });
});

describe('contract constants', () => {
  it('name the submit selector of the ABI', () => {
    const submit = entriesOf(flowAbi, 'function').find((entry) => entry.name === 'submit');
    assert.ok(submit);
    assert.equal(`0x${selectorOf(signatureOf(submit))}`, SUBMIT_SELECTOR);
  });

  it('encode Directory names as their ASCII bytes, left-aligned', () => {
    for (const [name, encoded] of Object.entries(CONTRACT_NAMES)) {
      assert.equal(encoded, `0x${Buffer.from(name, 'ascii').toString('hex').padEnd(64, '0')}`);
    }
  });

  it('list the members of Solidity enums in their order', () => {
    assert.deepEqual(SUBMISSION_FAULTS, membersOf('log/FlowTypes.sol', 'SubmissionFault'));
    assert.deepEqual(EPOCH_PHASES, membersOf('stake/SortitionTypes.sol', 'Phase'));
    assert.deepEqual(VOID_REASONS, membersOf('da/BlobTypes.sol', 'VoidReason'));
  });
});

/** Members of a Solidity enum in camelCase. */
function membersOf(path: string, name: string): string[] {
  const source = readFileSync(new URL(`../src/${path}`, import.meta.url), 'utf8');
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(source)?.[1] ?? '';
  const members = [...body.matchAll(/^\s*([A-Z]\w*)/gm)].map((match) => match[1] ?? '');
  return members.map((member) => member.charAt(0).toLowerCase() + member.slice(1));
}

function assertFunctions(abi: readonly AbiPart[], table: string): void {
  const actual = new Map(
    entriesOf(abi, 'function').map((entry) => [signatureOf(entry), typesOf(entry.outputs)]),
  );
  for (const line of table.trim().split('\n')) {
    const [selector, signature, result = ''] = line.trim().split(' ');
    assert.ok(selector && signature);
    assert.equal(selectorOf(signature), selector, signature);
    assert.equal(actual.get(signature), result, signature);
  }
}

function entriesOf(abi: readonly AbiPart[], type: string): AbiPart[] {
  return abi.filter((entry) => entry.type === type);
}

/** Signatures of the functions that are neither view nor pure, sorted. */
function changingCalls(abi: readonly AbiPart[]): string[] {
  return entriesOf(abi, 'function')
    .filter(({ stateMutability }) => stateMutability !== 'view' && stateMutability !== 'pure')
    .map(signatureOf)
    .toSorted();
}

/** Signatures without their parameters. */
function namesOf(signatures: readonly string[]): string[] {
  return signatures.map((signature) => signature.slice(0, signature.indexOf('(')));
}

function topicOf(abi: readonly AbiPart[], name: string): string {
  const event = entriesOf(abi, 'event').find((entry) => entry.name === name);
  assert.ok(event);
  return `0x${keccakHex(signatureOf(event))}`;
}

function indexedOf(name: string): (string | undefined)[] {
  const event = entriesOf(flowAbi, 'event').find((entry) => entry.name === name);
  return (event?.inputs ?? []).filter((input) => input.indexed).map((input) => input.name);
}

function signatureOf(entry: AbiPart): string {
  return `${entry.name}(${typesOf(entry.inputs)})`;
}

/** Canonical types, tuples written out. */
function typesOf(parts: readonly AbiPart[] = []): string {
  return parts
    .map(({ type, components }) =>
      components ? type.replace('tuple', `(${typesOf(components)})`) : type,
    )
    .join(',');
}

function selectorOf(signature: string): string {
  return keccakHex(signature).slice(0, 8);
}

function keccakHex(text: string): string {
  return Buffer.from(keccak_256(new TextEncoder().encode(text))).toString('hex');
}
