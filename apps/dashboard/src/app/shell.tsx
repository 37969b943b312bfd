import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { plural } from '../shared/format.ts';
import { PairingWatch } from '../pairing/watch.tsx';
import { Command } from '../ui/copy.tsx';
import { Icon, Mark, State } from '../ui/icon.tsx';
import { Emoji } from '../ui/people.tsx';
import { AsOf } from '../ui/region.tsx';
import { useLive } from './context.ts';
import { pages } from './pages.ts';
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
        <PageLinks />
      </nav>
      <main id="main" ref={main} tabIndex={-1}>
        <PairingWatch />
        <Outlet />
      </main>
      <nav className="bar" aria-label={shell.pagesShort}>
        <PageLinks />
      </nav>
    </div>
  );
}

function PageLinks(): ReactNode {
  return pages.map(({ to, icon, title }) => (
    <Link key={to} to={to} className={to === '/doctor' ? 'end' : ''} activeOptions={{ exact: true }}>
      <Icon name={icon} />
      {title}
    </Link>
  ));
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
