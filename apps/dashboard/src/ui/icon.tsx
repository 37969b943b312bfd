import type { ReactNode } from 'react';
import { type DotName, type Dot, dots } from '../shared/dots.ts';
import { type IconName, icons } from './icons.ts';

/** An outline that takes the colour of its text; silent for screen readers, the word beside it speaks. */
export function Icon({ name, small = false }: { readonly name: IconName; readonly small?: boolean }): ReactNode {
  return (
    <svg className={`i i-${name}${small ? ' i-s' : ''}`} viewBox="0 0 20 20" aria-hidden="true">
      <path d={icons[name]} fill={name === 'theme' ? 'currentColor' : undefined} fillRule="evenodd" />
    </svg>
  );
}

export function Mark(): ReactNode {
  return (
    <svg className="mark" viewBox="0 0 28 20" aria-hidden="true">
      <path d="M7 10h14" />
      <circle className="full" cx="6" cy="10" r="5" />
      <circle className="hollow" cx="22" cy="10" r="4" />
    </svg>
  );
}

/** A state: its shape, then its words. */
export function State({ dot, children }: { readonly dot: DotName; readonly children: ReactNode }): ReactNode {
  const shape: Dot = dots[dot];
  return (
    <span className={`st st-${dot}`}>
      <svg className="dot" viewBox="0 0 10 10" aria-hidden="true">
        {shape.fill !== undefined && <path className="fill" d={shape.fill} />}
        <circle cx="5" cy="5" r="4.2" strokeDasharray={shape.dashed ? '2 2' : undefined} />
        {shape.slash && <path d="M2 8L8 2" />}
      </svg>
      <span>{children}</span>
    </span>
  );
}

const verdicts = { ok: 'check', look: 'warn', broken: 'x' } as const;

/** The verdict of a check: fine, look, broken. */
export function Verdict({
  state,
  children,
}: {
  readonly state: keyof typeof verdicts;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <span className={`st st-${state}`}>
      <Icon name={verdicts[state]} small />
      {children}
    </span>
  );
}

/** The line that means a path: solid direct, dashed relayed. */
export function PathLine({ path }: { readonly path: 'direct' | 'relayed' }): ReactNode {
  return (
    <svg className={`path-line path-line-${path}`} viewBox="0 0 20 2" aria-hidden="true">
      <path d="M0 1h20" />
    </svg>
  );
}
