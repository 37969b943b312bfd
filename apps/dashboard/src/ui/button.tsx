import type { ComponentProps, ReactNode } from 'react';
import { Icon } from './icon.tsx';
import type { IconName } from './icons.ts';

const looks = { plain: 'b', primary: 'b b-1', quiet: 'b b-0', bad: 'b b-bad' } as const;

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'className'> {
  readonly look?: keyof typeof looks;
  readonly icon?: IconName;
  readonly wrap?: boolean;
  /** To the far end of its row. */
  readonly push?: boolean;
}

export function Button({
  look = 'plain',
  icon,
  wrap = false,
  push = false,
  children,
  ...rest
}: ButtonProps): ReactNode {
  return (
    <button type="button" className={`${looks[look]}${wrap ? ' b-wrap' : ''}${push ? ' push' : ''}`} {...rest}>
      {icon !== undefined && <Icon name={icon} small />}
      {children}
    </button>
  );
}

/** A button that is one icon; `label` is its name. */
export function IconButton({
  icon,
  label,
  look = 'quiet',
  push = false,
  ...rest
}: Omit<ComponentProps<'button'>, 'className' | 'children'> & {
  readonly icon: IconName;
  readonly label: string;
  readonly look?: 'quiet' | 'primary';
  readonly push?: boolean;
}): ReactNode {
  return (
    <button
      type="button"
      className={`${looks[look]} b-i${push ? ' push' : ''}`}
      aria-label={label}
      title={label}
      {...rest}
    >
      <Icon name={icon} />
    </button>
  );
}
