import { existsSync, readFileSync } from 'node:fs';
import type { AssistantText } from '@peerai/messaging/assistant';
import { openRotatingFile } from '@peerai/platform/node';
import { chatLimits } from './chat-limits.ts';

const rotation = { bytesMax: chatLimits.logBytesMax, keep: chatLimits.logsKept };

/** One line of a conversation, as it is kept. */
export interface ChatRecord {
  readonly timestamp: string;
  readonly from: string;
  readonly to: string;
  readonly type: AssistantText['type'];
  readonly conversation_id: string | null;
  readonly user_initiated: boolean;
  /** Characters of the text. */
  readonly length: number;
  /** Not there where others use the machine, unless the owner wants it. */
  readonly text?: string;
}
export interface ChatLog {
  add(names: { readonly from: string; readonly to: string }, line: AssistantText): void;
  close(): void;
}

/** A private file (0600). Throws what the file system says. */
export function openChatLog(path: string, { withText }: { readonly withText: boolean }): ChatLog {
  const file = openRotatingFile({ path, ...rotation });
  return {
    add({ from, to }, { text, type, conversationId, userInitiated }) {
      const record: ChatRecord = {
        timestamp: new Date().toISOString(),
        from,
        to,
        type,
        conversation_id: conversationId ?? null,
        user_initiated: userInitiated,
        length: text.length,
        ...(withText ? { text } : {}),
      };
      file.write(`${JSON.stringify(record)}\n`);
    },
    close: () => file.close(),
  };
}

/** What a log and those put aside hold, oldest first; of one conversation where it is named. A line that is no record is left out. */
export function readChatLog(path: string, conversation?: string): readonly ChatRecord[] {
  const files = Array.from({ length: rotation.keep }, (_, index) => `${path}.${rotation.keep - index}`);
  const lines = [...files, path].flatMap((one) => (existsSync(one) ? readFileSync(one, 'utf8').split('\n') : []));
  return lines
    .flatMap((line) => readRecord(line) ?? [])
    .filter((record) => conversation === undefined || record.conversation_id === conversation);
}

function readRecord(line: string): ChatRecord | undefined {
  try {
    const value = JSON.parse(line) as Partial<ChatRecord> | null;
    const isRecord =
      typeof value?.timestamp === 'string' && typeof value.from === 'string' && typeof value.to === 'string';
    return isRecord ? (value as ChatRecord) : undefined;
  } catch {
    return undefined;
  }
}
