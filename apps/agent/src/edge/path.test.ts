import { expect, test } from 'vitest';
import { readTarget } from './path.ts';

test.each([
  ['/api/v1/node', '/api/v1/node', '/api/v1/node'],
  ['//api///v1/node?x=//', '/api/v1/node', '/api/v1/node?x=//'],
  ['/api/%76%31/node', '/api/v1/node', '/api/%76%31/node'],
  ['/api%2Fv1/node', '/api/v1/node', '/api%2Fv1/node'],
  ['/%2Fapi/v1/node', '/api/v1/node', '/%2Fapi/v1/node'],
  ['http://evil.example/api/v1/node', '/api/v1/node', '/api/v1/node'],
  ['http://evil.example', '/', '/'],
  ['*', '/*', '/*'],
  ['/%zz', '/%zz', '/%zz'],
  ['', '/', '/'],
])('the target %s has the path %s', (target, path, url) => {
  expect(readTarget(target)).toMatchObject({ path, url });
});

test('the query is read as it stands', () => {
  expect(readTarget('/docs?token=a%2Bb&x').query.get('token')).toBe('a+b');
});
