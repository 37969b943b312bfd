import {
  callMethod,
  type Clock,
  createIdentity,
  type CryptoProvider,
  type EntryBody,
  fromHex,
  type Identity,
  type KeyStatement,
  limits as coreLimits,
  type Logger,
  type Network,
  openKeyStatement,
  PeerAiError,
  type PeerId,
  type Random,
  serveMethod,
  signRevocation,
  signSuccession,
  type Store,
  toHex,
} from '@peerai/core-protocol';
import type { OwnLedger } from '@peerai/ledger';
import type { PeerMessenger } from '@peerai/messaging';
import { limits } from '../limits.ts';
import { type Device, type Devices, withLease } from '../pairing/devices.ts';
import { records } from '../store/records.ts';
import { keyMethod } from './key-protocol.ts';
import { leadingTo, type Own, ownStatements } from './former.ts';
import type { RevocationView, RotationView } from './keys.schema.ts';

export interface KeysDeps {
  readonly identity: Identity;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly store: Store;
  readonly logger: Logger;
  readonly devices: Devices;
  /** This key's log: it names the key before and the one after. */
  readonly ledger: Pick<OwnLedger, 'append' | 'size' | 'refusal'>;
  readonly messenger: Pick<PeerMessenger, 'waiting' | 'readdress'>;
  /** Puts a new key in the place of this one, for the next start; without it the key cannot be changed. */
  readonly replaceKey?: (seed: Uint8Array) => Promise<void>;
  /** Ends the shares whose links name the old key; says how many. */
  readonly endShares: () => Promise<number>;
  /** A device goes on under another key, or its key was ended. */
  readonly changed: (peer: PeerId) => void;
  /** Ends what this key has here. */
  readonly cutOff: (peer: PeerId) => Promise<void>;
}

/** This peer's key over time, and those of its devices. */
export interface Keys {
  /**
   * A new key for the next start; paired devices are told by it then. Throws REFUSED when the key file is not ours to change, or messages wait
   * and `force` is not set: one that was taken a moment ago may come again under the new key.
   */
  rotate(options: { readonly graceMs: number; readonly force: boolean }): Promise<RotationView>;
  /** Says to every device that this key is not to be trusted any more; `told` heard it now. */
  revoke(signal: AbortSignal): Promise<RevocationView>;
  start(signal: AbortSignal): void;
}

/** Applies a succession that this identity is the end of: from now on the receipts of each device begin a new chain, and its log begins with the key before. */
export async function openKeys(deps: KeysDeps): Promise<Keys> {
  const { identity, crypto, clock, devices, logger } = deps;
  const room = deps.store.room('keys');
  const own = ownStatements(deps.store);
  const told = records<PeerId>(room, 'told');
  const statements = await leadingTo(own, identity.peer);
  const last = statements.at(-1);
  if (last !== undefined && deps.ledger.size === 0n && deps.ledger.refusal === undefined)
    await deps.ledger.append([await entryOf(last.statement)]);
  if (last !== undefined) for (const { peer } of devices.list()) await beginAnew(deps, peer, last);

  const take = async (bytes: Uint8Array, signal: AbortSignal): Promise<boolean> => {
    const statement = openKeyStatement(crypto, bytes, clock.nowMs());
    if (statement.kind === 'revocation') return revoked(deps, statement.peer, statement.statedMs, signal);
    return succeeded(deps, statement, leaseOf(crypto, bytes), signal);
  };
  const tell = async (device: Device, statement: string, signal: AbortSignal): Promise<boolean> => {
    const question = { statement: fromHex(statement) };
    const { known } = await callMethod(deps, device.peer, keyMethod, question, { signal, addresses: device.addresses });
    return known === 1;
  };
  const tellAll = async (device: Device, signal: AbortSignal): Promise<void> => {
    for (let waitMs: number = limits.redialMsMin; ; waitMs = Math.min(2 * waitMs, limits.redialMsMax)) {
      try {
        for (const { statement } of statements) await tell(device, statement, signal);
        await room.commit([told.put(device.peer, identity.peer)]);
        return deps.changed(device.peer);
      } catch (error) {
        if (signal.aborted || !PeerAiError.is(error)) throw error;
        logger.debug('key-not-told', { peer: device.peer, code: error.code });
        await clock.sleep(waitMs, signal);
      }
    }
  };
  return {
    async rotate({ graceMs, force }) {
      if (deps.replaceKey === undefined)
        throw new PeerAiError('REFUSED', 'the key of this peer is not in a file of its own');
      const waiting = await deps.messenger.waiting();
      if (waiting > 0 && !force) throw lettersWait(waiting);
      const seed = deps.random.bytes(32);
      const next = createIdentity(crypto, seed);
      const statedMs = clock.nowMs();
      const signed = signSuccession(identity, next, { statedMs, graceUntilMs: statedMs + graceMs });
      // The word first, in the log and for the next start together: a key that nobody was promised to is harmless, a promise for a key that is lost is forgotten at the next start.
      await deps.ledger.append(
        [await entryOf(toHex(signed))],
        [own.put(String(statedMs).padStart(15, '0'), { statement: toHex(signed), to: next.peer, statedMs })],
      );
      await deps.replaceKey(seed);
      const sharesEnded = await deps.endShares();
      return { v: 1, from: identity.peer, to: next.peer, graceUntilMs: statedMs + graceMs, sharesEnded };
    },
    async revoke(signal) {
      const statement = toHex(signRevocation(identity, clock.nowMs()));
      // A key that is lost is ended all the same where its log can't be written to.
      await deps.ledger.append([await entryOf(statement)]).catch((error: unknown) => {
        logger.error('revocation-not-stated', { code: PeerAiError.is(error) ? error.code : 'INTERNAL' });
      });
      const all = devices.list();
      const heard = await Promise.all(all.map((device) => tell(device, statement, signal).catch(() => false)));
      return { v: 1, peer: identity.peer, devices: all.length, told: heard.filter(Boolean).length };
    },
    start(signal) {
      const serving = serveMethod(
        deps.network,
        keyMethod,
        async ({ statement }) => ({ known: (await take(statement, signal)) ? 1 : 0 }),
        { clock },
      );
      signal.addEventListener('abort', () => serving[Symbol.dispose](), { once: true });
      void (async () => {
        for (const device of devices.list()) {
          if (last === undefined || device.pairedMs > last.statedMs) continue;
          if ((await told.get(device.peer)) === identity.peer) continue;
          void tellAll(device, signal).catch(() => undefined);
        }
      })();
    },
  };
}

