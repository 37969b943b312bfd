import type { Logger } from '../ports/index.ts';

/** Keeps quiet. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
