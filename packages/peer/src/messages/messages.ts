import { type Messenger, type Network, type Opened, PeerAiError, type PeerId, type Store } from '@peerai/core-protocol';
import type { EventHub } from '../events/hub.ts';
import { limits } from '../limits.ts';
import type { Devices } from '../pairing/devices.ts';
import { records } from '../store/records.ts';
import type { MessageView } from './messages.schema.ts';

export interface MessagesDeps {
  readonly network: Network;
  readonly store: Store;
  readonly messenger: Messenger;
  readonly devices: Devices;
  readonly events: EventHub;
}

/** Short messages between paired devices: sent durably, received once, kept to read. */
export interface Messages {
  /** Newest first. */
  list(): Promise<readonly MessageView[]>;
  /** Durable when it resolves; returns the message id. Throws DEVICE_UNKNOWN, REFUSED (blocked). */
  send(to: string, kind: string, payload: unknown): Promise<{ readonly id: string; readonly to: PeerId }>;
  start(): void;
  stop(): void;
}

/** The kinds people and programs send here; other parts handle their own. */
const kinds = ['text', 'data'] as const;

export async function openMessages({ store, messenger, devices, events }: MessagesDeps): Promise<Messages> {
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
    async send(to, kind, payload) {
      const device = devices.find(to);
      if (device.blocked) throw new PeerAiError('REFUSED', `${device.name} is blocked here`);
      return { id: await messenger.send({ to: device.peer, kind, payload }), to: device.peer };
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
