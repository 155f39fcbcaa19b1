import type { Message } from '@bufbuild/protobuf';
import { type GenMessage, type GenService, serviceDesc } from '@bufbuild/protobuf/codegenv2';
import type { HealthReport } from '@cairn/node-runtime/http';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import { describeFile } from './describe-file.ts';
import type { Described } from './disperser-messages.ts';

type HealthCheckRequest = Message<'grpc.health.v1.HealthCheckRequest'> & { service: string };
type HealthCheckResponse = Message<'grpc.health.v1.HealthCheckResponse'> & { status: number };

/** The methods of `grpc.health.v1.Health` that are served; to watch, ask again. */
export type HealthMethods = {
  check: {
    methodKind: 'unary';
    input: GenMessage<HealthCheckRequest>;
    output: GenMessage<HealthCheckResponse>;
  };
};

const SERVING = 1;
const NOT_SERVING = 2;

/** The health service that gRPC clients and balancers ask; its enum stands outside its message. */
export function describeHealth(): Described<GenService<HealthMethods>> {
  const file = describeFile({
    name: 'grpc/health/v1/health.proto',
    package: 'grpc.health.v1',
    messages: {
      HealthCheckRequest: { service: 'string' },
      HealthCheckResponse: { status: 'enum ServingStatus' },
    },
    enums: { ServingStatus: ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] },
    service: 'Health',
    methods: { Check: { input: 'HealthCheckRequest', output: 'HealthCheckResponse' } },
  });
  return { file, service: serviceDesc<HealthMethods>(file, 0) };
}

/**
 * Tells whether the node takes work.
 *
 * @param services - names that may be asked for, beside the empty one for all
 */
export function healthCalls(
  services: readonly string[],
  ready: () => HealthReport,
): ServiceImpl<GenService<HealthMethods>> {
  return {
    check: ({ service }) => {
      if (service !== '' && !services.includes(service)) {
        throw new ConnectError(`no service ${service.slice(0, 200)} is here`, Code.NotFound);
      }
      return { status: ready().ok ? SERVING : NOT_SERVING };
    },
  };
}
