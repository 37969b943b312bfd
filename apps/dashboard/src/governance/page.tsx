import type { GovernanceGroupView } from '@peerai/peer/control';
import { useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useGovernance } from '../app/queries.ts';
import { ListPage } from '../ui/list-page.tsx';
import { Card, Empty } from '../ui/page.tsx';
import { PaneHint, PaneLink, Panes } from '../ui/panes.tsx';
import { GroupPane } from './group-pane.tsx';
import { NewGroup } from './new-group.tsx';
import { governance as words } from './strings.ts';

export function GovernancePage(): ReactNode {
  const found = useGovernance();
  const { id } = useSearch({ from: '/governance' });
  return (
    <ListPage words={words} query={found} form={(onClose) => <NewGroup onClose={onClose} />}>
      {({ groups }) => (
        <Panes chosen={id !== undefined} list={<GroupList groups={groups} />}>
          {id !== undefined && groups.some((group) => group.id === id) ? (
            <GroupPane key={id} id={id} />
          ) : (
            <PaneHint to="/governance" back={words.back} text={id === undefined ? words.choose : words.gone} />
          )}
        </Panes>
      )}
    </ListPage>
  );
}

function GroupList({ groups }: { readonly groups: readonly GovernanceGroupView[] }): ReactNode {
  return (
    <Card title={words.list}>
      {groups.length === 0 && <Empty title={words.none} text={words.noneText} />}
      <ul className="rows">
        {groups
          .toSorted((a, b) => a.name.localeCompare(b.name))
          .map(({ id, name, members, state, open }) => (
            <PaneLink
              key={id}
              to="/governance"
              id={id}
              icon="vote"
              name={name}
              sub={members.map((member) => member.name).join(', ')}
              side={state === 'member' ? words.open(open) : words.states[state]}
            />
          ))}
      </ul>
    </Card>
  );
}
