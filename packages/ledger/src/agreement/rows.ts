import { type PeerId, wire } from '@peerai/core-protocol';
import { certificateForm } from './certificate.ts';
import type { Certificate, Evidence, StatementKind } from './types.ts';

/**
 * How a group lies in its room: `place` all that the next block is held against · `b/<height>` decided blocks · `s/<view>/<kind>` what this member
 * said at the height being decided · `c/<view>/<kind>` certificates of it · `d/<hash>` blocks that it voted for · `e/<member>/<kind>` proven lies.
 */
export const placeKey = 'place';
export const rowsOf = {
  blocks: ['b/', 'b0'],
  statements: ['s/', 's0'],
  certificates: ['c/', 'c0'],
  drafts: ['d/', 'd0'],
  lies: ['e/', 'e0'],
} as const;

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');
export const blockKey = (height: number): string => `b/${hex(height, 14)}`;
export const statementKey = (view: number, kind: StatementKind): string => `s/${hex(view, 8)}/${kind}`;
export const certificateKey = (view: number, kind: Certificate['kind']): string => `c/${hex(view, 8)}/${kind}`;
export const draftKey = (hash: string): string => `d/${hash}`;
export const lieName = (member: PeerId, kind: Evidence['kind']): string => `${member}/${kind}`;
export const lieKey = (name: string): string => `e/${name}`;

const row = wire.message({ certificate: wire.nested(1, certificateForm) });
export const encodeCertificateRow = (certificate: Certificate): Uint8Array => row.encode({ certificate });
export const decodeCertificateRow = (bytes: Uint8Array): Certificate => row.decode(bytes).certificate;
