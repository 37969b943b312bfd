import { type Clock, type Opened, PeerAiError, type Store } from '@peerai/core-protocol';
import type { PeerMessenger } from '@peerai/messaging';
import type { EventHub } from '../events/hub.ts';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import { records } from '../store/records.ts';
import type { DeliveryView, MessageView } from './messages.schema.ts';

export interface MessagesDeps {
  readonly clock: Clock;
  readonly store: Store;
  readonly messenger: PeerMessenger;
  readonly devices: Devices;
  readonly events: EventHub;
}

/** Short messages between paired devices: sent durably, received once, kept to read. */
export interface Messages {
  /** Newest first. */
  list(): Promise<readonly MessageView[]>;
  /**
   * Durable when it resolves, which waits a moment to be able to say "delivered".
   * Throws DEVICE_UNKNOWN, REFUSED (blocked, or a kind people do not send), and what the messenger throws.
   */
  deliver(to: string, kind: string, payload: unknown): Promise<DeliveryView>;
  start(): void;
  stop(): void;
}

/** The kinds people and programs send here; other parts handle their own. */
const kinds = ['text', 'data'] as const;

export async function openMessages({ clock, store, messenger, devices, events }: MessagesDeps): Promise<Messages> {
  const room = store.room('messages');
  const rows = records<MessageView>(room, 'in');
  const keys: string[] = [];
  for await (const [key] of rows.all()) keys.push(key);
  let handling: Disposable[] = [];

  const receive = async (message: Opened): Promise<ReturnType<typeof rows.put>[]> => {
    const view: MessageView = {
      id: message.id,
      from: message.sender,
      fromName: devices.get(message.sender)?.name ?? message.sender.slice(-8),
      kind: message.kind,
      payload: message.payload,
      sentMs: message.sentMs,
    };
    const key = `${String(message.sentMs).padStart(15, '0')}-${message.id}`;
    keys.push(key);
    const old = keys.length > limits.inboxMessagesMax ? keys.splice(0, keys.length - limits.inboxMessagesMax) : [];
    events.emit({ type: 'message-received', message: view });
    return [rows.put(key, view), ...old.map((one) => rows.remove(one))];
  };
  return {
    async list() {
      const views: MessageView[] = [];
      for await (const [, view] of rows.all()) views.push(view);
      return views.reverse();
    },
    async deliver(to, kind, payload) {
      const device = devices.find(to);
      if (device.blocked) throw new PeerAiError('REFUSED', `${device.name} is blocked here`);
      if (!kinds.includes(kind as (typeof kinds)[number])) {
        throw new PeerAiError('INVALID_FORMAT', `a message is of kind ${kinds.join(' or ')}, not "${kind.slice(0, 40)}"`);
      }
      const { promise: through, resolve } = Promise.withResolvers<void>();
      const ended = new Set<string>();
      let id = '';
      using _listening = messenger.deliveries((report) => {
        ended.add(report.id);
        if (report.id === id) resolve();
      });
      id = await messenger.send({ to: device.peer, kind, payload });
      if (ended.has(id)) resolve();
      const waited = new AbortController();
      await Promise.race([through, clock.sleep(limits.deliveredWaitMs, waited.signal).catch(() => undefined)]);
      waited.abort();
      const report = await messenger.status(id);
      return {
        v: 1,
        id,
        to: device.peer,
        state: report?.state ?? 'delivered',
        ...(report?.code === undefined ? {} : { code: report.code }),
      };
    },
    start() {
      if (handling.length === 0) handling = kinds.map((kind) => messenger.handle(kind, receive));
    },
    stop() {
      for (const handler of handling) handler[Symbol.dispose]();
      handling = [];
    },
  };
}
