import type { MessageView } from '@peerai/peer/control';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMessages, usePeers } from '../app/queries.ts';
import { bytes } from '../shared/format.ts';
import { usableDevices } from '../ui/devices.tsx';
import { Card, Empty, PageHead } from '../ui/page.tsx';
import { Region } from '../ui/region.tsx';
import { Said } from '../ui/said.tsx';
import { SendForm } from './send-form.tsx';
import { form, messages as words, topics } from './strings.ts';
import { Topics } from './topics.tsx';

export function MessagesPage(): ReactNode {
  const messages = useMessages();
  const peers = usePeers();
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <div className="cols">
        <Card title={words.list} aside={words.count(messages.data?.length ?? 0)}>
          <Region query={messages} what={words.what}>
            {(list) => <Received messages={list} />}
          </Region>
        </Card>
        <div className="stack">
          <Card title={form.title}>
            <Region query={peers} what="devices">
              {(list) => <SendForm devices={usableDevices(list)} />}
            </Region>
          </Card>
          <Card title={topics.title}>
            <Topics />
          </Card>
        </div>
      </div>
    </>
  );
}

function Received({ messages }: { readonly messages: readonly MessageView[] }): ReactNode {
  if (messages.length === 0) return <Empty title={words.none} text={words.noneText} />;
  return (
    <ul className="rows">
      {messages.map((message) => (
        <li key={message.id} className="pad stack">
          <Said name={message.fromName} atMs={message.sentMs} payload={textOf(message)} />
          {fileIn(message) !== undefined && <Link to="/files">{words.files}</Link>}
        </li>
      ))}
    </ul>
  );
}

/** What a message about a file says of it. */
function fileIn({ kind, payload }: MessageView): { readonly name: string; readonly bytes: number } | undefined {
  if (kind !== 'file' || typeof payload !== 'object' || payload === null) return undefined;
  const { name, bytes } = payload as { readonly name?: unknown; readonly bytes?: unknown };
  return typeof name === 'string' && typeof bytes === 'number' ? { name, bytes } : undefined;
}

function textOf(message: MessageView): unknown {
  const file = fileIn(message);
  return file === undefined ? message.payload : words.file(file.name, bytes(file.bytes));
}
