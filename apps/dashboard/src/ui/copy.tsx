import { useEffect, useState, type ReactNode } from 'react';
import { copyText } from '../shared/clipboard.ts';
import { Button, IconButton, type ButtonProps } from './button.tsx';
import { ui } from './strings.ts';

const shownMs = 2_000;
type CopyState = 'idle' | 'copied' | 'failed';

function useCopy(text: string): { readonly state: CopyState; readonly copy: () => void } {
  const [state, setState] = useState<CopyState>('idle');
  useEffect(() => {
    if (state !== 'copied') return;
    const timer = setTimeout(() => setState('idle'), shownMs);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = (): void => {
    void copyText(text).then((done) => setState(done ? 'copied' : 'failed'));
  };
  return { state, copy };
}

function CopySaid({ state }: { readonly state: CopyState }): ReactNode {
  return (
    <span role="status" className={state === 'failed' ? 'small' : 'vh'}>
      {state === 'copied' ? ui.copied : state === 'failed' ? ui.copyFailed : ''}
    </span>
  );
}

/** A command or a link in mono, with its copy button. */
export function Command({
  text,
  label,
  short = false,
}: {
  readonly text: string;
  readonly label?: string;
  readonly short?: boolean;
}): ReactNode {
  const { state, copy } = useCopy(text);
  return (
    <div className={short ? 'cmd cmd-short' : 'cmd'}>
      <code>{text}</code>
      <CopySaid state={state} />
      <IconButton
        icon={state === 'copied' ? 'check' : 'copy'}
        label={state === 'copied' ? ui.copied : (label ?? ui.copy)}
        onClick={copy}
      />
    </div>
  );
}

export function CopyButton({ text, children, ...rest }: { readonly text: string } & ButtonProps): ReactNode {
  const { state, copy } = useCopy(text);
  return (
    <>
      <Button icon={state === 'copied' ? 'check' : 'copy'} onClick={copy} {...rest}>
        {state === 'copied' ? ui.copied : children}
      </Button>
      <CopySaid state={state} />
    </>
  );
}
