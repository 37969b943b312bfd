export { hintFor } from './chat/hints.ts';
