import type { ReactNode } from 'react';
import { PeerAiError } from '@peerai/core-protocol';
import { sentence } from '../shared/format.ts';
import type { IconName } from './icons.ts';
import { Button } from './button.tsx';
import { Command } from './copy.tsx';
import { Icon } from './icon.tsx';
import { ui } from './strings.ts';

const icons = { plain: 'share', ok: 'check', warn: 'warn', bad: 'x' } as const;

export function Note({
  kind = 'plain',
  icon = icons[kind],
  title,
  children,
  side,
  live = false,
}: {
  readonly kind?: keyof typeof icons;
  readonly icon?: IconName;
  readonly title: string;
  readonly children?: ReactNode;
  readonly side?: ReactNode;
  /** Announced when it appears. */
  readonly live?: boolean;
}): ReactNode {
  return (
    <div className={`note${kind === 'plain' ? '' : ` note-${kind}`}`} role={live ? 'alert' : undefined}>
      <Icon name={icon} />
      <div>
        <p className="t">{title}</p>
        {children}
      </div>
      {side}
    </div>
  );
}

/** What went wrong, in the error's own words, with one action and the command that helps. */
export function ErrorNote({
  title,
  error,
  onRetry,
}: {
  readonly title: string;
  readonly error: unknown;
  readonly onRetry?: () => void;
}): ReactNode {
  const away = PeerAiError.is(error, 'AGENT_NOT_RUNNING');
  const hint = PeerAiError.is(error) ? error.details['hint'] : undefined;
  return (
    <Note kind="bad" title={title} live>
      <p>{away ? ui.agentAway : messageOf(error)}</p>
      {typeof hint === 'string' && <p>{hint}</p>}
      {away && <Command text={ui.agentCommand} />}
      {onRetry !== undefined && <Button onClick={onRetry}>{ui.retry}</Button>}
    </Note>
  );
}

function messageOf(error: unknown): string {
  return sentence(error instanceof Error ? error.message : String(error));
}
