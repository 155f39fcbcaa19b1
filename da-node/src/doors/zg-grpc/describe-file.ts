import { create, createFileRegistry, type DescFile } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';

/** Types of fields that the services here have. */
const SCALARS = {
  bytes: FieldDescriptorProto_Type.BYTES,
  string: FieldDescriptorProto_Type.STRING,
  uint64: FieldDescriptorProto_Type.UINT64,
  int32: FieldDescriptorProto_Type.INT32,
} as const;

/**
 * Fields by name, in the order of their numbers, which count from 1 unless told: `bytes`, or
 * `message Name`, `enum Name`, `repeated bytes`, `repeated message Name`; then ` = 4` for a number of
 * its own, and ` in group` for one of those fields of which at most one is set.
 */
export type FieldTexts = Readonly<Record<string, string>>;

/** A protobuf file: what a `.proto` of syntax 3 with one service says. */
export interface FileText {
  readonly name: string;
  readonly package: string;
  readonly messages: Readonly<Record<string, FieldTexts>>;
  /** Names of values, which count from 0. */
  readonly enums: Readonly<Record<string, readonly string[]>>;
  readonly service: string;
  readonly methods: Readonly<Record<string, MethodText>>;
}

/** A method by its messages. */
export interface MethodText {
  readonly input: string;
  readonly output: string;
  /** Of which sides there may be several messages; none unless told. */
  readonly streams?: 'server' | 'both';
}

type ProtoField = {
  readonly name: string;
  readonly number: number;
  readonly label: FieldDescriptorProto_Label;
  readonly type: FieldDescriptorProto_Type;
  readonly typeName?: string;
  readonly oneofIndex?: number;
};

/**
 * The descriptor of a file that is told in a few lines. Reflection serves it as it is.
 *
 * @throws {Error} if the text names what is not there
 */
export function describeFile(text: FileText): DescFile {
  const { name, messages, enums, service, methods } = text;
  const file = create(FileDescriptorProtoSchema, {
    name,
    package: text.package,
    syntax: 'proto3',
    messageType: Object.entries(messages).map(([message, fields]) => {
      const groups = groupsOf(fields);
      return {
        name: message,
        field: fieldsOf(fields, groups, text.package),
        oneofDecl: groups.map((group) => ({ name: group })),
      };
    }),
    enumType: Object.entries(enums).map(([name, values]) => ({
      name,
      value: values.map((value, number) => ({ name: value, number })),
    })),
    service: [
      {
        name: service,
        method: Object.entries(methods).map(([method, { input, output, streams }]) => ({
          name: method,
          inputType: `.${text.package}.${input}`,
          outputType: `.${text.package}.${output}`,
          clientStreaming: streams === 'both',
          serverStreaming: streams !== undefined,
        })),
      },
    ],
  });
  const described = createFileRegistry(file, () => undefined).getFile(name);
  if (described === undefined) throw new Error(`${name} was not described`);
  return described;
}

const FIELD = /^(repeated )?(?:(message|enum) (\w+)|(\w+))(?: = (\d+))?(?: in (\w+))?$/;

function fieldsOf(
  fields: FieldTexts,
  groups: readonly string[],
  packageName: string,
): ProtoField[] {
  let last = 0;
  return Object.entries(fields).map(([name, text]) => {
    const [, repeated, kind, named = '', scalar = '', number, group] = FIELD.exec(text) ?? [];
    last = number === undefined ? last + 1 : Number(number);
    const { REPEATED, OPTIONAL } = FieldDescriptorProto_Label;
    const label = repeated === undefined ? OPTIONAL : REPEATED;
    const common = { name, number: last, label, ...groupOf(group, groups) };
    const typeName = `.${packageName}.${named}`;
    if (kind === undefined) return { ...common, type: scalarOf(scalar, name) };
    const { MESSAGE, ENUM } = FieldDescriptorProto_Type;
    return { ...common, type: kind === 'message' ? MESSAGE : ENUM, typeName };
  });
}

function groupsOf(fields: FieldTexts): readonly string[] {
  const groups = Object.values(fields).map((text) => FIELD.exec(text)?.[6]);
  return [...new Set(groups.filter((group) => group !== undefined))];
}

function groupOf(
  group: string | undefined,
  groups: readonly string[],
): { readonly oneofIndex?: number } {
  return group === undefined ? {} : { oneofIndex: groups.indexOf(group) };
}

function scalarOf(text: string, field: string): FieldDescriptorProto_Type {
  const found = Object.entries(SCALARS).find(([name]) => name === text);
  if (found === undefined) throw new Error(`the field ${field} is of no known type`);
  return found[1];
}
