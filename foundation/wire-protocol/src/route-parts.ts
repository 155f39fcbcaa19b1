import Type, { type TSchema } from 'typebox';
import { PROBLEM_TYPE } from './fault-table.ts';

/** A JSON Schema, as OpenAPI documents hold it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One kind of answer of a route. */
export interface RouteReply {
  readonly description: string;
  /** Content type and, for JSON, its schema; none for answers without a body. */
  readonly content?: { readonly type: string; readonly schema?: JsonSchema };
}

/** An HTTP route, described once for the server, the client and the documentation. */
export interface HttpRoute {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST';
  /** Path with `{name}` for parameters; `{path}` at the end may hold slashes. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  /** Schema of the path's parameters. */
  readonly params?: JsonSchema;
  readonly query?: JsonSchema;
  /** Content type and bound of the body. */
  readonly body?: { readonly type: string; readonly maxBytes: number };
  readonly replies: Readonly<Record<number, RouteReply>>;
}

/** A JSON reply. */
export function json(description: string, schema: JsonSchema): RouteReply {
  return { description, content: { type: 'application/json', schema } };
}

/** A reply of bytes. */
export function binary(description: string, type: string): RouteReply {
  return { description, content: { type } };
}

/** Problems with these statuses. */
export function problems(...statuses: readonly number[]): Record<number, RouteReply> {
  const schema = plain(
    Type.Object({
      type: Type.String(),
      title: Type.String(),
      status: Type.Integer(),
      detail: Type.String(),
      code: Type.String(),
      retry: Type.Union([Type.Literal('never'), Type.Literal('later'), Type.Literal('elsewhere')]),
    }),
  );
  const reply = { description: 'what went wrong', content: { type: PROBLEM_TYPE, schema } };
  return Object.fromEntries(statuses.map((status) => [status, reply]));
}

/** The schema without typebox's hidden marks. */
export function plain(schema: TSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema)) as JsonSchema;
}
