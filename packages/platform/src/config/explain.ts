import { fileSettings, fromText, isSection } from './layers.ts';
import { configError, keyProblem } from './problem.ts';
import type { Config } from './schema.ts';
import { configKeys, type KeyInfo } from './tree.ts';
import { yaml } from './yaml.ts';

/** What a key, or each key of a section, means. Throws CONFIG_INVALID ("did you mean"), CONFIG_NOT_BUILT_IN. */
export function explain(key: string): readonly KeyInfo[] {
  const infos = configKeys().filter((info) => info.key === key || info.key.startsWith(`${key}.`));
  if (infos.length === 0) throw configError([keyProblem(key, key)]);
  return infos;
}

/** The value of a key, or of a section. Throws as `explain`. */
export function configValue(config: Config, key: string): unknown {
  explain(key);
  let value: unknown = config;
  for (const name of key.split('.')) value = (value as Record<string, unknown>)[name];
  return value;
}

/**
 * A configuration file's text with one key set, its comments kept. The new text is checked as `loadConfig` would for keys, not for values.
 * Throws as `explain`, and CONFIG_INVALID for a section.
 */
export function setConfigKey(text: string, key: string, value: string): string {
  const [info] = explain(key);
  if (info === undefined || isSection(key)) {
    throw configError([
      { code: 'CONFIG_INVALID', key, place: key, message: `${key} is a section: name one of its keys` },
    ]);
  }
  const { Document, isMap, parseDocument } = yaml();
  const parsed = parseDocument(text);
  const document = isMap(parsed.contents) ? parsed : new Document({});
  if (!isMap(parsed.contents)) document.commentBefore = parsed.commentBefore ?? parsed.comment;
  document.setIn(key.split('.'), document.createNode(fromText(info, value)));
  const result = document.toString({ lineWidth: 0 });
  fileSettings(result, key);
  return result;
}

/** A file with every key at its default, explained; uncommented it changes nothing. */
export function exampleConfig(): string {
  const lines = ['# PeerAI configuration. Every key is optional; what is shown is the default.', ''];
  let open: readonly string[] = [];
  for (const info of configKeys()) {
    const path = info.key.split('.');
    const sections = path.slice(0, -1);
    const shared = sections.findIndex((name, index) => name !== open[index]);
    for (let depth = shared === -1 ? sections.length : shared; depth < sections.length; depth += 1) {
      lines.push(`${'  '.repeat(depth)}${sections[depth]}:`);
    }
    open = sections;
    lines.push(...exampleLines(info, '  '.repeat(sections.length), path.at(-1) ?? ''));
  }
  return `${lines.join('\n')}\n`;
}

function exampleLines(info: KeyInfo, indent: string, name: string): readonly string[] {
  const choices = info.choices === undefined ? '' : ` (${info.choices.join(', ')})`;
  const comment = `${indent}# ${info.description}${choices}`;
  if (info.default === undefined) return [comment, `${indent}# ${name}:`];
  const value = yaml().stringify(info.default, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
  return [comment, `${indent}${name}: ${value}`];
}
