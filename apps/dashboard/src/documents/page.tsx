import type { DocumentView } from '@peerai/peer/control';
import { useSearch } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useDocuments } from '../app/queries.ts';
import { count } from '../shared/format.ts';
import { Button } from '../ui/button.tsx';
import { Card, Empty, PageHead } from '../ui/page.tsx';
import { PaneHint, PaneLink, Panes } from '../ui/panes.tsx';
import { Region } from '../ui/region.tsx';
import { DocumentPane } from './document-pane.tsx';
import { NewDocument } from './new-document.tsx';
import { documents as words } from './strings.ts';

export function DocumentsPage(): ReactNode {
  const documents = useDocuments();
  const { id } = useSearch({ from: '/documents' });
  const [making, setMaking] = useState(false);
  return (
    <>
      <PageHead title={words.title} lead={words.lead}>
        <Button look="primary" onClick={() => setMaking(true)}>
          {words.make}
        </Button>
      </PageHead>
      <Region query={documents} what={words.what}>
        {(list) => (
          <Panes chosen={id !== undefined} list={<DocumentList documents={list} />}>
            <Chosen document={list.find((document) => document.id === id)} id={id} />
          </Panes>
        )}
      </Region>
      {making && <NewDocument onClose={() => setMaking(false)} />}
    </>
  );
}

function DocumentList({ documents }: { readonly documents: readonly DocumentView[] }): ReactNode {
  const byName = documents.toSorted((a, b) => a.name.localeCompare(b.name));
  return (
    <Card title={words.list} aside={words.count(documents.length)}>
      {documents.length === 0 && <Empty title={words.none} text={words.noneText} />}
      <ul className="rows">
        {byName.map(({ id, name, members, keys, textChars }) => (
          <PaneLink
            key={id}
            to="/documents"
            id={id}
            icon="document"
            name={name}
            sub={`${words.keys(count(keys))} · ${words.chars(count(textChars))}`}
            side={words.shared(members.length)}
          />
        ))}
      </ul>
    </Card>
  );
}

function Chosen({
  document,
  id,
}: {
  readonly document: DocumentView | undefined;
  readonly id: string | undefined;
}): ReactNode {
  if (document !== undefined) return <DocumentPane key={document.id} document={document} />;
  return <PaneHint to="/documents" back={words.back} text={id === undefined ? words.choose : words.gone} />;
}
