import { expect, test } from 'vitest';
import { creditsOf } from './read-data.ts';

test('an amount of credits is taken as it is given, with a millionth and below a thousand; else the flag is named', () => {
  for (const good of ['0', '0.5', '999.999999', '0.000001']) expect(creditsOf('price', good)).toBe(good);
  for (const bad of ['-1', '', '1000', '0.0000001', '.5', '1.', '1,5', '1e2', 'NaN'])
    expect(() => creditsOf('price', bad)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(`--price is credits`) }),
    );
});
