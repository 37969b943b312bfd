/**
 * Each named limit is mentioned by a test, or stands in `limits-without-test.json` with the reason why not. That list is to shrink: a new limit without a
 * test fails, and so does an entry that has one by now. A mention is no proof that the limit is tested at its value and one past it; none is a hint that it is not.
 *
 *     node tooling/config/src/limits-check.ts
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const listPath = 'tooling/config/src/limits-without-test.json';
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 16_777_216,
}).split('\n');
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const packageOf = (file: string): string => file.split('/').slice(0, 2).join('/');

/** `file#name` of each object of limits, with its keys. */
const objects = new Map<string, readonly string[]>();
for (const file of files.filter((one) => one.endsWith('/limits.ts'))) {
  for (const [, name = '', body = ''] of textOf(file).matchAll(/^export const (\w+)[^=\n]* = \{$(.*?)^\}/gmsu)) {
    objects.set(
      `${file}#${name}`,
      Array.from(body.matchAll(/^ {2}(\w+):/gmu), ([, key = '']) => key),
    );
  }
}

/** What a package exports its limits as: `package name` to the object. */
const exported = new Map<string, string>();
const resolved = (from: string, path: string): string => normalize(join(dirname(from), path)).replace(/\.js$/u, '.ts');
const namesIn = (list: string): readonly (readonly [string, string])[] =>
  list
    .split(',')
    .map((one) => one.trim().replace(/^type /u, ''))
    .filter((one) => one !== '')
    .map((one) => {
      const [name = '', as = name] = one.split(/\s+as\s+/u);
      return [name, as] as const;
    });
for (const file of files.filter((one) => /^(?:packages|apps)\/[^/]+\/src\//u.test(one))) {
  for (const [, list = '', path = ''] of textOf(file).matchAll(/^export \{([^}]*)\} from '(\.[^']+limits\.ts)'/gmu)) {
    for (const [name, as] of namesIn(list)) exported.set(`${packageOf(file)} ${as}`, `${resolved(file, path)}#${name}`);
  }
}
const packages = new Map(
  execFileSync('git', ['ls-files', 'packages/*/package.json', 'apps/*/package.json'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '')
    .map((file) => [(JSON.parse(textOf(file)) as { readonly name: string }).name, dirname(file)] as const),
);

/** What the names that a file imports stand for. */
function* limitsOf(file: string, text: string): Generator<readonly [alias: string, object: string]> {
  for (const [, list = '', path = ''] of text.matchAll(/^import (?:type )?\{([^}]*)\} from '([^']+)'/gmu)) {
    for (const [name, as] of namesIn(list)) {
      const from = path.startsWith('.') ? packageOf(file) : packages.get(path.split('/').slice(0, 2).join('/'));
      const direct = path.startsWith('.') ? `${resolved(file, path)}#${name}` : '';
      const object = objects.has(direct) ? direct : exported.get(`${from} ${name}`);
      if (object !== undefined) yield [as, object];
    }
  }
}

const isTest = (file: string): boolean => /\.test\.tsx?$|\/test\/|\/testing\/|^tooling\//u.test(file);
const mentioned = new Set<string>();
for (const file of files.filter((one) => one !== '' && isTest(one))) {
  const text = textOf(file);
  for (const [alias, object] of limitsOf(file, text)) {
    for (const [, key = ''] of text.matchAll(new RegExp(`\\b${alias}\\.(\\w+)`, 'gu')))
      mentioned.add(`${object}.${key}`);
    // A table of limits by their names, looked up in a loop.
    if (text.includes(`${alias}[`)) {
      for (const [, key = ''] of text.matchAll(/'(\w+)'/gu)) mentioned.add(`${object}.${key}`);
    }
    const taken = new RegExp(`\\{([^{}]*)\\} = (?:\\{ \\.\\.\\.)?${alias}\\b`, 'gu');
    for (const [, list = ''] of text.matchAll(taken)) {
      for (const key of list.split(',')) mentioned.add(`${object}.${key.split(':')[0]?.trim() ?? ''}`);
    }
  }
}

const excepted = JSON.parse(textOf(listPath)) as Readonly<Record<string, Readonly<Record<string, string>>>>;
const listed = new Set(
  Object.entries(excepted).flatMap(([object, keys]) => Object.keys(keys).map((key) => `${object}.${key}`)),
);
const all = [...objects].flatMap(([object, keys]) => keys.map((key) => `${object}.${key}`));
const without = all.filter((one) => !mentioned.has(one));
const missing = without.filter((one) => !listed.has(one));
const over = [...listed].filter((one) => !without.includes(one));
for (const one of missing) console.error(`${one}: no test mentions this limit`);
for (const one of over) console.error(`${one}: has a test or is gone; take it out of ${listPath}`);
console.log(`${all.length} limits, ${without.length} that no test names`);
if (missing.length + over.length > 0) process.exitCode = 1;
