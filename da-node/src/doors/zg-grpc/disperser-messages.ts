import type { DescFile, Message } from '@bufbuild/protobuf';
import { type GenMessage, type GenService, serviceDesc } from '@bufbuild/protobuf/codegenv2';
import { describeFile } from './describe-file.ts';

/** The most bytes of a 0G blob: 31 x 2^20 less the four that hold the length there. */
export const ZG_MAX_BLOB_BYTES = 32_505_852;

/** Values of `BlobStatus`. */
export const BLOB_STATUS = {
  UNKNOWN: 0,
  PROCESSING: 1,
  CONFIRMED: 2,
  FAILED: 3,
  FINALIZED: 4,
  INSUFFICIENT_SIGNATURES: 5,
} as const;

/** A value of `BLOB_STATUS`; others may come from newer clients. */
export type BlobStatus = (typeof BLOB_STATUS)[keyof typeof BLOB_STATUS];

type DisperseBlobRequest = Message<'disperser.DisperseBlobRequest'> & { data: Uint8Array };
type DisperseBlobReply = Message<'disperser.DisperseBlobReply'> & {
  result: BlobStatus;
  requestId: Uint8Array;
};
type BlobStatusRequest = Message<'disperser.BlobStatusRequest'> & { requestId: Uint8Array };
type BlobHeader = Message<'disperser.BlobHeader'> & {
  storageRoot: Uint8Array;
  epoch: bigint;
  quorumId: bigint;
};
type BlobInfo = Message<'disperser.BlobInfo'> & { blobHeader?: BlobHeader };
type BlobStatusReply = Message<'disperser.BlobStatusReply'> & {
  status: BlobStatus;
  info?: BlobInfo;
};
type RetrieveBlobRequest = Message<'disperser.RetrieveBlobRequest'> & {
  storageRoot: Uint8Array;
  epoch: bigint;
  quorumId: bigint;
};
type RetrieveBlobReply = Message<'disperser.RetrieveBlobReply'> & { data: Uint8Array };

/** The methods of `disperser.Disperser`. */
export type DisperserMethods = {
  disperseBlob: {
    methodKind: 'unary';
    input: GenMessage<DisperseBlobRequest>;
    output: GenMessage<DisperseBlobReply>;
  };
  getBlobStatus: {
    methodKind: 'unary';
    input: GenMessage<BlobStatusRequest>;
    output: GenMessage<BlobStatusReply>;
  };
  retrieveBlob: {
    methodKind: 'unary';
    input: GenMessage<RetrieveBlobRequest>;
    output: GenMessage<RetrieveBlobReply>;
  };
};

/** A described file and its service. */
export interface Described<Service> {
  readonly file: DescFile;
  readonly service: Service;
}

/** What `disperser.proto` beside this file says; a test compares both. */
export function describeDisperser(): Described<GenService<DisperserMethods>> {
  const place = { storage_root: 'bytes', epoch: 'uint64', quorum_id: 'uint64' };
  const file = describeFile({
    name: 'disperser.proto',
    package: 'disperser',
    messages: {
      DisperseBlobRequest: { data: 'bytes' },
      DisperseBlobReply: { result: 'enum BlobStatus', request_id: 'bytes' },
      BlobStatusRequest: { request_id: 'bytes' },
      BlobStatusReply: { status: 'enum BlobStatus', info: 'message BlobInfo' },
      RetrieveBlobRequest: place,
      RetrieveBlobReply: { data: 'bytes' },
      BlobInfo: { blob_header: 'message BlobHeader' },
      BlobHeader: place,
    },
    enums: { BlobStatus: Object.keys(BLOB_STATUS) },
    service: 'Disperser',
    methods: {
      DisperseBlob: { input: 'DisperseBlobRequest', output: 'DisperseBlobReply' },
      GetBlobStatus: { input: 'BlobStatusRequest', output: 'BlobStatusReply' },
      RetrieveBlob: { input: 'RetrieveBlobRequest', output: 'RetrieveBlobReply' },
    },
  });
  return { file, service: serviceDesc<DisperserMethods>(file, 0) };
}
