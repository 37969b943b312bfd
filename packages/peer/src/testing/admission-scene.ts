import { createIdentity, fromHex, type Identity, nobleCrypto } from '@peerai/core-protocol';
import { proveTicket } from '@peerai/core-protocol/access';
import { ManualClock, MemoryStore, seededRandom } from '@peerai/core-protocol/testing';
import { createReceiptBook, openLedger } from '@peerai/ledger';
import { openDevices } from '../pairing/devices.ts';
import { openAdmission } from '../share/admission.ts';
import { openShares, type Share } from '../share/shares.ts';

const someone = (seed: number): Identity => createIdentity(nobleCrypto, seededRandom(seed).bytes(32));
const owner = someone(1);
export const guest = someone(2);
export const device = someone(3);
export const stranger = someone(4);
export const hash = (text: string): Uint8Array => nobleCrypto.sha256(new TextEncoder().encode(text));

/** An admission over a store, and again over the same store: that is a restart. */
export async function openScene(store = new MemoryStore(), clock = new ManualClock()) {
  const crypto = nobleCrypto;
  const ledger = await openLedger({ store: store.room('ledger'), identity: owner, crypto, clock });
  const receipts = createReceiptBook({ store: store.room('receipts'), ledger, identity: owner, crypto, clock });
  const [devices, shares] = [await openDevices(store), await openShares({ store, clock })];
  const told: Share[] = [];
  const refused = new Set<string>();
  const changed = (share: Share): void => void told.push(share);
  const deps = {
    identity: owner,
    keySecret: hash('this process'),
    crypto,
    clock,
    store,
    devices,
    shares,
    receipts,
    isRefused: (peer: string) => refused.has(peer),
    exposed: () => true,
    leased: () => ({ usable: () => undefined, count: () => undefined }),
    changed,
    signed: () => undefined,
  };
  return { store, clock, devices, shares, receipts, told, refused, deps, admission: await openAdmission(deps) };
}
export type Scene = Awaited<ReturnType<typeof openScene>>;

export const share = (clock: ManualClock): Share => ({
  id: '0102030405060708',
  secret: '000102030405060708090a0b0c0d0e0f',
  link: 'https://page.example/s#x',
  reach: 'relay',
  models: ['echo'],
  createdMs: clock.nowMs(),
  expiresMs: clock.nowMs() + 60_000,
  tokens: 100,
  tokensUsed: 0,
  guestsMax: 2,
  guests: {},
  concurrency: 2,
});
const noTicket = {
  version: 1,
  kind: 'share',
  provider: owner.peer,
  name: '',
  addresses: [],
  models: [],
  tokens: 0,
  expiresMs: 0,
  guests: 1,
  concurrency: 1,
  allow: [],
} as const;
export const grantOf = ({ id, secret }: Share, who = guest): Uint8Array =>
  proveTicket(nobleCrypto, { ...noTicket, id: fromHex(id), secret: fromHex(secret) }, who.peer);
export const claim = (one: Share, requestId: string, units: number, who = guest) => ({
  peer: who.peer,
  requestId,
  resource: 'model:echo',
  units,
  grant: grantOf(one, who),
});
export async function shared(): Promise<Scene & { readonly one: Share }> {
  const scene = await openScene();
  const one = share(scene.clock);
  await scene.shares.add(one);
  return { ...scene, one };
}
