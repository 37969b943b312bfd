import { createRoot } from 'react-dom/client';
import { sleep } from '../shared/sleep.ts';
import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/pages.css';
import '../styles/guest.css';
import { createController } from './controller.ts';
import { loader } from './loader.ts';
import { Alone, TrainPage } from './page.tsx';
import { tab } from './strings.ts';

const root = createRoot(document.getElementById('root') as HTMLElement);
const ticket = location.hash.slice(1);
// Another link pasted into the same tab is another visit.
addEventListener('hashchange', () => location.reload());

if (ticket === '') {
  root.render(<Alone title={tab.noLinkTitle} text={tab.noLink} />);
} else {
  const deadline = (ms: number, parent: AbortSignal): AbortSignal => AbortSignal.any([AbortSignal.timeout(ms), parent]);
  const controller = createController({ loader, ticket, sleep, deadline });
  addEventListener('pagehide', () => void controller.leave());
  root.render(<TrainPage controller={controller} />);
  void controller.start();
}
