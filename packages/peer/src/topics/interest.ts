import { PeerAiError } from '@peerai/core-protocol';
import { limits } from '../limits.ts';

type Scalar = string | number | boolean | null;
const operators = ['=', '!=', '<=', '>=', '<', '>', '~'] as const;
interface Clause {
  readonly path: readonly string[];
  /** Without one the field must be there. */
  readonly test: { readonly operator: (typeof operators)[number]; readonly value: Scalar } | undefined;
}
/** Which messages somebody wants: true of their JSON, or not. */
export type Interest = (payload: unknown) => boolean;

/** A field's path, then an operator and a value: JSON, or a word. One token after another, so its time is linear. */
const clauseForm = /\s*([\w-]+(?:\.[\w-]+)*)(?:\s*(!=|<=|>=|[=<>~])\s*("(?:[^"\\]|\\.)*"|[^\s"=<>~!][^\s"]*))?/uy;
const joinForm = /\s+and\s+/uy;

/**
 * `room=kitchen and reading.celsius>=20 and tags~urgent and alarm`: all must hold. `=` and `!=` compare with a JSON value or a word, `<` to `>=` numbers with numbers and
 * texts with texts, `~` asks whether a text has another in it or a list a value, a path alone whether the field is there. Throws INVALID_FORMAT.
 */
export function readInterest(text: string): Interest {
  if (text.length > limits.interestCharsMax) throw invalid(`is longer than ${limits.interestCharsMax} characters`);
  const clauses: Clause[] = [];
  let at = 0;
  for (;;) {
    clauseForm.lastIndex = at;
    const found = clauseForm.exec(text);
    if (found === null) throw invalid(`cannot be read at character ${at + 1}`);
    at = clauseForm.lastIndex;
    clauses.push(clauseOf(found));
    if (clauses.length > limits.interestClausesMax)
      throw invalid(`has more than ${limits.interestClausesMax} conditions`);
    if (text.slice(at).trim() === '') return (payload) => clauses.every((clause) => holds(clause, payload));
    joinForm.lastIndex = at;
    if (joinForm.exec(text) === null) throw invalid(`cannot be read at character ${at + 1}: join conditions by "and"`);
    at = joinForm.lastIndex;
  }
}

const invalid = (what: string): PeerAiError => new PeerAiError('INVALID_FORMAT', `the filter ${what}`);

function clauseOf([, fields = '', operator, value]: RegExpExecArray): Clause {
  const path = fields.split('.');
  if (path.length > limits.interestDepthMax) throw invalid(`looks more than ${limits.interestDepthMax} fields deep`);
  const known = operators.find((one) => one === operator);
  return {
    path,
    test: known === undefined || value === undefined ? undefined : { operator: known, value: scalar(value) },
  };
}

/** What is no JSON is a word. */
function scalar(text: string): Scalar {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? text : (value as Scalar);
  } catch {
    return text;
  }
}

function holds({ path, test }: Clause, payload: unknown): boolean {
  let value: unknown = payload;
  for (const field of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return test?.operator === '!=';
    value = (value as Readonly<Record<string, unknown>>)[field];
  }
  return test === undefined || compare(value, test.operator, test.value);
}

function compare(value: unknown, operator: (typeof operators)[number], wanted: Scalar): boolean {
  if (operator === '=') return value === wanted;
  if (operator === '!=') return value !== wanted;
  if (operator === '~') {
    if (Array.isArray(value)) return value.includes(wanted);
    return typeof value === 'string' && typeof wanted === 'string' && value.includes(wanted);
  }
  const areNumbers = typeof value === 'number' && typeof wanted === 'number';
  const areTexts = typeof value === 'string' && typeof wanted === 'string';
  if (!areNumbers && !areTexts) return false;
  if (operator === '<') return value < wanted;
  if (operator === '<=') return value <= wanted;
  return operator === '>' ? value > wanted : value >= wanted;
}
