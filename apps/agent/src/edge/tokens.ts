/** Nest's names for what the controllers are given. */
export const PEER = Symbol('peer');
export const CONTROL = Symbol('control');
export const LOGGER = Symbol('logger');
