/**
 * Texts of 0G nodes that clients compare. They are part of the protocol; the codes around them
 * come from `invalidParam` and its siblings in wire-protocol.
 */

/** The official SDK and client treat this reason as success. */
export const ALREADY_FINALIZED = 'already uploaded and finalized';
/** The official Go client treats this message as success; the TypeScript SDK does not know it. */
export const ALREADY_UPLOADED = 'segment has already been uploaded or is being uploaded';
/** Both official clients wait and try again. */
export const TOO_MANY_WRITES = 'too many data writing';
