/**
 * Letters through peers that forward for each other: sealed for the last one, up to five links.
 *
 * @packageDocumentation
 */
export { createRouter, type Router, type RouterDeps } from './router.ts';
export { routeLimits } from './limits.ts';
