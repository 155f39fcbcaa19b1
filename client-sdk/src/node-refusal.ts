import { Fault } from '@cairn/primitives';
import type { Problem } from '@cairn/wire-protocol';

/** What a node of ours said no to, in its own code. */
export type NodeRefusalFault = {
  readonly code: 'SDK_NODE_REFUSED';
  readonly url: string;
  readonly status: number;
  /** The node's code, for instance `SEGMENT_NOT_OWNED`. */
  readonly nodeCode: string;
  readonly retry: Problem['retry'];
};

/** A node understood the request and refused it. */
export class NodeRefusal extends Fault<NodeRefusalFault> {
  constructor(url: string, { status, code, retry, detail }: Problem) {
    super(
      { code: 'SDK_NODE_REFUSED', url, status, nodeCode: code, retry },
      `${url} refuses (${code}): ${detail}`,
    );
  }
}
