import { useEffect, useId, useRef, type ReactNode } from 'react';
import type { IconName } from './icons.ts';
import { IconButton } from './button.tsx';
import { Icon } from './icon.tsx';
import { ui } from './strings.ts';

/**
 * A native modal dialog: the browser keeps the focus inside, gives it back and closes on Escape.
 * Dialog libraries inject style elements, which our content policy forbids.
 */
export function Sheet({
  title,
  icon,
  onClose,
  children,
}: {
  readonly title: string;
  readonly icon: IconName;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="sheet"
      aria-labelledby={heading}
      onClose={(event) => {
        // React's strict mode, in development, opens, closes and opens: the word of the close comes when it is open again.
        if (!event.currentTarget.open) onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <header>
        <Icon name={icon} />
        <h2 id={heading} className="anywhere">
          {title}
        </h2>
        <IconButton icon="close" label={ui.close} push onClick={onClose} />
      </header>
      {children}
    </dialog>
  );
}