/** The chain of receipts with a device begins anew with each key: its name follows from what was signed, so both sides know it. */
async function beginAnew({ crypto, devices }: KeysDeps, peer: PeerId, { statement, statedMs }: Own): Promise<void> {
  const lease = leaseOf(crypto, fromHex(statement));
  await devices.update(peer, (device) =>
    device === undefined || device.pairedMs > statedMs || device.lease === lease ? undefined : withLease(device, lease),
  );
}

/** Loaded when a key changes, which is seldom. */
const entryOf = async (statement: string): Promise<EntryBody> =>
  (await import('../ledger/key-statement.ts')).keyEntry(fromHex(statement));

const leaseOf = (crypto: CryptoProvider, statement: Uint8Array): string => toHex(crypto.sha256(statement).slice(0, 8));

async function revoked(deps: KeysDeps, peer: PeerId, statedMs: number, signal: AbortSignal): Promise<boolean> {
  if (deps.devices.get(peer) === undefined) return false;
  await deps.devices.update(peer, (device) =>
    device === undefined ? undefined : { ...device, blocked: true, revokedMs: device.revokedMs ?? statedMs },
  );
  deps.logger.warn('key-revoked', { peer });
  deps.changed(peer);
  // From here on it is refused; what runs ends as soon as the answer is out.
  void deps.clock
    .sleep(limits.goodbyeMs, signal)
    .then(() => deps.cutOff(peer))
    .catch(() => undefined);
  return true;
}

async function succeeded(
  deps: KeysDeps,
  { from, to, statedMs, graceUntilMs }: Extract<KeyStatement, { kind: 'succession' }>,
  lease: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { devices, clock } = deps;
  if (devices.get(to)?.predecessor === from) return true;
  const device = devices.get(from);
  if (device === undefined || statedMs + coreLimits.clockSkewMsMax < device.pairedMs) return false;
  if (device.blocked) throw new PeerAiError('REFUSED', 'a blocked device does not go on under another key');
  if (device.successor !== undefined || devices.get(to) !== undefined) {
    deps.logger.warn('key-conflict', { from, to, known: device.successor });
    throw new PeerAiError('KEY_CONFLICT', 'this key has another successor already: one of the two is a thief’s');
  }
  await devices.succeed(from, to, { lease, retiresMs: graceUntilMs });
  await deps.messenger.readdress(from, to);
  deps.logger.info('key-succeeded', { from, to });
  deps.changed(to);
  void clock
    .sleep(Math.max(0, graceUntilMs - clock.nowMs()), signal)
    .then(() => deps.cutOff(from))
    .catch(() => undefined);
  return true;
}

const lettersWait = (waiting: number): PeerAiError =>
  new PeerAiError(
    'REFUSED',
    `${waiting} messages still wait for their receivers, who would get them from another key`,
    {
      hint: 'Wait until they are delivered (peerai inbox), or use --force.',
    },
  );
