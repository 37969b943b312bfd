export * from './graph/index.ts';
export type { NnErrorCode } from './errors.ts';
export { limits } from './limits.ts';
