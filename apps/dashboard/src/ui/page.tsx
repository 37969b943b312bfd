import { useId, type ReactNode } from 'react';

/** A page's name and its one sentence; `children` are its actions. */
export function PageHead({
  title,
  lead,
  children,
}: {
  readonly title: string;
  readonly lead?: string | undefined;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <div className="head">
      <h1>{title}</h1>
      {lead !== undefined && <p>{lead}</p>}
      {children !== undefined && <div className="actions">{children}</div>}
    </div>
  );
}

/** A card with its heading; `aside` is a few quiet words at the far end. */
export function Card({
  title,
  aside,
  children,
}: {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  const heading = useId();
  return (
    <section className="card" aria-labelledby={heading}>
      <header>
        <h2 id={heading}>{title}</h2>
        {aside !== undefined && <div className="small quiet push">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

/** Nothing here yet, and what brings something. */
export function Empty({
  title,
  text,
  children,
}: {
  readonly title: string;
  readonly text: string;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <div className="pad stack">
      <h3>{title}</h3>
      <p className="muted">{text}</p>
      {children}
    </div>
  );
}
