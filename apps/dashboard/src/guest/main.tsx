/** @jsxImportSource preact */
import { render } from 'preact';
import { sleep } from '../shared/sleep.ts';
import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/guest.css';
import { createController } from './controller.ts';
import { loader } from './loader.ts';
import { Alone, GuestPage } from './page.tsx';
import { refusalOf } from './refusals.ts';
import { guest } from './strings.ts';

const root = document.getElementById('root') as HTMLElement;
const ticket = location.hash.slice(1);
// Another link pasted into the same tab is another talk.
addEventListener('hashchange', () => location.reload());

if (ticket === '') {
  render(<Alone title={guest.noLinkTitle} text={guest.noLink} />, root);
} else {
  const controller = createController({
    loader,
    ticket,
    now: Date.now,
    sleep,
    deadline: (ms, parent) => AbortSignal.any([AbortSignal.timeout(ms), parent]),
    storage: sessionStorage,
    isFinal: (code) => refusalOf(code, undefined, 0)?.final === true,
  });
  // The page stands before anything heavy is asked for.
  render(<GuestPage controller={controller} />, root);
  requestAnimationFrame(() => void controller.start());
}
