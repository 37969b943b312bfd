import type { MessageView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { useMessages, usePeers } from '../app/queries.ts';
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
      {messages.map(({ id, fromName, sentMs, payload }) => (
        <li key={id} className="pad">
          <Said name={fromName} atMs={sentMs} payload={payload} />
        </li>
      ))}
    </ul>
  );
}
