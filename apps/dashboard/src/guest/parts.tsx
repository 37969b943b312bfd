/** @jsxImportSource preact */
import type { ComponentChildren, JSX } from 'preact';
import { type DotName, type Dot, dots } from '../shared/dots.ts';
import { type IconName, icons } from '../shared/icons.ts';

export function Icon({ name, small = false }: { readonly name: IconName; readonly small?: boolean }): JSX.Element {
  return (
    <svg class={`i i-${name}${small ? ' i-s' : ''}`} viewBox="0 0 20 20" aria-hidden="true">
      <path d={icons[name]} fill={name === 'theme' ? 'currentColor' : 'none'} fill-rule="evenodd" />
    </svg>
  );
}

export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 28 20" aria-hidden="true">
      <path d="M7 10h14" />
      <circle class="full" cx="6" cy="10" r="5" />
      <circle class="hollow" cx="22" cy="10" r="4" />
    </svg>
  );
}

/** A state: its shape, then its words. */
export function State({
  dot,
  children,
}: {
  readonly dot: DotName;
  readonly children?: ComponentChildren;
}): JSX.Element {
  const shape: Dot = dots[dot];
  return (
    <span class={`st st-${dot}`}>
      <svg class="dot" viewBox="0 0 10 10" aria-hidden="true">
        {shape.fill !== undefined && <path class="fill" d={shape.fill} />}
        <circle cx="5" cy="5" r="4.2" {...(shape.dashed ? { 'stroke-dasharray': '2 2' } : {})} />
      </svg>
      {children !== undefined && <span>{children}</span>}
    </span>
  );
}

export function Note({
  kind = 'plain',
  icon,
  title,
  children,
}: {
  readonly kind?: 'plain' | 'warn' | 'bad';
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class={kind === 'plain' ? 'note' : `note note-${kind}`} role="alert">
      <Icon name={icon} />
      <div>
        <p class="t">{title}</p>
        {children}
      </div>
    </div>
  );
}
