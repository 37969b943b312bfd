import { Link } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { Icon } from './icon.tsx';
import type { IconName } from './icons.ts';

type Room = '/groups' | '/documents' | '/memory' | '/train' | '/clusters' | '/ledger' | '/governance';

/** A list, and what is chosen of it: side by side where there is room, else one after the other. */
export function Panes({
  list,
  chosen,
  children,
}: {
  readonly list: ReactNode;
  readonly chosen: boolean;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div className={chosen ? 'panes panes-chosen' : 'panes'}>
      {list}
      <div className="stack panes-one">{children}</div>
    </div>
  );
}

/** One thing of the list; a link, so that its address can be kept and the way back is the browser's. */
export function PaneLink({
  to,
  id,
  icon,
  name,
  sub,
  side,
}: {
  readonly to: Room;
  readonly id: string;
  readonly icon: IconName;
  readonly name: string;
  readonly sub: string;
  readonly side?: ReactNode;
}): ReactNode {
  return (
    <li>
      <Link className="device" to={to} search={{ id }}>
        <Icon name={icon} />
        <b>{name}</b>
        <span className="sub">{sub}</span>
        <span className="side">{side}</span>
      </Link>
    </li>
  );
}

/** The heading of what is chosen; it has the focus then, because the list may be gone from the screen. */
export function PaneHead({
  to,
  back,
  name,
  children,
}: {
  readonly to: Room;
  readonly back: string;
  readonly name: string;
  readonly children?: ReactNode;
}): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: false }), []);
  return (
    <div className="row pane-head">
      <Link className="b b-0 b-i panes-back" to={to} search={{}} aria-label={back} title={back}>
        <Icon name="back" />
      </Link>
      <h2 ref={heading} tabIndex={-1} className="anywhere">
        {name}
      </h2>
      {children}
    </div>
  );
}

/** Nothing is chosen, or what was is gone. */
export function PaneHint({
  to,
  back,
  text,
}: {
  readonly to: Room;
  readonly back: string;
  readonly text: string;
}): ReactNode {
  return (
    <div className="pane-hint stack">
      <p className="muted">{text}</p>
      <Link className="b panes-back" to={to} search={{}}>
        {back}
      </Link>
    </div>
  );
}
