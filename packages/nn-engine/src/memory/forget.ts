import {
  type CryptoProvider,
  fromHex,
  type Identity,
  openSigned,
  PeerAiError,
  type PeerId,
  peerIdFromPublicKey,
  sealSigned,
  toHex,
  wire,
} from '@peerai/core-protocol';

import type { CapsuleId } from './capsule.ts';
import { commit, type Inner, type Step } from './inner.ts';
import { memoryLimits as limits } from './limits.ts';
import { awayKey, capsuleKey, forgottenKey, forgottenRow, usesKey, vectorKeys } from './rows.ts';

const forgetTag = 'peerai/capsule-forget/1';
const forgetForm = wire.message({ version: wire.uint32(1), capsule: wire.bytes(2), statedMs: wire.uint53(3) });

/** An author's word that a capsule of its own is to be forgotten. */
export interface ForgetRequest {
  readonly capsule: CapsuleId;
  readonly author: PeerId;
  readonly statedMs: number;
}

/** For peers that hold a copy. Throws when `capsule` is no id. */
export function signForget(identity: Identity, capsule: CapsuleId, statedMs: number): Uint8Array {
  return sealSigned(identity, forgetTag, forgetForm.encode({ version: 1, capsule: fromHex(capsule), statedMs }));
}

/** Throws INVALID_FORMAT, INVALID_SIGNATURE, INVALID_VERSION, LIMIT_EXCEEDED. */
export function openForget(crypto: CryptoProvider, signed: Uint8Array): ForgetRequest {
  if (signed.length > limits.forgetBytesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `a request of ${signed.length} bytes; at most ${limits.forgetBytesMax}`);
  const { body, signer } = openSigned(crypto, forgetTag, signed);
  const { version, capsule, statedMs } = forgetForm.decode(body);
  if (version !== 1) throw new PeerAiError('INVALID_VERSION', `request version ${version}; this program reads 1`);
  if (capsule.length !== 32) throw new PeerAiError('INVALID_FORMAT', 'a capsule’s id has 32 bytes');
  return { capsule: toHex(capsule), author: peerIdFromPublicKey(signer), statedMs };
}

/** False for a capsule that is not here. */
export async function forgetCapsule(inner: Inner, id: CapsuleId): Promise<boolean> {
  return await inner.inTurn(async () => {
    if (!isHere(inner, id)) return false;
    await commit(inner, [forgetStep(inner, id)]);
    return true;
  });
}

/** Tombstones that another device of this owner has; which of the capsules were here. */
export async function buryCapsules(inner: Inner, ids: readonly CapsuleId[]): Promise<readonly CapsuleId[]> {
  if (ids.length > limits.takeCapsulesMax)
    throw new PeerAiError('LIMIT_EXCEEDED', `${ids.length} capsules at once; at most ${limits.takeCapsulesMax}`);
  return await inner.inTurn(async () => {
    const gone: CapsuleId[] = [];
    for (const id of ids) {
      if (inner.forgotten.has(id)) continue;
      if (isHere(inner, id)) gone.push(id);
      await commit(inner, [forgetStep(inner, id)]);
    }
    return gone;
  });
}

/** Nothing is kept of a request for what is not here: ids that peers make up cost no room. */
export async function honourForget(inner: Inner, signed: Uint8Array): Promise<boolean> {
  const { capsule, author } = openForget(inner.crypto, signed);
  return await inner.inTurn(async () => {
    const writer = inner.holdings.get(capsule)?.facts.author ?? (await authorAside(inner, capsule));
    if (writer === undefined) return false;
    if (writer !== author && inner.goesOnFor?.(author, writer) !== true)
      throw new PeerAiError('REFUSED', 'Only its author can ask others to forget a capsule.', { id: capsule });
    await commit(inner, [forgetStep(inner, capsule)]);
    return true;
  });
}

/** Of a capsule that a consolidation took away and that can still come back. */
async function authorAside({ store, seal }: Inner, id: CapsuleId): Promise<PeerId | undefined> {
  const row = await store.get(awayKey(id));
  try {
    return row === undefined ? undefined : seal.open(id, row).facts.author;
  } catch {
    return undefined;
  }
}

/** Held, or a row that does not open, or taken away by a consolidation that can be undone. */
const isHere = ({ holdings, damaged, parts, forgotten }: Inner, id: CapsuleId): boolean =>
  holdings.get(id) !== undefined ||
  damaged.has(id) ||
  (!forgotten.has(id) && parts.some(({ away }) => away.some((one) => one.id === id)));

/**
 * The rows gone, tombstones in their place: of the capsule, and of what it replaced when it is this device's, whose words are in it.
 * The oldest tombstones go when there are too many.
 */
function forgetStep({ store, clock, holdings, damaged, forgotten, quota }: Inner, id: CapsuleId): Step {
  const nowMs = clock.nowMs();
  const held = holdings.get(id);
  const replaced = held?.mine === true ? held.facts.relations.filter(({ kind }) => kind === 'replaces') : [];
  const ids = [id, ...replaced.map(({ capsule }) => capsule)];
  const tooMany = forgotten.size + ids.length - quota.tombstonesMax;
  const oldest = tooMany > 0 ? [...forgotten.keys()].slice(0, tooMany) : [];
  return {
    changes: [
      ...oldest.map((one) => store.put(forgottenKey(one))),
      ...ids.flatMap((one) => [
        ...[capsuleKey(one), usesKey(one), awayKey(one), ...vectorKeys(one)].map((key) => store.put(key)),
        store.put(forgottenKey(one), forgottenRow(nowMs)),
      ]),
    ],
    apply: () => {
      for (const one of oldest) forgotten.delete(one);
      for (const one of ids) {
        holdings.drop(one);
        damaged.delete(one);
        forgotten.set(one, nowMs);
      }
    },
  };
}
