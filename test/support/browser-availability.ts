// What a page runs to ask nodes for a file: bundled for the browser by test/journeys/browser-availability.test.ts.
import { signerFromKey } from '@cairn/chain-access';
import { createClient, type SignedScore, signScore } from '@cairn/client-sdk';
import { fromHex } from '@cairn/primitives';

/** What a page is told to ask. */
export interface PageQuestion {
  readonly root: string;
  readonly nodes: readonly string[];
  readonly samples: number;
  /** 32 bytes as hex. */
  readonly seed: string;
  readonly answerMs: number;
  /** 64 hex digits: vouches for the score. */
  readonly key: string;
}

/** Asks as any page may, across origins, and signs what came of it. */
export async function proveInPage(question: PageQuestion): Promise<SignedScore> {
  const { root, nodes, samples, seed, answerMs, key } = question;
  const client = createClient({ nodes });
  try {
    const asked = { nodes, samples, answerMs, seed: fromHex(seed) };
    const score = await client.files.proveAvailability(root, asked);
    return signScore(score, signerFromKey(key));
  } finally {
    await client.close();
  }
}

Object.assign(globalThis, { proveInPage });
