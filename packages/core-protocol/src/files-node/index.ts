/**
 * Small files in a folder that others write into as well; Node only.
 *
 * @packageDocumentation
 */
export { lockFile } from './lock-file.ts';
export { putSmallFile, readSmallFile, removeFile } from './small-file.ts';
