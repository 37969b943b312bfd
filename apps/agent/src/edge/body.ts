import { PeerAiError } from '@peerai/core-protocol';
import { StandardSchemaValidationPipe } from '@nestjs/common';

/** Bodies and parameters are checked by the schema beside them; what is wrong is named with its place. */
export const validation = new StandardSchemaValidationPipe({
  exceptionFactory: (issues) => {
    const texts = issues.slice(0, 8).map(({ message, path }) => {
      const place = (path ?? []).map((part) => (typeof part === 'object' ? String(part.key) : String(part))).join('.');
      return place === '' ? message : `${place}: ${message}`;
    });
    return new PeerAiError('INVALID_FORMAT', texts.join('; '));
  },
});
