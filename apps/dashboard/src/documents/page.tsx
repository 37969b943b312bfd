import type { DocumentView } from '@peerai/peer/control';
import { useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useDocuments } from '../app/queries.ts';
import { count } from '../shared/format.ts';
import { ListPage } from '../ui/list-page.tsx';
import { Card, Empty } from '../ui/page.tsx';
import { PaneHint, PaneLink, Panes } from '../ui/panes.tsx';
import { DocumentPane } from './document-pane.tsx';
import { NewDocument } from './new-document.tsx';
import { documents as words } from './strings.ts';

export function DocumentsPage(): ReactNode {
  const documents = useDocuments();
  const { id } = useSearch({ from: '/documents' });
  return (
    <ListPage words={words} query={documents} form={(onClose) => <NewDocument onClose={onClose} />}>
      {(list) => (
        <Panes chosen={id !== undefined} list={<DocumentList documents={list} />}>
          <Chosen document={list.find((document) => document.id === id)} id={id} />
        </Panes>
      )}
    </ListPage>
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
