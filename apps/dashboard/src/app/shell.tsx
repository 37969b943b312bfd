import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { plural } from '../shared/format.ts';
import { PairingWatch } from '../pairing/watch.tsx';
import { Command } from '../ui/copy.tsx';
import { Icon, Mark, State } from '../ui/icon.tsx';
import { Emoji } from '../ui/people.tsx';
import { AsOf } from '../ui/region.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { useLive } from './context.ts';
import { pages, pagesInBar } from './pages.ts';
import { useNode, usePeers } from './queries.ts';
import { shell } from './strings.ts';
import { ThemeButton } from './theme-button.tsx';

/** What stands around every page: who this is, how the network is, where one can go. */
export function Shell(): ReactNode {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const page = pages.find(({ to }) => to === pathname);
  useEffect(() => {
    document.title = `${page?.title ?? shell.notFound} · ${shell.name}`;
  }, [page]);
  return (
    <div className="shell">
      <a
        className="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {shell.skip}
      </a>
      <Top />
      <LostBanner />
      <nav className="rail" aria-label={shell.pages}>
        <Now />
        <PageLinks shown={pages} />
      </nav>
      <main id="main" ref={main} tabIndex={-1}>
        <PairingWatch />
        <Outlet />
      </main>
      <nav className="bar" aria-label={shell.pagesShort}>
        <PageLinks shown={pages.slice(0, pagesInBar)} />
        <More path={pathname} />
      </nav>
    </div>
  );
}

function PageLinks({
  shown,
  onGone,
}: {
  readonly shown: readonly (typeof pages)[number][];
  readonly onGone?: () => void;
}): ReactNode {
  return shown.map(({ to, icon, title }) => (
    <Link
      key={to}
      to={to}
      className={to === '/doctor' ? 'end' : ''}
      activeOptions={{ exact: true, includeSearch: false }}
      onClick={onGone}
    >
      <Icon name={icon} />
      {title}
    </Link>
  ));
}

/** On phones: the pages that the bar has no place for, in a sheet. */
function More({ path }: { readonly path: string }): ReactNode {
  const [open, setOpen] = useState(false);
  const others = pages.slice(pagesInBar);
  const close = (): void => setOpen(false);
  return (
    <>
      <button
        type="button"
        className={others.some(({ to }) => to === path) ? 'here' : ''}
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        <Icon name="more" />
        {shell.more}
      </button>
      {open && (
        <Sheet title={shell.more} icon="more" onClose={close}>
          <nav className="pad more" aria-label={shell.morePages}>
            <PageLinks shown={others} onGone={close} />
          </nav>
        </Sheet>
      )}
    </>
  );
}

function Top(): ReactNode {
  const node = useNode().data;
  const peers = usePeers().data ?? [];
  const online = peers.filter((peer) => peer.kind === 'device' && peer.state === 'online');
  const relayed = online.filter((peer) => peer.path === 'relayed').length;
  return (
    <header className="top">
      <Link className="brand" to="/" aria-label={shell.name}>
        <Mark />
        <span>{shell.name}</span>
      </Link>
      {node !== undefined && (
        <p className="me">
          <b>{node.name}</b> <Emoji {...node.fingerprint} />
        </p>
      )}
      <p className="net" role="status">
        <span>{plural(online.length, 'device')}</span>
        {online.length > relayed && <State dot="direct">{shell.direct(online.length - relayed)}</State>}
        {relayed > 0 && <State dot="relayed">{shell.relayed(relayed)}</State>}
      </p>
      <ThemeButton />
    </header>
  );
}

/** What is alive right now, first in the rail. */
function Now(): ReactNode {
  const node = useNode().data;
  const live = useLive();
  const active = live.link === 'live' ? live.answering : (node?.answering.active ?? 0);
  if (node === undefined || active === 0) return null;
  return (
    <p className="now" role="status">
      <b>{shell.answeringNow}</b>
      {shell.answers(active, node.answering.queued)}
    </p>
  );
}

function LostBanner(): ReactNode {
  const live = useLive();
  const node = useNode();
  // Only when the pages cannot be filled either: with polling alone everything still works.
  if (live.link !== 'lost' || !node.isError) return <div role="status" className="vh" />;
  return (
    <div role="status" className="banner">
      <b>{shell.lost}</b>
      {node.dataUpdatedAt > 0 && <AsOf atMs={node.dataUpdatedAt} />}
      <Command text={shell.lostCommand} />
    </div>
  );
}
