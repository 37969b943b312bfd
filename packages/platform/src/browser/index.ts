/**
 * The machine below a peer in a tab: IndexedDB store, the tab's own key, clock and randomness.
 *
 * @packageDocumentation
 */
export { systemClock } from '../clock.ts';
export { systemRandom as browserRandom } from '../random.ts';
export { type BrowserSeed, loadOrCreateBrowserSeed } from './browser-seed.ts';
export { type BrowserStore, type BrowserStoreOptions, openBrowserStore } from './indexeddb-store.ts';
