import { useSearch } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { Button } from '../ui/button.tsx';
import { PageHead } from '../ui/page.tsx';
import { PaneHint, Panes } from '../ui/panes.tsx';
import { AddMemory } from './add-memory.tsx';
import { CapsulePane } from './capsule-pane.tsx';
import { ElsewherePane } from './elsewhere-pane.tsx';
import { Found } from './found.tsx';
import { MemoryGraph } from './graph.tsx';
import { MemoryList } from './memory-list.tsx';
import { OwnDevices } from './own-devices.tsx';
import { everything } from './question.ts';
import { SearchForm } from './search-form.tsx';
import { memory as words, ownDevices } from './strings.ts';
import { TidyUp } from './tidy-up.tsx';

export function MemoryPage(): ReactNode {
  const { id, at } = useSearch({ from: '/memory' });
  const [question, setQuestion] = useState(everything);
  const [open, setOpen] = useState<'add' | 'tidy' | 'graph' | 'own'>();
  const [resets, setResets] = useState(0);
  const showAll = (): void => {
    setQuestion(everything);
    setResets((n) => n + 1);
  };
  const close = (): void => setOpen(undefined);
  return (
    <>
      <PageHead title={words.title} lead={words.lead}>
        <Button aria-expanded={open === 'graph'} onClick={() => setOpen(open === 'graph' ? undefined : 'graph')}>
          {words.graph}
        </Button>
        <Button onClick={() => setOpen('own')}>{ownDevices.open}</Button>
        <Button onClick={() => setOpen('tidy')}>{words.tidy}</Button>
        <Button look="primary" onClick={() => setOpen('add')}>
          {words.add}
        </Button>
      </PageHead>
      {open === 'graph' && <MemoryGraph onClose={close} />}
      <Panes
        chosen={id !== undefined}
        list={
          <div className="stack panes-list">
            <SearchForm key={resets} isAgain={resets > 0} onAsk={setQuestion} />
            {question.text === '' ? <MemoryList question={question} /> : <Found question={question} onAll={showAll} />}
          </div>
        }
      >
        {id === undefined ? (
          <PaneHint to="/memory" back={words.back} text={words.choose} />
        ) : at === undefined ? (
          <CapsulePane key={id} id={id} />
        ) : (
          <ElsewherePane key={`${at} ${id}`} id={id} at={at} />
        )}
      </Panes>
      {open === 'add' && <AddMemory onClose={close} />}
      {open === 'own' && <OwnDevices onClose={close} />}
      {open === 'tidy' && <TidyUp onClose={close} />}
    </>
  );
}
