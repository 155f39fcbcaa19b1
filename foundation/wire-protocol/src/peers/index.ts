/** What storage nodes say to each other. */
export { isListenAddress, isPeerAddress, isPeerId, peerOfAddress } from '../peer-address.ts';
export {
  encodeFileAnnouncement,
  FILE_ANNOUNCEMENT_BYTES,
  type FileAnnouncement,
  filesTopic,
  parseFileAnnouncement,
} from './file-announcement.ts';
export {
  encodePeerRecord,
  encodeSignedRecord,
  MAX_RECORD_ADDRESSES,
  MAX_RECORD_BYTES,
  type PeerRecord,
  parseSignedRecord,
  type SignedPeerRecord,
} from './peer-record.ts';
export type { PeerLog } from './place.ts';
export {
  MAX_ANNOUNCEMENT_AGE_MS,
  MAX_ASKED_SEGMENTS,
  MAX_CLOCK_DRIFT_MS,
  MAX_RECORD_AGE_MS,
  MAX_RECORDS,
  RECORDS_PROTOCOL,
  SEGMENTS_PROTOCOL,
} from './protocols.ts';
export { encodeRecords, splitRecords } from './records-message.ts';
export {
  encodeSegmentQuestion,
  parseSegmentQuestion,
  type SegmentQuestion,
} from './segment-question.ts';
