import type { GroupView } from '@peerai/peer/control';
import { useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useGroups } from '../app/queries.ts';
import { ListPage } from '../ui/list-page.tsx';
import { Card, Empty } from '../ui/page.tsx';
import { PaneHint, PaneLink, Panes } from '../ui/panes.tsx';
import { GroupPane } from './group-pane.tsx';
import { NewGroup } from './new-group.tsx';
import { groups as words } from './strings.ts';

export function GroupsPage(): ReactNode {
  const groups = useGroups();
  const { id } = useSearch({ from: '/groups' });
  return (
    <ListPage words={words} query={groups} form={(onClose) => <NewGroup onClose={onClose} />}>
      {(list) => (
        <Panes chosen={id !== undefined} list={<GroupList groups={list} />}>
          <Chosen group={list.find((group) => group.id === id)} id={id} />
        </Panes>
      )}
    </ListPage>
  );
}

function GroupList({ groups }: { readonly groups: readonly GroupView[] }): ReactNode {
  const byName = groups.toSorted((a, b) => a.name.localeCompare(b.name));
  return (
    <Card title={words.list} aside={words.count(groups.length)}>
      {groups.length === 0 && <Empty title={words.none} text={words.noneText} />}
      <ul className="rows">
        {byName.map(({ id, name, members, mine, committer }) => (
          <PaneLink
            key={id}
            to="/groups"
            id={id}
            icon="groups"
            name={name}
            sub={members.map((member) => member.name).join(', ')}
            side={mine ? words.mine : words.run(members.find(({ peerId }) => peerId === committer)?.name ?? '')}
          />
        ))}
      </ul>
    </Card>
  );
}

function Chosen({ group, id }: { readonly group: GroupView | undefined; readonly id: string | undefined }): ReactNode {
  if (group !== undefined) return <GroupPane key={group.id} group={group} />;
  return <PaneHint to="/groups" back={words.back} text={id === undefined ? words.choose : words.gone} />;
}
