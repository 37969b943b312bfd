import { PeerAiError } from '@peerai/core-protocol';
import { StandardSchemaValidationPipe } from '@nestjs/common';

/** Bodies and parameters are checked by the schema beside them; what is wrong is named with its place. */
export const validation = new StandardSchemaValidationPipe({
  exceptionFactory: (issues) => {
    const texts = issues.slice(0, 8).map(({ message, path }) => {
      const place = (path ?? []).map((part) => (typeof part === 'object' ? String(part.key) : String(part))).join('.');
      const text = bounds(message);
      return place === '' ? text : `${place}: ${text}`;
    });
    return new PeerAiError('INVALID_FORMAT', texts.join('; '));
  },
});

/** Zod's "Too small: expected number to be >=1" as a person says it; what a schema says in words of its own stays. */
function bounds(message: string): string {
  const [, what = '', sign = '', bound = ''] =
    /^Too (?:small|big): expected (\w+) to (?:be|have) ([<>]=?)(\S+)/u.exec(message) ?? [];
  if (bound === '') return message;
  const unit = what === 'string' ? ' characters' : what === 'array' ? ' of them' : '';
  return `it must be ${signs[sign] ?? ''} ${bound}${unit}`;
}

const signs: Readonly<Record<string, string>> = { '>=': 'at least', '<=': 'at most', '>': 'above', '<': 'below' };
