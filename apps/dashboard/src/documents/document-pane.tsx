import type { DocumentView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { count } from '../shared/format.ts';
import { Card } from '../ui/page.tsx';
import { PaneHead } from '../ui/panes.tsx';
import { Region } from '../ui/region.tsx';
import { SharingCard } from './sharing.tsx';
import { documents as words, text, values } from './strings.ts';
import { TextForm } from './text-form.tsx';
import { useContents } from './use-document.ts';
import { Values } from './values.tsx';

/** One document: its keys, its text, and who has it. */
export function DocumentPane({ document }: { readonly document: DocumentView }): ReactNode {
  const contents = useContents(document.id);
  return (
    <>
      <PaneHead to="/documents" back={words.back} name={document.name}>
        <p className="push small muted">{words.shared(document.members.length)}</p>
      </PaneHead>
      <Card title={values.title} aside={count(document.keys)}>
        <Region query={contents} what={values.title.toLowerCase()}>
          {(view) => <Values id={document.id} values={view.values} />}
        </Region>
      </Card>
      <Card title={text.title} aside={words.chars(count(document.textChars))}>
        <Region query={contents} what={text.title.toLowerCase()}>
          {(view) => <TextForm id={document.id} text={view.text} />}
        </Region>
      </Card>
      <SharingCard document={document} />
    </>
  );
}
