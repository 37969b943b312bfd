import type { Store } from '@peerai/core-protocol';
import { limits } from '../limits.ts';
import { records } from '../store/records.ts';
import type { GroupDeliveryView, GroupSentView } from './groups.schema.ts';

type SentRow = Omit<GroupSentView, 'members'>;

/** What this peer sent to groups, kept to read; the oldest go first. */
export interface Sent {
  keep(message: SentRow): Promise<void>;
  /** Of one group, newest first, with where each stands now. */
  list(group: string): Promise<readonly GroupSentView[]>;
}

/** `report`: undefined where the way of a message is remembered no more. */
export function openSent(store: Store, report: (id: string) => Promise<GroupDeliveryView | undefined>): Sent {
  const room = store.room('group-messages');
  const rows = records<SentRow>(room, 'out');
  let keys: Promise<Set<string>> | undefined;
  const readKeys = async (): Promise<Set<string>> => {
    const found = new Set<string>();
    for await (const [key] of rows.all()) found.add(key);
    return found;
  };
  return {
    keep: async (message) => {
      const known = await (keys ??= readKeys());
      const key = `${String(message.sentMs).padStart(16, '0')}-${message.id}`;
      known.add(key);
      const old = [...known].toSorted().slice(0, Math.max(0, known.size - limits.groupSentMax));
      for (const one of old) known.delete(one);
      await room.commit([rows.put(key, message), ...old.map((one) => rows.remove(one))]);
    },
    list: async (group) => {
      const views: GroupSentView[] = [];
      for await (const [, message] of rows.all())
        if (message.group === group) views.push({ ...message, members: (await report(message.id))?.members ?? [] });
      return views.toReversed();
    },
  };
}
