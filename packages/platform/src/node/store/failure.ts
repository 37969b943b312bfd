/** A refusal as it crosses threads; also thrown inside the writer. */
export interface Failure {
  readonly code: 'STORE_FULL' | 'STORE_BROKEN' | 'STORE_CHANGED' | 'STORE_LOCKED' | 'STORE_NEWER';
  readonly message: string;
}

const busy = new Set([5, 6]);
const full = 13;
/** SQLITE_IOERR_SHMSIZE: no room for the index of the write-ahead log. */
const indexFull = 10 | (19 << 8);

/**
 * What an error of node:sqlite means for the caller. Result codes: https://sqlite.org/rescode.html
 *
 * Anything unknown counts as broken: better refuse everything until the file is opened anew than go on with half a truth.
 */
export function failureOf(error: unknown, path: string): Failure {
  if (isFailure(error)) return error;
  const { errcode, errstr, message, code } = error as {
    errcode?: number;
    errstr?: string;
    message?: string;
    code?: string;
  };
  const primary = errcode === undefined ? undefined : errcode & 0xff;
  if (primary === full || errcode === indexFull || code === 'ENOSPC') {
    return { code: 'STORE_FULL', message: `no space left to write ${path}; nothing of this commit was written` };
  }
  if (primary !== undefined && busy.has(primary)) return locked(path);
  return broken(path, `${errstr ?? message ?? 'unknown failure'}${errcode === undefined ? '' : `, SQLite ${errcode}`}`);
}

export function broken(path: string, why: string): Failure {
  const wayOut = 'stop the agent, then move the file away (with its -wal) or restore a backup';
  return { code: 'STORE_BROKEN', message: `the store ${path} cannot be used: ${why}; ${wayOut}` };
}

export function changed(path: string): Failure {
  return {
    code: 'STORE_CHANGED',
    message: `a row in ${path} is not what this commit builds on; nothing of it was written`,
  };
}

export function locked(path: string): Failure {
  return { code: 'STORE_LOCKED', message: `another process uses the store ${path}; stop it, or choose another home` };
}

function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'code' in value && String(value.code).startsWith('STORE_');
}
