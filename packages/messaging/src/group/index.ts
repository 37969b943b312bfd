/**
 * Groups whose messages only their members read.
 *
 * @packageDocumentation
 */
export { type GroupReport, type Groups, type GroupsDeps, type GroupView, openGroups } from './groups.ts';
export type { GroupMessage } from './intake.ts';
export { limits as groupLimits } from './limits.ts';
