import { type DescFile, type Message, toBinary } from '@bufbuild/protobuf';
import { type GenMessage, type GenService, serviceDesc } from '@bufbuild/protobuf/codegenv2';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Code, type ServiceImpl } from '@connectrpc/connect';
import { describeFile } from './describe-file.ts';
import type { Described } from './disperser-messages.ts';

type Question =
  | { case: 'fileByFilename' | 'fileContainingSymbol'; value: string }
  | { case: 'allExtensionNumbersOfType' | 'listServices'; value: string }
  | { case: 'fileContainingExtension'; value: Message }
  | { case: undefined; value?: undefined };
type Answer =
  | { case: 'fileDescriptorResponse'; value: Message & { fileDescriptorProto: Uint8Array[] } }
  | { case: 'listServicesResponse'; value: Message & { service: ServiceName[] } }
  | { case: 'errorResponse'; value: Message & { errorCode: number; errorMessage: string } }
  | { case: undefined; value?: undefined };
type ServiceName = Message & { name: string };
type Request = Message & { host: string; messageRequest: Question };
type Reply = Message & {
  validHost: string;
  originalRequest?: Request;
  messageResponse: Answer;
};

/** The only method of server reflection. */
export type ReflectionMethods = {
  serverReflectionInfo: {
    methodKind: 'bidi_streaming';
    input: GenMessage<Request>;
    output: GenMessage<Reply>;
  };
};

/** Versions of the reflection service; they differ in the name alone. */
export type ReflectionVersion = 'v1' | 'v1alpha';

/** The service by which tools such as grpcurl learn what a server speaks. */
export function describeReflection(
  version: ReflectionVersion,
): Described<GenService<ReflectionMethods>> {
  const file = describeFile({
    name: `grpc/reflection/${version}/reflection.proto`,
    package: `grpc.reflection.${version}`,
    messages: {
      ServerReflectionRequest: {
        host: 'string',
        file_by_filename: 'string = 3 in message_request',
        file_containing_symbol: 'string in message_request',
        file_containing_extension: 'message ExtensionRequest in message_request',
        all_extension_numbers_of_type: 'string in message_request',
        list_services: 'string in message_request',
      },
      ExtensionRequest: { containing_type: 'string', extension_number: 'int32' },
      ServerReflectionResponse: {
        valid_host: 'string',
        original_request: 'message ServerReflectionRequest',
        file_descriptor_response: 'message FileDescriptorResponse = 4 in message_response',
        all_extension_numbers_response: 'message ExtensionNumberResponse in message_response',
        list_services_response: 'message ListServiceResponse in message_response',
        error_response: 'message ErrorResponse in message_response',
      },
      FileDescriptorResponse: { file_descriptor_proto: 'repeated bytes' },
      ExtensionNumberResponse: { base_type_name: 'string', extension_number: 'repeated int32' },
      ListServiceResponse: { service: 'repeated message ServiceResponse' },
      ServiceResponse: { name: 'string' },
      ErrorResponse: { error_code: 'int32', error_message: 'string' },
    },
    enums: {},
    service: 'ServerReflection',
    methods: {
      ServerReflectionInfo: {
        input: 'ServerReflectionRequest',
        output: 'ServerReflectionResponse',
        streams: 'both',
      },
    },
  });
  return { file, service: serviceDesc<ReflectionMethods>(file, 0) };
}

/** Questions of one stream that are answered; the client may open another. */
const MAX_QUESTIONS = 256;

/** Answers what the files are and which services are in them; none has extensions. */
export function reflectionCalls(
  files: readonly DescFile[],
): ServiceImpl<GenService<ReflectionMethods>> {
  return {
    serverReflectionInfo: async function* (questions) {
      let asked = 0;
      for await (const question of questions) {
        yield {
          validHost: question.host,
          originalRequest: question,
          messageResponse: answerTo(question.messageRequest, files),
        };
        asked += 1;
        if (asked === MAX_QUESTIONS) return;
      }
    },
  };
}

type AnswerInit =
  | { case: 'fileDescriptorResponse'; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: 'listServicesResponse'; value: { service: { name: string }[] } }
  | { case: 'errorResponse'; value: { errorCode: number; errorMessage: string } };

function answerTo(question: Question, files: readonly DescFile[]): AnswerInit {
  switch (question.case) {
    case 'listServices': {
      const service = files.flatMap((file) =>
        file.services.map(({ typeName: name }) => ({ name })),
      );
      return { case: 'listServicesResponse', value: { service } };
    }
    case 'fileByFilename':
      return fileAnswer(files.find(({ proto }) => proto.name === question.value));
    case 'fileContainingSymbol':
      return fileAnswer(files.find((file) => symbolsOf(file).includes(question.value)));
    case 'fileContainingExtension':
    case 'allExtensionNumbersOfType':
    case undefined:
      return refusal(Code.NotFound, 'nothing here has extensions');
  }
}

function fileAnswer(file: DescFile | undefined): AnswerInit {
  if (file === undefined) return refusal(Code.NotFound, 'no file here has that');
  const fileDescriptorProto = [toBinary(FileDescriptorProtoSchema, file.proto)];
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function symbolsOf({ messages, enums, services }: DescFile): readonly string[] {
  const methods = services.flatMap(({ typeName, methods: all }) =>
    all.map(({ name }) => `${typeName}.${name}`),
  );
  return [...messages, ...enums, ...services].map(({ typeName }) => typeName).concat(methods);
}

function refusal(errorCode: number, errorMessage: string): AnswerInit {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}
