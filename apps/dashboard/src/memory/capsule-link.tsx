import type { CapsuleView } from '@peerai/peer/control';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Icon } from '../ui/icon.tsx';
import { authorOf, titleOf } from './question.ts';
import { memory as words, search } from './strings.ts';

/** One capsule of a list: it opens it, here or at the device that has it. */
export function CapsuleLink({
  capsule,
  at,
  by,
  aside,
}: {
  readonly capsule: CapsuleView;
  /** A device that has it, when it is not read here. */
  readonly at?: { readonly peerId: string; readonly name: string } | undefined;
  /** By what it was found. */
  readonly by?: string;
  readonly aside: string;
}): ReactNode {
  const sub = [...(at === undefined ? [] : [search.at(at.name)]), ...(by === undefined ? [] : [by]), authorOf(capsule)];
  return (
    <li>
      <Link
        className="device"
        to="/memory"
        search={at === undefined ? { id: capsule.id } : { id: capsule.id, at: at.peerId }}
      >
        <Icon name="memory" />
        <b>{titleOf(capsule)}</b>
        <span className="sub">{[...sub, ...capsule.tags].join(' · ')}</span>
        <span className="side">
          <span>{aside}</span>
          <span>{words.levels[capsule.level]}</span>
        </span>
      </Link>
    </li>
  );
}
