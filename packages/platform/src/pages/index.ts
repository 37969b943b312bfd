/**
 * Serves built pages from this machine's disk, with the policy under which they may run; for Node.
 *
 * @packageDocumentation
 */
export { serveLinkPage, servePageFile } from './serve-page-file.ts';
