import type { GroupView } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { PaneHead } from '../ui/panes.tsx';
import { MembersCard } from './members.tsx';
import { groups as words } from './strings.ts';
import { TalkCard } from './talk.tsx';

/** One group: what is said in it, and who is in it. */
export function GroupPane({ group }: { readonly group: GroupView }): ReactNode {
  return (
    <>
      <PaneHead to="/groups" back={words.back} name={group.name}>
        <p className="push small muted">{words.members(group.members.length)}</p>
      </PaneHead>
      <TalkCard group={group} />
      <MembersCard group={group} />
    </>
  );
}
