import {
  type Change,
  type Clock,
  type MessagePriority,
  type Opened,
  PeerAiError,
  type PeerId,
  type Store,
} from '@peerai/core-protocol';
import type { PeerMessenger } from '@peerai/messaging';
import type { Contacts } from '@peerai/messaging/http';
import type { EventHub } from '../events/hub.ts';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import { records } from '../store/records.ts';
import type { Statements } from '../ledger/statements.ts';
import { broadcast } from './broadcast.ts';
import type { BroadcastView, DeliveryView, MessageView } from './messages.schema.ts';

export interface MessagesDeps {
  readonly clock: Clock;
  readonly store: Store;
  readonly messenger: PeerMessenger;
  readonly devices: Devices;
  /** Peers that are known over HTTP only. */
  readonly contacts: Contacts;
  readonly events: EventHub;
  /** Relays that keep letters for this peer now. */
  readonly mailboxes: () => number;
  /** Says in the log that a message was delivered. */
  readonly statements: Statements;
}
/** What goes by letters, of every kind. */
export interface MessageCounts {
  /** On disk here, for peers that do not have them yet. */
  readonly waiting: number;
  /** Relays that keep letters for this peer. */
  readonly mailboxes: number;
  /** What became of letters since the start. */
  readonly ended: { readonly delivered: number; readonly refused: number; readonly expired: number };
}

/** Short messages between paired devices: sent durably, received once, kept to read. */
export interface Messages {
  /** Newest first. */
  list(): Promise<readonly MessageView[]>;
  /**
   * Durable when it resolves, which waits a moment to be able to say "delivered" unless `queue` is set. What is of a higher priority overtakes what waits for the same device.
   * Throws DEVICE_UNKNOWN, REFUSED (blocked, or a kind people do not send), and what the messenger throws.
   */
  deliver(
    to: string,
    kind: string,
    payload: unknown,
    priority?: MessagePriority,
    queue?: boolean,
  ): Promise<DeliveryView>;
  /** What puts a message of another part among those to read; to be committed by it. */
  write(message: MessageView): Promise<readonly Change[]>;
  counts(): Promise<MessageCounts>;
  /** The same to several, or to every device; what each has, or why not. Throws what is no refusal. */
  broadcast(to: readonly string[] | 'all', kind: string, payload: unknown, queue?: boolean): Promise<BroadcastView>;
  /** To be told of each commit that the messenger made. */
  committed(changes: readonly Change[]): void;
  start(): void;
  stop(): void;
}

/** A device, or who is known over HTTP only. Throws DEVICE_UNKNOWN. */
async function recipientOf(
  { devices, contacts }: MessagesDeps,
  to: string,
): Promise<{ readonly peer: PeerId; readonly name: string; readonly blocked: boolean }> {
  try {
    return devices.find(to);
  } catch (error) {
    const contact = await contacts.named(to);
    if (contact === undefined) throw error;
    return { ...contact, blocked: false };
  }
}

/** The kinds people and programs send here; other parts handle their own. */
export const messageKinds = ['text', 'data'] as const;

export async function openMessages(deps: MessagesDeps): Promise<Messages> {
  const { clock, store, messenger, devices, contacts, events } = deps;
  const room = store.room('messages');
  const rows = records<MessageView>(room, 'in');
  /** In the order they came, as far as is known; rows that a failed commit left out are harmless here. */
  const keys = new Set<string>();
  for await (const [key] of rows.all()) keys.add(key);
  /** What is on its way to the disk: one message of each sender, as they are taken in one by one. */
  const arriving = new Map<PeerId, { readonly key: string; readonly view: MessageView }>();
  const ended = { delivered: 0, refused: 0, expired: 0, queued: 0 };
  messenger.deliveries(({ state }) => {
    ended[state] += 1;
  });
  let handling: Disposable[] = [];

  const keyOf = ({ id, sentMs }: MessageView): string => `${String(sentMs).padStart(15, '0')}-${id}`;
  const write = async (view: MessageView): Promise<readonly Change[]> => {
    const key = keyOf(view);
    keys.add(key);
    const old = [...keys].slice(0, Math.max(0, keys.size - limits.inboxMessagesMax));
    for (const one of old) if ((await rows.get(one)) === undefined && one !== key) keys.delete(one);
    return [rows.put(key, view), ...old.map((one) => rows.remove(one))];
  };
  const receive = async (message: Opened): Promise<readonly Change[]> => {
    const device = devices.get(message.sender);
    const name = device === undefined ? contacts.nameOf(message.sender) : device.name;
    if (name === undefined || device?.blocked === true)
      throw new PeerAiError('REFUSED', 'only paired devices send messages here');
    const view: MessageView = {
      id: message.id,
      from: message.sender,
      fromName: name,
      kind: message.kind,
      payload: message.payload,
      sentMs: message.sentMs,
    };
    const key = keyOf(view);
    arriving.set(message.sender, { key: rows.put(key, view).key, view });
    return [...(await write(view)), ...deps.statements.received(message)];
  };
  /** People hear of a message once it is on the disk: an attempt that failed is repeated by its sender. */
  const committed = (changes: readonly Change[]): void => {
    for (const [sender, { key, view }] of arriving) {
      if (!changes.some((change) => change.key === key)) continue;
      arriving.delete(sender);
      deps.statements.nudge();
      events.emit({ type: 'message-received', message: view });
    }
  };
  const deliver: Messages['deliver'] = async (to, kind, payload, priority = 'normal', queue = false) => {
    const device = await recipientOf(deps, to);
    if (device.blocked) throw new PeerAiError('REFUSED', `${device.name} is blocked here`);
    if (!messageKinds.includes(kind as (typeof messageKinds)[number])) {
      throw new PeerAiError(
        'INVALID_FORMAT',
        `a message is of kind ${messageKinds.join(' or ')}, not "${kind.slice(0, 40)}"`,
      );
    }
    const { promise: through, resolve } = Promise.withResolvers<void>();
    const ended = new Set<string>();
    let id = '';
    const listening = messenger.deliveries((report) => {
      ended.add(report.id);
      if (report.id === id) resolve();
    });
    const waited = new AbortController();
    try {
      const { peer: to } = device;
      id = await messenger.send({ to, kind, payload, priority }, (id) =>
        deps.statements.sending(to, kind, payload, id),
      );
      if (ended.has(id)) resolve();
      if (!queue)
        await Promise.race([through, clock.sleep(limits.deliveredWaitMs, waited.signal).catch(() => undefined)]);
    } finally {
      listening[Symbol.dispose]();
      waited.abort();
    }
    const report = await messenger.status(id);
    return {
      v: 1,
      id,
      to: device.peer,
      state: report?.state ?? 'delivered',
      ...(report?.code === undefined ? {} : { code: report.code }),
      ...(report?.path === undefined ? {} : { path: report.path }),
    };
  };
  return {
    committed,
    async counts() {
      const { delivered, refused, expired } = ended;
      const waiting = await messenger.waiting();
      return { waiting, mailboxes: deps.mailboxes(), ended: { delivered, refused, expired } };
    },
    async list() {
      const views: MessageView[] = [];
      for await (const [, view] of rows.all()) views.push(view);
      return views.toReversed();
    },
    deliver,
    write,
    broadcast: (to, kind, payload, queue) =>
      broadcast({ devices, deliver: (one) => deliver(one, kind, payload, 'normal', queue) }, to),
    start() {
      if (handling.length === 0) handling = messageKinds.map((kind) => messenger.handle(kind, receive));
    },
    stop() {
      for (const handler of handling) handler[Symbol.dispose]();
      handling = [];
    },
  };
}
