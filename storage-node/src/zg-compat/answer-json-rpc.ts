import type { Json } from '@cairn/primitives';
import {
  answerJsonRpcBody,
  type JsonRpcAnswer,
  type JsonRpcAnswerDeps,
} from '@cairn/wire-protocol';
import { ZgParameters } from './parameters.ts';

/** One method of a JSON-RPC interface. */
export interface JsonRpcMethod {
  /** Parameters it takes at most; whether fewer will do is the method's own matter. */
  readonly parameters: number;
  /** @throws {RpcError} to be answered as it is; any other fault becomes -32000 with its sentence */
  run(
    parameters: ZgParameters,
    context: { readonly signal: AbortSignal },
  ): Promise<Json | undefined>;
}

/** Methods by name. */
export type JsonRpcMethods = Readonly<Record<string, JsonRpcMethod>>;

/** What answering needs. */
export interface JsonRpcDeps extends Omit<JsonRpcAnswerDeps, 'handlers'> {
  readonly methods: JsonRpcMethods;
}

/** Answers a JSON-RPC body as 0G nodes do. @throws the signal's reason */
export function answerJsonRpc(
  body: Uint8Array,
  { methods, ...deps }: JsonRpcDeps,
  signal: AbortSignal,
): Promise<JsonRpcAnswer> {
  const handlers = Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      async (
        { params }: { readonly params: readonly unknown[] },
        context: { readonly signal: AbortSignal },
      ) => method.run(new ZgParameters(params, method.parameters), context),
    ]),
  );
  return answerJsonRpcBody(body, { ...deps, handlers }, signal);
}
