import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { limits } from '../limits.ts';
import { directories } from './directories.ts';
import { type Environment, envSettings, fileSettings, type Flags, flagSettings, type Setting } from './layers.ts';
import { configError, type ConfigProblem } from './problem.ts';
import { type Config, configSchema } from './schema.ts';
import { configKeys } from './tree.ts';

export interface LoadConfigOptions {
  readonly env: Environment;
  /** Dotted keys to values, what the command line said. */
  readonly flags?: Flags;
  /** Where `./peerai.yaml` is looked for; the working directory by default. */
  readonly cwd?: string;
  /** As `--home`; PEERAI_HOME by default. */
  readonly home?: string;
  /** As `--config`: this file only, and it must be there. */
  readonly file?: string;
}
export interface LoadedConfig {
  readonly config: Config;
  /** Every key to who set it: `flag`, `env PEERAI_…`, a file's path, `default`. */
  readonly origins: Readonly<Record<string, string>>;
  /** The files that were read, strongest first. */
  readonly files: readonly string[];
}

/**
 * The configuration in force: flag > environment > `./peerai.yaml` > the file of the user's or the home's folder > default.
 *
 * Throws CONFIG_INVALID for unknown keys ("did you mean"), bad values, unreadable files, and CONFIG_NOT_BUILT_IN for keys that this version
 * does not have; each with its file and line, or the variable or flag.
 */
export function loadConfig(options: LoadConfigOptions): LoadedConfig {
  const files: string[] = [];
  const fromFiles: Setting[] = [];
  for (const path of candidates(options)) {
    const text = readConfig(path, options.file !== undefined);
    if (text === undefined) continue;
    files.push(path);
    fromFiles.unshift(...fileSettings(text, path));
  }
  // Weakest first: a later one replaces an earlier one.
  const settings = [...fromFiles, ...envSettings(options.env), ...flagSettings(options.flags ?? {})];
  const strongest = new Map(settings.map((setting) => [setting.key, setting]));
  const origins = Object.fromEntries(configKeys().map(({ key }) => [key, strongest.get(key)?.origin ?? 'default']));
  return { config: parseSettings(strongest), origins, files };
}

/** The files that may hold settings, strongest first. */
function candidates({ cwd, home, env, file }: LoadConfigOptions): readonly string[] {
  const base = cwd ?? process.cwd();
  if (file !== undefined) return [resolve(base, file)];
  const own = directories({ env, ...(home === undefined ? {} : { home: resolve(base, home) }) }).files.config;
  return [...new Set([join(base, 'peerai.yaml'), own])];
}

function readConfig(path: string, mustExist: boolean): string | undefined {
  const refuse = (message: string): never => {
    throw configError([{ code: 'CONFIG_INVALID', key: '', place: path, message }]);
  };
  try {
    const { size } = statSync(path);
    if (size > limits.configBytesMax)
      return refuse(`a configuration has at most ${limits.configBytesMax} bytes, this file has ${size}`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !mustExist) return undefined;
    if (code === 'ENOENT') return refuse('there is no such file');
    if (code === undefined || code.startsWith('CONFIG_')) throw error;
    return refuse(`it cannot be read (${code})`);
  }
}

function parseSettings(settings: ReadonlyMap<string, Setting>): Config {
  const raw = {};
  for (const { key, value } of settings.values()) setAt(raw, key.split('.'), value);
  const result = configSchema.safeParse(raw);
  if (result.success) return result.data;
  throw configError(result.error.issues.map(({ path, message }) => valueProblem(path, message, settings)));
}

function valueProblem(
  path: readonly PropertyKey[],
  message: string,
  settings: ReadonlyMap<string, Setting>,
): ConfigProblem {
  const full = path.map(String);
  for (let length = full.length; length > 0; length -= 1) {
    const setting = settings.get(full.slice(0, length).join('.'));
    if (setting !== undefined) return problemAt(setting.place, full, message);
  }
  const below = [...settings.values()].find(({ key }) => key.startsWith(`${full.join('.')}.`));
  return problemAt(below?.place ?? 'configuration', full, message);
}

function problemAt(place: string, path: readonly string[], message: string): ConfigProblem {
  const key = path.join('.');
  return { code: 'CONFIG_INVALID', key, place, message: `${key}: ${message}` };
}

function setAt(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) target[name] = value;
  else setAt((target[name] ??= {}) as Record<string, unknown>, rest, value);
}
