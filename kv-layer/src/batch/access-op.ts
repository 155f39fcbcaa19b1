/** Op codes of access controls, as on the wire. */
export const ACCESS_OP = {
  grantAdmin: 0x00,
  renounceAdmin: 0x01,
  setKeyToSpecial: 0x10,
  setKeyToNormal: 0x11,
  grantWriter: 0x20,
  revokeWriter: 0x21,
  renounceWriter: 0x22,
  grantSpecialWriter: 0x30,
  revokeSpecialWriter: 0x31,
  renounceSpecialWriter: 0x32,
} as const;

/** An op code of `ACCESS_OP`. */
export type AccessOp = (typeof ACCESS_OP)[keyof typeof ACCESS_OP];

/** What belongs to an op: its name in result strings, and which fields its entry has. */
export interface AccessOpShape {
  readonly name: string;
  readonly hasKey: boolean;
  readonly hasAccount: boolean;
}

const shape = (name: string, hasKey: boolean, hasAccount: boolean): AccessOpShape => ({
  name,
  hasKey,
  hasAccount,
});

const SHAPES: Readonly<Record<AccessOp, AccessOpShape>> = {
  [ACCESS_OP.grantAdmin]: shape('GRANT_ADMIN_ROLE', false, true),
  [ACCESS_OP.renounceAdmin]: shape('RENOUNCE_ADMIN_ROLE', false, false),
  [ACCESS_OP.setKeyToSpecial]: shape('SET_KEY_TO_SPECIAL', true, false),
  [ACCESS_OP.setKeyToNormal]: shape('SET_KEY_TO_NORMAL', true, false),
  [ACCESS_OP.grantWriter]: shape('GRANT_WRITER_ROLE', false, true),
  [ACCESS_OP.revokeWriter]: shape('REVOKE_WRITER_ROLE', false, true),
  [ACCESS_OP.renounceWriter]: shape('RENOUNCE_WRITER_ROLE', false, false),
  [ACCESS_OP.grantSpecialWriter]: shape('GRANT_SPECIAL_WRITER_ROLE', true, true),
  [ACCESS_OP.revokeSpecialWriter]: shape('REVOKE_SPECIAL_WRITER_ROLE', true, true),
  [ACCESS_OP.renounceSpecialWriter]: shape('RENOUNCE_SPECIAL_WRITER_ROLE', true, false),
};

/** Whether a byte is an op code. */
export function isAccessOp(code: number): code is AccessOp {
  return Object.hasOwn(SHAPES, code);
}

/** What belongs to an op. */
export function accessOpShape(op: AccessOp): AccessOpShape {
  return SHAPES[op];
}
