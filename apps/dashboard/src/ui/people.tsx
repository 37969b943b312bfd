import type { Fingerprint } from '@peerai/peer/control';
import type { ReactNode } from 'react';
import { shortId } from '../shared/format.ts';
import { qrPicture } from '../shared/qr.ts';
import { sparkline } from '../shared/sparkline.ts';
import { ui } from './strings.ts';

/** Four pictures, named for those who do not see them. */
export function Emoji({
  emoji,
  words,
  large = false,
}: {
  readonly emoji: readonly string[];
  readonly words: readonly string[];
  readonly large?: boolean;
}): ReactNode {
  const label = ui.fingerprint(words.join(', '));
  return (
    <span className={large ? 'emoji emoji-l' : 'emoji'} role="img" aria-label={label} title={label}>
      {emoji.join('')}
    </span>
  );
}

/** Pictures, their names, and the key's first digits in groups of four. */
export function FingerprintFact({ fingerprint }: { readonly fingerprint: Fingerprint }): ReactNode {
  return (
    <>
      <Emoji {...fingerprint} />
      <br />
      <span className="small muted">{fingerprint.words.join(', ')}</span>
      <br />
      <code>{shortId(fingerprint.hex)}</code>
    </>
  );
}

export function QrCode({ text, label }: { readonly text: string; readonly label: string }): ReactNode {
  const { size, path } = qrPicture(text);
  return (
    <svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <path d={path} />
    </svg>
  );
}

export function Spark({ values }: { readonly values: readonly number[] }): ReactNode {
  const { line, area } = sparkline(values, 240, 36);
  return (
    <svg className="spark" viewBox="0 0 240 36" preserveAspectRatio="none" aria-hidden="true">
      {area !== '' && <path className="area" d={area} />}
      <path d={line} />
    </svg>
  );
}

/** Used of whole, both exact numbers beside it in words. */
export function UsageBar({
  used,
  whole,
  label,
}: {
  readonly used: number;
  readonly whole: number;
  readonly label: string;
}): ReactNode {
  const part = whole <= 0 ? 1 : Math.min(1, used / whole);
  return (
    <svg className="bar-use" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label={label}>
      <rect width="100" height="6" rx="1" />
      <rect className="used" width={(part * 100).toFixed(1)} height="6" rx="1" />
    </svg>
  );
}
